/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/rule_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/buf.h"
#include "injectors/proxy/rule_keys.h"

#define GIVEN(n) ((n) != PARAM_UNSET)

bool rule_needs_edns(const struct rule_do *todo)
{
	struct buf names = {0};
	bool is_needed = GIVEN(todo->edns) || (GIVEN(todo->rcode_value) && todo->rcode_value > 15) ||
			 todo->cookie == RULE_COOKIE_BAD || rule_keys_options(todo, &names) ||
			 rule_keys_query(todo, &names);

	buf_fini(&names);
	return is_needed;
}

bool rule_needs_udp(const struct rule_do *todo)
{
	return todo->source.count || GIVEN(todo->source_port) || GIVEN(todo->slip);
}

bool rule_needs_tcp(const struct rule_do *todo)
{
	return todo->transfer.is_given || GIVEN(todo->tcp) || GIVEN(todo->tcp_cut_bytes) || GIVEN(todo->tcp_length) ||
	       GIVEN(todo->tcp_piece_bytes);
}

bool rule_drops_query(const struct rule_do *todo)
{
	return todo->drop == RULE_DROP_QUERY || todo->edns == RULE_EDNS_SILENCE;
}

bool rule_breaks_connection(const struct rule_do *todo)
{
	return GIVEN(todo->tcp) && todo->tcp != RULE_TCP_REFUSE;
}

/* How many keys are given that need an answer to go out. */
static unsigned count_all(const struct rule_do *todo, struct buf *names)
{
	return rule_keys_whole(todo, names) + rule_keys_records(todo, names) + rule_keys_other(todo, names) +
	       rule_keys_time(todo, names) + rule_keys_query(todo, names) + rule_keys_tcp(todo, names) +
	       (todo->source.count > 0) + GIVEN(todo->source_port);
}

static void check_drop(const struct rule *rule, struct errs *errs)
{
	const struct rule_do *todo = &rule->todo;
	bool is_silence = todo->edns == RULE_EDNS_SILENCE;
	const char *what = GIVEN(todo->drop) ? "drop" : is_silence ? "edns: silence" : "tcp";
	struct buf rest = {0};

	if (!GIVEN(todo->drop) && !is_silence && !GIVEN(todo->tcp))
		return;
	if (count_all(todo, &rest) || rule_has_http(todo) || GIVEN(todo->drop) + is_silence + GIVEN(todo->tcp) > 1)
		errs_add(errs, todo->loc, "do: %s leaves nothing for other keys to act on; take it or them", what);
	if (rule_drops_query(todo) && rule->match.needs_answer)
		errs_add(errs, todo->loc,
			 "do: the query is dropped, so there is no answer whose rcode, size or kind could match; write "
			 "drop: answer");
	buf_fini(&rest);
}

static void check_slip(const struct rule_do *todo, struct errs *errs)
{
	if (GIVEN(todo->slip) && todo->drop != RULE_DROP_ANSWER)
		errs_add(errs, todo->loc,
			 "do: slip goes with drop: answer: it says which of them are truncated instead");
}

static void check_whole(const struct rule_do *todo, struct errs *errs)
{
	struct buf whole = {0}, records = {0}, rest = {0};
	unsigned count = rule_keys_whole(todo, &whole);

	if (count > 1)
		errs_add(errs, todo->loc, "do: %s exclude each other: each says what the answer becomes", whole.data);
	if (count && rule_keys_records(todo, &records))
		errs_add(errs, todo->loc, "do: %s leaves no records of the server for %s", whole.data, records.data);
	if (todo->garbage && rule_keys_other(todo, &rest))
		errs_add(errs, todo->loc, "do: garbage leaves nothing of the answer for %s", rest.data);
	if (GIVEN(todo->cname_chain) && GIVEN(todo->cname_loop))
		errs_add(errs, todo->loc, "do: cname_chain and cname_loop exclude each other: a loop has no end");
	buf_fini(&whole);
	buf_fini(&records);
	buf_fini(&rest);
}

static void check_zone(const struct rule_do *todo, struct errs *errs)
{
	if (todo->has_zone && !GIVEN(todo->nodata) && !GIVEN(todo->nxdomain) && todo->lame != RULE_LAME_SELF &&
	    todo->lame != RULE_LAME_LOOP)
		errs_add(errs, todo->zone.loc,
			 "do: zone goes with nodata, nxdomain, lame: self-referral and lame: referral-loop");
}

