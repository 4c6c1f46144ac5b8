/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/versions.h"

#include <string.h>

#include "harness/plan/internal.h"
#include "harness/plan/zone_print.h"

/* The serials of ends of faults, newest first. */
struct zone_alias {
	const struct zone_spec *spec;
	uint32_t serial;
	size_t version; /* of the lab's zones at that time */
	struct zone_alias *next;
};

/* ---- which zones ---- */

const struct topo_zone *topo_zone_of(const struct plan *plan, const struct zone_spec *spec)
{
	for (size_t i = 0; i < plan->topology->zone_count; i++) {
		if (plan->topology->zones[i].spec == spec)
			return &plan->topology->zones[i];
	}
	return NULL;
}

static bool has_child(const struct plan *plan, const struct topo_zone *zone)
{
	for (size_t i = 0; i < plan->topology->zone_count; i++) {
		if (plan->topology->zones[i].parent == zone)
			return true;
	}
	return false;
}

/* What the lab itself writes into a zone at its start it would have to write again. */
static const struct zone_spec *check_zone(const struct plan *plan, const struct zone_spec *spec,
					  const struct text *name, struct errs *errs)
{
	const struct topo_zone *topo = topo_zone_of(plan, spec);

	if (topo && topo->sign && topo->signing->by == SIGN_BY_SERVER)
		errs_add(errs, name->loc,
			 "zone: %s is signed by its servers (sign: {by: server}), which give it serials of their own, "
			 "so "
			 "that "
			 "nobody could tell its versions; write by: ldns or by: providers",
			 spec->name.value);
	else if (topo && has_child(plan, topo))
		errs_add(errs, name->loc,
			 "zone: %s has a zone of the lab below it, whose delegation the lab writes; only "
			 "zones without can be changed by steps yet",
			 spec->name.value);
	else
		return spec;
	return NULL;
}

bool version_refuse_signed(const struct plan *plan, const struct zone_spec *spec, const struct text *name,
			   const char *what, struct errs *errs)
{
	const struct topo_zone *topo = topo_zone_of(plan, spec);

	if (!topo || !topo->sign)
		return false;
	errs_add(errs, name->loc,
		 "zone: %s is signed by the lab (sign:), and %s; leave out sign:, give a file that is signed already, "
		 "or "
		 "take the step push",
		 spec->name.value, what);
	return true;
}

const struct zone_spec *version_find_zone(const struct plan *plan, const struct text *name, struct arena *arena,
					  struct errs *errs)
{
	const struct zone_spec *specs = plan->lab.zones.v;
	const char *why, *wanted = domain_normalise(arena, name->value, &why);
	struct names known = {0};

	for (size_t i = 0; i < plan->lab.zones.count; i++) {
		if (wanted && !strcmp(specs[i].name.value, wanted))
			return specs[i].zone ? &specs[i] : NULL;
		names_add(&known, arena, specs[i].name.value);
	}
	names_unknown(&known, "zone", name->value, name->loc, errs);
	return NULL;
}

const struct zone_spec *version_zone(const struct plan *plan, const struct text *name, struct arena *arena,
				     struct errs *errs)
{
	const struct zone_spec *spec = version_find_zone(plan, name, arena, errs);

	return spec ? check_zone(plan, spec, name, errs) : NULL;
}

const struct zone *version_content(const struct plan *plan, const struct zone_spec *spec)
{
	for (size_t i = plan->version_count; i-- > 0;) {
		if (plan->versions[i]->spec == spec)
			return plan->versions[i]->zone;
	}
	return spec->zone;
}

uint32_t zone_serial(const struct zone *zone)
{
	return ldns_rdf2native_int32(ldns_rr_rdf(ldns_rr_list_rr(zone->rrs, 0), 2));
}

uint32_t version_serial(const struct plan *plan, const struct zone_spec *spec)
{
	size_t newest = plan->version_count;

	while (newest && plan->versions[newest - 1]->spec != spec)
		newest--;
	for (const struct zone_alias *alias = plan->aliases; alias; alias = alias->next) {
		if (alias->spec == spec && alias->version >= newest)
			return alias->serial;
	}
	return zone_serial(version_content(plan, spec));
}

/* ---- making content ---- */

struct zone *version_load(struct plan *plan, const struct zone_spec *spec, const struct text *file, struct arena *arena,
			  struct errs *errs)
{
	struct plan_ctx ctx = {.arena = arena, .plan = plan, .zones = plan->zone_cache, .errs = errs};

	return zones_load_file(&ctx, spec->name.value, file);
}

struct zone *version_keep(struct plan *plan, struct zone *zone, struct arena *arena)
{
	struct zone_cache_entry *entry = ARENA_NEW(arena, struct zone_cache_entry);

	*entry = (struct zone_cache_entry){"", "", zone, *plan->zone_cache};
	*plan->zone_cache = entry;
	return zone;
}

