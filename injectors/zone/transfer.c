/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transfer: what secondaries (from) are sent of a zone by their primary (target) is refused, stalled, cut, altered, signed wrongly; or its NOTIFY is lost; or, over TLS, its certificate is bad. One rule of the inline proxy
 * (injectors/dns.h): real servers do the talking.
 */
#include <string.h>

#include "harness/plan/parse.h"
#include "harness/plan/topology.h"
#include "injectors/dns.h"

enum transfer_damage {
	TRANSFER_REFUSED,
	TRANSFER_NOT_AUTH,
	TRANSFER_STALLED,
	TRANSFER_CUT,
	TRANSFER_SLOW,
	TRANSFER_NO_END,
	TRANSFER_ALTERED,
	TRANSFER_OTHER_START,
	TRANSFER_UNSIGNED,
	TRANSFER_WRONG_KEY,
	TRANSFER_WRONG_TIME,
	TRANSFER_NOTIFY_LOST,
	TRANSFER_BAD_CERTIFICATE,
};
static const char *const damages[] = {
	"refused",     "not-auth", "stalled",   "cut",        "slow",        "no-end",          "altered",
	"other-start", "unsigned", "wrong-key", "wrong-time", "notify-lost", "bad-certificate", NULL,
};
static const char *const tsigs[] = {"broken", "resigned", NULL};

#define SLOW_PAUSE_NS (100 * MSEC)
#define RATE_MIN 10 /* a byte in each pause */

struct transfer {
	struct dns dns;
	int64_t damage, tsig, cut_bytes, rate, certificate;
	struct text zone, record, data;
};

static const struct param params[] = {
	P_ENUM(struct transfer, damage, "damage", damages, TRANSFER_REFUSED,
	       "the primary says REFUSED or NOTAUTH; says nothing more; closes the connection in the middle (cut:); "
	       "sends it slowly (rate:); without the SOA record that ends it; with records that are other or missing "
	       "(record:, data:); as an IXFR from a serial that the secondary does not have; without TSIG, with one "
	       "of "
	       "another key, of an hour ago; or what it sends is right, but its NOTIFY is lost; or it is sent over "
	       "TLS, and "
	       "the certificate shown for it is bad (certificate:)"),
	P_TEXT(struct transfer, zone, "zone", "only of this zone; by default of all"),
	P_TEXT(struct transfer, record, "record",
	       "damage altered: which, by name and type (\"www.example.com A\"); of an IXFR among those that it adds"),
	P_TEXT(struct transfer, data, "data",
	       "damage altered: the data they get, as in a zone file; by default they are missing"),
	P_SIZE(struct transfer, cut_bytes, "cut", 0, INT64_C(1) << 40, 100,
	       "damage cut: after so many bytes of all its messages together, each length of two octets among them"),
	P_RATE(struct transfer, rate, "rate", RATE_MIN, 1000000, 100, "damage slow: bytes a second"),
	P_ENUM(struct transfer, certificate, "certificate", rule_certificates, 0,
	       "damage bad-certificate: run out, not valid yet, for another name, signed by itself, by an authority "
	       "nobody knows"),
	P_ENUM(struct transfer, tsig, "tsig", tsigs, RULE_TSIG_RESIGNED,
	       "what is changed is signed anew with the lab's key (RFC 8945), so that it looks right; or not"),
	PARAM_END,
};

static struct texts some(struct arena *arena, const char *a, const char *b, struct loc loc)
{
	struct texts list = {.v = ARENA_ARRAY(arena, struct text, 2), .count = b ? 2 : 1};

	list.v[0] = (struct text){.value = a, .loc = loc};
	list.v[1] = (struct text){.value = b, .loc = loc};
	return list;
}