static void check_transport(const struct rule *rule, struct errs *errs)
{
	struct buf udp = {0}, tcp = {0};
	unsigned needs_udp = rule_keys_udp(&rule->todo, &udp), needs_tcp = rule_keys_tcp(&rule->todo, &tcp);

	if (GIVEN(rule->todo.tcp))
		needs_tcp++, buf_printf(&tcp, "%stcp", tcp.len ? ", " : "");
	if (needs_udp && needs_tcp)
		errs_add(errs, rule->todo.loc, "do: %s is for UDP, %s for TCP: no query is both", udp.data, tcp.data);
	else if (needs_udp && rule->match.transport != RULE_TRANSPORT_ANY && rule->match.transport != RULE_UDP)
		errs_add(errs, rule->loc, "this can never act: match wants another transport, %s is for UDP", udp.data);
	else if (needs_tcp && (rule->match.transport == RULE_UDP || rule->match.transport == RULE_DOH))
		errs_add(errs, rule->loc, "this can never act: match wants another transport, %s is for TCP and DoT",
			 tcp.data);
	if (GIVEN(rule->todo.tcp_pause_ns) && !GIVEN(rule->todo.tcp_piece_bytes))
		errs_add(errs, rule->todo.loc, "do: tcp_pause goes with tcp_pieces");
	if (GIVEN(rule->todo.tcp_length) && (rule->match.transport == RULE_DOH || rule_has_http(&rule->todo)))
		errs_add(errs, rule->todo.loc, "do: tcp_length: HTTPS has no length in front of a message");
	if (rule->todo.tcp_length == 0)
		errs_add(errs, rule->todo.loc, "do: tcp_length: 0 is the right length; write 10 or -10");
	buf_fini(&udp);
	buf_fini(&tcp);
}

/* A connection that is refused is never asked anything. */
static void check_refuse(const struct rule *rule, struct errs *errs)
{
	const struct rule_match *match = &rule->match;

	if (rule->todo.tcp == RULE_TCP_REFUSE && rule_wants_message(match))
		errs_add(errs, match->loc.file ? match->loc : rule->loc,
			 "match: tcp: refuse is decided before there is a query: only client, server and transport can "
			 "match; tcp: reset is decided when the query comes");
}

static void check_time(const struct rule_do *todo, struct errs *errs)
{
	if (GIVEN(todo->jitter_ns) && !GIVEN(todo->delay_ns))
		errs_add(errs, todo->loc, "do: jitter goes with delay");
	else if (GIVEN(todo->jitter_ns) && todo->jitter_ns > todo->delay_ns)
		errs_add(errs, todo->loc, "do: jitter is larger than delay");
	if (GIVEN(todo->distribution) && !GIVEN(todo->jitter_ns))
		errs_add(errs, todo->loc, "do: distribution is of the jitter: add e.g. jitter: 20ms");
	if (todo->twice && GIVEN(todo->again_ns))
		errs_add(errs, todo->loc, "do: twice and again exclude each other");
}

static void check_edns(const struct rule *rule, struct errs *errs)
{
	const struct rule_do *todo = &rule->todo;
	bool has_opt = todo->edns != RULE_EDNS_STRIP && todo->edns != RULE_EDNS_FORMERR;
	struct buf names = {0};

	if (todo->ede_text.value && !GIVEN(todo->ede))
		errs_add(errs, todo->ede_text.loc, "do: ede_text goes with ede");
	if (todo->ede_text.value && strlen(todo->ede_text.value) > 512)
		errs_add(errs, todo->ede_text.loc, "do: ede_text is longer than 512 bytes");
	if (GIVEN(todo->ede) && todo->ede_strip)
		errs_add(errs, todo->loc, "do: ede and ede_strip exclude each other");
	if (!has_opt && rule_keys_options(todo, &names))
		errs_add(errs, todo->loc, "do: without an OPT record there is no place for %s", names.data);
	if (!has_opt && GIVEN(todo->rcode_value) && todo->rcode_value > 15)
		errs_add(errs, todo->loc, "do: without an OPT record there is no place for an rcode above 15");
	if (todo->subnet == RULE_SUBNET_MISSING && GIVEN(todo->subnet_scope))
		errs_add(errs, todo->loc, "do: subnet: missing leaves nothing for subnet_scope");
	if (rule_needs_edns(todo) && rule->match.edns == RULE_FALSE)
		errs_add(errs, rule->loc, "this can never act: match wants queries without EDNS, do needs EDNS");
	if (todo->ignore_do && (GIVEN(todo->signatures) || GIVEN(todo->denial)))
		errs_add(errs, todo->loc, "do: ignore_do: no signatures and no proofs come, so none are left for %s",
			 GIVEN(todo->signatures) ? "signatures" : "denial");
	if (todo->ignore_do && rule->match.dnssec_ok == RULE_FALSE)
		errs_add(errs, rule->loc,
			 "this can never act: match wants queries without the DO flag, ignore_do takes it");
	buf_fini(&names);
}

