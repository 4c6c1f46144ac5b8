/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify: secondaries are told of a change that their primary knows nothing of (RFC 1996): forged, if by somebody else or without its TSIG; a storm, if often.
 *
 * What proves it is what they do: how they answer, and how often they ask their primary meanwhile, which counters in the core see. Those stand in the chain of the fault (injectors/chain.h), which
 * lets everything pass.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "harness/api/control.h"
#include "harness/plan/topology.h"
#include "harness/plan/versions.h"
#include "injectors/chain.h"
#include "injectors/process/servers.h"
#include "injectors/zone/notify_sender.h"

static const char *const tsigs[] = {"missing", "right", "wrong", NULL};
enum tsig { TSIG_MISSING, TSIG_RIGHT, TSIG_WRONG };
static const char *const expectations[] = {"either", "heeded", "refused", NULL};
enum expectation { EXPECT_EITHER, EXPECT_HEEDED, EXPECT_REFUSED };

#define SERIAL_AHEAD 1000

/* A server that is told. */
struct told {
	const struct server_peer *primary; /* that it would ask */
	size_t first, count; /* of notify.to */
};

struct notify {
	struct injector injector;
	struct text zone, by;
	int64_t serial, rate, tsig, expect;
	/* By resolve: of injector.servers[i]. */
	const char *zone_name;
	struct told *told;
	const struct address **to; /* every address that `by` reaches, server by server */
	size_t to_count;
	/* While it stands. */
	struct notify_sender *sender;
};

static const struct param params[] = {
	P_TEXT_REQUIRED(struct notify, zone, "zone", "which zone is said to have changed"),
	P_TEXT_REQUIRED(struct notify, by, "by",
			"host of the lab that says so, from its own address: a client, or for one who can forge "
			"addresses, the primary itself"),
	P_RATE(struct notify, rate, "rate", 1, 10000, 1,
	       "how many a second each server is sent, over UDP, at all of its addresses in turn"),
	P_INT(struct notify, serial, "serial", 0, UINT32_MAX, PARAM_UNSET,
	      "the SOA serial it is said to have; by default 1000 above the one it has, so that there is no such zone"),
	P_ENUM(struct notify, tsig, "tsig", tsigs, TSIG_MISSING,
	       "without a TSIG; with the one of the secondary and its primary; with its name and another secret"),
	P_ENUM(struct notify, expect, "expect", expectations, EXPECT_EITHER,
	       "what every secondary is to make of it: say NOERROR and ask its primary; answer with an error; either. "
	       "Anything else is a fault without effect"),
	PARAM_END,
};

/* ---- worked out from the plan ---- */

static const struct topo_host *find_teller(const struct notify *notify, const struct plan *plan, struct errs *errs)
{
	const struct topo_host *by = topology_host(plan->topology, notify->by.value);

	if (!by)
		errs_add(errs, notify->by.loc,
			 "by: the lab has no host '%.60s'; name one, such as a client or a nameserver (alpha.ns1)",
			 notify->by.value);
	return by;
}

static bool serves(const struct topo_zone *zone, const char *host)
{
	for (size_t i = 0; i < zone->server_count; i++) {
		if (!strcmp(zone->servers[i]->name, host))
			return true;
	}
	return false;
}

/* Its primary, or NULL after an error. */
static const struct topo_host *find_primary(const struct topo_zone *zone, const struct topo_host *host, struct loc loc,
					    struct errs *errs)
{
	bool is_primary = false;

	for (size_t i = 0; i < zone->primary_count; i++)
		is_primary = is_primary || zone->primaries[i] == host;
	if (serves(zone, host->name) && !is_primary && host->primary)
		return host->primary;
	errs_add(errs, loc,
		 "target: %s is no secondary of %s, and has nobody to ask; name one that has primary:", host->name,
		 zone->name);
	return NULL;
}

static struct server_peer *make_peer(const struct topo_host *host, struct arena *arena)
{
	struct server_peer *peer = ARENA_NEW(arena, struct server_peer);

