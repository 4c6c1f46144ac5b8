/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a rule's words to numbers. What contradicts itself is told in rule_check.c.
 */
#include <errno.h>

#include "injectors/proxy/match.h"
#include "injectors/proxy/rate.h"
#include "injectors/proxy/rule_check.h"
#include "injectors/proxy/rule_words.h"

struct prepare {
	struct arena *arena;
	struct errs *errs;
};

static struct rule_list16 words(struct prepare *prepare, const struct texts *texts,
				int (*read)(const char *, uint16_t *), const char *what)
{
	struct rule_list16 list = {.v = ARENA_ARRAY(prepare->arena, uint16_t, texts->count)};

	for (size_t i = 0; i < texts->count; i++) {
		if (read(texts->v[i].value, &list.v[list.count]))
			errs_add(prepare->errs, texts->v[i].loc, "'%.60s' is no %s", texts->v[i].value, what);
		else
			list.count++;
	}
	return list;
}

static void prepare_names(struct prepare *prepare, struct rule_match *match)
{
	char why[128];

	match->names = ARENA_ARRAY(prepare->arena, struct rule_qname, match->qname.count);
	for (size_t i = 0; i < match->qname.count; i++) {
		const struct text *text = &match->qname.v[i];

		if (rule_word_qname(text->value, &match->names[match->name_count], why, sizeof(why)))
			errs_add(prepare->errs, text->loc, "qname: '%.60s': %s", text->value, why);
		else
			match->name_count++;
	}
}

static void prepare_clients(struct prepare *prepare, struct rule_match *match)
{
	match->clients = ARENA_ARRAY(prepare->arena, struct rule_prefix, match->client.count);
	for (size_t i = 0; i < match->client.count; i++) {
		const struct text *text = &match->client.v[i];

		if (rule_word_prefix(text->value, &match->clients[match->client_count]))
			errs_add(prepare->errs, text->loc,
				 "client: '%.60s' is no address or prefix (192.0.2.0/24; the bits after the prefix are "
				 "0)",
				 text->value);
		else
			match->client_count++;
	}
}

static void prepare_match(struct prepare *prepare, struct rule_match *match)
{
	prepare_names(prepare, match);
	prepare_clients(prepare, match);
	match->qtypes = words(prepare, &match->qtype, rule_word_type, "record type (A, HTTPS, TYPE65)");
	match->qclasses = words(prepare, &match->qclass, rule_word_class, "class (IN, CH, CLASS255)");
	match->opcodes = words(prepare, &match->opcode, rule_word_opcode, "opcode (QUERY, NOTIFY, 0 to 15)");
	match->rcodes = words(prepare, &match->rcode, rule_word_rcode, "RCODE (NXDOMAIN, SERVFAIL, RCODE24)");
	match->needs_answer = match->rcode.count || match->min_size_bytes != PARAM_UNSET ||
			      match->max_size_bytes != PARAM_UNSET || match->answer != RULE_ANSWER_ANY;
}

static struct rule_records records(struct prepare *prepare, const struct texts *texts, const char *key)
{
	struct rule_records list = {.v = ARENA_ARRAY(prepare->arena, struct rule_record, texts->count)};
	char why[128];

	for (size_t i = 0; i < texts->count; i++) {
		const struct text *text = &texts->v[i];

		if (rule_word_record(text->value, prepare->arena, &list.v[list.count], why, sizeof(why)))
			errs_add(prepare->errs, text->loc,
				 "%s: '%.80s' is no record (%s); write one as in a zone file, \"www.example.com. 300 "
				 "IN A "
				 "192.0.2.1\", or with @ for the name asked for",
				 key, text->value, why);
		else
			list.count++;
	}
	return list;
}

static void prepare_records(struct prepare *prepare, struct rule_do *todo)
{
	todo->added[MSG_ANSWER] = records(prepare, &todo->add, "add");
	todo->added[MSG_AUTHORITY] = records(prepare, &todo->add_authority, "add_authority");
	todo->added[MSG_ADDITIONAL] = records(prepare, &todo->add_additional, "add_additional");
	todo->replaced = records(prepare, &todo->replace, "replace");
	todo->has_zone = todo->zone.value != NULL;
	if (todo->has_zone && msg_name_from_text(&todo->zone_name, todo->zone.value))
		errs_add(prepare->errs, todo->zone.loc, "zone: '%.60s' is no domain name", todo->zone.value);
}

static void prepare_do(struct prepare *prepare, struct rule_do *todo)
{
	uint16_t value;

	todo->rcode_value = PARAM_UNSET;
	if (todo->rcode.value && rule_word_rcode(todo->rcode.value, &value))
		errs_add(prepare->errs, todo->rcode.loc, "'%.60s' is no RCODE (SERVFAIL, REFUSED, RCODE24)",
			 todo->rcode.value);
	else if (todo->rcode.value)
		todo->rcode_value = value;
	rule_prepare_http(&todo->http, prepare->errs);
	rule_prepare_transfer(&todo->transfer, prepare->arena, prepare->errs);
	todo->remove_types = words(prepare, &todo->remove, rule_word_type, "record type (A, RRSIG, TYPE65)");
	prepare_records(prepare, todo);
}

int rule_prepare(struct rule *rule, struct arena *arena, struct errs *errs)
{
	struct prepare prepare = {arena, errs};
	size_t before = errs->count + errs->dropped;

	atomic_store(&rule->progress_ppm, PPM_ONE);
	prepare_match(&prepare, &rule->match);
	prepare_do(&prepare, &rule->todo);
	if (errs->count + errs->dropped == before)
		rule_check(rule, errs);
	if (errs->count + errs->dropped != before)
		return -EINVAL;
	/* What an action needs of a query is part of what the rule is for: other queries are left to the next rule. */
	if (rule_needs_edns(&rule->todo))
		rule->match.edns = RULE_TRUE;
	if (rule->todo.ignore_do)
		rule->match.dnssec_ok = RULE_TRUE;
	if (rule_needs_udp(&rule->todo))
		rule->match.transport = RULE_UDP;
	if (rule_needs_tcp(&rule->todo) && rule->match.transport == RULE_TRANSPORT_ANY)
		rule->match.transport = RULE_TCP;
	if (rule->above != PARAM_UNSET)
		rule->rate = ARENA_NEW(arena, struct rate);
	if (rule_has_http(&rule->todo))
		rule->match.transport = RULE_DOH;
	rule->is_tls = rule_has_tls(&rule->todo);
	if (rule->match.name_count == 1 && rule->match.names[0].kind == RULE_QNAME_EXACT)
		rule->name_hash = match_name_hash(&rule->match.names[0].name);
	return 0;
}

void rule_fini(struct rule *rule)
{
	for (size_t i = 0; i < rule->match.name_count; i++) {
		if (rule->match.names[i].kind == RULE_QNAME_REGEX)
			regfree(&rule->match.names[i].regex);
	}
	rule->match.name_count = 0;
}
