/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is published and signs after each step, as the tables of RFC 6781 section 4.1 have it. Looked at with ldns in the zone as signed. */
#include "harness/dnssec/rollover.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[64];
	uint16_t old_ksk, old_zsk;
	struct dnssec_keys keys;
	struct dnssec_key_use uses[16];
	struct dnssec_signing signing;
	ldns_rr_list *rrs; /* signed after the last step */
	int64_t serial;
};

static void begin(struct fixture *f)
{
	struct err err;

	*f = (struct fixture){.dir = "/tmp/rolloverXXXXXX"};
	assert_non_null(mkdtemp(f->dir));
	for (int is_sep = 0; is_sep <= 1; is_sep++) {
		struct dnssec_key *key;

		assert_int_equal(dnssec_key_new("example.com", 13, is_sep, &key, &err), 0);
		assert_int_equal(dnssec_key_write(key, f->dir, &err), 0);
		*(is_sep ? &f->old_ksk : &f->old_zsk) = key->tag;
		dnssec_key_free(key);
	}
}

static void sign(struct fixture *f)
{
	static const char *const zone[] = {"example.com. 60 IN SOA a.example.com. h.example.com. 1 60 60 60 60",
					   "example.com. 60 IN NS a.example.com.", "a.example.com. 60 IN A 192.0.2.1"};
	ldns_rr_list *plain = ldns_rr_list_new();
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(zone); i++) {
		ldns_rr *rr = NULL;

		assert_int_equal(ldns_rr_new_frm_str(&rr, zone[i], 0, NULL, NULL), LDNS_STATUS_OK);
		ldns_rr_list_push_rr(plain, rr);
	}
	dnssec_keys_fini(&f->keys);
	ldns_rr_list_deep_free(f->rrs);
	f->rrs = NULL;
	f->signing = (struct dnssec_signing){.zone = "example.com", .dnskey_ttl = 60};
	f->signing.inception_s = time(NULL) - 60;
	f->signing.expiration_s = time(NULL) + 3600;
	assert_int_equal(dnssec_keys_load(&f->keys, f->dir, "example.com", &err), 0);
	dnssec_use_all(&f->keys, f->uses, &f->signing);
	assert_int_equal(rollover_use(f->dir, &f->signing, &err), 0);
	if (dnssec_sign(plain, &f->signing, &f->rrs, &err) < 0)
		fail_msg("%s", err.text);
	ldns_rr_list_deep_free(plain);
}

static void move(struct fixture *f, enum rollover roll, size_t number)
{
	struct rollover_move move = {f->dir, "example.com", roll, number, ++f->serial};
	struct err err = {0};

	if (rollover_move(&move, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rollover_move(&move, &err), 0); /* another server: it is made */
	sign(f);
}

static void end(struct fixture *f)
{
	char command[128];

	dnssec_keys_fini(&f->keys);
	ldns_rr_list_deep_free(f->rrs);
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
}

/* "o" for an old key, "n" for another; of DNSKEY records with that flag SEP. */
static const char *published(const struct fixture *f, bool is_sep)
{
	bool old = false, fresh = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(f->rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(f->rrs, i);
		uint16_t tag;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DNSKEY ||
		    (ldns_rdf2native_int16(ldns_rr_dnskey_flags(rr)) & LDNS_KEY_SEP_KEY) != (int)is_sep)
			continue;
		tag = ldns_calc_keytag(rr);
		old |= tag == f->old_ksk || tag == f->old_zsk;
		fresh |= tag != f->old_ksk && tag != f->old_zsk;
	}
	return old && fresh ? "on" : old ? "o" : fresh ? "n" : "";
}

static const char *signs(const struct fixture *f, ldns_rr_type covered)
{
	bool old = false, fresh = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(f->rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(f->rrs, i);
		uint16_t tag;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG ||
		    ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) != covered)
			continue;
		tag = ldns_rdf2native_int16(ldns_rr_rrsig_keytag(rr));
		old |= tag == f->old_ksk || tag == f->old_zsk;
		fresh |= tag != f->old_ksk && tag != f->old_zsk;
	}
	return old && fresh ? "on" : old ? "o" : fresh ? "n" : "";
}

static const char *ds(const struct fixture *f)
{
	ldns_rr_list *list = NULL;
	bool old = false, fresh = false;
	struct err err = {0};

	assert_int_equal(rollover_ds(f->dir, "example.com", 60, &list, &err), 0);
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		uint16_t tag = ldns_rdf2native_int16(ldns_rr_rdf(ldns_rr_list_rr(list, i), 0));

		old |= tag == f->old_ksk;
		fresh |= tag != f->old_ksk;
	}
	ldns_rr_list_deep_free(list);
	return old && fresh ? "on" : old ? "o" : fresh ? "n" : "";
}

