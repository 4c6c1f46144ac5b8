/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The zones of a plan: found, loaded once for all combinations of a matrix, and checked against each other.
 */
#include <string.h>

#include "harness/plan/internal.h"

#define ZONES_MAX 1000

static struct zone *load_once(struct plan_ctx *ctx, const char *name, const char *path, struct loc where)
{
	struct zone_cache_entry *entry;

	for (entry = *ctx->zones; entry; entry = entry->next) {
		if (!strcmp(entry->name, name) && !strcmp(entry->path, path))
			return entry->zone;
	}
	entry = ARENA_NEW(ctx->arena, struct zone_cache_entry);
	*entry = (struct zone_cache_entry){name, path, zone_load(name, path, where, ctx->errs), *ctx->zones};
	*ctx->zones = entry;
	return entry->zone;
}

struct zone *zones_load_file(struct plan_ctx *ctx, const char *zone, const struct text *file)
{
	return load_once(ctx, zone, files_path(ctx->arena, file->value, file->loc, ctx->plan->file), file->loc);
}

static bool covers_keys(const ldns_rr *rr)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG &&
	       ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == LDNS_RR_TYPE_DNSKEY;
}

/* Whether one of its keys signed them, whenever: without that no DS can lead to it (RFC 4035 section 5.2). */
static bool is_signed_by_itself(const struct zone *zone)
{
	ldns_rr_list *keys = ldns_rr_list_new(), *signatures = ldns_rr_list_new(), *good = ldns_rr_list_new();
	const ldns_rdf *apex = ldns_rr_owner(ldns_rr_list_rr(zone->rrs, 0));
	bool is_right = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(zone->rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(zone->rrs, i);
		bool is_key = ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY;

		if ((is_key || covers_keys(rr)) && !ldns_dname_compare(ldns_rr_owner(rr), apex))
			ldns_rr_list_push_rr(is_key ? keys : signatures, rr);
	}
	for (size_t i = 0; !is_right && i < ldns_rr_list_rr_count(signatures); i++)
		is_right = ldns_verify_rrsig_keylist_notime(keys, ldns_rr_list_rr(signatures, i), keys, good) ==
			   LDNS_STATUS_OK;
	ldns_rr_list_free(keys);
	ldns_rr_list_free(signatures);
	ldns_rr_list_free(good);
	return is_right;
}

static void check_signed(struct plan_ctx *ctx, const struct zone_spec *spec)
{
	if (spec->sign.is_given)
		errs_add(ctx->errs, spec->loc,
			 "zone %s is signed in its file already: leave out sign:", spec->name.value);
	else if (!is_signed_by_itself(spec->zone))
		errs_add(ctx->errs, (struct loc){spec->zone->file, 0, 0},
			 "none of the zone's keys made a signature of its DNSKEY records, so that nobody could "
			 "validate it: sign it with the keys that it holds, or take all that is signed out and say "
			 "sign: true");
}

static void load_one(struct plan_ctx *ctx, struct zone_spec *spec)
{
	const char *why, *name = domain_normalise(ctx->arena, spec->name.value, &why);

	if (!name) {
		errs_add(ctx->errs, spec->name.loc, "'%.80s' is not the name of a zone: %s", spec->name.value, why);
		return;
	}
	if (!strcmp(name, ".")) {
		errs_add(ctx->errs, spec->name.loc, "the root zone cannot be given: the lab makes its own");
		return;
	}
	spec->name.value = name;
	if (!spec->file.value)
		return; /* said already */
	spec->zone = load_once(ctx, name, files_path(ctx->arena, spec->file.value, spec->file.loc, ctx->plan->file),
			       spec->file.loc);
	if (spec->zone && spec->zone->is_signed)
		check_signed(ctx, spec);
	if (spec->sign.is_given)
		sign_check(ctx, spec);
}

static void check_twice(struct plan_ctx *ctx, const struct zone_spec *specs, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (!strcmp(specs[j].name.value, specs[i].name.value))
			errs_add(ctx->errs, specs[i].name.loc, "zone %s is given twice (%s)", specs[i].name.value,
				 names_place(ctx->arena, specs[j].name.loc, specs[i].name.loc));
	}
}

/* A zone below another zone of the plan must be found from there. */
static void check_delegated(struct plan_ctx *ctx, const struct zone_spec *child)
{
	const struct zone_spec *parent = strchr(child->name.value, '.')
						 ? zones_enclosing(&ctx->plan->lab, strchr(child->name.value, '.') + 1)
						 : NULL;
	ldns_rr_list *rrs = NULL;
	const char *cname;

	if (!parent || !parent->zone || !child->zone)
		return;
	if (zone_lookup(parent->zone, child->name.value, LDNS_RR_TYPE_NS, ctx->arena, &rrs, &cname) != ZONE_DELEGATION)
		errs_add(ctx->errs, child->loc,
			 "zone %s lies in zone %s, but %s does not delegate it: give it NS records there",
			 child->name.value, parent->name.value, parent->zone->file);
	ldns_rr_list_free(rrs);
	if (child->delegation.value)
		errs_add(ctx->errs, child->delegation.loc,
			 "delegation: has no place here: the parent %s is not made by the lab; write the records into "
			 "%s",
			 parent->name.value, parent->zone->file);
}

void zones_load(struct plan_ctx *ctx)
{
	struct zone_spec *specs = ctx->plan->lab.zones.v;
	size_t count = ctx->plan->lab.zones.count;

	if (count > ZONES_MAX) {
		errs_add(ctx->errs, ctx->plan->lab.zones.loc, "this lab has %zu zones; at most %d can be served", count,
			 ZONES_MAX);
		ctx->plan->lab.zones.count = 0;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		load_one(ctx, &specs[i]);
		check_twice(ctx, specs, i);
	}
	for (size_t i = 0; i < count; i++)
		check_delegated(ctx, &specs[i]);
}

void zones_free(struct zone_cache_entry *zones)
{
	for (; zones; zones = zones->next)
		zone_free(zones->zone);
}

const struct zone_spec *zones_enclosing(const struct lab_spec *lab, const char *name)
{
	const struct zone_spec *specs = lab->zones.v, *best = NULL;

	for (size_t i = 0; i < lab->zones.count; i++) {
		if (domain_is_within(name, specs[i].name.value) &&
		    (!best || strlen(specs[i].name.value) > strlen(best->name.value)))
			best = &specs[i];
	}
	return best;
}
