/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one step must make sense of beyond its rows: when it is, how it grows or flaps, and whom it hits.
 */
#include <string.h>

#include "harness/base/units.h"
#include "harness/plan/internal.h"
#include "harness/plan/topology.h"

static void check_time(struct plan_ctx *ctx, const struct injector *fault)
{
	int64_t duration = ctx->plan->duration_ns, end = fault->at_ns;
	char a[32], d[32];

	if (fault->for_ns == PARAM_UNSET && duration == PARAM_UNSET) {
		errs_add(ctx->errs, fault->loc,
			 "step needs the key 'for': how long the fault lasts; or the plan a duration:");
		return;
	}
	if (fault->at_ns == PARAM_UNSET)
		return; /* said already */
	if (fault->for_ns != PARAM_UNSET)
		end += fault->for_ns;
	if (duration != PARAM_UNSET && (end > duration || fault->at_ns >= duration))
		errs_add(ctx->errs, fault->loc,
			 "'%.80s' lasts until %s, but the run ends at %s; mend at: and for:, or duration:",
			 fault->name.value, units_format_duration(end, a, sizeof(a)),
			 units_format_duration(duration, d, sizeof(d)));
}

/* How long the fault lasts; PARAM_UNSET: that is wrong already. */
static int64_t length_of(const struct plan_ctx *ctx, const struct injector *fault)
{
	if (fault->for_ns != PARAM_UNSET)
		return fault->for_ns;
	if (ctx->plan->duration_ns == PARAM_UNSET || fault->at_ns == PARAM_UNSET ||
	    fault->at_ns >= ctx->plan->duration_ns)
		return PARAM_UNSET;
	return ctx->plan->duration_ns - fault->at_ns;
}

/* "latency, loss": the kinds that can grow. */
static const char *kinds_that_ramp(struct plan_ctx *ctx)
{
	const char *list = "";

	for (const struct injector_ops *const *ops = ctx->registry->injectors; ops && *ops; ops++) {
		if ((*ops)->adjust)
			list = arena_printf(ctx->arena, "%s%s%s", list, *list ? ", " : "", (*ops)->kind);
	}
	return *list ? list : "none";
}

static void check_ramp(struct plan_ctx *ctx, const struct node *node, const struct injector *fault)
{
	const struct node *given = node_get(node, "ramp");
	int64_t length = length_of(ctx, fault);
	char a[32], b[32];

	if (!given || fault->ramp_ns == PARAM_UNSET)
		return;
	if (!fault->ops->adjust)
		errs_add(ctx->errs, given->loc,
			 "ramp: %s is there or not, it cannot grow; leave ramp: out (kinds that grow: %s), or let it "
			 "come and go with flap:",
			 fault->ops->kind, kinds_that_ramp(ctx));
	if (length != PARAM_UNSET && fault->ramp_ns > length)
		errs_add(
			ctx->errs, given->loc,
			"ramp: %s is longer than the fault, which lasts %s and would never be whole; shorten ramp:, or "
			"lengthen for:",
			units_format_duration(fault->ramp_ns, a, sizeof(a)),
			units_format_duration(length, b, sizeof(b)));
}

static void check_flap(struct plan_ctx *ctx, const struct node *node, const struct injector *fault)
{
	const struct node *given = node_get(node, "flap");
	int64_t length = length_of(ctx, fault);
	char a[32], b[32];

	if (!given || fault->flap.on_ns == PARAM_UNSET || fault->flap.off_ns == PARAM_UNSET || length == PARAM_UNSET)
		return;
	if (fault->flap.on_ns >= length)
		errs_add(ctx->errs, given->loc,
			 "flap: it never switches: the fault lasts %s, and is on for the first %s of it; shorten on:, "
			 "or "
			 "lengthen for:",
			 units_format_duration(length, a, sizeof(a)),
			 units_format_duration(fault->flap.on_ns, b, sizeof(b)));
}

static void resolve(struct plan_ctx *ctx, const struct texts *names, struct addresses *io)
{
	for (size_t i = 0; i < names->count; i++) {
		struct err err = {0};

		if (topology_resolve(ctx->plan->topology, names->v[i], ctx->arena, io, &err))
			errs_add_err(ctx->errs, &err);
	}
}

static bool is_listed(const struct addresses *list, const struct address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		if (address_is_equal(&list->v[i], address))
			return true;
	}
	return false;
}

static bool is_same_set(const struct addresses *a, const struct addresses *b)
{
	for (size_t i = 0; i < a->count; i++) {
		if (!is_listed(b, &a->v[i]))
			return false;
	}
	return a->count == b->count;
}

static void check_addresses(struct plan_ctx *ctx, const struct injector *fault)
{
	const struct addresses *to = &fault->target_addresses, *from = &fault->from_addresses;
	bool both_v4, both_v6;

	if (!to->count || !from->count)
		return;
	both_v4 = addresses_first(to, AF_INET) && addresses_first(from, AF_INET);
	both_v6 = addresses_first(to, AF_INET6) && addresses_first(from, AF_INET6);
	if (is_same_set(to, from))
		errs_add(ctx->errs, fault->from.v[0].loc,
			 "from: it is the same as target: what a host says to itself never crosses the lab's core; "
			 "leave from: out, or name who asks");
	else if (!both_v4 && !both_v6)
		errs_add(ctx->errs, fault->from.v[0].loc,
			 "from: it has only %s addresses, and target only %s: they can never meet",
			 addresses_first(from, AF_INET) ? "IPv4" : "IPv6",
			 addresses_first(to, AF_INET) ? "IPv4" : "IPv6");
}

