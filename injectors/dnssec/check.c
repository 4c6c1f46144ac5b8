/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/dnssec/check.h"
#include "harness/plan/topology.h"
#include "harness/plan/versions.h"
#include <string.h>

#define SWITCHES_MAX 100 /* of one that flaps without end: more than anybody watches */

static bool is_below(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);

	return !strcmp(zone, ".") || (n > z && !strcasecmp(name + n - z, zone) && name[n - z - 1] == '.');
}

static bool is_among(const char *host, struct topo_host *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i]->name, host))
			return true;
	return false;
}

void zone_change_compile(struct zone_change *change, struct arena *arena)
{
	size_t len = change->zone.value ? strlen(change->zone.value) : 0;

	if (len > 1 && change->zone.value[len - 1] == '.')
		change->zone.value = arena_strndup(arena, change->zone.value, len - 1);
}

const struct topo_zone *check_find_zone(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->topology->zone_count; i++)
		if (!strcasecmp(plan->topology->zones[i].name, name))
			return &plan->topology->zones[i];
	return NULL;
}

/* As zone_change_zone finds it once the lab is up. */
static const struct topo_zone *zone_at(const struct zone_change *change, const struct plan *plan, const char *host)
{
	const struct topo_zone *best = NULL;

	for (size_t i = 0; i < plan->topology->zone_count; i++) {
		const struct topo_zone *zone = &plan->topology->zones[i];
		bool fits = change->is_parents ? is_below(change->zone.value, zone->name)
					       : !strcasecmp(zone->name, change->zone.value);

		if (fits && is_among(host, zone->primaries, zone->primary_count) &&
		    (!best || strlen(zone->name) > strlen(best->name)))
			best = zone;
	}
	return best;
}

static void say_no_primary(const struct zone_change *change, const struct plan *plan,
			   const struct injector_server *server, struct errs *errs)
{
	const struct topo_zone *zone = check_find_zone(plan, change->zone.value);
	const struct topo_host *host = topology_host(plan->topology, server->host);
	const char *kind = change->injector.ops->kind;

	if (change->is_parents)
		errs_add(errs, server->loc,
			 "%s: %s loads no zone above %s; name a server of its parent, such as tld.com", kind,
			 server->host, change->zone.value);
	else if (zone && is_among(server->host, zone->servers, zone->server_count))
		errs_add(errs, server->loc,
			 "%s: %s is a secondary of %s and transfers it from %s: damage it there, and it follows", kind,
			 server->host, zone->name, host && host->primary ? host->primary->name : "its primary");
	else
		errs_add(errs, server->loc, "%s: %s does not serve %s; name its primaries", kind, server->host,
			 change->zone.value);
}

static void check_zone(const struct zone_change *change, const struct topo_zone *zone, bool needs_keys,
		       struct errs *errs)
{
	const char *kind = change->injector.ops->kind;
	bool is_ours = zone->sign && zone->signing && !zone->has_signature;

	if (zone->has_signature)
		errs_add(errs, change->zone.loc, "%s: zone %s is signed in its file: the lab has no keys of it", kind,
			 zone->name);
	else if (needs_keys && is_ours && zone->signing->by == SIGN_BY_SERVER)
		errs_add(errs, change->zone.loc,
			 "%s: zone %s is signed by its servers (sign: {by: server}), which would sign it well again; "
			 "write by: ldns or by: providers",
			 kind, zone->name);
	else if (needs_keys && !is_ours)
		errs_add(errs, change->zone.loc,
			 "%s: zone %s is not signed by the lab; write sign: true where the zone is", kind, zone->name);
}

const struct topo_zone *zone_change_check(struct zone_change *change, const struct plan *plan, bool needs_keys,
					  struct errs *errs)
{
	size_t before = errs->count + errs->dropped;
	const struct topo_zone *checked = NULL;

	if (!change->zone.value)
		return NULL; /* said already */
	if (!change->is_parents && !check_find_zone(plan, change->zone.value)) {
		errs_add(errs, change->zone.loc, "zone: the lab has no zone %s", change->zone.value);
		return NULL;
	}
	for (size_t i = 0; i < change->injector.server_count; i++) {
		const struct injector_server *server = &change->injector.servers[i];
		const struct topo_zone *zone = zone_at(change, plan, server->host);

		if (!zone)
			say_no_primary(change, plan, server, errs);
		else if (!(server->software->verbs & SERVER_CAN(RELOAD_ZONE)))
			errs_add(errs, server->loc, "%s: %s runs %s, which cannot be told to %s",
				 change->injector.ops->kind, server->host, server->software->name,
				 server_verb_name(SERVER_RELOAD_ZONE));
		else if (zone != checked)
			check_zone(change, checked = zone, needs_keys, errs);
	}
	change->spec = checked ? checked->spec : NULL;
	return errs->count + errs->dropped > before ? NULL : checked;
}

/* Each switch raises the serial by one; one that comes while a server is still busy is left out, so there may be fewer. */
static int64_t switches_of(const struct injector *fault)
{
	int64_t count;

	if (fault->flap.on_ns == PARAM_UNSET)
		return 1;
	count = fault->for_ns == PARAM_UNSET ? SWITCHES_MAX
					     : 2 * (fault->for_ns / (fault->flap.on_ns + fault->flap.off_ns) + 1);
	return count < SWITCHES_MAX ? count : SWITCHES_MAX;
}

void zone_change_raise(const struct zone_change *change, struct plan *plan, struct arena *arena, struct errs *errs)
{
	const struct injector *fault = &change->injector;
	const char **hosts = ARENA_ARRAY(arena, const char *, fault->server_count + 1);
	struct version_signers signers = {hosts, fault->server_count, fault->loc, fault->ops->kind};
	int64_t count = switches_of(fault);

	for (size_t i = 0; i < fault->server_count; i++)
		hosts[i] = fault->servers[i].host;
	for (int64_t i = 0; change->spec && i < count; i++)
		version_resigned(plan, change->spec, &signers, arena, errs);
}