static void set_damage(struct transfer *transfer)
{
	struct rule_do *todo = &transfer->dns.rule.todo;
	bool is_refused = transfer->damage == TRANSFER_REFUSED;

	todo->transfer.tsig = transfer->tsig;
	switch ((enum transfer_damage)transfer->damage) {
	case TRANSFER_REFUSED:
	case TRANSFER_NOT_AUTH:
		todo->rcode =
			(struct text){.value = is_refused ? "REFUSED" : "NOTAUTH", .loc = transfer->dns.injector.loc};
		break;
	case TRANSFER_STALLED:
		todo->tcp = RULE_TCP_STALL;
		todo->transfer.tsig = RULE_TSIG_LEFT;
		break;
	case TRANSFER_CUT:
		todo->transfer.cut_bytes = transfer->cut_bytes;
		todo->transfer.tsig = RULE_TSIG_LEFT;
		break;
	case TRANSFER_SLOW:
		todo->tcp_piece_bytes = transfer->rate / (SEC / SLOW_PAUSE_NS);
		todo->tcp_pause_ns = SLOW_PAUSE_NS;
		todo->transfer.tsig = RULE_TSIG_LEFT;
		break;
	case TRANSFER_NO_END:
		todo->transfer.no_end = true;
		break;
	case TRANSFER_ALTERED:
		todo->transfer.record = transfer->record;
		todo->transfer.data = transfer->data;
		break;
	case TRANSFER_OTHER_START:
		todo->transfer.other_start = true;
		break;
	case TRANSFER_UNSIGNED:
		todo->transfer.tsig = RULE_TSIG_MISSING;
		break;
	case TRANSFER_WRONG_KEY:
		todo->transfer.tsig = RULE_TSIG_WRONG_KEY;
		break;
	case TRANSFER_WRONG_TIME:
		todo->transfer.tsig = RULE_TSIG_WRONG_TIME;
		break;
	case TRANSFER_NOTIFY_LOST:
		todo->drop = RULE_DROP_QUERY;
		todo->transfer.tsig = RULE_TSIG_LEFT;
		break;
	case TRANSFER_BAD_CERTIFICATE:
		todo->tls.certificate = transfer->certificate;
		todo->tls.loc = transfer->dns.injector.loc;
		todo->transfer.tsig = RULE_TSIG_LEFT;
		break;
	}
}

/* Which messages, or which connections, it is about. */
static void set_match(struct transfer *transfer, struct arena *arena)
{
	struct rule_match *match = &transfer->dns.rule.match;
	struct loc loc = transfer->dns.injector.loc;

	if (transfer->damage == TRANSFER_BAD_CERTIFICATE)
		match->transport = RULE_DOT;
	else if (transfer->damage == TRANSFER_NOTIFY_LOST)
		match->opcode = some(arena, "NOTIFY", NULL, loc);
	else
		match->qtype = some(arena, "TYPE252", "TYPE251", loc);
	if (transfer->zone.value && transfer->damage != TRANSFER_BAD_CERTIFICATE) /* else said by validate */
		match->qname = some(arena, transfer->zone.value, NULL, transfer->zone.loc);
}

static void compile(struct injector *injector, struct arena *arena, struct errs *errs)
{
	struct transfer *transfer = (struct transfer *)injector;
	struct rule *rule = &transfer->dns.rule;
	struct loc loc = injector->loc;

	dns_rule_defaults(&transfer->dns, arena, errs);
	transfer->dns.is_reversed = transfer->damage == TRANSFER_NOTIFY_LOST;
	set_match(transfer, arena);
	rule->match.loc = rule->todo.loc = loc;
	set_damage(transfer);
	dns_rule_compile(injector, arena, errs);
}

/* How the secondaries transfer that it hits: bit 0: over TCP, bit 1: over TLS. *ret_name: the last that does over TCP. */
static int find_transports(const struct injector *injector, const struct topology *topology, const char **ret_name)
{
	int set = 0;

	for (size_t i = 0; topology && i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];
		bool is_meant = false;

		for (size_t k = 0; k < injector->from.count; k++)
			is_meant = is_meant || topology_is_meant(host, injector->from.v[k].value);
		if (!is_meant || !host->primary)
			continue;
		set |= host->transfers_over_tls ? 2 : 1;
		if (!host->transfers_over_tls)
			*ret_name = host->name;
	}
	return set;
}

