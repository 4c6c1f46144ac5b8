/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What we sign is looked at by other people's verifiers. A verifier that is not installed is said, and its part left out. */
#include "harness/dnssec/sign.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* With a delegation and its glue, an empty non-terminal, a wildcard, equal records and a long TXT. */
#define ZONE                                                                            \
	"example.com. 300 IN SOA ns1.example.com. h.example.com. 7 3600 600 86400 60\n" \
	"example.com. 300 IN NS ns1.example.com.\n"                                     \
	"ns1.example.com. 300 IN A 192.0.2.1\n"                                         \
	"www.example.com. 300 IN A 192.0.2.80\n"                                        \
	"www.example.com. 300 IN A 192.0.2.80\n"                                        \
	"a.deep.example.com. 300 IN AAAA 2001:db8::1\n"                                 \
	"*.wild.example.com. 300 IN TXT \"any\"\n"                                      \
	"sub.example.com. 300 IN NS ns.sub.example.com.\n"                              \
	"ns.sub.example.com. 300 IN A 192.0.2.53\n"                                     \
	"child.example.com. 300 IN NS ns1.example.com.\n"                               \
	"child.example.com. 300 IN DS 1 13 2 "                                          \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"

struct made {
	struct dnssec_keys keys;
	struct dnssec_key_use uses[4];
	struct dnssec_signing signing;
	ldns_rr_list *plain, *signed_rrs;
};

static ldns_rr_list *parse(const char *text)
{
	ldns_rr_list *list = ldns_rr_list_new();
	char *copy = strdup(text);

	for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
		ldns_rr *rr = NULL;

		assert_int_equal(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
		ldns_rr_list_push_rr(list, rr);
	}
	free(copy);
	return list;
}

static void add_key(struct made *m, unsigned algorithm, bool is_sep)
{
	struct dnssec_key *key;
	struct err err;

	assert_int_equal(dnssec_key_new("example.com", algorithm, is_sep, &key, &err), 0);
	assert_int_equal(dnssec_keys_add(&m->keys, key, &err), 0);
	m->uses[m->keys.count - 1] = (struct dnssec_key_use){key, true, true};
	m->signing.key_count = m->keys.count;
}

static void made_init(struct made *m, unsigned algorithm, bool is_csk)
{
	*m = (struct made){.plain = parse(ZONE)};
	m->signing = (struct dnssec_signing){.zone = "example.com", .keys = m->uses, .dnskey_ttl = 300};
	m->signing.inception_s = time(NULL) - 3600;
	m->signing.expiration_s = time(NULL) + 86400;
	add_key(m, algorithm, true);
	if (!is_csk)
		add_key(m, algorithm, false);
}

static void made_sign(struct made *m)
{
	struct err err = {0};

	if (dnssec_sign(m->plain, &m->signing, &m->signed_rrs, &err) < 0)
		fail_msg("%s", err.text);
}

static void made_fini(struct made *m)
{
	ldns_rr_list_deep_free(m->plain);
	ldns_rr_list_deep_free(m->signed_rrs);
	dnssec_keys_fini(&m->keys);
}

static size_t count_type(const ldns_rr_list *list, ldns_rr_type type)
{
	size_t count = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		count += ldns_rr_get_type(ldns_rr_list_rr(list, i)) == type;
	return count;
}

/* Exit status of a program that reads the zone as a file; 127: not installed. */
static int judged_by(const struct made *m, const char *before, const char *after)
{
	char path[] = "/tmp/dnsdrill-sign-XXXXXX", command[512];
	int fd = mkstemp(path), status;
	FILE *out = fdopen(fd, "w"), *program;
	char line[512];

	ldns_rr_list_print_fmt(out, ldns_output_format_nocomments, m->signed_rrs);
	fclose(out);
	snprintf(command, sizeof(command), "PATH=$PATH:/usr/sbin; %s %s %s 2>&1", before, path, after);
	program = popen(command, "r");
	assert_non_null(program);
	while (fgets(line, sizeof(line), program))
		if (strstr(line, "rror") || strstr(line, "ogus") || strstr(line, "not found"))
			print_message("%s: %s", before, line);
	status = WEXITSTATUS(pclose(program));
	unlink(path);
	return status;
}

static void assert_accepted(const struct made *m)
{
	static const char *const verifiers[][2] = {{"ldns-verify-zone", ""},
						   {"named-checkzone -i full example.com", ""},
						   {"kzonecheck -v -o example.com", ""}};

	for (size_t i = 0; i < ARRAY_LEN(verifiers); i++) {
		int status = judged_by(m, verifiers[i][0], verifiers[i][1]);

		if (status != 127)
			assert_int_equal(status, 0);
	}
}

static void every_algorithm_and_denial_is_accepted_by_others(void **state)
{
	static const unsigned algorithms[] = {8, 13, 15};

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct made m;

		made_init(&m, algorithms[i % 3], i >= 6);
		m.signing.is_nsec3 = i / 3 % 2;
		made_sign(&m);
		assert_accepted(&m);
		made_fini(&m);
	}
}

