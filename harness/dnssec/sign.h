/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing a zone (RFC 4035 section 2) exactly as told: which keys are published, which sign, from when to when. Pure but for the randomness of some signatures.
 *
 * What is published and what signs are said apart, so that every state of a rollover (RFC 7583), two providers (RFC 8901), and every mistake in
 * either is a signing like any other: a fault of the kind `signing` is a changed struct dnssec_signing, not another signer.
 */
#pragma once
#include "harness/dnssec/key.h"

struct dnssec_key_use {
	struct dnssec_key *key; /* borrowed; its ldns_key's times are set by signing */
	bool is_published, signs;
};

struct dnssec_signing {
	const char *zone; /* without trailing dot; "." for the root */
	struct dnssec_key_use *keys; /* borrowed */
	size_t key_count;
	bool is_nsec3;
	uint16_t iterations; /* RFC 9276: 0 */
	uint8_t salt[32];
	uint8_t salt_len; /* RFC 9276: 0 */
	bool has_zonemd; /* RFC 8976, scheme SIMPLE, SHA-384 */
	bool has_wrong_zonemd; /* a digest that does not fit, well signed */
	bool has_wrong_nsec3param; /* that names another salt than the chain has */
	uint32_t dnskey_ttl;
	int64_t inception_s, expiration_s; /* seconds since 1970 */
};

/* What keys in a directory say of themselves: all are published, those whose private part is there sign. uses: room for keys->count. */
void dnssec_use_all(const struct dnssec_keys *keys, struct dnssec_key_use *uses, struct dnssec_signing *signing);

/* "ab01" or "-" (none); what is no hexadecimal digit ends it. */
void dnssec_set_salt(struct dnssec_signing *signing, const char *text);

/* Takes one record, which is there until it returns. 0, or a negative errno, which ends the signing. */
typedef int dnssec_take_fn(void *arg, const ldns_rr *rr);

/* Hands a signed zone to take, record by record, names in canonical order: no more of it is held than the denial of existence, about 0.4 KiB a name (with has_zonemd:
 * all of it). Time: O(n log n), of which nearly all are the signatures themselves. What rrs hold of DNSSEC already (dnssec_is_added) is left out; equal records are kept once. DNSKEY RRset: signed by
 * the signing keys with the flag SEP (of an algorithm without one: by the others of it); everything else by those without (or, of an algorithm
 * without one, by those with). -EINVAL: no key signs one of these. */
int dnssec_sign_to(const ldns_rr_list *rrs, const struct dnssec_signing *signing, dnssec_take_fn *take, void *arg,
		   struct err *err);
/* The same as a list, which the caller owns. */
int dnssec_sign(const ldns_rr_list *rrs, const struct dnssec_signing *signing, ldns_rr_list **ret_signed,
		struct err *err);

/* Whether records of a type are what signing adds: DNSKEY, CDS and CDNSKEY, RRSIG, NSEC, NSEC3, NSEC3PARAM and ZONEMD. */
bool dnssec_is_added(ldns_rr_type type);

/* RFC 8976 section 3: the digest (48 octets) of a signed zone, its apex ZONEMD records and their signatures left out. */
int dnssec_zonemd(const ldns_rr_list *rrs, const ldns_rdf *apex, uint8_t ret_digest[48], struct err *err);
