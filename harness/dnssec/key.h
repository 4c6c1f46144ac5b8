/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNSSEC keys (RFC 4034 section 2), made here and kept as files in the format of BIND's tools, which knotd, nsd and ldns read too.
 *
 * dnssec_key_new or dnssec_key_load → use → dnssec_key_free. A key without its private part (another provider's, RFC 8901) can be published, but not sign.
 */
#pragma once
#include "harness/base/err.h"
#include "harness/base/macro.h"
#include <stdbool.h> /* before ldns, which else makes bool a char of its own */

#include <ldns/ldns.h>

struct dnssec_key {
	ldns_key *key; /* owned; NULL: only the public part is known */
	ldns_rr *dnskey; /* owned */
	uint16_t tag;
	uint8_t algorithm; /* IANA's number */
	bool is_sep; /* flag SEP: a DS at the parent may name it */
};

struct dnssec_keys {
	struct dnssec_key **v; /* owned */
	size_t count;
};

#define DNSSEC_KEY_TTL 3600

/* A fresh key of algorithm 8 (2048 bits), 13 or 15. */
int dnssec_key_new(const char *zone, unsigned algorithm, bool is_sep, struct dnssec_key **ret, struct err *err);
/* The public part alone, from a DNSKEY record (copied). */
int dnssec_key_public(const ldns_rr *dnskey, struct dnssec_key **ret, struct err *err);
void dnssec_key_free(struct dnssec_key *key); /* fine with NULL */

/* K<zone>.+<algorithm>+<tag>.key and .private in dir (exists), with times in the past as BIND's key manager wants them to take a key as well established. */
int dnssec_key_write(const struct dnssec_key *key, const char *dir, struct err *err);
/* Appends every key of zone in dir, in the order of the names of their files. None is no error. */
int dnssec_keys_load(struct dnssec_keys *keys, const char *dir, const char *zone, struct err *err);
/* Takes key over, also when it fails. */
int dnssec_keys_add(struct dnssec_keys *keys, struct dnssec_key *key, struct err *err);
void dnssec_keys_fini(struct dnssec_keys *keys);

/* The DS record (SHA-256, RFC 4509) that a parent holds for a key. The caller's. NULL: out of memory. */
ldns_rr *dnssec_key_ds(const ldns_rr *dnskey, uint32_t ttl);
