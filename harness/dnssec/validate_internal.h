/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the validator: signatures of one RRset, proofs of what does not exist. Nobody else includes it.
 */
#pragma once
#include "harness/dnssec/validate.h"

#define EDE_UNSUPPORTED_ALGORITHM 1
#define EDE_BOGUS 6
#define EDE_EXPIRED 7
#define EDE_NOT_YET 8
#define EDE_NO_DNSKEY 9
#define EDE_NO_RRSIG 10
#define EDE_NO_NSEC 12

/* What was concluded; everything but STEP_OK ends the validation, or suspends it. */
enum step { STEP_OK, STEP_NEEDS, STEP_INSECURE, STEP_BOGUS, STEP_FAILED };

/* Says why and returns step. */
enum step conclude(struct validation_verdict *verdict, enum step step, unsigned ede, const char *fmt, ...) PRINTF(4, 5);

/* Text of a name without its trailing dot, "." for the root, in buf. Returns buf. */
#define NAME_TEXT (LDNS_MAX_DOMAINLEN * 4 + 1)
const char *name_text(const ldns_rdf *name, char buf[NAME_TEXT]);
bool is_within(const ldns_rdf *name, const ldns_rdf *zone); /* at or below */

bool is_known_algorithm(uint8_t algorithm);

/* The records of one RRset, and the signatures that cover it; both borrowed from list, which is borrowed. Freed with ldns_rr_list_free. */
ldns_rr_list *rrset_of(const ldns_rr_list *list, const ldns_rdf *owner, ldns_rr_type type);
ldns_rr_list *signatures_of(const ldns_rr_list *list, const ldns_rdf *owner, ldns_rr_type type);

/* Whether one of the signatures, made by a key of zone, is good. ret_signature: that one; may be NULL. */
enum step verify_rrset(ldns_rr_list *rrset, const ldns_rr_list *signatures, const ldns_rdf *zone,
		       const ldns_rr_list *keys, int64_t now_s, const ldns_rr **ret_signature,
		       struct validation_verdict *verdict);

/* NSEC and NSEC3 records of a section that zone has signed well; the caller frees the list, not the records. If there is none and one was signed badly: why. */
ldns_rr_list *verified_denials(const ldns_rr_list *section, const ldns_rdf *zone, const ldns_rr_list *keys,
			       int64_t now_s, struct validation_verdict *why);

struct denial {
	const ldns_rr *match; /* NSEC or NSEC3 of the name itself (or the wildcard for it): its types are known */
	bool has_no_name; /* proven, wildcard included */
	bool is_empty_nonterminal;
	bool is_opt_out; /* covered by an opt-out NSEC3: an unsigned delegation may be there */
	bool is_too_costly; /* NSEC3 with more iterations than resolvers go along with (RFC 9276 section 3.2) */
};
/* What the verified records prove about name. */
struct denial denial_of(const ldns_rr_list *denials, const ldns_rdf *name, const ldns_rdf *zone);
/* Whether an NSEC or NSEC3 record covers name itself, whatever is shown of what lies above it (RFC 5155 section 8.8). */
bool denial_covers(const ldns_rr_list *denials, const ldns_rdf *name, const ldns_rdf *zone);
bool denial_has_type(const ldns_rr *match, ldns_rr_type type);

#define ANSWERS_MAX 64

/* One answer that was asked for. */
struct evidence {
	ldns_rdf *name;
	ldns_rr_type type;
	ldns_pkt *packet;
};

/* A name at which it is known whether a zone begins. */
struct cut {
	ldns_rdf *name;
	bool is_zone, is_insecure;
	ldns_rr_list *keys; /* of a secure zone: trusted; the records are an answer's */
	char why[400]; /* insecure */
};

struct validation {
	const ldns_rr_list *anchor;
	ldns_rdf *qname;
	ldns_rr_type qtype;
	int64_t now_s;
	bool is_direct;
	struct evidence answers[ANSWERS_MAX];
	struct cut cuts[ANSWERS_MAX + 1];
	size_t answer_count, cut_count;
	struct evidence wanted; /* packet NULL */
	struct validation_verdict verdict;
};

/* The answer to a question, if it was asked; else it is what is wanted next. */
enum step answer_to(struct validation *v, const ldns_rdf *name, ldns_rr_type type, const ldns_pkt **ret);
/* Once something is bogus: in which answer, unless that is known already, and which other one (of name, type; NULL: none) it does not fit. Returns step. */
enum step blame(struct validation *v, enum step step, const ldns_pkt *answer, const ldns_rdf *name, ldns_rr_type type);
/* The closest zone at or above name, as its chain shows it. As deep as name has labels. */
enum step zone_of(struct validation *v, const ldns_rdf *name, const struct cut **ret);