static void resolve(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena, struct errs *errs)
{
	struct transfer *transfer = (struct transfer *)injector;
	const char *name = NULL;
	int set = find_transports(injector, plan->topology, &name);

	dns_rule_resolve(injector, plan, is_end, arena, errs);
	if (is_end || transfer->damage == TRANSFER_NOTIFY_LOST)
		return;
	if (transfer->damage == TRANSFER_BAD_CERTIFICATE && name)
		errs_add(errs, injector->loc,
			 "damage bad-certificate: %s transfers over TCP, where there is none; give it "
			 "primary_transport: tls, or leave it out of from:",
			 name);
	else if (set == 3)
		errs_add(errs, injector->loc,
			 "from: %s transfers over TCP, others over TLS: write a step for those and one for these",
			 name);
	else if (set == 2)
		transfer->dns.rule.match.transport = RULE_DOT;
}

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct transfer *transfer = (const struct transfer *)injector;
	bool is_altered = transfer->damage == TRANSFER_ALTERED;

	if (!injector->from_addresses.count)
		errs_add(errs, injector->loc,
			 "transfer: the key 'from' is needed: the secondaries of target that it hits");
	if (is_altered && !transfer->record.value)
		errs_add(errs, injector->loc,
			 "damage altered needs the key 'record', as in record: \"www.example.com A\"");
	if (!is_altered && (transfer->record.value || transfer->data.value))
		errs_add(errs, transfer->record.value ? transfer->record.loc : transfer->data.loc,
			 "record and data go with damage: altered");
	if (transfer->damage == TRANSFER_BAD_CERTIFICATE && transfer->zone.value)
		errs_add(errs, transfer->zone.loc,
			 "zone: the certificate is shown before anybody says which zone; leave zone: out");
	dns_rule_validate(injector, errs);
}

static void list(const struct texts *names, struct buf *out)
{
	for (size_t i = 0; i < names->count; i++)
		buf_printf(out, "%s%s", !i ? "" : i + 1 < names->count ? ", " : " and ", names->v[i].value);
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct transfer *transfer = (const struct transfer *)injector;
	static const char *const what[] = {
		"refuses transfers",
		"answers NOTAUTH to transfers",
		"lets transfers stall",
		"cuts transfers in the middle",
		"makes transfers slow",
		"leaves out the SOA record that ends transfers",
		"alters records in transfers",
		"makes incremental transfers begin at another serial",
		"takes the TSIG out of transfers",
		"signs transfers with another key",
		"signs transfers with the time of an hour ago",
		"loses every NOTIFY",
		"shows a bad certificate for transfers over TLS",
	};

	buf_printf(out, "%s", what[transfer->damage]);
	if (transfer->zone.value)
		buf_printf(out, " of %s", transfer->zone.value);
	buf_puts(out, " from ");
	list(&injector->target, out);
	buf_puts(out, " to ");
	list(&injector->from, out);
	if (transfer->record.value)
		buf_printf(out, ": %s %s%s", transfer->record.value, transfer->data.value ? "becomes " : "is missing",
			   transfer->data.value ? transfer->data.value : "");
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	(void)injector;
	buf_puts(to_apply, "# no command equals it: within a lab the proxy changes what the primary sends\n");
	(void)to_revert;
}

extern const struct injector_ops transfer_ops;
const struct injector_ops transfer_ops = {
	.kind = "transfer",
	.summary = "a zone does not come from its primary to its secondaries as it should",
	.params = params,
	.size = sizeof(struct transfer),
	.compile = compile,
	.resolve = resolve,
	.validate = validate,
	.available = dns_rule_available,
	.prepare = dns_rule_prepare,
	.release = dns_rule_release,
	.apply = dns_rule_apply,
	.adjust = dns_rule_adjust,
	.revert = dns_rule_revert,
	.effect = dns_rule_effect,
	.sentence = sentence,
	.commands = commands,
};