static void is(const struct fixture *f, const char *ksk, const char *zsk, const char *data, const char *at_parent)
{
	assert_string_equal(published(f, true), ksk);
	assert_string_equal(published(f, false), zsk);
	assert_string_equal(signs(f, LDNS_RR_TYPE_A), data);
	assert_string_equal(ds(f), at_parent);
}

static void a_zsk_is_published_before_it_signs_and_after_it_did(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	move(&f, ROLLOVER_ZSK, 0);
	is(&f, "o", "on", "o", "o");
	move(&f, ROLLOVER_ZSK, 1);
	is(&f, "o", "on", "n", "o");
	move(&f, ROLLOVER_ZSK, 2);
	is(&f, "o", "n", "n", "o");
	assert_null(rollover_step(ROLLOVER_ZSK, 3));
	end(&f);
}

static void two_ksks_sign_until_the_ds_has_changed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	move(&f, ROLLOVER_KSK, 0);
	is(&f, "on", "o", "o", "o");
	assert_string_equal(signs(&f, LDNS_RR_TYPE_DNSKEY), "on");
	move(&f, ROLLOVER_KSK, 1);
	is(&f, "on", "o", "o", "n");
	move(&f, ROLLOVER_KSK, 2);
	is(&f, "n", "o", "o", "n");
	assert_string_equal(signs(&f, LDNS_RR_TYPE_DNSKEY), "n");
	end(&f);
}

static void the_parent_has_two_ds_while_a_ksk_is_replaced(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	move(&f, ROLLOVER_KSK_DOUBLE_DS, 0);
	is(&f, "o", "o", "o", "on");
	move(&f, ROLLOVER_KSK_DOUBLE_DS, 1);
	is(&f, "n", "o", "o", "on");
	move(&f, ROLLOVER_KSK_DOUBLE_DS, 2);
	is(&f, "n", "o", "o", "n");
	end(&f);
}

/* RFC 6781 section 4.1.4: signatures come before the keys, and go after them. */
static void signatures_of_a_new_algorithm_come_before_its_keys(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	move(&f, ROLLOVER_ALGORITHM, 0);
	is(&f, "o", "o", "on", "o");
	move(&f, ROLLOVER_ALGORITHM, 1);
	is(&f, "on", "on", "on", "o");
	move(&f, ROLLOVER_ALGORITHM, 2);
	is(&f, "on", "on", "on", "n");
	move(&f, ROLLOVER_ALGORITHM, 3);
	is(&f, "n", "n", "on", "n");
	move(&f, ROLLOVER_ALGORITHM, 4);
	is(&f, "n", "n", "n", "n");
	end(&f);
}

static void one_rollover_follows_another_and_keys_of_the_past_stay_away(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < 3; i++)
		move(&f, ROLLOVER_ZSK, i);
	for (size_t i = 0; i < 3; i++)
		move(&f, ROLLOVER_KSK, i);
	is(&f, "n", "n", "n", "n");
	for (size_t i = 0; i < 3; i++)
		move(&f, ROLLOVER_ZSK, i);
	is(&f, "n", "n", "n", "n");
	assert_int_equal(f.keys.count, 5);
	end(&f);
}

static void a_step_whose_predecessor_was_not_made_is_refused(void **state)
{
	struct rollover_move second = {.zone = "example.com", .roll = ROLLOVER_ZSK, .number = 1, .serial = 2};
	struct err err = {0};
	struct fixture f;

	(void)state;
	begin(&f);
	second.dir = f.dir;
	assert_int_equal(rollover_move(&second, &err), -EINVAL);
	assert_non_null(strstr(err.text, "was not done"));
	sign(&f);
	assert_string_equal(published(&f, false), "o");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zsk_is_published_before_it_signs_and_after_it_did),
		cmocka_unit_test(two_ksks_sign_until_the_ds_has_changed),
		cmocka_unit_test(the_parent_has_two_ds_while_a_ksk_is_replaced),
		cmocka_unit_test(signatures_of_a_new_algorithm_come_before_its_keys),
		cmocka_unit_test(one_rollover_follows_another_and_keys_of_the_past_stay_away),
		cmocka_unit_test(a_step_whose_predecessor_was_not_made_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
