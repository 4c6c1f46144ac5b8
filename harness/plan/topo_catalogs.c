/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nameservers that learn their zones from a catalog: whether they, and those around them, can.
 */
#include "harness/plan/catalog.h"
#include "harness/plan/topo.h"

static const char *readers(const struct topo_builder *b)
{
	const char *text = "";

	for (size_t i = 0; b->registry->servers && b->registry->servers[i]; i++) {
		if (b->registry->servers[i]->reads_catalogs)
			text = arena_printf(b->arena, "%s%s%s", text, *text ? ", " : "", b->registry->servers[i]->name);
	}
	return *text ? text : "none";
}

/* The end of its chain of primaries; a loop, said elsewhere, is walked once. */
static const struct topo_host *loader_of(const struct topo_builder *b, const struct topo_host *host)
{
	for (size_t i = 0; host->primary && i < b->topology->host_count; i++)
		host = host->primary;
	return host;
}

static void check_consumer(struct topo_builder *b, const struct topo_host *host)
{
	if (host->server && !host->server->reads_catalogs)
		errs_add(b->errs, host->loc,
			 "catalog: server '%s' of %s cannot learn its zones from a catalog; those that can are: %s",
			 host->server->name, host->name, readers(b));
	if (!host->primary)
		errs_add(b->errs, host->loc,
			 "catalog: %s has no primary that could serve one; give it primary:, or leave catalog: out",
			 host->name);
	else if (host->primary->primary)
		errs_add(b->errs, host->loc,
			 "catalog: the primary %s of %s transfers its zones itself; name the one that loads them (%s)",
			 host->primary->name, host->name, loader_of(b, host)->name);
}

/* It is told by a catalog which zones it has: nobody would tell it to whom it may give them. */
static void check_downstream(struct topo_builder *b, const struct topo_host *host)
{
	if (host->primary && host->primary->has_catalog)
		errs_add(b->errs, host->loc,
			 "primary: %s has its zones from a catalog, and does not know %s; transfer from %s instead",
			 host->primary->name, host->name, loader_of(b, host)->name);
}

static bool serves(const struct topo_zone *zone, const struct topo_host *host)
{
	for (size_t i = 0; i < zone->server_count; i++) {
		if (zone->servers[i] == host)
			return true;
	}
	return false;
}

static const struct topo_zone *find_zone(const struct topology *topology, const char *name)
{
	const struct topo_zone *zone = topology->zones;

	while (zone->name != name)
		zone++;
	return zone;
}

/* One catalog for all: what the one is told of, the other is, too. */
static void check_members(struct topo_builder *b, const struct topo_host *primary)
{
	struct catalog catalog;

	catalog_of(b->topology, primary, b->arena, &catalog);
	for (size_t i = 0; i < catalog.consumer_count; i++) {
		for (size_t k = 0; k < catalog.member_count; k++) {
			const struct topo_zone *zone = find_zone(b->topology, catalog.members[k]);

			if (!serves(zone, catalog.consumers[i]))
				errs_add(b->errs, catalog.consumers[i]->loc,
					 "catalog: %s would learn of %s from the catalog of %s, which others have it "
					 "from, but does not serve it; add it to the zone's NS set or providers:, or "
					 "leave catalog: out",
					 catalog.consumers[i]->name, zone->name, primary->name);
		}
	}
}

void topo_catalogs_check(struct topo_builder *b)
{
	size_t before = b->errs->count;

	for (size_t i = 0; i < b->topology->host_count; i++) {
		if (b->topology->hosts[i].has_catalog)
			check_consumer(b, &b->topology->hosts[i]);
		check_downstream(b, &b->topology->hosts[i]);
	}
	for (size_t i = 0; b->errs->count == before && i < b->topology->host_count; i++)
		check_members(b, &b->topology->hosts[i]);
}
