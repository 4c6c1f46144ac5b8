/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "harness/plan/topo.h"

#define INFRA_SERVER "knot"

/* ---- server software ---- */

/* Names of the software that can play one of roles. */
static struct names software(const struct topo_builder *b, int roles)
{
	struct names names = {0};

	for (size_t i = 0; b->registry->servers && b->registry->servers[i]; i++) {
		if (b->registry->servers[i]->roles & roles)
			names_add(&names, b->arena, b->registry->servers[i]->name);
	}
	return names;
}

static const char *joined(const struct topo_builder *b, const struct names *names)
{
	const char *text = "";

	for (size_t i = 0; i < names->count; i++)
		text = arena_printf(b->arena, "%s%s%s", text, i ? ", " : "", names->v[i]);
	return *text ? text : "none";
}

static void reject_role(struct topo_builder *b, const struct topo_host *host, int roles)
{
	struct names others = software(b, roles);

	if (roles == SERVER_AUTHORITATIVE)
		errs_add(b->errs, host->loc, "server '%s' of %s does not serve zones; those that do are: %s",
			 host->server->name, host->name, joined(b, &others));
	else if (host->server->roles & SERVER_FORWARDER)
		errs_add(b->errs, host->loc,
			 "server '%s' only forwards: give %s a forward: that says to which resolver, or choose one "
			 "of: %s",
			 host->server->name, host->name, joined(b, &others));
	else
		errs_add(b->errs, host->loc, "server '%s' of %s is not a resolver; resolvers are: %s",
			 host->server->name, host->name, joined(b, &others));
}

/* roles: any of which will do. */
static void set_server(struct topo_builder *b, struct topo_host *host, const struct text *server, int roles)
{
	const char *name = server->value ? server->value : INFRA_SERVER;

	if (server->loc.file)
		host->loc = server->loc;
	host->server = registry_server(b->registry, name);
	if (!host->server) {
		struct names known = software(b, roles);

		names_unknown(&known, "server", name, host->loc, b->errs);
		return;
	}
	if (!(host->server->roles & roles)) {
		reject_role(b, host, roles);
		return;
	}
	if (roles == SERVER_AUTHORITATIVE)
		host->server_role = SERVER_AUTHORITATIVE;
	else if (roles == SERVER_RESOLVER || !(host->server->roles & SERVER_FORWARDER))
		host->server_role = SERVER_RESOLVER;
	else
		host->server_role = SERVER_FORWARDER;
}

/* Which software, of those that can play the host's role, serves all of set. */
static struct names encrypting(const struct topo_builder *b, const struct topo_host *host, int set)
{
	struct names names = {0};

	for (size_t i = 0; b->registry->servers && b->registry->servers[i]; i++) {
		const struct server_ops *ops = b->registry->servers[i];

		if (ops->roles & host->server_role && (ops->encrypted & set) == set)
			names_add(&names, b->arena, ops->name);
	}
	return names;
}

/* Letters, digits and hyphens within labels, and not a number: others are refused by some TLS servers (GnuTLS), or taken for an address (libcurl). */
static bool is_tls_name(const char *name)
{
	bool has_letter = false;

	for (const char *p = name; *p; p++) {
		bool is_edge = p == name || p[-1] == '.' || !p[1] || p[1] == '.';

		if (!isalnum((unsigned char)*p) && *p != '.' && (*p != '-' || is_edge))
			return false;
		has_letter = has_letter || isalpha((unsigned char)*p);
	}
	return has_letter;
}

static void set_encrypted(struct topo_builder *b, struct topo_host *host, int64_t set)
{
	int missing;

	host->encrypted = (int)set;
	if (!set || !host->server || !host->server_role)
		return; /* said already */
	b->topology->has_tls = true;
	if (host->tls_name && !is_tls_name(host->tls_name))
		errs_add(b->errs, host->loc,
			 "encrypted: '%s' cannot be the name in a certificate; call the host by letters, digits and "
			 "\"-\" "
			 "within, such as r1",
			 host->tls_name);
	missing = (int)set & ~host->server->encrypted;
	for (size_t i = 0; encrypted_choices[i]; i++) {
		struct names others = encrypting(b, host, (int)set);

		if (missing & 1 << i)
			errs_add(b->errs, host->loc,
				 "encrypted: server '%s' of %s cannot serve %s; those that can are: %s",
				 host->server->name, host->name, encrypted_choices[i], joined(b, &others));
	}
}

/* ---- hosts ---- */

static struct topo_host *add_host(struct topo_builder *b, enum host_role role, const char *name, struct loc loc)
{
	struct topo_host *host = &b->topology->hosts[b->topology->host_count++];

	host->name = name;
	host->role = role;
	host->loc = loc.file ? loc : b->plan->lab.loc;
	return host;
}

static void add_root(struct topo_builder *b)
{
	const struct infra_spec *spec = &b->plan->lab.root;
	struct topo_host *host = add_host(b, HOST_ROOT, "root", spec->loc);

	host->hostname = "a.root-servers.net";
	host->addresses = spec->address;
	host->options = spec->options.value;
	set_server(b, host, &spec->server, SERVER_AUTHORITATIVE);
}

static void add_tld(struct topo_builder *b, const char *tld)
{
	static const struct infra_spec none = {0};
	const struct infra_spec *spec = &none, *specs = b->plan->lab.tlds.v;
	struct topo_host *host;

	for (size_t i = 0; i < b->plan->lab.tlds.count; i++) {
		if (!strcmp(specs[i].name.value, tld))
			spec = &specs[i];
	}
	host = add_host(b, HOST_TLD, arena_printf(b->arena, "tld.%s", tld), spec->loc);
	host->hostname = arena_printf(b->arena, "a.nic.%s", tld);
	host->addresses = spec->address;
	host->options = spec->options.value;
	set_server(b, host, &spec->server, SERVER_AUTHORITATIVE);
}

