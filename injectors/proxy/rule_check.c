/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/rule_check.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/buf.h"

#define GIVEN(n) ((n) != PARAM_UNSET)

bool rule_needs_edns(const struct rule_do *todo)
{
	return GIVEN(todo->edns) || GIVEN(todo->ede) || (GIVEN(todo->rcode_value) && todo->rcode_value > 15);
}

bool rule_drops_query(const struct rule_do *todo)
{
	return todo->drop == RULE_DROP_QUERY || todo->edns == RULE_EDNS_SILENCE;
}

/* The keys by what they do to the answer. Those of one group exclude each other; each names itself. */
struct key {
	const char *name;
	bool is_given;
};

static unsigned count_keys(const struct key *keys, size_t count, struct buf *ret_names)
{
	unsigned given = 0;

	for (size_t i = 0; i < count; i++) {
		if (keys[i].is_given)
			buf_printf(ret_names, "%s%s", given++ ? ", " : "", keys[i].name);
	}
	return given;
}

/* Keys that say what the whole answer becomes. */
static unsigned whole_keys(const struct rule_do *todo, struct buf *names)
{
	const struct key keys[] = {
		{"rcode", GIVEN(todo->rcode_value)},
		{"nodata", GIVEN(todo->nodata)},
		{"nxdomain", GIVEN(todo->nxdomain)},
		{"empty", todo->empty},
		{"lame", GIVEN(todo->lame)},
		{"bad_name", GIVEN(todo->bad_name)},
		{"edns", todo->edns == RULE_EDNS_FORMERR || todo->edns == RULE_EDNS_BADVERS},
		{"garbage", todo->garbage},
	};

	return count_keys(keys, ARRAY_LEN(keys), names);
}

/* Keys that change records the server sent. */
static unsigned record_keys(const struct rule_do *todo, struct buf *names)
{
	const struct key keys[] = {
		{"ttl", GIVEN(todo->ttl_ns)},       {"ttl_cap", GIVEN(todo->ttl_cap_ns)},
		{"remove", todo->remove.count > 0}, {"spoof", todo->spoof.count > 0},
		{"shuffle", todo->shuffle},         {"corrupt_signatures", todo->corrupt_signatures},
	};

	return count_keys(keys, ARRAY_LEN(keys), names);
}

/* Keys that change header, question, OPT and bytes of whatever answer there is. */
static unsigned other_keys(const struct rule_do *todo, struct buf *names)
{
	const struct key keys[] = {
		{"ede", GIVEN(todo->ede)},
		{"ede_strip", todo->ede_strip},
		{"qr", GIVEN(todo->qr)},
		{"aa", GIVEN(todo->aa)},
		{"tc", GIVEN(todo->tc)},
		{"ra", GIVEN(todo->ra)},
		{"ad", GIVEN(todo->ad)},
		{"cd", GIVEN(todo->cd)},
		{"opcode", GIVEN(todo->opcode)},
		{"qdcount", GIVEN(todo->qdcount)},
		{"ancount", GIVEN(todo->ancount)},
		{"nscount", GIVEN(todo->nscount)},
		{"arcount", GIVEN(todo->arcount)},
		{"wrong_id", todo->wrong_id},
		{"question", GIVEN(todo->question)},
		{"truncate", GIVEN(todo->truncate_bytes)},
		{"append", GIVEN(todo->append_bytes)},
		{"flip_bits", GIVEN(todo->flip_bits)},
		{"edns", todo->edns == RULE_EDNS_STRIP},
	};

	return count_keys(keys, ARRAY_LEN(keys), names);
}

static unsigned time_keys(const struct rule_do *todo, struct buf *names)
{
	const struct key keys[] = {
		{"delay", GIVEN(todo->delay_ns)}, {"twice", todo->twice}, {"again", GIVEN(todo->again_ns)}};

	return count_keys(keys, ARRAY_LEN(keys), names);
}

static void check_drop(const struct rule *rule, struct errs *errs)
{
	const struct rule_do *todo = &rule->todo;
	bool is_silence = todo->edns == RULE_EDNS_SILENCE;
	struct buf rest = {0};

	if (whole_keys(todo, &rest) + record_keys(todo, &rest) + other_keys(todo, &rest) + time_keys(todo, &rest) ||
	    rule_has_http(todo) || (is_silence && GIVEN(todo->drop)))
		errs_add(errs, todo->loc, "do: %s leaves nothing for other keys to act on; take it or them",
			 is_silence ? "edns: silence" : "drop");
	if (rule_drops_query(todo) && rule->match.needs_answer)
		errs_add(errs, todo->loc,
			 "do: the query is dropped, so there is no answer whose rcode or size could match; write drop: "
			 "answer");
	buf_fini(&rest);
}

