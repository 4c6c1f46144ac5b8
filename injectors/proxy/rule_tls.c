/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys below tls: what becomes of a connection, decided before it has said anything.
 */
#include "harness/api/ca.h"
#include "injectors/proxy/rule_check.h"

#define GIVEN(n) ((n) != PARAM_UNSET)

/* In the order of enum ca_flaw, without the sound one. */
const char *const rule_certificates[] = {"expired", "not-yet-valid", "wrong-name", "self-signed", "unknown-ca", NULL};
_Static_assert(ARRAY_LEN(rule_certificates) == CA_FLAW_COUNT, "a word for each flaw, and the end");
static const char *const handshakes[] = {"stall", "reset", "alert", NULL};
static const char *const versions[] = {"1.0", "1.1", "1.2", NULL};

static const struct param rule_tls_params[] = {
	P_ENUM(struct rule_tls, certificate, "certificate", rule_certificates, PARAM_UNSET,
	       "the certificate shown: run out, not valid yet, for another name, signed by itself, by an authority "
	       "nobody knows"),
	P_ENUM(struct rule_tls, handshake, "handshake", handshakes, PARAM_UNSET,
	       "TCP connects and TLS never answers; or the connection is reset; or the alert handshake_failure"),
	P_ENUM(struct rule_tls, newest, "newest", versions, PARAM_UNSET,
	       "the newest version of TLS that is spoken; today's clients want 1.2"),
	PARAM_END,
};

const struct table rule_tls_table = {.name = "tls",
				     .doc = "what becomes of a connection over TLS",
				     .params = rule_tls_params,
				     .size = sizeof(struct rule_tls),
				     .loc_offset = offsetof(struct rule_tls, loc),
				     .name_offset = PARAM_NO_NAME};

bool rule_has_tls(const struct rule_do *todo)
{
	return GIVEN(todo->tls.certificate) || GIVEN(todo->tls.handshake) || GIVEN(todo->tls.newest);
}

bool rule_wants_message(const struct rule_match *match)
{
	return match->name_count || match->qtypes.count || match->qclasses.count || match->opcodes.count ||
	       match->needs_answer || match->edns != RULE_ANY || match->dnssec_ok != RULE_ANY ||
	       match->letters != RULE_CASE_ANY || match->labels != PARAM_UNSET;
}

void rule_check_tls(const struct rule *rule, bool has_message_keys, struct errs *errs)
{
	const struct rule_tls *tls = &rule->todo.tls;

	if (!rule_has_tls(&rule->todo))
		return;
	if (has_message_keys)
		errs_add(errs, tls->loc,
			 "tls: is decided when a connection is made, the other keys of do when a message comes: write "
			 "two rules");
	if (rule_wants_message(&rule->match))
		errs_add(errs, rule->match.loc,
			 "match: tls: is decided before there is a message; it can only match client, server and "
			 "transport");
	if (rule->match.transport == RULE_UDP || rule->match.transport == RULE_TCP)
		errs_add(errs, rule->match.loc, "this can never act: there is no TLS over %s; it is dot or doh",
			 rule->match.transport == RULE_UDP ? "udp" : "tcp");
	if (GIVEN(tls->handshake) && (GIVEN(tls->certificate) || GIVEN(tls->newest)))
		errs_add(errs, tls->loc, "tls: handshake leaves no room for %s",
			 GIVEN(tls->certificate) ? "a certificate" : "a version");
}
