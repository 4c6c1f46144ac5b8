/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X.509 certificates of our own making (RFC 5280): an authority, and what it signs for servers, good or with one flaw on purpose.
 * Keys are ECDSA P-256. Nothing here is meant to protect anybody: authorities live as long as a lab or a proxy does.
 */
#pragma once
#include "harness/base/address.h"

struct evp_pkey_st;
struct x509_st;

/* A certificate and its key; both owned. */
struct cert {
	struct x509_st *x509;
	struct evp_pkey_st *key;
};

enum cert_flaw {
	CERT_GOOD,
	CERT_EXPIRED, /* since yesterday */
	CERT_NOT_YET_VALID, /* before tomorrow */
	CERT_WRONG_NAME, /* for wrong-name.invalid */
	CERT_UNKNOWN_CA, /* by an authority that is thrown away */
	CERT_SELF_SIGNED,
};
#define CERT_FLAWS (CERT_SELF_SIGNED + 1)

struct cert_request {
	const char *const *names; /* DNS names; borrowed */
	size_t name_count;
	const struct address *addresses; /* borrowed */
	size_t address_count;
	const struct x509_st *like; /* not NULL: the names and addresses of this one instead */
	enum cert_flaw flaw;
};

/* name: its common name. 0 or a negative errno. */
int cert_authority(const char *name, struct cert *ret, struct err *err);

/* A server's certificate, valid from yesterday for a year unless the flaw says otherwise. 0 or a negative errno. */
int cert_issue(const struct cert *authority, const struct cert_request *request, struct cert *ret, struct err *err);

/* From PEM; key may be NULL: a certificate alone. -EINVAL: no certificate, no key, or one that does not belong to the other. */
int cert_read(const char *cert_pem, const char *key_pem, struct cert *ret, struct err *err);
/* To PEM, malloc'd. ret_key may be NULL. 0 or -ENOMEM. */
int cert_write(const struct cert *cert, char **ret_cert, char **ret_key);

void cert_fini(struct cert *cert); /* zeroed: fine */