static bool is_whole_seconds(int64_t ns)
{
	return !GIVEN(ns) || ns % SEC == 0;
}

static void check_records(const struct rule_do *todo, struct errs *errs)
{
	if (GIVEN(todo->ttl_ns) && GIVEN(todo->ttl_cap_ns))
		errs_add(errs, todo->loc, "do: ttl and ttl_cap exclude each other");
	if (!is_whole_seconds(todo->ttl_ns) || !is_whole_seconds(todo->ttl_cap_ns) ||
	    !is_whole_seconds(todo->ttl_jitter_ns))
		errs_add(errs, todo->loc, "do: a TTL is a number of whole seconds");
	for (size_t i = 0; i < todo->remove_types.count; i++) {
		if (todo->remove_types.v[i] == MSG_OPT)
			errs_add(errs, todo->remove.v[i].loc, "remove: OPT is taken out by edns: strip");
	}
}

/* RFC 5737, RFC 3849, RFC 9637. */
static bool is_documentation(const struct address *address)
{
	static const struct {
		int family;
		uint8_t bytes[4], len;
	} ranges[] = {
		{AF_INET, {192, 0, 2}, 3},
		{AF_INET, {198, 51, 100}, 3},
		{AF_INET, {203, 0, 113}, 3},
		{AF_INET6, {0x20, 0x01, 0x0d, 0xb8}, 4},
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		if (address->family == ranges[i].family && !memcmp(address->bytes, ranges[i].bytes, ranges[i].len))
			return true;
	}
	return address->family == AF_INET6 && address->bytes[0] == 0x3f && address->bytes[1] == 0xff &&
	       address->bytes[2] < 0x10;
}

static void refuse_address(struct errs *errs, struct loc loc, const char *key, const char *text)
{
	errs_add(
		errs, loc,
		"%s: %.60s is outside the ranges for documentation (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, "
		"2001:db8::/32, 3fff::/20): such an answer may send people to a stranger; write unsafe: true beside do "
		"if it is meant",
		key, text);
}

static void check_spoof(const struct rule_do *todo, struct errs *errs)
{
	for (size_t i = 0; i < todo->spoof.count; i++) {
		if (!is_documentation(&todo->spoof.v[i]))
			refuse_address(errs, todo->spoof.v[i].loc, "spoof", todo->spoof.v[i].text);
	}
}

static unsigned message_keys(const struct rule_do *todo)
{
	struct buf names = {0};
	unsigned count = count_all(todo, &names) + GIVEN(todo->drop) + GIVEN(todo->tcp) +
			 (todo->edns == RULE_EDNS_SILENCE) + rule_has_http(todo);

	buf_fini(&names);
	return count;
}

static void check_invented(const char *key, const struct texts *texts, const struct rule_records *records,
			   struct errs *errs)
{
	for (size_t i = 0; i < records->count; i++) {
		const struct rule_record *record = &records->v[i];
		struct address address = {.family = record->type == MSG_A ? AF_INET : AF_INET6};
		bool is_address = (record->type == MSG_A && record->rdlen == 4) ||
				  (record->type == MSG_AAAA && record->rdlen == 16);

		if (!is_address)
			continue;
		memcpy(address.bytes, record->rdata, record->rdlen);
		if (!is_documentation(&address))
			refuse_address(errs, texts->v[i].loc, key, texts->v[i].value);
	}
}

