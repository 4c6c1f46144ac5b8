/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/ca.h"
#include "harness/base/arena.h"
#include "harness/base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#define DAY (24 * 3600)
#define YEAR (365 * DAY)
#define CA_NAME "dnsdrill lab CA"
#define OTHER_CA_NAME "dnsdrill other CA"
#define WRONG_NAME "wrong.invalid"

struct ca_host {
	struct ca_host *next;
	const char *name, *hostname;
	const struct addresses *addresses;
	EVP_PKEY *key;
	const char *key_file;
	struct ca_identity issued[CA_FLAW_COUNT]; /* certificate NULL: not yet */
};

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
};

struct ca {
	struct arena *arena;
	const char *dir, *bundle;
	int64_t now_s;
	long serial; /* of the last certificate */
	struct authority own, other; /* other: made when first needed */
	struct ca_host *hosts;
};

/* What a certificate shall say. */
struct wanted {
	const char *name; /* its subject's common name */
	int64_t from_s, to_s; /* validity, relative to now */
	EVP_PKEY *key;
	const struct authority *issuer; /* certificate NULL: signs itself */
	const char *alt_names; /* in OpenSSL's configuration syntax; NULL: it is an authority's own */
};

static const char *const flaw_names[CA_FLAW_COUNT] = {"sound",      "expired",     "not-yet-valid",
						      "wrong-name", "self-signed", "unknown-ca"};

const char *ca_flaw_name(enum ca_flaw flaw)
{
	return flaw_names[flaw];
}

static int ssl_failed(struct err *err, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return err_set(err, -EIO, LOC_NONE, "cannot %s: %s", what, reason ? reason : "OpenSSL does not say why");
}

static bool add_extension(X509 *certificate, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	bool is_added = extension && X509_add_ext(certificate, extension, -1);

	X509_EXTENSION_free(extension);
	return is_added;
}

static bool add_extensions(X509 *certificate, X509 *issuer, const char *alt_names)
{
	X509V3_CTX ctx;
	bool is_fine;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	is_fine = add_extension(certificate, &ctx, NID_subject_key_identifier, "hash");
	if (!alt_names)
		return is_fine &&
		       add_extension(certificate, &ctx, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
		       add_extension(certificate, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign");
	return is_fine && add_extension(certificate, &ctx, NID_authority_key_identifier, "keyid") &&
	       add_extension(certificate, &ctx, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, &ctx, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(certificate, &ctx, NID_ext_key_usage, "serverAuth") &&
	       add_extension(certificate, &ctx, NID_subject_alt_name, alt_names);
}

static bool set_common_name(X509 *certificate, const char *name)
{
	char text[64]; /* X.520's bound of a common name */

	snprintf(text, sizeof(text), "%s", name);
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
					  (const unsigned char *)text, -1, -1, 0);
}

/* Everything but the signature. */
static bool fill(struct ca *ca, X509 *certificate, X509 *issuer, const struct wanted *wanted)
{
	time_t from = (time_t)(ca->now_s + wanted->from_s), to = (time_t)(ca->now_s + wanted->to_s);

	return X509_set_version(certificate, X509_VERSION_3) &&
	       ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++ca->serial) &&
	       ASN1_TIME_set(X509_getm_notBefore(certificate), from) &&
	       ASN1_TIME_set(X509_getm_notAfter(certificate), to) && X509_set_pubkey(certificate, wanted->key) &&
	       set_common_name(certificate, wanted->name) &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
	       add_extensions(certificate, issuer, wanted->alt_names);
}

static X509 *make_certificate(struct ca *ca, const struct wanted *wanted, struct err *err)
{
	X509 *certificate = X509_new();
	X509 *issuer = wanted->issuer ? wanted->issuer->certificate : certificate;
	EVP_PKEY *signer = wanted->issuer ? wanted->issuer->key : wanted->key;

	if (certificate && fill(ca, certificate, issuer, wanted) && X509_sign(certificate, signer, EVP_sha256()))
		return certificate;
	X509_free(certificate);
	ssl_failed(err, "make a certificate");
	return NULL;
}

static int make_authority(struct ca *ca, const char *name, struct authority *ret, struct err *err)
{
	struct authority authority = {.key = EVP_EC_gen("P-256")};
	struct wanted wanted = {.name = name, .from_s = -DAY, .to_s = YEAR, .key = authority.key};

	if (!authority.key)
		return ssl_failed(err, "make a key");
	authority.certificate = make_certificate(ca, &wanted, err);
	if (!authority.certificate) {
		EVP_PKEY_free(authority.key);
		return err->code;
	}
	*ret = authority;
	return 0;
}

/* Writes what is in memory (freed here) to a file of that mode. *ret_path in the arena. */
static int write_pem(struct ca *ca, const char *name, BIO *memory, mode_t mode, const char **ret_path, struct err *err)
{
	const char *path = arena_printf(ca->arena, "%s/%s", ca->dir, name);
	char *data;
	long len = BIO_get_mem_data(memory, &data);
	int r = fd_write_file(AT_FDCWD, path, data, (size_t)len, mode);

	BIO_free(memory);
	if (r < 0)
		return err_set(err, r, LOC_NONE, "cannot write %s: %s", path, strerror(-r));
	*ret_path = path;
	return 0;
}

static int write_certificate(struct ca *ca, const char *name, X509 *certificate, const char **ret_path, struct err *err)
{
	BIO *memory = BIO_new(BIO_s_mem());

	if (memory && PEM_write_bio_X509(memory, certificate))
		return write_pem(ca, name, memory, 0644, ret_path, err);
	BIO_free(memory);
	return ssl_failed(err, "encode a certificate");
}

static int write_key(struct ca *ca, const char *name, EVP_PKEY *key, const char **ret_path, struct err *err)
{
	BIO *memory = BIO_new(BIO_s_mem());

	if (memory && PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL))
		return write_pem(ca, name, memory, 0600, ret_path, err);
	BIO_free(memory);
	return ssl_failed(err, "encode a key");
}

