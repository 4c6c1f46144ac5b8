/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who transfers zones from whom, who forwards to whom, whom clients ask.
 */
#include <string.h>

#include "harness/plan/topo.h"

bool topo_has_family(const struct addresses *addresses, int family)
{
	return addresses_first(addresses, family);
}

const char *topo_families(const struct addresses *addresses)
{
	bool v4 = topo_has_family(addresses, AF_INET), v6 = topo_has_family(addresses, AF_INET6);

	return v4 && v6 ? "IPv4 and IPv6" : v4 ? "IPv4" : v6 ? "IPv6" : "no";
}

struct addresses topo_reachable(struct arena *arena, const struct topo_host *host, const struct addresses *addresses)
{
	struct addresses ret = {.v = ARENA_ARRAY(arena, struct address, addresses->count + 1)};

	for (size_t i = 0; i < addresses->count; i++) {
		if (topo_has_family(&host->addresses, addresses->v[i].family))
			ret.v[ret.count++] = addresses->v[i];
	}
	return ret;
}

static const struct topo_host *find(struct topo_builder *b, const struct text *name, unsigned roles, const char *what)
{
	struct names known = {0};

	for (size_t i = 0; i < b->topology->host_count; i++) {
		const struct topo_host *host = &b->topology->hosts[i];

		if (!(roles & 1u << host->role))
			continue;
		if (!strcmp(host->name, name->value))
			return host;
		names_add(&known, b->arena, host->name);
	}
	names_unknown(&known, what, name->value, name->loc, b->errs);
	return NULL;
}

static bool can_meet(struct topo_builder *b, const struct topo_host *one, const struct topo_host *other, struct loc loc,
		     const char *verb)
{
	if (topo_reachable(b->arena, one, &other->addresses).count)
		return true;
	errs_add(b->errs, loc, "%s cannot %s %s: it has %s addresses only, %s has %s", one->name, verb, other->name,
		 topo_families(&one->addresses), other->name, topo_families(&other->addresses));
	return false;
}

/* ---- transfers ---- */

/* Says a loop once: at the first of its hosts. */
static void check_primary_loop(struct topo_builder *b, const struct topo_host *host, struct loc loc)
{
	const char *chain = host->name;

	for (const struct topo_host *at = host->primary; at; at = at->primary) {
		chain = arena_printf(b->arena, "%s from %s", chain, at->name);
		if (at == host) {
			errs_add(b->errs, loc,
				 "a loop of transfers (%s): one of them must do without primary: and load the file",
				 chain);
			return;
		}
		if (at < host)
			return; /* another host's loop, or said there */
	}
}

static const char *tls_secondaries(const struct topo_builder *b)
{
	const char *text = "";

	for (size_t i = 0; b->registry->servers && b->registry->servers[i]; i++) {
		if (b->registry->servers[i]->transfers_over_tls)
			text = arena_printf(b->arena, "%s%s%s", text, *text ? ", " : "", b->registry->servers[i]->name);
	}
	return *text ? text : "none";
}

/* Whether what `primary_transport: tls` needs is there. */
static void check_primary_tls(struct topo_builder *b, const struct topo_host *host, const struct nameserver_spec *spec)
{
	if (!spec->primary.value)
		errs_add(
			b->errs, spec->loc,
			"primary_transport: '%s' transfers from nobody; give it a primary:, or leave the transport out",
			host->name);
	else if (host->primary && !(host->primary->encrypted & ENCRYPTED_DOT))
		errs_add(b->errs, spec->primary.loc,
			 "primary: %s does not serve DNS over TLS, and %s transfers over it; give %s encrypted: [dot]",
			 host->primary->name, host->name, host->primary->name);
	if (host->server && !host->server->transfers_over_tls)
		errs_add(b->errs, host->loc,
			 "primary_transport: server '%s' of %s cannot transfer over TLS; those that can are: %s",
			 host->server->name, host->name, tls_secondaries(b));
}

static void resolve_primaries(struct topo_builder *b)
{
	const struct provider_spec *providers = b->plan->lab.providers.v;

	for (int pass = 0; pass < 2; pass++) {
		struct topo_host *host = b->topology->hosts;

		while (host < b->topology->hosts + b->topology->host_count && host->role != HOST_NAMESERVER)
			host++;
		for (size_t i = 0; i < b->plan->lab.providers.count; i++) {
			const struct nameserver_spec *ns = providers[i].nameservers.v;

			for (size_t j = 0; j < providers[i].nameservers.count; j++, host++) {
				if (pass && host->transfers_over_tls)
					check_primary_tls(b, host, &ns[j]);
				if (!ns[j].primary.value)
					continue;
				if (pass) {
					check_primary_loop(b, host, ns[j].primary.loc);
					continue;
				}
				host->primary = find(b, &ns[j].primary, 1u << HOST_NAMESERVER, "nameserver");
				if (host->primary)
					can_meet(b, host, host->primary, ns[j].primary.loc, "transfer from");
			}
		}
	}
}

/* ---- forwarding ---- */

/* Whether a walk along forward: from resolver `at` comes to `goal`; seen[] keeps it finite. */
static bool forwards_to(const struct topo_builder *b, const char *at, const char *goal, bool *seen)
{
	const struct resolver_spec *specs = b->plan->lab.resolvers.v;

	for (size_t i = 0; i < b->plan->lab.resolvers.count; i++) {
		if (strcmp(specs[i].name.value, at) || seen[i])
			continue;
		seen[i] = true;
		for (size_t j = 0; j < specs[i].forward.count; j++) {
			if (!strcmp(specs[i].forward.v[j].value, goal) ||
			    forwards_to(b, specs[i].forward.v[j].value, goal, seen))
				return true;
		}
	}
	return false;
}