struct zone *version_edit(struct plan *plan, const struct zone *from, uint32_t serial, const ldns_rr_list *add,
			  const ldns_rr_list *remove, const char *what, struct loc loc, struct arena *arena,
			  struct errs *errs)
{
	struct errs own = {0};
	struct zone *zone = zone_edit(from, arena_printf(arena, "%s, %s", from->file, what), serial, add, remove, &own);

	if (!zone)
		errs_add(errs, loc, "%s leaves a zone %s that no server could load: %s", what, from->name,
			 own.v[0].text);
	errs_fini(&own);
	return zone ? version_keep(plan, zone, arena) : NULL;
}

/* ---- what servers get ---- */

static bool is_apex_ns(const struct zone *zone, const ldns_rr *rr)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS &&
	       !ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(ldns_rr_list_rr(zone->rrs, 0)));
}

/* The names of nameservers resolve in the lab: see lab/tree.h. */
static void add_bearers(const struct plan *plan, const struct zone_spec *spec, const struct zone *content,
			struct buf *out)
{
	for (size_t i = 0; i < plan->topology->host_count; i++) {
		const struct topo_host *host = &plan->topology->hosts[i];

		if (!host->hostname || zones_enclosing(&plan->lab, host->hostname) != spec ||
		    zone_has_address(content, host->hostname))
			continue;
		for (size_t j = 0; j < host->addresses.count; j++)
			buf_printf(out, "%s. 86400 IN %s %s\n", host->hostname,
				   host->addresses.v[j].family == AF_INET ? "A" : "AAAA", host->addresses.v[j].text);
	}
}

void version_master_text(const struct plan *plan, const struct zone_spec *spec, const struct zone *content,
			 struct buf *out)
{
	const struct topo_zone *topo = topo_zone_of(plan, spec);
	bool is_replaced = spec->apex_ns == APEX_NS_FROM_LAB && topo;
	uint32_t ttl = 3600;

	for (size_t i = 0; i < ldns_rr_list_rr_count(content->rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(content->rrs, i);

		if (!is_replaced || !is_apex_ns(content, rr))
			zone_print_rr(rr, out);
		else
			ttl = ldns_rr_ttl(rr);
	}
	for (size_t i = 0; is_replaced && i < topo->ns_count; i++)
		buf_printf(out, "%s. %u IN NS %s.\n", spec->name.value, ttl, topo->ns[i]->hostname);
	if (!content->is_signed)
		add_bearers(plan, spec, content, out);
}

void version_zone_text(const struct zone_version *version, struct buf *out)
{
	version_master_text(version->plan, version->spec, version->zone, out);
}

/* ---- telling them apart ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Fills ret with what zone answers; false where it answers by a referral or an alias, which says little. */
static bool ask(const struct zone *zone, const char *name, uint16_t type, struct arena *arena,
		struct zone_question *ret)
{
	ldns_rr_list *rrs = NULL;
	const char *cname, **rdata;
	enum zone_answer answer = zone_lookup(zone, name, type, arena, &rrs, &cname);
	size_t count = ldns_rr_list_rr_count(rrs);

	rdata = ARENA_ARRAY(arena, const char *, count + 1);
	for (size_t i = 0; i < count; i++)
		rdata[i] = zone_rdata_text(ldns_rr_list_rr(rrs, i), arena);
	ldns_rr_list_free(rrs);
	qsort(rdata, count, sizeof(*rdata), compare_texts);
	*ret = (struct zone_question){name, type, rdata, count};
	return answer == ZONE_ANSWER || answer == ZONE_NODATA || answer == ZONE_NXDOMAIN;
}

static bool is_same_answer(const struct zone_question *a, const struct zone_question *b)
{
	if (a->rdata_count != b->rdata_count)
		return false;
	for (size_t i = 0; i < a->rdata_count; i++) {
		if (strcmp(a->rdata[i], b->rdata[i]))
			return false;
	}
	return true;
}

static const char *owner_of(const ldns_rr *rr, struct arena *arena)
{
	char *text = ldns_rdf2str(ldns_rr_owner(rr));
	const char *name = arena_strndup(arena, text ? text : ".", text && text[1] ? strlen(text) - 1 : 1);

	free(text);
	return name;
}

/* Looks for a record of a whose question the two answer differently. */
static bool find_difference(const struct zone *a, const struct zone *from, const struct zone *to, struct arena *arena,
			    struct zone_question *ret)
{
	for (size_t i = 1; i < ldns_rr_list_rr_count(a->rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(a->rrs, i);
		struct zone_question before;
		const char *name = owner_of(rr, arena);

		if (ask(from, name, (uint16_t)ldns_rr_get_type(rr), arena, &before) &&
		    ask(to, name, (uint16_t)ldns_rr_get_type(rr), arena, ret) && !is_same_answer(&before, ret))
			return true;
	}
	return false;
}

bool version_record_question(const struct zone *from, const struct zone *to, struct arena *arena,
			     struct zone_question *ret)
{
	return find_difference(to, from, to, arena, ret) || find_difference(from, from, to, arena, ret);
}

bool version_question(const struct zone *from, const struct zone *to, struct arena *arena, struct zone_question *ret)
{
	struct zone_question before;

	if (ask(from, to->name, LDNS_RR_TYPE_SOA, arena, &before) && ask(to, to->name, LDNS_RR_TYPE_SOA, arena, ret) &&
	    !is_same_answer(&before, ret))
		return true;
	return version_record_question(from, to, arena, ret);
}

const struct zone_version *version_add(struct plan *plan, const struct zone_spec *spec, const struct zone *zone,
				       struct loc loc, struct arena *arena, struct errs *errs)
{
	const struct zone *before = version_content(plan, spec);
	struct zone_version *version;