static void check_safe(const struct rule *rule, struct errs *errs)
{
	const struct rule_do *todo = &rule->todo;

	if (rule->is_unsafe)
		return;
	check_spoof(todo, errs);
	check_invented("add", &todo->add, &todo->added[MSG_ANSWER], errs);
	check_invented("add_authority", &todo->add_authority, &todo->added[MSG_AUTHORITY], errs);
	check_invented("add_additional", &todo->add_additional, &todo->added[MSG_ADDITIONAL], errs);
	check_invented("replace", &todo->replace, &todo->replaced, errs);
}

static bool has_noerror(const struct rule_list16 *rcodes)
{
	for (size_t i = 0; i < rcodes->count; i++) {
		if (!rcodes->v[i])
			return true;
	}
	return false;
}

/* The fewest labels that a name has which fits; 0 for any. */
static int64_t fewest_labels(const struct rule_qname *qname)
{
	int64_t labels = qname->kind == RULE_QNAME_BELOW;

	if (qname->kind == RULE_QNAME_REGEX)
		return 0;
	for (const uint8_t *at = qname->name.wire; *at; at += *at + 1)
		labels++;
	return labels;
}

static void check_labels(const struct rule_match *match, struct errs *errs)
{
	for (size_t i = 0; GIVEN(match->labels) && i < match->name_count; i++) {
		if (fewest_labels(&match->names[i]) > match->labels)
			errs_add(errs, match->qname.v[i].loc,
				 "qname: such names have more labels than max_labels: %" PRId64
				 " allows: nothing could match",
				 match->labels);
	}
}

/* Each client has one that it can be answered from. */
static void check_source(const struct rule *rule, struct errs *errs)
{
	const struct addresses *sources = &rule->todo.source;

	for (size_t i = 0; sources->count && i < rule->match.client_count; i++) {
		const struct address *client = &rule->match.clients[i].address;

		if (!addresses_first(sources, client->family))
			errs_add(errs, sources->v[0].loc,
				 "source: clients that match have IPv%d, and none of these addresses: add one",
				 client->family == AF_INET ? 4 : 6);
	}
}

static void check_match(const struct rule *rule, struct errs *errs)
{
	const struct rule_match *match = &rule->match;

	if (match->edns == RULE_FALSE && match->dnssec_ok == RULE_TRUE)
		errs_add(errs, match->loc, "match: the DO flag is in the OPT record: without EDNS it is never set");
	if (GIVEN(match->min_size_bytes) && GIVEN(match->max_size_bytes) &&
	    match->min_size_bytes > match->max_size_bytes)
		errs_add(errs, match->loc, "match: min_size is larger than max_size: nothing could match");
	if (GIVEN(match->max_size_bytes) && match->max_size_bytes < MSG_HEADER)
		errs_add(errs, match->loc, "match: no message is smaller than %d bytes: nothing could match",
			 MSG_HEADER);
	if (match->answer != RULE_ANSWER_ANY && match->rcodes.count && !has_noerror(&match->rcodes))
		errs_add(errs, match->loc,
			 "match: an answer of that kind is NOERROR, which rcode leaves out: nothing "
			 "could match");
	check_labels(match, errs);
	check_source(rule, errs);
	if (GIVEN(rule->share_ppm) && GIVEN(rule->every))
		errs_add(errs, rule->loc, "share and every exclude each other");
}

void rule_check(const struct rule *rule, struct errs *errs)
{
	const struct rule_do *todo = &rule->todo;

	check_match(rule, errs);
	if (!message_keys(todo) && !rule_has_tls(todo) && !GIVEN(todo->jitter_ns) && !todo->ede_text.value &&
	    !GIVEN(todo->slip) && !GIVEN(todo->tcp_pause_ns))
		errs_add(errs, todo->loc.file ? todo->loc : rule->loc,
			 "do: says nothing to do; write for example do: {rcode: SERVFAIL}");
	rule_check_tls(rule, message_keys(todo) > 0, errs);
	rule_check_http(rule, errs);
	check_drop(rule, errs);
	check_slip(todo, errs);
	check_whole(todo, errs);
	check_zone(todo, errs);
	check_transport(rule, errs);
	check_refuse(rule, errs);
	check_time(todo, errs);
	check_edns(rule, errs);
	check_records(todo, errs);
	check_safe(rule, errs);
}