static void check_forward_loop(struct topo_builder *b, const struct resolver_spec *spec, const struct text *to)
{
	const struct resolver_spec *specs = b->plan->lab.resolvers.v;
	bool *seen = ARENA_ARRAY(b->arena, bool, b->plan->lab.resolvers.count);

	/* A loop is said at the first of its resolvers: ways through earlier ones were looked at from there. */
	for (size_t i = 0; &specs[i] < spec; i++)
		seen[i] = true;
	if (!strcmp(to->value, spec->name.value))
		errs_add(b->errs, to->loc, "%s forwards to itself", to->value);
	else if (forwards_to(b, to->value, spec->name.value, seen))
		errs_add(b->errs, to->loc,
			 "a loop: %s forwards to %s, from where questions come back to %s; one of them must do without "
			 "forward:",
			 spec->name.value, to->value, spec->name.value);
}

static const char *dot_forwarders(const struct topo_builder *b)
{
	const char *text = "";

	for (size_t i = 0; b->registry->servers && b->registry->servers[i]; i++) {
		if (b->registry->servers[i]->forwards_dot)
			text = arena_printf(b->arena, "%s%s%s", text, *text ? ", " : "", b->registry->servers[i]->name);
	}
	return *text ? text : "none";
}

/* Whether what `forward_transport: dot` needs is there, but for the other end. */
static void check_forward_dot(struct topo_builder *b, const struct topo_host *host, const struct resolver_spec *spec)
{
	if (!spec->forward.count)
		errs_add(b->errs, spec->loc,
			 "forward_transport: resolver '%s' forwards to nobody; give it a forward:, "
			 "or leave the transport out",
			 host->name);
	else if (host->server && !host->server->forwards_dot)
		errs_add(b->errs, host->loc,
			 "forward_transport: server '%s' of %s cannot forward over DoT; those that can are: %s",
			 host->server->name, host->name, dot_forwarders(b));
}

/* The names that the certificates of the hosts behind forward must have. */
static void name_forward(struct topo_builder *b, struct topo_host *host, const struct addresses *forward)
{
	const char **names = ARENA_ARRAY(b->arena, const char *, forward->count + 1);

	for (size_t i = 0; i < forward->count; i++)
		names[i] = topology_host_at(b->topology, &forward->v[i])->tls_name;
	host->forward_names = names;
}

static void resolve_forward(struct topo_builder *b, struct topo_host *host, const struct resolver_spec *spec)
{
	struct addresses *forward = ARENA_NEW(b->arena, struct addresses);
	const unsigned servers = 1u << HOST_RESOLVER | 1u << HOST_NAMESERVER | 1u << HOST_ROOT | 1u << HOST_TLD;

	for (size_t i = 0; i < spec->forward.count; i++) {
		const struct topo_host *to = find(b, &spec->forward.v[i], servers, "server to forward to");
		struct addresses usable, old = *forward;

		check_forward_loop(b, spec, &spec->forward.v[i]);
		if (!to || !can_meet(b, host, to, spec->forward.v[i].loc, "forward to"))
			continue;
		if (spec->forward_transport == FORWARD_DOT && !(to->encrypted & ENCRYPTED_DOT)) {
			errs_add(b->errs, spec->forward.v[i].loc,
				 "forward: %s does not serve DoT, and %s forwards over it; give %s encrypted: [dot]",
				 to->name, host->name, to->name);
			continue;
		}
		usable = topo_reachable(b->arena, host, &to->addresses);
		forward->v = ARENA_ARRAY(b->arena, struct address, old.count + usable.count);
		if (old.count)
			memcpy(forward->v, old.v, old.count * sizeof(*old.v));
		memcpy(forward->v + old.count, usable.v, usable.count * sizeof(*usable.v));
		forward->count = old.count + usable.count;
	}
	if (spec->forward.count)
		host->forward = forward;
	if (spec->forward_transport != FORWARD_DOT)
		return;
	check_forward_dot(b, host, spec);
	name_forward(b, host, forward);
}

/* ---- clients ---- */

static void resolve_client(struct topo_builder *b, struct topo_host *host, const struct client_spec *spec)
{
	host->resolvers = ARENA_ARRAY(b->arena, struct probe_server, spec->resolvers.count + 1);
	for (size_t i = 0; i < spec->resolvers.count; i++) {
		const struct text *name = &spec->resolvers.v[i];
		const struct topo_host *resolver = find(b, name, 1u << HOST_RESOLVER, "resolver");
		bool is_twice = false;

		for (size_t j = 0; j < i && !is_twice; j++)
			is_twice = !strcmp(spec->resolvers.v[j].value, name->value);
		if (is_twice)
			errs_add(b->errs, name->loc, "client '%s' names resolver %s twice", host->name, name->value);
		if (!resolver || is_twice || !can_meet(b, host, resolver, name->loc, "ask"))
			continue;
		host->resolvers[host->resolver_count++] = (struct probe_server){
			resolver->name, topo_reachable(b->arena, host, &resolver->addresses).v[0], resolver->tls_name};
	}
}

void topo_links_resolve(struct topo_builder *b)
{
	const struct resolver_spec *resolvers = b->plan->lab.resolvers.v;
	const struct client_spec *clients = b->plan->lab.clients.v;
	struct topo_host *host = b->topology->hosts;

	resolve_primaries(b);
	for (size_t i = 0; i < b->topology->host_count; i++, host++) {
		if (host->role == HOST_RESOLVER)
			resolve_forward(b, host, resolvers++);
		else if (host->role == HOST_CLIENT)
			resolve_client(b, host, clients++);
	}
}
