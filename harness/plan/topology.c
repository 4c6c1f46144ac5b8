/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/topology.h"

#include <errno.h>
#include <string.h>

#include "harness/plan/topo.h"

const char *host_role_name(enum host_role role)
{
	switch (role) {
	case HOST_ROOT:
		return "root";
	case HOST_TLD:
		return "tld";
	case HOST_NAMESERVER:
		return "nameserver";
	case HOST_RESOLVER:
		return "resolver";
	case HOST_CLIENT:
		return "client";
	}
	return "host";
}

struct topology *topology_new(struct arena *arena, const struct plan *plan, const struct registry *registry,
			      struct errs *errs)
{
	struct topo_builder b = {
		.arena = arena,
		.plan = plan,
		.registry = registry,
		.errs = errs,
		.topology = ARENA_NEW(arena, struct topology),
	};

	b.topology->seed = (uint64_t)plan->seed;
	topo_hosts_build(&b);
	if (!b.topology->host_count)
		return b.topology; /* too many hosts: nothing more can be said of them */
	topo_addresses_assign(&b);
	topo_links_resolve(&b);
	topo_zones_build(&b);
	topo_catalogs_check(&b);
	return b.topology;
}

const struct topo_host *topology_host(const struct topology *topology, const char *name)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		if (!strcmp(topology->hosts[i].name, name))
			return &topology->hosts[i];
	}
	return NULL;
}

bool topology_demands(const struct topology *topology, enum injector_demand demand)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		if (topology->hosts[i].demands & (int)demand)
			return true;
	}
	return false;
}

const struct topo_host *topology_host_at(const struct topology *topology, const struct address *address)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		const struct addresses *own = &topology->hosts[i].addresses;

		for (size_t k = 0; k < own->count; k++) {
			if (address_is_equal(&own->v[k], address))
				return &topology->hosts[i];
		}
	}
	return NULL;
}

bool topology_is_meant(const struct topo_host *host, const char *target)
{
	if (!strcmp(target, "tlds"))
		return host->role == HOST_TLD;
	return !strcmp(host->name, target) || (host->provider && !strcmp(host->provider, target));
}

static void append(struct arena *arena, struct addresses *io, const struct addresses *more)
{
	struct address *v = ARENA_ARRAY(arena, struct address, io->count + more->count);
	size_t count = io->count;

	if (count)
		memcpy(v, io->v, count * sizeof(*v));
	for (size_t i = 0; i < more->count; i++) {
		bool is_there = false;

		for (size_t j = 0; j < count && !is_there; j++)
			is_there = address_is_equal(&v[j], &more->v[i]);
		if (!is_there)
			v[count++] = more->v[i];
	}
	*io = (struct addresses){v, count};
}

int topology_resolve(const struct topology *topology, struct text target, struct arena *arena, struct addresses *io,
		     struct err *err)
{
	struct names known = {0};
	struct buf text = {0};
	bool is_known = false;

	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];

		if (topology_is_meant(host, target.value)) {
			append(arena, io, &host->addresses);
			is_known = true;
		}
	}
	if (is_known)
		return 0;
	for (size_t i = 0; i < topology->host_count; i++) {
		if (topology->hosts[i].provider)
			names_add(&known, arena, topology->hosts[i].provider);
		names_add(&known, arena, topology->hosts[i].name);
	}
	names_add(&known, arena, "tlds");
	names_describe_unknown(&known, "target", target.value, &text);
	err_set(err, -ENOENT, target.loc, "%s", text.data ? text.data : "unknown target");
	buf_fini(&text);
	return -ENOENT;
}