	*peer = (struct server_peer){.addresses = host->addresses, .host = host->name};
	return peer;
}

static void tell(struct notify *notify, size_t i, const struct topo_host *by, const struct topo_host *host,
		 struct errs *errs)
{
	struct told *told = &notify->told[i];

	told->first = notify->to_count;
	for (size_t k = 0; k < host->addresses.count; k++) {
		if (addresses_first(&by->addresses, host->addresses.v[k].family))
			notify->to[notify->to_count++] = &host->addresses.v[k];
	}
	told->count = notify->to_count - told->first;
	if (by == host)
		errs_add(errs, notify->by.loc, "by: %s would tell itself", by->name);
	else if (!told->count)
		errs_add(errs, notify->by.loc, "by: %s has no address of a family that %s has", by->name, host->name);
}

static void resolve_servers(struct notify *notify, const struct plan *plan, const struct topo_zone *zone,
			    const struct topo_host *by, struct arena *arena, struct errs *errs)
{
	size_t addresses = notify->injector.target_addresses.count;

	notify->told = ARENA_ARRAY(arena, struct told, notify->injector.server_count + 1);
	notify->to = ARENA_ARRAY(arena, const struct address *, addresses + 1);
	for (size_t i = 0; i < notify->injector.server_count; i++) {
		const struct injector_server *server = &notify->injector.servers[i];
		const struct topo_host *host = topology_host(plan->topology, server->host);
		const struct topo_host *primary = find_primary(zone, host, server->loc, errs);

		if (!primary)
			continue;
		notify->told[i].primary = make_peer(primary, arena);
		tell(notify, i, by, host, errs);
	}
}

static void resolve(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena, struct errs *errs)
{
	struct notify *notify = (struct notify *)injector;
	const struct zone_spec *spec;
	const struct topo_host *by;

	if (is_end)
		return;
	spec = version_find_zone(plan, &notify->zone, arena, errs);
	by = find_teller(notify, plan, errs);
	if (!spec || !by)
		return;
	notify->zone_name = spec->name.value;
	if (notify->serial == PARAM_UNSET)
		notify->serial = (uint32_t)(version_serial(plan, spec) + SERIAL_AHEAD);
	resolve_servers(notify, plan, topo_zone_of(plan, spec), by, arena, errs);
}

/* ---- what they ask their primaries: counters ---- */

static void objects(const struct injector *injector, struct buf *out)
{
	for (size_t i = 0; i < injector->server_count; i++)
		buf_printf(out, "add counter " CORE_TABLE " fault_%" PRId64 "_asked_%zu_times\n", injector->id, i);
}

static const char *nft_family(const struct address *address)
{
	return address->family == AF_INET ? "ip" : "ip6";
}

/* A datagram is a question; of a connection the segment that opens it counts, sent again or not. */
static void count_rule(const struct injector *injector, size_t i, const struct address *from, const struct address *to,
		       struct buf *out)
{
	static const char *const what[] = {"udp dport 53", "tcp dport 53 tcp flags & (syn | ack) == syn"};

	for (size_t k = 0; k < ARRAY_LEN(what); k++)
		buf_printf(out,
			   "add rule " CORE_TABLE " fault_%" PRId64
			   " %s saddr %s %s daddr %s %s counter name fault_%" PRId64 "_asked_%zu_times\n",
			   injector->id, nft_family(from), from->text, nft_family(to), to->text, what[k], injector->id,
			   i);
}

static void rules(const struct injector *injector, struct buf *out)
{
	const struct notify *notify = (const struct notify *)injector;

	for (size_t i = 0; i < injector->server_count; i++) {
		const struct addresses *from = injector->servers[i].addresses;
		const struct addresses *to = &notify->told[i].primary->addresses;

		for (size_t k = 0; k < from->count * to->count; k++) {
			const struct address *a = &from->v[k / to->count], *b = &to->v[k % to->count];

			if (a->family == b->family)
				count_rule(injector, i, a, b, out);
		}
	}
}