static void nsec3_with_iterations_and_salt_is_accepted(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, 13, false);
	m.signing.is_nsec3 = true;
	m.signing.iterations = 5;
	m.signing.salt_len = 2;
	memcpy(m.signing.salt, "\xab\xcd", 2);
	made_sign(&m);
	assert_accepted(&m);
	assert_int_equal(count_type(m.signed_rrs, LDNS_RR_TYPE_NSEC), 0);
	made_fini(&m);
}

static void two_algorithms_sign_everything_twice(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, 13, false);
	add_key(&m, 8, true);
	add_key(&m, 8, false);
	made_sign(&m);
	assert_accepted(&m);
	assert_int_equal(count_type(m.signed_rrs, LDNS_RR_TYPE_DNSKEY), 4);
	assert_int_equal(count_type(m.signed_rrs, LDNS_RR_TYPE_RRSIG) % 2, 0);
	made_fini(&m);
}

static void a_zonemd_is_accepted_and_a_wrong_one_is_not(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, 13, false);
	m.signing.has_zonemd = true;
	made_sign(&m);
	assert_accepted(&m);
	assert_int_equal(judged_by(&m, "ldns-verify-zone -ZZ", "") % 127, 0);
	/* The glue is not signed: only the digest tells. */
	for (size_t i = 0; i < ldns_rr_list_rr_count(m.signed_rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(m.signed_rrs, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_A && ldns_dname_label_count(ldns_rr_owner(rr)) == 4)
			ldns_rdf_data(ldns_rr_rdf(rr, 0))[3] ^= 1;
	}
	assert_int_not_equal(judged_by(&m, "ldns-verify-zone -ZZ", ""), 0);
	made_fini(&m);
}

static void expired_signatures_are_refused_by_others(void **state)
{
	struct made m;
	int status;

	(void)state;
	made_init(&m, 13, false);
	m.signing.inception_s = time(NULL) - 7200;
	m.signing.expiration_s = time(NULL) - 3600;
	made_sign(&m);
	status = judged_by(&m, "ldns-verify-zone", "");
	assert_int_not_equal(status, 0);
	made_fini(&m);
}

static void a_key_can_sign_without_being_published(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, 13, false);
	m.uses[1].is_published = false;
	made_sign(&m);
	assert_int_equal(count_type(m.signed_rrs, LDNS_RR_TYPE_DNSKEY), 1);
	assert_int_not_equal(judged_by(&m, "ldns-verify-zone", ""), 0);
	made_fini(&m);
}

static void signing_again_leaves_nothing_of_the_first(void **state)
{
	struct made m;
	ldns_rr_list *first, *stripped;

	(void)state;
	made_init(&m, 13, false);
	m.signing.is_nsec3 = true;
	made_sign(&m);
	first = m.signed_rrs;
	stripped = m.plain;
	m.plain = first;
	m.signing.is_nsec3 = false;
	made_sign(&m);
	assert_accepted(&m);
	assert_int_equal(count_type(m.signed_rrs, LDNS_RR_TYPE_NSEC3), 0);
	assert_int_equal(count_type(m.signed_rrs, LDNS_RR_TYPE_NSEC3PARAM), 0);
	assert_int_equal(count_type(m.signed_rrs, LDNS_RR_TYPE_DNSKEY), 2);
	ldns_rr_list_deep_free(stripped);
	made_fini(&m);
}

static void without_a_signing_key_it_says_so(void **state)
{
	struct made m;
	struct err err;

	(void)state;
	made_init(&m, 13, false);
	m.uses[0].signs = m.uses[1].signs = false;
	assert_int_equal(dnssec_sign(m.plain, &m.signing, &m.signed_rrs, &err), -EINVAL);
	assert_non_null(strstr(err.text, "example.com"));
	made_fini(&m);
}

static void keys_come_back_from_their_files(void **state)
{
	char dir[] = "/tmp/dnsdrill-keys-XXXXXX", command[64];
	struct dnssec_keys loaded = {0};
	struct made m;
	struct err err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	made_init(&m, 15, false);
	add_key(&m, 8, true);
	for (size_t i = 0; i < m.keys.count; i++)
		assert_int_equal(dnssec_key_write(m.keys.v[i], dir, &err), 0);
	if (dnssec_keys_load(&loaded, dir, "example.com", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(loaded.count, 3);
	for (size_t i = 0; i < 3; i++) {
		bool found = false;

		for (size_t k = 0; k < 3; k++)
			found = found || !ldns_rr_compare(loaded.v[i]->dnskey, m.keys.v[k]->dnskey);
		assert_true(found);
		m.uses[i].key = loaded.v[i];
	}
	made_sign(&m);
	assert_accepted(&m);
	dnssec_keys_fini(&loaded);
	made_fini(&m);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(WEXITSTATUS(pclose(popen(command, "r"))), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_algorithm_and_denial_is_accepted_by_others),
		cmocka_unit_test(nsec3_with_iterations_and_salt_is_accepted),
		cmocka_unit_test(two_algorithms_sign_everything_twice),
		cmocka_unit_test(a_zonemd_is_accepted_and_a_wrong_one_is_not),
		cmocka_unit_test(expired_signatures_are_refused_by_others),
		cmocka_unit_test(a_key_can_sign_without_being_published),
		cmocka_unit_test(signing_again_leaves_nothing_of_the_first),
		cmocka_unit_test(without_a_signing_key_it_says_so),
		cmocka_unit_test(keys_come_back_from_their_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
