/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/cert.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

static const char *const names[] = {"ns1.example.net.", "dns.example.net"};

static struct cert authority(void)
{
	struct cert cert;
	struct err err;

	assert_int_equal(cert_authority("test", &cert, &err), 0);
	return cert;
}

static struct cert issued(const struct cert *by, enum cert_flaw flaw)
{
	struct cert_request request = {.names = names, .name_count = 2, .flaw = flaw};
	struct address addresses[2];
	struct cert cert;
	struct err err;

	assert_int_equal(address_parse("192.0.2.1", &addresses[0]), 0);
	assert_int_equal(address_parse("2001:db8::1", &addresses[1]), 0);
	request.addresses = addresses;
	request.address_count = 2;
	assert_int_equal(cert_issue(by, &request, &cert, &err), 0);
	return cert;
}

/* What a client that trusts ca and wants that host makes of it: X509_V_OK or the reason of refusal. */
static int verified(const struct cert *ca, const struct cert *cert, const char *host)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int error;

	assert_int_equal(X509_STORE_add_cert(store, ca->x509), 1);
	assert_int_equal(X509_STORE_CTX_init(context, store, cert->x509, NULL), 1);
	X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
	if (strchr("0123456789", host[0]))
		X509_VERIFY_PARAM_set1_ip_asc(X509_STORE_CTX_get0_param(context), host);
	else
		X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context), host, 0);
	X509_verify_cert(context);
	error = X509_STORE_CTX_get_error(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return error;
}

static void a_good_one_is_good_for_each_of_its_names_and_addresses(UNUSED void **state)
{
	static const char *const hosts[] = {"ns1.example.net", "dns.example.net", "192.0.2.1", "2001:db8::1"};
	struct cert ca = authority(), cert = issued(&ca, CERT_GOOD);

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		assert_int_equal(verified(&ca, &cert, hosts[i]), X509_V_OK);
	assert_int_equal(verified(&ca, &cert, "other.example.net"), X509_V_ERR_HOSTNAME_MISMATCH);
	assert_int_equal(verified(&ca, &cert, "192.0.2.2"), X509_V_ERR_IP_ADDRESS_MISMATCH);
	cert_fini(&cert);
	cert_fini(&ca);
}

static void each_flaw_is_refused_for_its_own_reason_alone(UNUSED void **state)
{
	static const int reasons[CERT_FLAWS] = {
		[CERT_GOOD] = X509_V_OK,
		[CERT_EXPIRED] = X509_V_ERR_CERT_HAS_EXPIRED,
		[CERT_NOT_YET_VALID] = X509_V_ERR_CERT_NOT_YET_VALID,
		[CERT_WRONG_NAME] = X509_V_ERR_HOSTNAME_MISMATCH,
		[CERT_UNKNOWN_CA] = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
		[CERT_SELF_SIGNED] = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
	};
	struct cert ca = authority();

	for (enum cert_flaw flaw = 0; flaw < CERT_FLAWS; flaw++) {
		struct cert cert = issued(&ca, flaw);

		assert_int_equal(verified(&ca, &cert, "ns1.example.net"), reasons[flaw]);
		cert_fini(&cert);
	}
	cert_fini(&ca);
}

static void names_are_taken_over_from_another_certificate(UNUSED void **state)
{
	struct cert ca = authority(), model = issued(&ca, CERT_GOOD), cert;
	struct err err;

	assert_int_equal(cert_issue(&ca, &(struct cert_request){.like = model.x509}, &cert, &err), 0);
	assert_int_equal(verified(&ca, &cert, "dns.example.net"), X509_V_OK);
	cert_fini(&cert);
	cert_fini(&model);
	cert_fini(&ca);
}

static void what_is_written_is_read_again_and_a_wrong_key_is_refused(UNUSED void **state)
{
	struct cert ca = authority(), cert = issued(&ca, CERT_GOOD), again;
	char *pem, *key, *ca_pem, *ca_key;
	struct err err;

	assert_int_equal(cert_write(&cert, &pem, &key), 0);
	assert_int_equal(cert_write(&ca, &ca_pem, &ca_key), 0);
	assert_int_equal(cert_read(pem, key, &again, &err), 0);
	assert_int_equal(verified(&ca, &again, "ns1.example.net"), X509_V_OK);
	cert_fini(&again);
	assert_int_equal(cert_read(pem, ca_key, &again, &err), -EINVAL);
	assert_non_null(strstr(err.text, "does not belong"));
	assert_int_equal(cert_read("no PEM", NULL, &again, &err), -EINVAL);
	free(pem);
	free(key);
	free(ca_pem);
	free(ca_key);
	cert_fini(&cert);
	cert_fini(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one_is_good_for_each_of_its_names_and_addresses),
		cmocka_unit_test(each_flaw_is_refused_for_its_own_reason_alone),
		cmocka_unit_test(names_are_taken_over_from_another_certificate),
		cmocka_unit_test(what_is_written_is_read_again_and_a_wrong_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
