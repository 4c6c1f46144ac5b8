/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which messages a rule is for. Pure.
 */
#pragma once
#include "injectors/proxy/decide.h"

/* What rules ask of a query: parsed once, used for every rule. */
struct match_query {
	struct msg msg;
	uint64_t name_hash; /* match_name_hash of the name asked for; 0 without a question */
	bool has_opt, is_dnssec_ok;
	uint16_t udp_size; /* what the client takes over UDP: RFC 6891 section 6.2.3 */
	bool has_text; /* text is made when the first regular expression asks for it */
	char text[1024];
};

/* 0, or -EBADMSG: no rule fits. */
int match_query_init(struct match_query *ret, const uint8_t *bytes, size_t len);

/* Equal for equal names (FNV-1a); never 0. */
uint64_t match_name_hash(const struct msg_name *name);

/* The keys that the query and its addresses answer. */
bool match_fits_query(const struct rule_match *match, struct match_query *query, const struct decide_in *in);
/* Those of a rule for connections: transport and addresses. */
bool match_fits_connection(const struct rule_match *match, const struct decide_in *in);
/* The keys that the answer answers. */
bool match_fits_answer(const struct rule_match *match, const struct msg *answer);

/* Whether every message that fits b fits a. False where it is hard to tell. */
bool match_covers(const struct rule_match *a, const struct rule_match *b);
