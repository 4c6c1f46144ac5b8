/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which zones a lab has and who serves them: the root, TLDs, the plan's zones, and zones for nameserver names that lie in none of these.
 */
#include <string.h>

#include "harness/plan/topo.h"

static struct topo_zone *add_zone(struct topo_builder *b, const char *name, const struct zone_spec *spec)
{
	struct topo_zone *zone = &b->topology->zones[b->topology->zone_count++];
	size_t hosts = b->topology->host_count;

	zone->name = name;
	zone->spec = spec;
	zone->sign = spec && spec->sign.is_given;
	zone->signing = zone->sign ? &spec->sign : &sign_defaults;
	zone->has_signature = spec && spec->zone && spec->zone->is_signed;
	zone->primaries = ARENA_ARRAY(b->arena, struct topo_host *, hosts);
	zone->servers = ARENA_ARRAY(b->arena, struct topo_host *, hosts);
	zone->ns = ARENA_ARRAY(b->arena, struct topo_host *, hosts);
	return zone;
}

/* A generated zone that all of its nameservers load. */
static void serve_generated(struct topo_zone *zone, struct topo_host *host)
{
	zone->primaries[zone->primary_count++] = host;
	zone->servers[zone->server_count++] = host;
	zone->ns[zone->ns_count++] = host;
}

static void add_infra(struct topo_builder *b)
{
	for (size_t i = 0; i < b->topology->host_count; i++) {
		struct topo_host *host = &b->topology->hosts[i];

		if (host->role == HOST_ROOT)
			serve_generated(add_zone(b, ".", NULL), host);
		else if (host->role == HOST_TLD)
			serve_generated(add_zone(b, strchr(host->name, '.') + 1, NULL), host);
	}
}

/* ---- who serves a zone of the plan ---- */

static struct topo_host *nameserver_called(const struct topology *topology, const char *hostname)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		struct topo_host *host = &topology->hosts[i];

		if (host->role == HOST_NAMESERVER && host->hostname && !strcmp(host->hostname, hostname))
			return host;
	}
	return NULL;
}

static const char *missing_text(struct topo_builder *b, const struct names *missing)
{
	const char *text = "";

	for (size_t i = 0; i < missing->count; i++)
		text = arena_printf(b->arena, "%s%s%s", text, i ? ", " : "", missing->v[i]);
	return text;
}

static void say_missing(struct topo_builder *b, const struct zone_spec *spec, const struct names *missing)
{
	struct names borne = {0};

	for (size_t i = 0; i < b->topology->host_count; i++) {
		if (b->topology->hosts[i].role == HOST_NAMESERVER && b->topology->hosts[i].hostname)
			names_add(&borne, b->arena, b->topology->hosts[i].hostname);
	}
	errs_add(b->errs, spec->loc,
		 "zone %s: no nameserver of the plan bears the name%s %s of its NS set in %s (they bear: %s); write "
		 "hostname: "
		 "%s at one of them, or let the zone say apex_ns: from-lab",
		 spec->name.value, missing->count > 1 ? "s" : "", missing_text(b, missing), spec->zone->file,
		 borne.count ? missing_text(b, &borne) : "none", missing->v[0]);
}

/* Marks the providers with a nameserver in the zone's own NS set; says which names nobody bears. */
static void mark_by_ns_set(struct topo_builder *b, const struct zone_spec *spec, struct names *providers)
{
	struct names missing = {0};
	ldns_rr_list *rrs = NULL;
	const char *cname;

	zone_lookup(spec->zone, spec->name.value, LDNS_RR_TYPE_NS, b->arena, &rrs, &cname);
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		const char *why, *text = zone_rdata_text(ldns_rr_list_rr(rrs, i), b->arena);
		const char *name = domain_normalise(b->arena, text, &why);
		const struct topo_host *host = name ? nameserver_called(b->topology, name) : NULL;

		if (host)
			names_add(providers, b->arena, host->provider);
		else
			names_add(&missing, b->arena, name ? name : text);
	}
	ldns_rr_list_free(rrs);
	if (missing.count)
		say_missing(b, spec, &missing);
}

static struct names all_providers(const struct topo_builder *b)
{
	const struct provider_spec *specs = b->plan->lab.providers.v;
	struct names all = {0};

