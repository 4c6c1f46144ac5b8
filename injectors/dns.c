/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns: messages are lost, late, or changed, by one rule of the proxy (injectors/proxy/rule.h) for what is asked of the target.
 *
 * Where hosts of the target serve DNS over TLS or HTTPS, the proxy ends it with certificates of the lab's CA and asks the server over it again: ports 853 and 443 of those addresses come by it too.
 *
 * All such faults of a run share one inline proxy (injectors/proxy/inline.h), which the first of them in the plan, the host, starts and ends. What is said to and by port 53 of
 * their targets takes the host's detour to it for the whole run, so that what is measured without a fault came the same way, connections that
 * stand when a fault begins are hit too, and a fault begins and ends by a number in memory. On the path all of them act where the host stands in the plan's order.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "harness/api/transport.h"
#include "harness/base/rng.h"
#include "harness/base/units.h"
#include "harness/plan/parse.h"
#include "harness/plan/topology.h"
#include "injectors/chain.h"
#include "injectors/detour.h"
#include "injectors/dns.h"
#include "injectors/dns_commands.h"
#include "injectors/proxy/inline.h"
#include "injectors/proxy/inline_tls.h"

static const struct param params[] = {RULE_ROWS(struct dns, rule), PARAM_END};

#define MTU_DEFAULT 0 /* the detour's own */

static const struct dns *dns_of(const struct injector *injector)
{
	return (const struct dns *)injector;
}

static void fini_rule(void *rule)
{
	rule_fini(rule);
}

void dns_rule_defaults(struct dns *dns, struct arena *arena, struct errs *errs)
{
	static const struct param *const rows[] = {params};
	const struct node *none = node_load_bytes(arena, "dns", "{}", 2, errs);

	if (none)
		parse_mapping(arena, none, rows, ARRAY_LEN(rows), dns, "rule", errs);
}

void dns_rule_compile(struct injector *injector, struct arena *arena, struct errs *errs)
{
	struct rule *rule = &((struct dns *)injector)->rule;
	bool is_reversed = dns_of(injector)->is_reversed;

	rule->loc = injector->loc;
	rule->match.among_servers = is_reversed ? &injector->from_addresses : &injector->target_addresses;
	rule->match.among_clients = is_reversed ? &injector->target_addresses : &injector->from_addresses;
	arena_defer(arena, fini_rule, rule);
	rule_prepare(rule, arena, errs);
}

void dns_rule_resolve(struct injector *injector, struct plan *plan, bool is_end UNUSED, struct arena *arena UNUSED,
		      struct errs *errs UNUSED)
{
	struct rule_transfer *transfer = &((struct dns *)injector)->rule.todo.transfer;

	transfer->has_seed = plan->topology != NULL;
	transfer->seed = transfer->has_seed ? plan->topology->seed : 0;
}

static bool is_listed(const struct addresses *list, const struct address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		if (address_is_equal(&list->v[i], address))
			return true;
	}
	return false;
}

void dns_rule_validate(const struct injector *injector, struct errs *errs)
{
	const struct rule *rule = &dns_of(injector)->rule;

	for (size_t i = 0; i < rule->match.server.count; i++) {
		const struct address *server = &rule->match.server.v[i];

		if (!is_listed(&injector->target_addresses, server))
			errs_add(errs, server->loc,
				 "server: %s is no address of the target, so no message to it comes by; name it in "
				 "target:, or leave server: out",
				 server->text);
	}
	if ((rule->match.transport == RULE_DOT && !injector->dot_addresses.count) ||
	    (rule->match.transport == RULE_DOH && !injector->doh_addresses.count) ||
	    (rule->is_tls && !injector->dot_addresses.count && !injector->doh_addresses.count))
		errs_add(errs, rule->is_tls ? rule->todo.tls.loc : injector->loc,
			 "no host of the target serves DNS over %s: this rule could never match; give it encrypted: "
			 "[%s]",
			 rule->match.transport == RULE_DOH ? "HTTPS" : "TLS",
			 rule->match.transport == RULE_DOH ? "doh" : "dot");
	if (injector->ramp_ns != PARAM_UNSET &&
	    (rule->every != PARAM_UNSET || rule->first != PARAM_UNSET || rule->after != PARAM_UNSET))
		errs_add(errs, injector->loc,
			 "ramp: it grows the share of messages that are hit; every, first and after count them, and "
			 "cannot grow");
}