	if (plan->version_count == VERSIONS_MAX) {
		errs_add(errs, loc, "more than %d steps change zones; a plan has at most so many", VERSIONS_MAX);
		return NULL;
	}
	version = ARENA_NEW(arena, struct zone_version);
	*version = (struct zone_version){
		.id = (int64_t)plan->version_count + 1,
		.spec = spec,
		.zone = zone,
		.plan = plan,
		.serial = zone_serial(zone),
		.serial_before = version_serial(plan, spec),
	};
	if (!version_question(before, zone, arena, &version->question)) {
		errs_add(errs, loc, "%s is what zone %s holds at that time already: nothing would change", zone->file,
			 spec->name.value);
		return NULL;
	}
	if (!plan->versions)
		plan->versions = ARENA_ARRAY(arena, const struct zone_version *, VERSIONS_MAX);
	plan->versions[plan->version_count++] = version;
	return version;
}

void version_alias(struct plan *plan, const struct zone_spec *spec, uint32_t serial, struct arena *arena)
{
	struct zone_alias *alias = ARENA_NEW(arena, struct zone_alias);

	*alias = (struct zone_alias){spec, serial, plan->version_count, plan->aliases};
	plan->aliases = alias;
}

/* The step that gave the zone its newest version; NULL: it is as it was. */
static const struct action *newest_change(const struct plan *plan, const struct zone_spec *spec)
{
	size_t newest = plan->version_count;

	while (newest && plan->versions[newest - 1]->spec != spec)
		newest--;
	for (size_t i = 0; newest && i < plan->action_count; i++) {
		if (plan->actions[i]->version == plan->versions[newest - 1])
			return plan->actions[i];
	}
	return NULL;
}

static bool is_reached(const struct action *change, const char *host)
{
	for (size_t i = 0; i < change->host_count; i++) {
		if (!strcmp(change->hosts[i], host))
			return true;
	}
	return false;
}

void version_resigned(struct plan *plan, const struct zone_spec *spec, const struct version_signers *signers,
		      struct arena *arena, struct errs *errs)
{
	const struct action *change = newest_change(plan, spec);

	for (size_t i = 0; change && i < signers->count; i++) {
		if (is_reached(change, signers->hosts[i]))
			continue;
		errs_add(
			errs, signers->loc,
			"%s: %s did not get what was pushed of %s before, and would sign its old version with a serial "
			"that the new one has elsewhere; push to all of its primaries",
			signers->kind, signers->hosts[i], spec->name.value);
		return;
	}
	version_alias(plan, spec, version_serial(plan, spec) + 1, arena);
}

const struct probe_serial *version_serials(const struct plan *plan, const struct zone_spec *spec, struct arena *arena,
					   size_t *ret_count)
{
	size_t count = plan->version_count + 1;
	struct probe_serial *serials;
	uint32_t serial = zone_serial(spec->zone);

	for (const struct zone_alias *alias = plan->aliases; alias; alias = alias->next)
		count += plan->version_count + 1;
	serials = ARENA_ARRAY(arena, struct probe_serial, count);
	for (size_t k = 0; k <= plan->version_count; k++) {
		if (k && plan->versions[k - 1]->spec == spec)
			serial = plan->versions[k - 1]->serial;
		serials[k] = (struct probe_serial){serial, (int64_t)k};
	}
	count = plan->version_count + 1;
	for (const struct zone_alias *alias = plan->aliases; alias; alias = alias->next) {
		if (alias->spec != spec)
			continue;
		serials[count++] = (struct probe_serial){alias->serial, (int64_t)alias->version};
		/* Changes of other zones leave it as it is. */
		for (size_t k = alias->version + 1; k <= plan->version_count && plan->versions[k - 1]->spec != spec;
		     k++)
			serials[count++] = (struct probe_serial){alias->serial, (int64_t)k};
	}
	*ret_count = count;
	return serials;
}