	for (size_t i = 0; i < b->plan->lab.providers.count; i++)
		names_add(&all, b->arena, specs[i].name.value);
	return all;
}

static bool names_hold(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!strcmp(names->v[i], name))
			return true;
	}
	return false;
}

static struct names providers_of(struct topo_builder *b, const struct zone_spec *spec)
{
	struct names all = all_providers(b), ret = {0};

	if (spec->apex_ns == APEX_NS_FROM_FILE)
		mark_by_ns_set(b, spec, &ret);
	else if (!spec->providers.count)
		ret = all;
	if (!spec->providers.count)
		return ret;
	ret = (struct names){0};
	for (size_t i = 0; i < spec->providers.count; i++) {
		if (names_hold(&all, spec->providers.v[i].value))
			names_add(&ret, b->arena, spec->providers.v[i].value);
		else
			names_unknown(&all, "provider", spec->providers.v[i].value, spec->providers.v[i].loc, b->errs);
	}
	return ret;
}

/* Whoever is transferred from serves the zone too, be it hidden from the NS set. */
static void add_primaries(struct topo_builder *b, const struct zone_spec *spec, bool *serves)
{
	for (size_t i = 0; i < b->topology->host_count; i++) {
		const struct topo_host *at = &b->topology->hosts[i];

		if (!serves[i])
			continue;
		/* Bounded by its own marks: a loop of primaries, said elsewhere, ends at the first host met again. */
		for (const struct topo_host *up = at->primary; up; at = up, up = up->primary) {
			size_t index = (size_t)(up - b->topology->hosts);

			if (serves[index])
				break;
			if (spec->providers.count) {
				errs_add(b->errs, spec->loc,
					 "zone %s: %s would transfer it from its primary %s, which does not serve it: "
					 "add %s "
					 "to the zone's providers:",
					 spec->name.value, at->name, up->name, up->provider);
				break;
			}
			serves[index] = true;
		}
	}
}

static void add_plan_zone(struct topo_builder *b, const struct zone_spec *spec)
{
	struct topo_zone *zone = add_zone(b, spec->name.value, spec);
	struct topology *topology = b->topology;
	bool *serves = ARENA_ARRAY(b->arena, bool, topology->host_count);
	struct names providers;

	if (!spec->zone)
		return; /* its errors were said */
	providers = providers_of(b, spec);
	for (size_t i = 0; i < topology->host_count; i++)
		serves[i] = topology->hosts[i].provider && names_hold(&providers, topology->hosts[i].provider);
	add_primaries(b, spec, serves);
	for (size_t i = 0; i < topology->host_count; i++) {
		if (serves[i] && !topology->hosts[i].primary) {
			zone->primaries[zone->primary_count++] = &topology->hosts[i];
			zone->servers[zone->server_count++] = &topology->hosts[i];
		}
	}
	for (size_t i = 0; i < topology->host_count; i++) {
		if (serves[i] && topology->hosts[i].primary)
			zone->servers[zone->server_count++] = &topology->hosts[i];
	}
	if (spec->apex_ns == APEX_NS_FROM_LAB) {
		memcpy(zone->ns, zone->servers, zone->server_count * sizeof(struct topo_host *));
		zone->ns_count = zone->server_count;
		if (!zone->server_count)
			errs_add(b->errs, spec->loc, "zone %s: no provider serves it", spec->name.value);
	}
}

/* ---- nameservers' own names ---- */

static size_t count_addresses(const struct zone *zone, const char *name, struct topo_builder *b, ldns_rr_type type,
			      const struct addresses *known, size_t *ret_unknown)
{
	ldns_rr_list *rrs = NULL;
	const char *cname;
	size_t count;

	zone_lookup(zone, name, (uint16_t)type, b->arena, &rrs, &cname);
	count = ldns_rr_list_rr_count(rrs);
	for (size_t i = 0; i < count; i++) {
		const char *text = zone_rdata_text(ldns_rr_list_rr(rrs, i), b->arena);
		bool is_known = false;

		for (size_t j = 0; j < known->count && !is_known; j++)
			is_known = !strcmp(known->v[j].text, text);
		*ret_unknown += !is_known;
	}
	ldns_rr_list_free(rrs);
	return count;
}