int dns_rule_available(const struct injector *injector, const struct abilities *abilities, struct err *err)
{
	int r = detour_available(injector, abilities, err);

	return r ? r : ability_demand(abilities, ABILITY_RELAY, injector->loc, "the fault dns", NULL, err);
}

static bool is_dns(const struct injector *injector)
{
	return injector->ops->prepare == dns_rule_prepare;
}

static struct dns *host_of(struct injector *injector, const struct injector_ctx *ctx)
{
	for (size_t i = 0; i < ctx->fault_count; i++) {
		if (is_dns(ctx->faults[i]))
			return (struct dns *)ctx->faults[i];
	}
	return (struct dns *)injector;
}

/* The i-th fault that shares host's proxy; NULL: there are no more. */
static struct dns *guest(const struct dns *host, size_t i)
{
	for (size_t j = 0; j < host->fault_count; j++) {
		if (is_dns(host->faults[j]) && !i--)
			return (struct dns *)host->faults[j];
	}
	return NULL;
}

/* What is said to and by a port of these addresses. */
static void lead_port(const struct injector *to, const struct addresses *addresses, struct traffic *traffic,
		      const struct traffic_rule *rule, struct buf *out)
{
	struct injector injector = *to;

	injector.target_addresses = *addresses;
	if (addresses->count)
		traffic_rules(traffic, &injector, rule, out);
}

/* What is said to and by the ports of one fault's targets. Later fragments of a datagram have no ports: all of them go along. */
static void lead(const struct injector *to, const struct injector *host, struct buf *out)
{
	struct traffic traffic = {.direction = TRAFFIC_EITHER, .family = TRAFFIC_ANY_FAMILY, .port = PARAM_UNSET};
	const struct rule *todo = &dns_of(to)->rule;
	struct injector injector = *to;
	char verdict[DETOUR_VERDICT_SIZE];
	struct traffic_rule rule = {.verdict = detour_verdict(host, verdict)};

	injector.id = host->id; /* whose chain it is */
	if (dns_of(to)->is_reversed) {
		injector.target_addresses = to->from_addresses;
		injector.from_addresses = to->target_addresses;
	}
	traffic.protocol = TRAFFIC_BOTH;
	traffic.port = DNS_PORT;
	traffic_rules(&traffic, &injector, &rule, out);
	traffic.protocol = TRAFFIC_TCP;
	traffic.port = DOT_PORT;
	if (dns_wants(&todo->match, RULE_DOT))
		lead_port(&injector, &to->dot_addresses, &traffic, &rule, out);
	traffic.port = DOH_PORT;
	if (dns_wants(&todo->match, RULE_DOH))
		lead_port(&injector, &to->doh_addresses, &traffic, &rule, out);
	traffic.protocol = TRAFFIC_UDP;
	traffic.port = PARAM_UNSET;
	rule.ipv4 = "ip frag-off & 0x1fff != 0";
	rule.ipv6 = "frag frag-off != 0";
	traffic_rules(&traffic, &injector, &rule, out);
}

static void rules(const struct injector *injector, struct buf *out)
{
	const struct dns *fault;

	for (size_t i = 0; (fault = guest(dns_of(injector), i)); i++)
		lead(&fault->injector, injector, out);
}

static const struct chain chain = {.rules = rules};

static uint64_t seed_of(const struct dns *host, const struct injector_ctx *ctx)
{
	char name[64];
	struct rng rng;

	snprintf(name, sizeof(name), "fault %" PRId64 ", proxy", host->injector.id);
	rng = rng_stream((uint64_t)ctx->seed, name);
	return rng_next(&rng);
}

static void tell_child(const struct dns *host, struct injector_ctx *ctx, bool is_needed)
{
	if (ctx->child)
		ctx->child(ctx->child_arg, &host->injector, inline_pid(host->proxy), is_needed);
}

