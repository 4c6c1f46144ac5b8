/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS messages as the dns probe sends and reads them. Pure: bytes in, bytes or values out.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/probe/judge.h"

struct dns_question {
	const char *qname; /* absolute, without trailing dot; "" or "." for the root */
	uint16_t qtype;
	bool recursion, dnssec, authentic; /* RD, DO, AD (RFC 6840 section 5.7) */
	uint16_t edns_size; /* 0: no EDNS */
};

/* A query as bytes, encoded once. ID and, for unique names, the first label are written into it for each asking. */
struct dns_query {
	uint8_t *wire; /* owned */
	size_t len, question_len; /* question: from byte 12 */
	uint16_t qtype;
};

/* -EINVAL if qname is no domain name. */
int dns_query_new(struct dns_query *ret, const struct dns_question *question, struct err *err);
void dns_query_fini(struct dns_query *query);
void dns_query_set_id(struct dns_query *query, uint16_t id);
/* The query's first label must have as many characters as label. */
void dns_query_set_label(struct dns_query *query, const char *label);

enum dns_match {
	DNS_MATCH, /* an answer to this query */
	DNS_OTHER, /* something else: to be ignored (RFC 5452 section 9.1) */
	DNS_MALFORMED /* bears the query's ID, but is too short for a header */
};
/* Compares ID, QR and question. An error answer may lack the question, as servers that could not read the query send it. */
enum dns_match dns_match(const struct dns_query *query, const uint8_t *wire, size_t len);
bool dns_is_truncated(const uint8_t *wire); /* TC of a message that matched */

struct dns_reply {
	struct answer answer; /* of the wanted type, at the end of the CNAME chain from the question's name */
	const char **sorted; /* answer.rdata, in text order, each once */
	struct buf ede; /* "EDE 22 No Reachable Authority: text" (RFC 8914), joined by "; "; owned */
};

/* Decodes a message that matched. Strings live in arena; call dns_reply_fini after success. -EBADMSG: malformed. */
int dns_reply_parse(struct dns_reply *ret, const struct dns_query *query, const uint8_t *wire, size_t len,
		    struct arena *arena);
void dns_reply_fini(struct dns_reply *reply);

/* IANA mnemonic of a full 12-bit RCODE; "RCODE24" for those without one. In arena or static. */
const char *dns_rcode_name(unsigned rcode, struct arena *arena);

/* The plan's record data in the canonical text that answers have; text that is no data of that type stays as it is. */
struct texts dns_canonical(const struct texts *texts, uint16_t qtype, struct arena *arena);