/* The group that an address of `addresses` is in already, or count. */
static size_t group_with(const struct injector *fault, size_t count, const struct addresses *addresses)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < addresses->count; j++) {
			if (is_listed(&fault->group_addresses[i], &addresses->v[j]))
				return i;
		}
	}
	return count;
}

/* Adds one name to group i, which no group may have yet. */
static void add_member(struct plan_ctx *ctx, struct injector *fault, size_t i, struct text name)
{
	struct texts one = {&name, 1};
	struct addresses addresses = {0}, *group = &fault->group_addresses[i];

	resolve(ctx, &one, &addresses);
	if (group_with(fault, i + 1, &addresses) <= i) {
		errs_add(ctx->errs, name.loc,
			 "groups: '%.60s' has a host that is in a group already; each host is in one group, once",
			 name.value);
		return;
	}
	resolve(ctx, &one, group);
}

static void check_groups(struct plan_ctx *ctx, struct injector *fault)
{
	size_t count = fault->groups.count;

	if (!count)
		return; /* said already, or of another kind */
	if (count < 2)
		errs_add(ctx->errs, fault->groups.loc,
			 "groups: two or more are needed, such as [[alpha], [beta, r1]]: one cannot be cut off from "
			 "itself");
	fault->group_addresses = ARENA_ARRAY(ctx->arena, struct addresses, count);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < fault->groups.v[i].count; j++)
			add_member(ctx, fault, i, fault->groups.v[i].v[j]);
	}
}

static bool is_hit(const struct injector *fault, const struct topo_host *host)
{
	for (size_t i = 0; i < fault->server_count; i++) {
		if (!strcmp(fault->servers[i].host, host->name))
			return true;
	}
	return false;
}

static void add_server(struct plan_ctx *ctx, struct injector *fault, const struct text *target, struct topo_host *host)
{
	if (is_hit(fault, host))
		return;
	if (!host->server) {
		errs_add(ctx->errs, target->loc,
			 "target: '%.60s' is a %s, which runs no server that %s could hit; name a nameserver, a "
			 "provider, a resolver, root or a tld",
			 target->value, host_role_name(host->role), fault->ops->kind);
		return;
	}
	host->demands |= fault->ops->demands;
	fault->servers[fault->server_count++] = (struct injector_server){
		.host = host->name,
		.software = host->server,
		.role = host->server_role,
		.addresses = &host->addresses,
		.validates = host->server_role != SERVER_AUTHORITATIVE && ctx->plan->topology->is_signed,
		.loc = target->loc,
	};
}

static bool is_target(const struct injector *fault, const struct topo_host *host)
{
	for (size_t i = 0; i < fault->target.count; i++) {
		if (topology_is_meant(host, fault->target.v[i].value))
			return true;
	}
	return false;
}

static void find_encrypted(struct plan_ctx *ctx, struct injector *fault, enum encrypted bit, struct addresses *ret)
{
	const struct topology *topology = ctx->plan->topology;

	ret->v = ARENA_ARRAY(ctx->arena, struct address, fault->target_addresses.count + 1);
	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];

		for (size_t j = 0; (host->encrypted & bit) && is_target(fault, host) && j < host->addresses.count;
		     j++) {
			if (is_listed(&fault->target_addresses, &host->addresses.v[j]) &&
			    !is_listed(ret, &host->addresses.v[j]))
				ret->v[ret->count++] = host->addresses.v[j];
		}
	}
}

/* Names that mean nobody were said already. */
static void find_servers(struct plan_ctx *ctx, struct injector *fault)
{
	const struct topology *topology = ctx->plan->topology;

	if (fault->ops->hits != INJECTOR_HITS_SERVERS)
		return;
	fault->servers = ARENA_ARRAY(ctx->arena, struct injector_server, topology->host_count + 1);
	for (size_t i = 0; i < fault->target.count; i++) {
		for (size_t j = 0; j < topology->host_count; j++) {
			if (topology_is_meant(&topology->hosts[j], fault->target.v[i].value))
				add_server(ctx, fault, &fault->target.v[i], &topology->hosts[j]);
		}
	}
}

void step_check(struct plan_ctx *ctx, const struct node *node, struct injector *fault)
{
	check_time(ctx, fault);
	check_ramp(ctx, node, fault);
	check_flap(ctx, node, fault);
	resolve(ctx, &fault->target, &fault->target_addresses);
	resolve(ctx, &fault->from, &fault->from_addresses);
	check_addresses(ctx, fault);
	find_encrypted(ctx, fault, ENCRYPTED_DOT, &fault->dot_addresses);
	find_encrypted(ctx, fault, ENCRYPTED_DOH, &fault->doh_addresses);
	find_servers(ctx, fault);
	check_groups(ctx, fault);
}
