/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates are looked at with the verifier of OpenSSL, as a client's TLS does it.
 */
#include "harness/api/ca.h"
#include "harness/base/macro.h"
#include <errno.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct office {
	char dir[64], tls[80];
	struct address v[2];
	struct addresses addresses;
	struct ca *ca;
};

static int set_up(void **state)
{
	static struct office office;
	struct err err;

	office = (struct office){.dir = "/tmp/dnsdrill-ca-XXXXXX"};
	assert_non_null(mkdtemp(office.dir));
	snprintf(office.tls, sizeof(office.tls), "%s/tls", office.dir);
	assert_int_equal(address_parse("203.0.113.53", &office.v[0]), 0);
	assert_int_equal(address_parse("2001:db8::53", &office.v[1]), 0);
	office.addresses = (struct addresses){office.v, 2};
	office.ca = ca_new(office.tls, time(NULL), &err);
	assert_non_null(office.ca);
	assert_int_equal(ca_add_host(office.ca, "alpha.ns1", "ns1.alpha-dns.net", &office.addresses, &err), 0);
	*state = &office;
	return 0;
}

static int tear_down(void **state)
{
	const struct office *office = *state;
	char path[160];

	for (int flaw = 0; flaw < CA_FLAW_COUNT; flaw++) {
		snprintf(path, sizeof(path), "%s/alpha.ns1.%s.pem", office->tls, ca_flaw_name((enum ca_flaw)flaw));
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/alpha.ns1.key", office->tls);
	unlink(path);
	unlink(ca_bundle(office->ca));
	ca_free(office->ca);
	assert_int_equal(rmdir(office->tls), 0);
	assert_int_equal(rmdir(office->dir), 0);
	return 0;
}

/* What a verifier that trusts the bundle says of the certificate for that name (NULL: any) now. */
static int verify(const struct office *office, X509 *certificate, const char *name)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int said;

	assert_int_equal(X509_STORE_load_file(store, ca_bundle(office->ca)), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, certificate, NULL), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	if (name && (strchr(name, ':') || strspn(name, "0123456789.") == strlen(name)))
		assert_int_equal(X509_VERIFY_PARAM_set1_ip_asc(param, name), 1);
	else if (name)
		assert_int_equal(X509_VERIFY_PARAM_set1_host(param, name, 0), 1);
	X509_verify_cert(ctx);
	said = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return said;
}

static struct ca_identity issue(const struct office *office, enum ca_flaw flaw)
{
	struct ca_identity identity = {0};
	struct err err;

	assert_int_equal(ca_issue(office->ca, "alpha.ns1", flaw, &identity, &err), 0);
	return identity;
}

static void a_sound_certificate_is_for_all_names_and_addresses_of_its_host(void **state)
{
	static const char *const names[] = {"alpha.ns1", "ns1.alpha-dns.net", "203.0.113.53", "2001:db8::53"};
	struct ca_identity identity = issue(*state, CA_SOUND);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(verify(*state, identity.certificate, names[i]), X509_V_OK);
	assert_int_equal(verify(*state, identity.certificate, "ns2.alpha-dns.net"), X509_V_ERR_HOSTNAME_MISMATCH);
	assert_int_equal(verify(*state, identity.certificate, "203.0.113.54"), X509_V_ERR_IP_ADDRESS_MISMATCH);
	assert_int_equal(X509_check_private_key(identity.certificate, identity.key), 1);
}

static void it_is_valid_from_a_day_before_for_a_year(void **state)
{
	struct ca_identity identity = issue(*state, CA_SOUND);
	time_t before = time(NULL) - 23 * 3600, after = time(NULL) + 364 * 24 * 3600;
	time_t early = before - 7200, late = after + 2 * 24 * 3600;
	const ASN1_TIME *from = X509_get0_notBefore(identity.certificate);
	const ASN1_TIME *to = X509_get0_notAfter(identity.certificate);

	assert_int_equal(X509_cmp_time(from, &before), -1);
	assert_int_equal(X509_cmp_time(from, &early), 1);
	assert_int_equal(X509_cmp_time(to, &after), 1);
	assert_int_equal(X509_cmp_time(to, &late), -1);
}

static void each_flaw_is_refused_for_its_own_reason(void **state)
{
	static const struct {
		enum ca_flaw flaw;
		int said;
	} cases[] = {
		{CA_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED},
		{CA_NOT_YET_VALID, X509_V_ERR_CERT_NOT_YET_VALID},
		{CA_WRONG_NAME, X509_V_ERR_HOSTNAME_MISMATCH},
		{CA_SELF_SIGNED, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
		{CA_UNKNOWN_CA, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ca_identity identity = issue(*state, cases[i].flaw);

		assert_int_equal(verify(*state, identity.certificate, "ns1.alpha-dns.net"), cases[i].said);
		assert_int_equal(X509_check_private_key(identity.certificate, identity.key), 1);
	}
}

static void what_was_issued_once_is_the_same_ever_after(void **state)
{
	struct ca_identity one = issue(*state, CA_EXPIRED), other = issue(*state, CA_EXPIRED);

	assert_ptr_equal(one.certificate, other.certificate);
	assert_ptr_equal(one.key, issue(*state, CA_SOUND).key);
}

static void keys_are_for_the_owner_only(void **state)
{
	struct ca_identity identity = issue(*state, CA_SOUND);
	struct stat st;

	assert_int_equal(stat(identity.key_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(access(identity.certificate_file, R_OK), 0);
}

static void a_host_is_found_by_any_of_its_addresses(void **state)
{
	const struct office *office = *state;
	struct address other;

	assert_int_equal(address_parse("203.0.113.54", &other), 0);
	for (size_t i = 0; i < office->addresses.count; i++)
		assert_string_equal(ca_host_at(office->ca, &office->addresses.v[i]), "alpha.ns1");
	assert_null(ca_host_at(office->ca, &other));
}

static void a_host_it_was_not_told_of_gets_nothing(void **state)
{
	const struct office *office = *state;
	struct ca_identity identity;
	struct err err;

	assert_int_equal(ca_issue(office->ca, "beta.ns1", CA_SOUND, &identity, &err), -ENOENT);
	assert_non_null(strstr(err.text, "beta.ns1"));
	assert_int_equal(ca_add_host(office->ca, "alpha.ns1", NULL, &office->addresses, &err), -EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_certificate_is_for_all_names_and_addresses_of_its_host),
		cmocka_unit_test(it_is_valid_from_a_day_before_for_a_year),
		cmocka_unit_test(each_flaw_is_refused_for_its_own_reason),
		cmocka_unit_test(what_was_issued_once_is_the_same_ever_after),
		cmocka_unit_test(keys_are_for_the_owner_only),
		cmocka_unit_test(a_host_is_found_by_any_of_its_addresses),
		cmocka_unit_test(a_host_it_was_not_told_of_gets_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