static int start_proxy(struct dns *host, struct injector_ctx *ctx, struct err *err)
{
	struct rule **all = calloc(host->fault_count + 1, sizeof(*all));
	struct inline_tls tls = {0};
	struct dns *fault;
	size_t count = 0;

	if (!all)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (; (fault = guest(host, count)); count++)
		all[count] = &fault->rule;
	host->proxy = ctx->ca && inline_tls_init(&tls, ctx->ca, err)
			      ? NULL
			      : inline_start(&(struct inline_start){.rules = all,
								    .count = count,
								    .seed = seed_of(host, ctx),
								    .tls = ctx->ca ? &tls.tls : NULL},
					     err);
	inline_tls_fini(&tls);
	free(all);
	if (!host->proxy)
		return err->code;
	tell_child(host, ctx, true);
	for (size_t i = 0; (fault = guest(host, i)); i++)
		fault->live = inline_rule(host->proxy, i);
	return 0;
}

static int open_path(struct dns *host, struct injector_ctx *ctx, struct err *err)
{
	struct injector *injector = &host->injector;
	struct detour_names names;
	int r = detour_open(injector, ctx, DETOUR_HOST, inline_netns_fd(host->proxy), MTU_DEFAULT, err);

	detour_names(injector, &names);
	if (!r)
		r = inline_attach(host->proxy, names.relay_in, names.relay_out, names.back_mac, err);
	return r ? r : chain_apply(&chain, injector, ctx, err);
}

/* The host's does it for all: it is the first that is prepared, and the last to be released. */
int dns_rule_prepare(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct dns *host = host_of(injector, ctx);
	int r;

	if (&host->injector != injector)
		return 0;
	host->faults = ctx->faults;
	host->fault_count = ctx->fault_count;
	r = start_proxy(host, ctx, err);
	return r ? r : open_path(host, ctx, err);
}

int dns_rule_release(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct dns *host = host_of(injector, ctx), *fault;
	struct err later = {0};
	int r, rc;

	if (&host->injector != injector)
		return 0;
	for (size_t i = 0; (fault = guest(host, i)); i++)
		fault->live = NULL;
	r = chain_revert(&chain, injector, ctx, err);
	if (host->proxy) {
		tell_child(host, ctx, false);
		inline_stop(TAKE(host->proxy));
	}
	rc = detour_close(injector, ctx, r ? &later : err);
	return r ? r : rc;
}

/* Counts begin anew with each time it is on: so do first and after. */
int dns_rule_apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	const struct dns *host = host_of(injector, ctx);
	struct rule *live = dns_of(injector)->live;

	if (!live)
		return err_set(err, -EINVAL, injector->loc, "the proxy was not prepared");
	if (!inline_is_alive(host->proxy))
		return err_set(err, -ECHILD, injector->loc, "the proxy, the process that changes messages, died");
	rule_reset(live);
	((struct dns *)injector)->losses = inline_losses(host->proxy);
	atomic_store(&live->progress_ppm, ctx->progress_ppm);
	return 0;
}

int dns_rule_adjust(struct injector *injector, struct injector_ctx *ctx UNUSED, int64_t progress_ppm,
		    struct err *err UNUSED)
{
	if (dns_of(injector)->live)
		atomic_store(&dns_of(injector)->live->progress_ppm, progress_ppm);
	return 0;
}

int dns_rule_revert(struct injector *injector, struct injector_ctx *ctx UNUSED, struct err *err UNUSED)
{
	if (dns_of(injector)->live)
		atomic_store(&dns_of(injector)->live->progress_ppm, 0);
	return 0;
}

int dns_rule_effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	const struct rule *live = dns_of(injector)->live;
	struct effect effect = {0};
	int64_t matched;
	uint64_t lost;

	if (!live)
		return err_set(err, -EINVAL, injector->loc, "the proxy was not prepared");
	lost = inline_losses(host_of(injector, ctx)->proxy) - dns_of(injector)->losses;
	if (lost)
		return err_set(err, -ENOBUFS, injector->loc,
			       "the proxy could not keep up: %" PRIu64 " messages were lost that should not have been",
			       lost);
	matched = (int64_t)atomic_load(&live->matched);
	effect.packets = (int64_t)atomic_load(&live->done);
	effect.took_effect = effect.packets > 0;
	effect.unit = live->is_tls ? "connection" : "message";
	if (matched)
		snprintf(effect.text, sizeof(effect.text), "proxy acted on %" PRId64 " of %" PRId64 " %ss that match",
			 effect.packets, matched, effect.unit);
	else
		snprintf(effect.text, sizeof(effect.text),
			 "proxy acted on no %s: of %" PRIu64 " that it was asked about, none matches", effect.unit,
			 rule_seen(live));
	*ret = effect;
	return 0;
}

