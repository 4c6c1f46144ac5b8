/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lab's certification authority: certificates for its hosts, sound ones and, on purpose, bad ones. Implemented in lab/ca.c; nothing here needs a running lab,
 * so tests make one of their own.
 *
 * ca_new → { ca_add_host → ca_issue* }* → ca_free. Everything it made on disk is below its directory and goes with the lab; no key outlives it. All keys are
 * ECDSA P-256. Names are the lab's own, so the same plan gives the same names, but keys and signatures are fresh each time.
 */
#pragma once
#include "harness/base/address.h"
#include "harness/base/err.h"
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ca;

/* What is wrong with a certificate. In words for reports: ca_flaw_name. */
enum ca_flaw {
	CA_SOUND,
	CA_EXPIRED, /* since a day */
	CA_NOT_YET_VALID, /* for another day */
	CA_WRONG_NAME, /* names and addresses of nobody: wrong.invalid */
	CA_SELF_SIGNED, /* by the host's own key */
	CA_UNKNOWN_CA, /* by an authority that nobody trusts */
	CA_FLAW_COUNT
};
const char *ca_flaw_name(
	enum ca_flaw flaw); /* "sound", "expired", "not-yet-valid", "wrong-name", "self-signed", "unknown-ca" */

/* A host's certificate and key. All owned by the CA, valid until ca_free; take references (X509_up_ref) to keep them longer. */
struct ca_identity {
	X509 *certificate;
	EVP_PKEY *key; /* the same for all certificates of a host */
	const char *certificate_file,
		*key_file; /* the same in PEM; absolute paths, the key readable by the owner only */
};

/* An authority with a fresh key, whose certificate and files are below dir (absolute; made here, for the owner only but for the bundle). now_s: seconds since
 * 1970 by the lab's clock; certificates are valid from a day before until a year after it. */
struct ca *ca_new(const char *dir, int64_t now_s, struct err *err);
void ca_free(struct ca *ca); /* NULL is fine; files stay, they go with the lab */

/* PEM file with the authority's certificate: what clients trust. Absolute path. */
const char *ca_bundle(const struct ca *ca);

/* Who a host is: its certificates are for name (as the plan calls it), hostname (may be NULL) and all addresses. name must be fit for a file's name.
 * addresses are borrowed until ca_free. -EEXIST: there already. */
int ca_add_host(struct ca *ca, const char *name, const char *hostname, const struct addresses *addresses,
		struct err *err);

/* The name of the host that bears the address; NULL: none that was added. */
const char *ca_host_at(const struct ca *ca, const struct address *address);

/* The i-th host, all owned by the CA. False: there are no more. */
bool ca_host(const struct ca *ca, size_t i, const char **ret_name, const struct addresses **ret_addresses);

/* The host's certificate with that flaw: issued the first time it is asked for, the same one ever after. -ENOENT: no such host. */
int ca_issue(struct ca *ca, const char *name, enum ca_flaw flaw, struct ca_identity *ret, struct err *err);
