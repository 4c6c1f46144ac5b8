/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/catalog.h"

#include <string.h>

const char *catalog_name(const struct topo_host *primary, struct arena *arena)
{
	const char *label = strchr(primary->name, '.'); /* provider.label */

	return label ? arena_printf(arena, "catalog.%s.%.*s.lab", label + 1, (int)(label - primary->name),
				    primary->name)
		     : NULL;
}

static bool is_among(const struct topo_host *host, struct topo_host *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == host)
			return true;
	}
	return false;
}

/* The lab makes the others for their own nameservers, which load them. */
static bool is_transferred(const struct topo_zone *zone, const struct topo_host *host)
{
	return zone->spec && is_among(host, zone->servers, zone->server_count) &&
	       !is_among(host, zone->primaries, zone->primary_count);
}

void catalog_of(const struct topology *topology, const struct topo_host *primary, struct arena *arena,
		struct catalog *ret)
{
	struct catalog catalog = {
		.members = ARENA_ARRAY(arena, const char *, topology->zone_count + 1),
		.consumers = ARENA_ARRAY(arena, const struct topo_host *, topology->host_count + 1),
	};

	for (size_t i = 0; i < topology->host_count; i++) {
		if (topology->hosts[i].has_catalog && topology->hosts[i].primary == primary)
			catalog.consumers[catalog.consumer_count++] = &topology->hosts[i];
	}
	for (size_t i = 0; catalog.consumer_count && i < topology->zone_count; i++) {
		bool is_member = false;

		for (size_t k = 0; k < catalog.consumer_count; k++)
			is_member = is_member || is_transferred(&topology->zones[i], catalog.consumers[k]);
		if (is_member)
			catalog.members[catalog.member_count++] = topology->zones[i].name;
	}
	if (catalog.consumer_count)
		catalog.name = catalog_name(primary, arena);
	*ret = catalog;
}

static void add_member(enum catalog_damage damage, size_t i, const char *name, struct buf *out)
{
	switch (damage) {
	case CATALOG_SOUND:
	case CATALOG_EMPTY:
	case CATALOG_VERSION_WRONG:
	case CATALOG_VERSION_MISSING:
		buf_printf(out, "m%zu.zones\tPTR\t%s.\n", i, name);
		break;
	case CATALOG_MEMBER_MISSING:
		break;
	case CATALOG_MEMBER_OTHER:
		buf_printf(out, "m%zu.zones\tPTR\ttypo.%s.\n", i, name);
		break;
	case CATALOG_MEMBER_TWICE:
		buf_printf(out, "m%zu.zones\tPTR\t%s.\nagain-m%zu.zones\tPTR\t%s.\n", i, name, i, name);
		break;
	case CATALOG_MEMBER_RELABELLED:
		buf_printf(out, "again-m%zu.zones\tPTR\t%s.\n", i, name);
		break;
	}
}

void catalog_text(const struct catalog *catalog, enum catalog_damage damage, size_t member, uint32_t serial,
		  struct buf *out)
{
	buf_printf(out, "$ORIGIN %s.\n$TTL 0\n@\tSOA\tinvalid. invalid. %u 3600 600 2147483646 0\n\tNS\tinvalid.\n",
		   catalog->name, serial);
	if (damage != CATALOG_VERSION_MISSING)
		buf_printf(out, "version\tTXT\t\"%s\"\n", damage == CATALOG_VERSION_WRONG ? "99" : "2");
	for (size_t i = 0; damage != CATALOG_EMPTY && i < catalog->member_count; i++)
		add_member(i == member ? damage : CATALOG_SOUND, i, catalog->members[i], out);
}
