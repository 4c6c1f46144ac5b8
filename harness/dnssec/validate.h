/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an answer is to be believed (RFC 4035 section 5), and if not, why. Pure: answers in, a verdict or the next question out; time is an argument.
 *
 * validation_new → validation_next → while it needs more: ask, validation_add, validation_next → … → validation_free. What was found of zones and
 * their keys is kept from call to call.
 */
#pragma once
#include "harness/base/err.h"
#include "harness/base/macro.h"
#include <stdbool.h> /* before ldns, which else makes bool a char of its own */
#include <stdint.h>

#include <ldns/ldns.h>

enum validation_status {
	VALIDATION_NEEDS, /* the answer to verdict.name, verdict.type, asked with DO and CD */
	VALIDATION_SECURE, /* a chain of signatures from the anchor, or of proofs that it does not exist */
	VALIDATION_INSECURE, /* proven to lie in a zone without a chain */
	VALIDATION_BOGUS,
	VALIDATION_FAILED, /* nothing can be said: an answer is an error */
};

struct validation_verdict {
	enum validation_status status;
	unsigned ede; /* RFC 8914: 7 Signature Expired, …; 0: none fits */
	char reason[400]; /* in words; "" if secure */
	char name[LDNS_MAX_DOMAINLEN * 4 + 1]; /* VALIDATION_NEEDS, with a trailing dot */
	uint16_t type;
	/* VALIDATION_BOGUS: the answer that is not to be believed, and the one it does not fit: with the keys for a signature, with the DS for a key; or NULL. Borrowed until
	 * validation_free. */
	const ldns_pkt *from, *against;
};

struct validation;

/* The records of a file, one a line; the caller's. path NULL: -ENOENT. */
int validation_anchor(const char *path, ldns_rr_list **ret, struct err *err);

/* anchor: DNSKEYs of the root; borrowed until validation_free. NULL: out of memory, or qname is no domain name. */
struct validation *validation_new(const ldns_rr_list *anchor, const char *qname, uint16_t qtype, int64_t now_s);
void validation_free(struct validation *validation);
/* Answers come from servers of each zone, not from a resolver: what an alias leads to is asked for by itself. Before the first validation_next. */
void validation_set_direct(struct validation *validation);
/* The answer to the question that was needed last; taken over. False: too many, or out of memory; it is freed. */
bool validation_add(struct validation *validation, ldns_pkt *answer);
void validation_next(struct validation *validation, struct validation_verdict *ret);

/* "Signature Expired"; NULL for numbers this module does not give. */
const char *validation_ede_name(unsigned ede);
