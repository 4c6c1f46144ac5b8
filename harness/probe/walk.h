/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Iterative resolution (RFC 1034 section 5.3.3): question by question from the root down, keeping who serves which zone. Pure: answers in, whom to ask next out.
 *
 * walk_new → { walk_begin → walk_next, while it says WALK_ASK: ask, walk_answer or walk_no_answer, walk_next }* → walk_free.
 *
 * Nothing is believed but referrals and their glue, and answers with authority; who did not answer once is not asked again. Which of a zone's servers is asked first follows from `turn` alone: one after the other for
 * answers, and for DNSKEY one further each time all of them had their turn, so that n × n turns meet every pair of who answers and who gives the keys.
 */
#pragma once
#include "harness/base/address.h"
#include "harness/base/macro.h"
#include <stdbool.h> /* before ldns, which else makes bool a char of its own */

#include <ldns/ldns.h>

struct walk;

enum walk_status {
	WALK_ASK,
	WALK_DONE, /* walk_take gives the answer */
	WALK_FAILED, /* nobody who should know answers: walk_notes says why */
};

struct walk_question {
	struct address address; /* who is to be asked, without RD */
	char name[LDNS_MAX_DOMAINLEN * 4 + 1]; /* with a trailing dot */
	uint16_t type;
};

/* roots: addresses of the root's servers, borrowed. families: those that can be reached, a set of WALK_IPV4 and WALK_IPV6. NULL: out of memory. */
enum { WALK_IPV4 = 1, WALK_IPV6 = 2 };
struct walk *walk_new(const struct address *roots, size_t count, int families, int64_t turn);
void walk_free(struct walk *walk);

/* The next question to be answered. -EINVAL: name is no domain name. */
int walk_begin(struct walk *walk, const char *name, uint16_t type);
enum walk_status walk_next(struct walk *walk, struct walk_question *ret);
/* What came of the question that walk_next gave. The answer is taken over; its ldns_pkt_answerfrom becomes the address that was asked. */
void walk_answer(struct walk *walk, ldns_pkt *answer);
void walk_no_answer(struct walk *walk, const char *why);
/* After WALK_DONE; the caller's. */
ldns_pkt *walk_take(struct walk *walk);

/* What went wrong on the way so far, in words that call servers by their addresses; "" if nothing did. */
struct walk_note {
	struct address address; /* family 0: of nobody in particular */
	char text[160];
};
const struct walk_note *walk_notes(const struct walk *walk, size_t *ret_count);
/* RCODE of the last error answer to the question; -1: there was none. */
int walk_rcode(const struct walk *walk);