static void add_nameserver(struct topo_builder *b, const struct provider_spec *provider,
			   const struct nameserver_spec *spec)
{
	const char *name = arena_printf(b->arena, "%s.%s", provider->name.value, spec->name.value), *why;
	struct topo_host *host = add_host(b, HOST_NAMESERVER, name, spec->loc);

	host->provider = provider->name.value;
	host->addresses = spec->address;
	host->options = spec->options.value;
	host->has_catalog = spec->catalog;
	host->transfers_over_tls = spec->primary_transport == PRIMARY_TLS;
	host->hostname = spec->hostname.value;
	if (!host->hostname) {
		host->hostname = arena_printf(b->arena, "%s.%s.lab", spec->name.value, provider->name.value);
		host->hostname = domain_normalise(b->arena, host->hostname, &why);
	}
	set_server(b, host, &spec->server, SERVER_AUTHORITATIVE);
	host->tls_name = host->hostname;
	set_encrypted(b, host, spec->encrypted);
	for (struct topo_host *other = b->topology->hosts; other < host; other++) {
		if (other->hostname && host->hostname && !strcmp(other->hostname, host->hostname))
			errs_add(b->errs, spec->hostname.value ? spec->hostname.loc : spec->loc,
				 "hostname %s of %s is that of %s already", host->hostname, name, other->name);
	}
}

static void add_resolver(struct topo_builder *b, const struct resolver_spec *spec)
{
	struct topo_host *host = add_host(b, HOST_RESOLVER, spec->name.value, spec->loc);

	host->addresses = spec->address;
	host->options = spec->options.value;
	set_server(b, host, &spec->server, spec->forward.count ? SERVER_FORWARDER | SERVER_RESOLVER : SERVER_RESOLVER);
	host->tls_name = host->name;
	set_encrypted(b, host, spec->encrypted);
}

static void add_client(struct topo_builder *b, const struct client_spec *spec)
{
	struct topo_host *host = add_host(b, HOST_CLIENT, spec->name.value, spec->loc);

	host->addresses = spec->address;
	host->options = spec->options.value;
	host->client = spec;
}

/* ---- which TLDs ---- */

static bool is_plan_zone(const struct lab_spec *lab, const char *name)
{
	const struct zone_spec *zones = lab->zones.v;

	for (size_t i = 0; i < lab->zones.count; i++) {
		if (!strcmp(zones[i].name.value, name))
			return true;
	}
	return false;
}

/* A TLD that is a zone of the plan is served by providers. */
static void need_tld(struct topo_builder *b, struct names *tlds, const char *name)
{
	const char *tld = name ? domain_last_labels(name, 1) : NULL;

	if (tld && *tld && !is_plan_zone(&b->plan->lab, tld))
		names_add(tlds, b->arena, tld);
}

static struct names tlds_needed(struct topo_builder *b)
{
	const struct lab_spec *lab = &b->plan->lab;
	const struct zone_spec *zones = lab->zones.v;
	const struct provider_spec *providers = lab->providers.v;
	const struct infra_spec *given = lab->tlds.v;
	struct names tlds = {0};

	for (size_t i = 0; i < lab->zones.count; i++)
		need_tld(b, &tlds, zones[i].name.value);
	for (size_t i = 0; i < lab->providers.count; i++) {
		const struct nameserver_spec *ns = providers[i].nameservers.v;

		for (size_t j = 0; j < providers[i].nameservers.count; j++)
			need_tld(b, &tlds, ns[j].hostname.value ? ns[j].hostname.value : "lab");
	}
	for (size_t i = 0; i < lab->tlds.count; i++) {
		if (is_plan_zone(lab, given[i].name.value))
			errs_add(b->errs, given[i].name.loc,
				 "%s is one of lab.zones: providers serve it, and it has no TLD server of its own",
				 given[i].name.value);
		else
			names_add(&tlds, b->arena, given[i].name.value);
	}
	return tlds;
}

void topo_hosts_build(struct topo_builder *b)
{
	const struct lab_spec *lab = &b->plan->lab;
	const struct provider_spec *providers = lab->providers.v;
	const struct resolver_spec *resolvers = lab->resolvers.v;
	const struct client_spec *clients = lab->clients.v;
	struct names tlds = tlds_needed(b);
	size_t count = 1 + tlds.count + lab->resolvers.count + lab->clients.count;

	for (size_t i = 0; i < lab->providers.count; i++)
		count += providers[i].nameservers.count;
	if (count > TOPO_HOSTS_MAX) {
		errs_add(b->errs, lab->loc,
			 "this lab has %zu hosts, root and TLD servers included; at most %d can be built", count,
			 TOPO_HOSTS_MAX);
		return;
	}
	b->topology->hosts = ARENA_ARRAY(b->arena, struct topo_host, count);
	add_root(b);
	for (size_t i = 0; i < tlds.count; i++)
		add_tld(b, tlds.v[i]);
	for (size_t i = 0; i < lab->providers.count; i++) {
		const struct nameserver_spec *ns = providers[i].nameservers.v;

		for (size_t j = 0; j < providers[i].nameservers.count; j++)
			add_nameserver(b, &providers[i], &ns[j]);
	}
	for (size_t i = 0; i < lab->resolvers.count; i++)
		add_resolver(b, &resolvers[i]);
	for (size_t i = 0; i < lab->clients.count; i++)
		add_client(b, &clients[i]);
}
