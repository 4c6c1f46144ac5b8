/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/cert.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY 86400L
#define YEARS_OF_AUTHORITY 10
#define COMMON_NAME_MAX 64 /* RFC 5280 appendix A.1, ub-common-name */

static int complain(struct err *err, const char *what)
{
	unsigned long code = ERR_get_error();
	char why[256] = "";

	if (code)
		ERR_error_string_n(code, why, sizeof(why));
	ERR_clear_error();
	return err_set(err, -EINVAL, LOC_NONE, "%s%s%s", what, *why ? ": " : "", why);
}

void cert_fini(struct cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	*cert = (struct cert){0};
}

static bool set_serial(X509 *x509)
{
	unsigned char bytes[16];
	BIGNUM *number = NULL;
	bool good = RAND_bytes(bytes, sizeof(bytes)) == 1;

	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, always as long */
	number = good ? BN_bin2bn(bytes, sizeof(bytes), NULL) : NULL;
	good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
	BN_free(number);
	return good;
}

static bool set_name(X509 *x509, const char *name)
{
	char common[COMMON_NAME_MAX + 1];

	snprintf(common, sizeof(common), "%s", name);
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
					  (const unsigned char *)common, -1, -1, 0) == 1;
}

static bool add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;
	bool good;

	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	good = extension && X509_add_ext(x509, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

/* A new key and a certificate for it that says nothing yet but its serial number, name and time. */
static bool begin(struct cert *ret, const char *name, long from_s, long until_s)
{
	ret->key = EVP_EC_gen("P-256");
	ret->x509 = X509_new();
	return ret->key && ret->x509 && X509_set_version(ret->x509, X509_VERSION_3) == 1 && set_serial(ret->x509) &&
	       set_name(ret->x509, name) && X509_gmtime_adj(X509_getm_notBefore(ret->x509), from_s) &&
	       X509_gmtime_adj(X509_getm_notAfter(ret->x509), until_s) && X509_set_pubkey(ret->x509, ret->key) == 1;
}

static bool sign(struct cert *cert, const struct cert *issuer)
{
	return X509_set_issuer_name(cert->x509, X509_get_subject_name(issuer->x509)) == 1 &&
	       add_extension(cert->x509, issuer->x509, NID_subject_key_identifier, "hash") &&
	       add_extension(cert->x509, issuer->x509, NID_authority_key_identifier, "keyid") &&
	       X509_sign(cert->x509, issuer->key, EVP_sha256()) > 0;
}

int cert_authority(const char *name, struct cert *ret, struct err *err)
{
	struct cert cert = {0};

	if (!begin(&cert, name, -DAY, YEARS_OF_AUTHORITY * 365 * DAY) ||
	    !add_extension(cert.x509, cert.x509, NID_basic_constraints, "critical,CA:TRUE") ||
	    !add_extension(cert.x509, cert.x509, NID_key_usage, "critical,keyCertSign,cRLSign") ||
	    !sign(&cert, &cert)) {
		cert_fini(&cert);
		return complain(err, "making a certificate authority");
	}
	*ret = cert;
	return 0;
}

static bool add_name(GENERAL_NAMES *names, int type, const void *bytes, size_t len)
{
	ASN1_STRING *string = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (!string || !name || ASN1_STRING_set(string, bytes, (int)len) != 1) {
		ASN1_STRING_free(string);
		GENERAL_NAME_free(name);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, string);
	if (sk_GENERAL_NAME_push(names, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

static bool collect_names(GENERAL_NAMES *names, const struct cert_request *request)
{
	bool good = true;

	for (size_t i = 0; good && i < request->name_count; i++) {
		size_t len = strlen(request->names[i]);

		if (len && request->names[i][len - 1] == '.')
			len--; /* RFC 5280 section 4.2.1.6: preferred name syntax has no last dot */
		good = add_name(names, GEN_DNS, request->names[i], len);
	}
	for (size_t i = 0; good && i < request->address_count; i++)
		good = add_name(names, GEN_IPADD, request->addresses[i].bytes,
				request->addresses[i].family == AF_INET ? 4 : 16);
	return good;
}

static bool add_names(X509 *x509, const struct cert_request *request)
{
	GENERAL_NAMES *names;
	bool good;

	if (request->flaw == CERT_WRONG_NAME)
		return add_extension(x509, x509, NID_subject_alt_name, "DNS:wrong-name.invalid");
	names = request->like ? X509_get_ext_d2i(request->like, NID_subject_alt_name, NULL, NULL)
			      : sk_GENERAL_NAME_new_null();
	good = names && (request->like || collect_names(names, request)) &&
	       X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
	GENERAL_NAMES_free(names);
	return good;
}

static bool make(const struct cert *issuer, const struct cert_request *request, struct cert *ret)
{
	long from_s = -DAY, until_s = 365 * DAY;
	const char *name = request->name_count ? request->names[0] : "dnsdrill";

	if (request->flaw == CERT_EXPIRED)
		from_s = -365 * DAY, until_s = -DAY;
	if (request->flaw == CERT_NOT_YET_VALID)
		from_s = DAY;
	if (request->flaw == CERT_WRONG_NAME)
		name = "wrong-name.invalid";
	return begin(ret, name, from_s, until_s) &&
	       add_extension(ret->x509, issuer ? issuer->x509 : ret->x509, NID_basic_constraints, "CA:FALSE") &&
	       add_extension(ret->x509, ret->x509, NID_ext_key_usage, "serverAuth") && add_names(ret->x509, request) &&
	       sign(ret, issuer ? issuer : ret);
}

int cert_issue(const struct cert *authority, const struct cert_request *request, struct cert *ret, struct err *err)
{
	struct cert stranger = {0}, cert = {0};
	const struct cert *issuer = authority;
	bool good;

	if (request->flaw == CERT_UNKNOWN_CA) {
		if (cert_authority("an authority that nobody knows", &stranger, err))
			return err->code;
		issuer = &stranger;
	} else if (request->flaw == CERT_SELF_SIGNED) {
		issuer = NULL;
	}
	good = make(issuer, request, &cert);
	cert_fini(&stranger);
	if (!good) {
		cert_fini(&cert);
		return complain(err, "making a certificate");
	}
	*ret = cert;
	return 0;
}

int cert_read(const char *cert_pem, const char *key_pem, struct cert *ret, struct err *err)
{
	BIO *cert_bio = BIO_new_mem_buf(cert_pem, -1), *key_bio = key_pem ? BIO_new_mem_buf(key_pem, -1) : NULL;
	struct cert cert = {0};
	const char *what = NULL;

	if (!cert_bio || !(cert.x509 = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL)))
		what = "no certificate in PEM";
	else if (key_pem && (!key_bio || !(cert.key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL))))
		what = "no private key in PEM";
	else if (key_pem && X509_check_private_key(cert.x509, cert.key) != 1)
		what = "the key does not belong to the certificate";
	BIO_free(cert_bio);
	BIO_free(key_bio);
	if (what) {
		cert_fini(&cert);
		return complain(err, what);
	}
	*ret = cert;
	return 0;
}

/* What was written to bio, malloc'd. */
static char *take_text(BIO *bio, bool good)
{
	char *bytes = NULL;
	long len = bio && good ? BIO_get_mem_data(bio, &bytes) : 0;
	char *text = len > 0 ? strndup(bytes, (size_t)len) : NULL;

	BIO_free(bio);
	return text;
}

int cert_write(const struct cert *cert, char **ret_cert, char **ret_key)
{
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = ret_key ? BIO_new(BIO_s_mem()) : NULL;
	char *cert_pem = take_text(cert_bio, cert_bio && PEM_write_bio_X509(cert_bio, cert->x509) == 1);
	char *key_pem = take_text(
		key_bio, key_bio && PEM_write_bio_PrivateKey(key_bio, cert->key, NULL, NULL, 0, NULL, NULL) == 1);

	if (!cert_pem || (ret_key && !key_pem)) {
		free(cert_pem);
		free(key_pem);
		return -ENOMEM;
	}
	*ret_cert = cert_pem;
	if (ret_key)
		*ret_key = key_pem;
	return 0;
}
