/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a probe's questions go.
 */
#include <string.h>

#include "harness/plan/topo.h"

static void say_unknown(struct plan_ctx *ctx, const struct text *name, const char *what, bool with_clients)
{
	const struct topology *topology = ctx->plan->topology;
	struct names known = {0};

	for (size_t i = 0; i < topology->host_count; i++) {
		if (with_clients || topology->hosts[i].role != HOST_CLIENT)
			names_add(&known, ctx->arena, topology->hosts[i].name);
	}
	names_unknown(&known, what, name->value, name->loc, ctx->errs);
}

/* Adds what of host from can reach. */
static void add(struct plan_ctx *ctx, const struct topo_host *from, const struct topo_host *host,
		struct probe_server *servers, size_t *count)
{
	struct addresses usable = topo_reachable(ctx->arena, from, &host->addresses);

	for (size_t i = 0; i < usable.count; i++)
		servers[(*count)++] = (struct probe_server){host->name, usable.v[i], host->tls_name};
}

static void resolve_via(struct plan_ctx *ctx, const struct topo_host *from, const struct text *via,
			struct probe_server **ret_servers, size_t *ret_count)
{
	const struct topo_host *host = topology_host(ctx->plan->topology, via->value);

	if (!host) {
		say_unknown(ctx, via, "host", false);
		return;
	}
	if (host->role == HOST_CLIENT) {
		errs_add(ctx->errs, via->loc,
			 "via: '%s' is a client and answers nobody; name a resolver or a nameserver", host->name);
		return;
	}
	*ret_servers = ARENA_ARRAY(ctx->arena, struct probe_server, host->addresses.count + 1);
	add(ctx, from, host, *ret_servers, ret_count);
	if (!*ret_count && host->addresses.count)
		errs_add(ctx->errs, via->loc, "via: %s has %s addresses only, and %s %s: they can never meet",
			 from->name, topo_families(&from->addresses), host->name, topo_families(&host->addresses));
}

/* Every address of each of the client's resolvers, in order: a kind that has via: may choose among them. */
static void resolve_default(struct plan_ctx *ctx, const struct topo_host *from, struct probe_server **ret_servers,
			    size_t *ret_count)
{
	size_t room = 1;

	for (size_t i = 0; i < from->resolver_count; i++)
		room += topology_host(ctx->plan->topology, from->resolvers[i].host)->addresses.count;
	*ret_servers = ARENA_ARRAY(ctx->arena, struct probe_server, room);
	for (size_t i = 0; i < from->resolver_count; i++)
		add(ctx, from, topology_host(ctx->plan->topology, from->resolvers[i].host), *ret_servers, ret_count);
}

static void say_no_resolvers(struct plan_ctx *ctx, const struct probe *probe, const struct topo_host *from)
{
	const char *mend = probe->ops->via ? "say via: whom it asks, or let a client ask" : "let a client ask";

	if (from->role != HOST_CLIENT)
		errs_add(ctx->errs, probe->from.loc, "from: '%s' is a %s and has no resolvers of its own; %s",
			 from->name, host_role_name(from->role), mend);
	else if (!from->client->resolvers.count)
		errs_add(ctx->errs, probe->from.loc, "from: client '%s' has no resolvers; give it some%s", from->name,
			 probe->ops->via ? ", or say via: whom the probe asks" : "");
}

/* The host asked first must answer on the transport the probe asks by. */
static void check_encrypted(struct plan_ctx *ctx, const struct probe *probe, const struct probe_server *server,
			    struct loc loc)
{
	int needed = probe->ops->encrypted ? probe->ops->encrypted(probe) : 0;
	const struct topo_host *host = topology_host(ctx->plan->topology, server->host);

	for (size_t i = 0; encrypted_choices[i]; i++) {
		if (needed & ~host->encrypted & 1 << i)
			errs_add(ctx->errs, loc, "transport: %s does not serve %s; give it encrypted: [%s]", host->name,
				 encrypted_choices[i], encrypted_choices[i]);
	}
}

/* Every address at which from can ask the nameservers of the zone. */
static void resolve_zone(struct plan_ctx *ctx, const struct probe *probe, const struct topo_host *from,
			 struct probe_server **ret_servers, size_t *ret_count)
{
	const struct zone_spec *spec = probe->qname ? zones_enclosing(&ctx->plan->lab, probe->qname) : NULL;
	const struct texts *to = probe->ops->to(probe);
	const struct topo_zone *zone = spec ? topo_zone_of(ctx->plan, spec) : NULL;
	size_t room = 1;

	for (size_t i = 0; zone && i < zone->server_count; i++)
		room += zone->servers[i]->addresses.count;
	*ret_servers = ARENA_ARRAY(ctx->arena, struct probe_server, room);
	for (size_t i = 0; zone && i < zone->server_count; i++) {
		bool is_meant = !to->count;

		for (size_t k = 0; k < to->count; k++)
			is_meant |= topology_is_meant(zone->servers[i], to->v[k].value);
		if (is_meant)
			add(ctx, from, zone->servers[i], *ret_servers, ret_count);
	}
	if (!*ret_count && probe->qname)
		errs_add(ctx->errs, to->count ? to->v[0].loc : probe->query.loc,
			 "%s: no nameserver of a zone of the plan that holds %s %s", to->count ? "to" : "query",
			 probe->qname, zone ? "is meant, or can be reached from there" : "is known");
}

/* Every address at which from can ask the root. */
static void resolve_root(struct plan_ctx *ctx, const struct topo_host *from, const struct text *via,
			 struct probe_server **ret_servers, size_t *ret_count)
{
	const struct topology *topology = ctx->plan->topology;
	size_t room = 1;

	for (size_t i = 0; i < topology->host_count; i++)
		room += topology->hosts[i].role == HOST_ROOT ? topology->hosts[i].addresses.count : 0;
	*ret_servers = ARENA_ARRAY(ctx->arena, struct probe_server, room);
	for (size_t i = 0; i < topology->host_count; i++) {
		if (topology->hosts[i].role == HOST_ROOT)
			add(ctx, from, &topology->hosts[i], *ret_servers, ret_count);
	}
	if (!*ret_count)
		errs_add(ctx->errs, via->loc, "via: %s has no address of a family that the lab's root has", from->name);
}

void via_resolve(struct plan_ctx *ctx, const struct probe *probe, struct probe_server **ret_servers, size_t *ret_count)
{
	const struct text *via = probe->ops->via ? probe->ops->via(probe) : NULL;
	const struct topo_host *from;

	if (!probe->from.value)
		return; /* said already */
	from = topology_host(ctx->plan->topology, probe->from.value);
	if (!from) {
		say_unknown(ctx, &probe->from, "host", true);
	} else if (probe->ops->to) {
		resolve_zone(ctx, probe, from, ret_servers, ret_count);
	} else if (probe->ops->from_root && probe->ops->from_root(probe)) {
		resolve_root(ctx, from, via, ret_servers, ret_count);
	} else if (via && via->value) {
		resolve_via(ctx, from, via, ret_servers, ret_count);
	} else if (!from->resolver_count) {
		say_no_resolvers(ctx, probe, from);
	} else if (probe->ops->via) {
		resolve_default(ctx, from, ret_servers, ret_count);
	} else {
		*ret_servers = from->resolvers;
		*ret_count = from->resolver_count;
	}
	if (*ret_count)
		check_encrypted(ctx, probe, *ret_servers, via && via->value ? via->loc : probe->loc);
}