static const struct chain chain = {.rules = rules, .objects = objects};

/* ---- the fault ---- */

/* The key that the secondary and its primary share; NULL: there is none, or none is wanted. */
static const struct server_tsig *find_key(const struct notify *notify, const struct injector_server *server,
					  const struct injector_ctx *ctx, struct server_tsig *spare)
{
	const struct server_process *process = servers_process(ctx, server);
	const struct server_spec *spec = process ? server_process_spec(process) : NULL;
	const struct server_tsig *key = NULL;

	for (size_t i = 0; spec && i < spec->zone_count; i++) {
		if (!strcmp(spec->zones[i].name, notify->zone_name) && spec->zones[i].primary_count)
			key = spec->zones[i].primaries[0].tsig;
	}
	if (!key || notify->tsig == TSIG_MISSING)
		return NULL;
	*spare = *key;
	if (notify->tsig == TSIG_WRONG)
		spare->secret = "bm90IHRoZSBzZWNyZXQgdGhhdCBpdCBzaG91bGQgYmU=";
	return spare;
}

static int start_sender(struct notify *notify, struct injector_ctx *ctx, struct err *err)
{
	size_t count = notify->injector.server_count;
	struct host *host = ctx->control->host(ctx->control->arg, notify->by.value);
	struct notify_to *to = calloc(notify->to_count + 1, sizeof(*to));
	struct server_tsig *keys = calloc(count + 1, sizeof(*keys));
	const struct notify_words words = {.zone = notify->zone_name,
					   .serial = (uint32_t)notify->serial,
					   .rate = notify->rate,
					   .to = to,
					   .count = notify->to_count};
	int r = -ENOMEM;

	for (size_t i = 0; to && keys && i < count; i++) {
		const struct server_tsig *key = find_key(notify, &notify->injector.servers[i], ctx, &keys[i]);

		for (size_t k = 0; k < notify->told[i].count; k++)
			to[notify->told[i].first + k] =
				(struct notify_to){notify->to[notify->told[i].first + k], key, notify->told[i].first,
						   notify->told[i].count};
	}
	if (to && keys)
		r = host ? notify_sender_start(host, &words, &notify->sender, err)
			 : err_set(err, -ESRCH, notify->by.loc, "by: %s is not in the lab", notify->by.value);
	else
		err_set(err, r, LOC_NONE, "out of memory");
	free(to);
	free(keys);
	return r;
}

static void tell_child(struct notify *notify, struct injector_ctx *ctx, bool is_needed)
{
	if (ctx->child)
		ctx->child(ctx->child_arg, &notify->injector, notify_sender_pid(notify->sender), is_needed);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct notify *notify = (struct notify *)injector;
	int r = chain_apply(&chain, injector, ctx, err);

	if (!r)
		r = start_sender(notify, ctx, err);
	if (!r)
		tell_child(notify, ctx, true);
	return r;
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct notify *notify = (struct notify *)injector;

	if (notify->sender) {
		tell_child(notify, ctx, false);
		notify_sender_end(TAKE(notify->sender));
	}
	return notify->told ? chain_revert(&chain, injector, ctx, err) : 0;
}

/* ---- its proof ---- */

struct reaction {
	int64_t sent, answered, good, asked;
	struct notify_counts counts;
};

static int read_reaction(const struct notify *notify, size_t i, struct injector_ctx *ctx, struct reaction *ret,
			 struct err *err)
{
	const struct told *told = &notify->told[i];
	struct reaction reaction = {0};
	int64_t bytes;
	char name[64];