struct ca *ca_new(const char *dir, int64_t now_s, struct err *err)
{
	struct arena *arena = arena_new();
	struct ca *ca = ARENA_NEW(arena, struct ca);

	ca->arena = arena;
	ca->dir = arena_strdup(arena, dir);
	ca->now_s = now_s;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		err_set(err, -errno, LOC_NONE, "cannot create %s: %s", dir, strerror(errno));
	else if (make_authority(ca, CA_NAME, &ca->own, err) == 0 &&
		 write_certificate(ca, "ca.pem", ca->own.certificate, &ca->bundle, err) == 0)
		return ca;
	ca_free(ca);
	return NULL;
}

static void free_authority(struct authority *authority)
{
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
}

void ca_free(struct ca *ca)
{
	if (!ca)
		return;
	for (struct ca_host *host = ca->hosts; host; host = host->next) {
		for (size_t i = 0; i < CA_FLAW_COUNT; i++)
			X509_free(host->issued[i].certificate);
		EVP_PKEY_free(host->key);
	}
	free_authority(&ca->own);
	free_authority(&ca->other);
	arena_free(ca->arena);
}

const char *ca_bundle(const struct ca *ca)
{
	return ca->bundle;
}

static struct ca_host *find_host(const struct ca *ca, const char *name)
{
	struct ca_host *host = ca->hosts;

	while (host && strcmp(host->name, name))
		host = host->next;
	return host;
}

const char *ca_host_at(const struct ca *ca, const struct address *address)
{
	for (const struct ca_host *host = ca->hosts; host; host = host->next) {
		for (size_t i = 0; i < host->addresses->count; i++) {
			if (address_is_equal(&host->addresses->v[i], address))
				return host->name;
		}
	}
	return NULL;
}

int ca_add_host(struct ca *ca, const char *name, const char *hostname, const struct addresses *addresses,
		struct err *err)
{
	struct ca_host *host = ARENA_NEW(ca->arena, struct ca_host);
	int r;