static void check_whole(const struct rule_do *todo, struct errs *errs)
{
	struct buf whole = {0}, records = {0}, rest = {0};
	unsigned count = whole_keys(todo, &whole);

	if (count > 1)
		errs_add(errs, todo->loc, "do: %s exclude each other: each says what the answer becomes", whole.data);
	if (count && record_keys(todo, &records))
		errs_add(errs, todo->loc, "do: %s leaves no records of the server for %s", whole.data, records.data);
	if (todo->garbage && other_keys(todo, &rest))
		errs_add(errs, todo->loc, "do: garbage leaves nothing of the answer for %s", rest.data);
	buf_fini(&whole);
	buf_fini(&records);
	buf_fini(&rest);
}

static void check_time(const struct rule_do *todo, struct errs *errs)
{
	if (GIVEN(todo->jitter_ns) && !GIVEN(todo->delay_ns))
		errs_add(errs, todo->loc, "do: jitter goes with delay");
	else if (GIVEN(todo->jitter_ns) && todo->jitter_ns > todo->delay_ns)
		errs_add(errs, todo->loc, "do: jitter is larger than delay");
	if (todo->twice && GIVEN(todo->again_ns))
		errs_add(errs, todo->loc, "do: twice and again exclude each other");
}

static void check_edns(const struct rule *rule, struct errs *errs)
{
	const struct rule_do *todo = &rule->todo;
	bool has_opt = todo->edns != RULE_EDNS_STRIP && todo->edns != RULE_EDNS_FORMERR;

	if (todo->ede_text.value && !GIVEN(todo->ede))
		errs_add(errs, todo->ede_text.loc, "do: ede_text goes with ede");
	if (todo->ede_text.value && strlen(todo->ede_text.value) > 512)
		errs_add(errs, todo->ede_text.loc, "do: ede_text is longer than 512 bytes");
	if (GIVEN(todo->ede) && todo->ede_strip)
		errs_add(errs, todo->loc, "do: ede and ede_strip exclude each other");
	if ((GIVEN(todo->ede) || (GIVEN(todo->rcode_value) && todo->rcode_value > 15)) && !has_opt)
		errs_add(errs, todo->loc, "do: without an OPT record there is no place for %s",
			 GIVEN(todo->ede) ? "ede" : "an rcode above 15");
	if (rule_needs_edns(todo) && rule->match.edns == RULE_FALSE)
		errs_add(errs, rule->loc, "this can never act: match wants queries without EDNS, do needs EDNS");
}

static void check_records(const struct rule_do *todo, struct errs *errs)
{
	if (GIVEN(todo->ttl_ns) && GIVEN(todo->ttl_cap_ns))
		errs_add(errs, todo->loc, "do: ttl and ttl_cap exclude each other");
	if ((GIVEN(todo->ttl_ns) && todo->ttl_ns % SEC) || (GIVEN(todo->ttl_cap_ns) && todo->ttl_cap_ns % SEC))
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

static void check_spoof(const struct rule *rule, struct errs *errs)
{
	const struct addresses *spoof = &rule->todo.spoof;

	for (size_t i = 0; i < spoof->count && !rule->is_unsafe; i++) {
		if (!is_documentation(&spoof->v[i]))
			errs_add(errs, spoof->v[i].loc,
				 "spoof: %s is outside the ranges for documentation (192.0.2.0/24, 198.51.100.0/24, "
				 "203.0.113.0/24, 2001:db8::/32, 3fff::/20): such an answer may send people to a "
				 "stranger; "
				 "write unsafe: true beside do if it is meant",
				 spoof->v[i].text);
	}
}

static unsigned message_keys(const struct rule_do *todo)
{
	struct buf names = {0};
	unsigned count = whole_keys(todo, &names) + record_keys(todo, &names) + other_keys(todo, &names) +
			 time_keys(todo, &names) + GIVEN(todo->drop) + (todo->edns == RULE_EDNS_SILENCE) +
			 rule_has_http(todo);

	buf_fini(&names);
	return count;
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
	if (GIVEN(rule->share_ppm) && GIVEN(rule->every))
		errs_add(errs, rule->loc, "share and every exclude each other");
}

void rule_check(const struct rule *rule, struct errs *errs)
{
	const struct rule_do *todo = &rule->todo;

	check_match(rule, errs);
	if (GIVEN(todo->drop) || todo->edns == RULE_EDNS_SILENCE)
		check_drop(rule, errs);
	else if (!message_keys(todo) && !rule_has_tls(todo) && !GIVEN(todo->jitter_ns) && !todo->ede_text.value)
		errs_add(errs, todo->loc.file ? todo->loc : rule->loc,
			 "do: says nothing to do; write for example do: {rcode: SERVFAIL}");
	rule_check_tls(rule, message_keys(todo) > 0, errs);
	rule_check_http(rule, errs);
	check_whole(todo, errs);
	check_time(todo, errs);
	check_edns(rule, errs);
	check_records(todo, errs);
	check_spoof(rule, errs);
}