	for (size_t k = 0; k < told->count; k++) {
		struct notify_counts one = notify_sender_counts(notify->sender, told->first + k);

		reaction.sent += one.sent;
		for (size_t rcode = 0; rcode < NOTIFY_RCODES; rcode++) {
			reaction.counts.answered[rcode] += one.answered[rcode];
			reaction.answered += one.answered[rcode];
		}
	}
	reaction.good = reaction.counts.answered[0];
	*ret = reaction;
	snprintf(name, sizeof(name), "fault_%" PRId64 "_asked_%zu_times", notify->injector.id, i);
	return core_counters(ctx->core, name, &ret->asked, &bytes, err);
}

static bool is_as_expected(const struct notify *notify, const struct reaction *reaction)
{
	switch ((enum expectation)notify->expect) {
	case EXPECT_EITHER:
		break;
	case EXPECT_HEEDED:
		return reaction->good && reaction->asked;
	case EXPECT_REFUSED:
		return reaction->answered && !reaction->good;
	}
	return reaction->answered || reaction->asked;
}

static void say_answers(const struct reaction *reaction, struct buf *out)
{
	static const char *const names[NOTIFY_RCODES] = {
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",   "REFUSED",  "YXDOMAIN", "YXRRSET",
		"NXRRSET", "NOTAUTH", "NOTZONE",  "RCODE 11", "RCODE 12", "RCODE 13", "RCODE 14", "RCODE 15"};
	bool is_first = true;

	for (size_t i = 0; i < NOTIFY_RCODES; i++) {
		if (!reaction->counts.answered[i])
			continue;
		buf_printf(out, "%s%s to %" PRId64, is_first ? "said " : ", ", names[i], reaction->counts.answered[i]);
		is_first = false;
	}
	if (is_first)
		buf_puts(out, "said nothing");
	buf_printf(out, " of %" PRId64, reaction->sent);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	const struct notify *notify = (const struct notify *)injector;
	struct effect effect = {.took_effect = notify->sender != NULL, .unit = "message"};
	struct buf text = {0};
	int r = 0;

	for (size_t i = 0; !r && notify->sender && i < injector->server_count; i++) {
		struct reaction reaction;

		r = read_reaction(notify, i, ctx, &reaction, err);
		if (r)
			break;
		effect.packets += reaction.answered;
		effect.took_effect = effect.took_effect && is_as_expected(notify, &reaction);
		buf_printf(&text, "%s%s ", i ? "; " : "", injector->servers[i].host);
		say_answers(&reaction, &text);
		buf_printf(&text, " and asked %s %" PRId64 " time%s", notify->told[i].primary->host, reaction.asked,
			   reaction.asked == 1 ? "" : "s");
	}
	snprintf(effect.text, sizeof(effect.text), "%s", text.data ? text.data : "nobody was told anything");
	buf_fini(&text);
	if (!r)
		*ret = effect;
	return r;
}

/* ---- words ---- */

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct notify *notify = (const struct notify *)injector;
	static const char *const signed_how[] = {"without TSIG", "with the right TSIG", "with a wrong TSIG"};

	buf_puts(out, "tells ");
	servers_list(injector, out);
	buf_printf(out, " from %s, %" PRId64 " times a second and %s, that %s has changed", notify->by.value,
		   notify->rate, signed_how[notify->tsig], notify->zone.value);
	if (notify->serial != PARAM_UNSET)
		buf_printf(out, " to serial %" PRId64, notify->serial);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	const struct notify *notify = (const struct notify *)injector;

	for (size_t i = 0; i < notify->to_count; i++)
		buf_printf(to_apply,
			   "# on %s, %" PRId64
			   " times a second to each server, its addresses in turn: ldns-notify -r 1 -z %s -s %" PRId64
			   "%s %s\n",
			   notify->by.value, notify->rate, notify->zone_name, notify->serial,
			   notify->tsig == TSIG_MISSING ? "" : " -y KEY:SECRET:hmac-sha256", notify->to[i]->text);
	(void)to_revert;
}

extern const struct injector_ops notify_ops;
const struct injector_ops notify_ops = {
	.kind = "notify",
	.summary = "secondaries are told of changes that their primary knows nothing of, once or in a storm",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct notify),
	.resolve = resolve,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