	if (find_host(ca, name))
		return err_set(err, -EEXIST, LOC_NONE, "the CA knows a host %s already", name);
	host->name = arena_strdup(ca->arena, name);
	host->hostname = hostname ? arena_strdup(ca->arena, hostname) : NULL;
	host->addresses = addresses;
	host->key = EVP_EC_gen("P-256");
	if (!host->key)
		return ssl_failed(err, "make a key");
	r = write_key(ca, arena_printf(ca->arena, "%s.key", name), host->key, &host->key_file, err);
	if (r < 0) {
		EVP_PKEY_free(host->key);
		return r;
	}
	host->next = ca->hosts;
	ca->hosts = host;
	return 0;
}

bool ca_host(const struct ca *ca, size_t i, const char **ret_name, const struct addresses **ret_addresses)
{
	const struct ca_host *host = ca->hosts;

	while (host && i--)
		host = host->next;
	if (!host)
		return false;
	*ret_name = host->name;
	*ret_addresses = host->addresses;
	return true;
}

static const char *alt_names(struct ca *ca, const struct ca_host *host, enum ca_flaw flaw)
{
	const char *text = arena_printf(ca->arena, "DNS:%s", host->name);

	if (flaw == CA_WRONG_NAME)
		return "DNS:" WRONG_NAME;
	if (host->hostname)
		text = arena_printf(ca->arena, "%s,DNS:%s", text, host->hostname);
	for (size_t i = 0; i < host->addresses->count; i++)
		text = arena_printf(ca->arena, "%s,IP:%s", text, host->addresses->v[i].text);
	return text;
}

static int choose_issuer(struct ca *ca, enum ca_flaw flaw, const struct authority **ret, struct err *err)
{
	int r = 0;

	if (flaw == CA_UNKNOWN_CA && !ca->other.certificate)
		r = make_authority(ca, OTHER_CA_NAME, &ca->other, err);
	*ret = flaw == CA_SELF_SIGNED ? NULL : flaw == CA_UNKNOWN_CA ? &ca->other : &ca->own;
	return r;
}

static int issue(struct ca *ca, const struct ca_host *host, enum ca_flaw flaw, struct ca_identity *ret, struct err *err)
{
	struct ca_identity identity = {.key = host->key, .key_file = host->key_file};
	struct wanted wanted = {.name = flaw == CA_WRONG_NAME ? WRONG_NAME
					: host->hostname      ? host->hostname
							      : host->name,
				.from_s = -DAY,
				.to_s = YEAR,
				.key = host->key};
	const char *file = arena_printf(ca->arena, "%s.%s.pem", host->name, ca_flaw_name(flaw));
	int r = choose_issuer(ca, flaw, &wanted.issuer, err);

	if (r < 0)
		return r;
	if (flaw == CA_EXPIRED) {
		wanted.from_s = -YEAR;
		wanted.to_s = -DAY;
	} else if (flaw == CA_NOT_YET_VALID) {
		wanted.from_s = DAY;
	}
	wanted.alt_names = alt_names(ca, host, flaw);
	identity.certificate = make_certificate(ca, &wanted, err);
	if (!identity.certificate)
		return err->code;
	r = write_certificate(ca, file, identity.certificate, &identity.certificate_file, err);
	if (r < 0)
		X509_free(identity.certificate);
	else
		*ret = identity;
	return r;
}

int ca_issue(struct ca *ca, const char *name, enum ca_flaw flaw, struct ca_identity *ret, struct err *err)
{
	struct ca_host *host = find_host(ca, name);
	int r = 0;

	if (!host)
		return err_set(err, -ENOENT, LOC_NONE, "%s serves no TLS: the lab has no certificate for it", name);
	if (!host->issued[flaw].certificate)
		r = issue(ca, host, flaw, &host->issued[flaw], err);
	if (r == 0)
		*ret = host->issued[flaw];
	return r;
}