static void add_addresses(const struct addresses *list, struct buf *out)
{
	for (size_t i = 0; i < list->count; i++)
		buf_printf(out, "%s%s", !i ? "" : i + 1 < list->count ? ", " : " and ", list->v[i].text);
}

/* "30% of the queries", "every 3rd …". */
static void add_choice(const struct rule *rule, struct buf *out)
{
	char share[32];

	if (rule->after != PARAM_UNSET)
		buf_printf(out, "after the first %" PRId64 ", ", rule->after);
	if (rule->first != PARAM_UNSET)
		buf_printf(out, "of the first %" PRId64 " ", rule->first);
	if (rule->share_ppm != PARAM_UNSET)
		buf_printf(out, "%s of ", units_format_share(rule->share_ppm, share, sizeof(share)));
	else if (rule->every != PARAM_UNSET)
		buf_printf(out, "one in %" PRId64 " of ", rule->every);
}

static const struct addresses *tls_addresses(const struct injector *injector, const struct rule *rule)
{
	return dns_wants(&rule->match, RULE_DOT) && injector->dot_addresses.count ? &injector->dot_addresses
										  : &injector->doh_addresses;
}

/* "port 53, 853 and 443 of " */
static void add_ports(const struct injector *injector, const struct rule *rule, struct buf *out)
{
	const int all[] = {
		(dns_wants(&rule->match, RULE_UDP) || dns_wants(&rule->match, RULE_TCP)) && !rule->is_tls ? DNS_PORT
													  : 0,
		dns_wants(&rule->match, RULE_DOT) && injector->dot_addresses.count ? DOT_PORT : 0,
		dns_wants(&rule->match, RULE_DOH) && injector->doh_addresses.count ? DOH_PORT : 0,
	};
	int left = !!all[0] + !!all[1] + !!all[2];

	buf_puts(out, "port ");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i])
			buf_printf(out, "%d%s", all[i], --left > 1 ? ", " : left ? " or " : " of ");
	}
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct rule *rule = &dns_of(injector)->rule;

	buf_puts(out, "does ");
	param_format_given(rule_do_params, &rule->todo, out);
	buf_puts(out, " to ");
	add_choice(rule, out);
	buf_puts(out, rule->is_tls ? "the connections that are made to " : "the messages that ");
	add_ports(injector, rule, out);
	add_addresses(rule->is_tls ? tls_addresses(injector, rule) : &injector->target_addresses, out);
	buf_puts(out, rule->is_tls ? "" : " is asked");
	if (injector->from_addresses.count) {
		buf_puts(out, " by ");
		add_addresses(&injector->from_addresses, out);
	}
	if (param_is_given(rule_match_params, &rule->match)) {
		buf_puts(out, ", those that match ");
		param_format_given(rule_match_params, &rule->match, out);
	}
}

/* Without the lab's tricks a proxy is seen: it asks in its own name. */
void dns_rule_commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	struct buf text = {0};

	param_format_given(params, injector, &text);
	dns_commands(injector, &dns_of(injector)->rule.match, text.data ? text.data : "", to_apply, to_revert);
	buf_fini(&text);
}

const struct injector_ops dns_message_ops = {
	.kind = "dns",
	.summary = "messages to and from a DNS server are lost, late, or changed",
	.params = params,
	.size = sizeof(struct dns),
	.compile = dns_rule_compile,
	.resolve = dns_rule_resolve,
	.validate = dns_rule_validate,
	.available = dns_rule_available,
	.prepare = dns_rule_prepare,
	.release = dns_rule_release,
	.apply = dns_rule_apply,
	.adjust = dns_rule_adjust,
	.revert = dns_rule_revert,
	.effect = dns_rule_effect,
	.sentence = sentence,
	.commands = dns_rule_commands,
};