/* What the zone's file says of a nameserver's addresses must be what the plan says: else resolvers would ask where nobody is. */
static void check_own_addresses(struct topo_builder *b, const struct topo_host *host, const struct zone_spec *spec)
{
	size_t unknown = 0, count = 0;

	if (!spec->zone)
		return;
	count += count_addresses(spec->zone, host->hostname, b, LDNS_RR_TYPE_A, &host->addresses, &unknown);
	count += count_addresses(spec->zone, host->hostname, b, LDNS_RR_TYPE_AAAA, &host->addresses, &unknown);
	if (unknown || count != host->addresses.count)
		errs_add(b->errs, host->addresses.count ? host->addresses.v[0].loc : host->loc,
			 "the addresses of %s differ from those of its hostname %s in %s: make them the same",
			 host->name, host->hostname, spec->zone->file);
}

static void add_own_zones(struct topo_builder *b)
{
	for (size_t i = 0; i < b->topology->host_count; i++) {
		struct topo_host *host = &b->topology->hosts[i];
		const struct zone_spec *spec;
		struct topo_zone *zone = NULL;
		const char *name;

		if (host->role != HOST_NAMESERVER || !host->hostname)
			continue;
		spec = zones_enclosing(&b->plan->lab, host->hostname);
		if (spec) {
			check_own_addresses(b, host, spec);
			continue;
		}
		name = domain_last_labels(host->hostname, 2);
		for (size_t j = 0; j < b->topology->zone_count && !zone; j++) {
			if (!strcmp(b->topology->zones[j].name, name))
				zone = &b->topology->zones[j];
		}
		serve_generated(zone ? zone : add_zone(b, name, NULL), host);
	}
}

/* ---- order, parents, signing ---- */

static size_t label_count(const char *name)
{
	size_t labels = strcmp(name, ".") ? 1 : 0;

	for (; labels && *name; name++)
		labels += *name == '.';
	return labels;
}

/* Fewer labels first, else as they came: parents stand before their children. */
static void sort_zones(struct topology *topology)
{
	for (size_t i = 1; i < topology->zone_count; i++) {
		struct topo_zone zone = topology->zones[i];
		size_t j = i;

		for (; j && label_count(topology->zones[j - 1].name) > label_count(zone.name); j--)
			topology->zones[j] = topology->zones[j - 1];
		topology->zones[j] = zone;
	}
}

static void link_parents(struct topology *topology)
{
	for (size_t i = 1; i < topology->zone_count; i++) {
		struct topo_zone *zone = &topology->zones[i];

		for (size_t j = i; j-- > 0 && !zone->parent;) {
			if (strcmp(zone->name, topology->zones[j].name) &&
			    domain_is_within(zone->name, topology->zones[j].name))
				zone->parent = &topology->zones[j];
		}
	}
}

/* A chain of trust needs every generated zone above a signed one signed; the root and TLDs are all signed then, as in life. */
static void spread_signing(struct topology *topology)
{
	for (size_t i = topology->zone_count; i-- > 0;) {
		struct topo_zone *zone = &topology->zones[i];

		if (!zone->sign && !zone->has_signature)
			continue;
		topology->is_signed = true;
		if (zone->parent && !zone->parent->spec)
			zone->parent->sign = true;
	}
	for (size_t i = 0; topology->is_signed && i < topology->zone_count; i++) {
		struct topo_zone *zone = &topology->zones[i];

		if (!zone->spec && label_count(zone->name) <= 1)
			zone->sign = true;
	}
}

void topo_zones_build(struct topo_builder *b)
{
	const struct zone_spec *specs = b->plan->lab.zones.v;
	size_t zones = b->topology->host_count + b->plan->lab.zones.count;

	b->topology->zones = ARENA_ARRAY(b->arena, struct topo_zone, zones);
	add_infra(b);
	for (size_t i = 0; i < b->plan->lab.zones.count; i++)
		add_plan_zone(b, &specs[i]);
	add_own_zones(b);
	for (size_t i = 0; i < b->topology->zone_count; i++)
		topo_check_signing(b, &b->topology->zones[i]);
	sort_zones(b->topology);
	link_parents(b->topology);
	spread_signing(b->topology);
}
