/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A zone made from another one by a few changes: records that stay are shared, so that a large zone is not held twice.
 */
#include <stdlib.h>

#include "harness/plan/zone_private.h"

/* Of the item that equals rr but perhaps for its TTL; zone->count if there is none. */
static size_t find_rr(const struct zone_private *zone, const ldns_rr *rr)
{
	size_t first, count = zone_find(zone, ldns_rr_owner(rr), ldns_rr_get_type(rr), &first);

	for (size_t i = first; i < first + count; i++) {
		if (!ldns_rr_compare(zone->items[i].rr, rr))
			return i;
	}
	return zone->count;
}

bool zone_has(const struct zone *zone, const ldns_rr *rr)
{
	return find_rr(zone_private(zone), rr) < zone_private(zone)->count;
}

static bool is_in(const ldns_rr_list *list, const ldns_rr *rr)
{
	for (size_t i = 0; list && i < ldns_rr_list_rr_count(list); i++) {
		if (!ldns_rr_compare(ldns_rr_list_rr(list, i), rr))
			return true;
	}
	return false;
}

/* A file may have said the same record twice: both go. */
static void mark_removed(const struct zone_private *from, const ldns_rr_list *remove, bool *is_gone)
{
	for (size_t i = 0; remove && i < ldns_rr_list_rr_count(remove); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(remove, i);
		size_t first, count = zone_find(from, ldns_rr_owner(rr), ldns_rr_get_type(rr), &first);

		for (size_t k = first; k < first + count; k++)
			is_gone[k] |= !ldns_rr_compare(from->items[k].rr, rr);
	}
}

static int share_rest(struct zone_private *zone, const struct zone_private *from, const bool *is_gone)
{
	zone->items = calloc(from->count, sizeof(*zone->items));
	if (!zone->items)
		return -1;
	zone->cap = from->count;
	for (size_t i = 0; i < from->count; i++) {
		if (is_gone[i] || from->items[i].type == LDNS_RR_TYPE_SOA)
			continue;
		if (!ldns_rr_list_push_rr(zone->zone.rrs, from->items[i].rr))
			return -1;
		zone->items[zone->count++] = from->items[i];
	}
	return 0;
}

static int add_soa(struct zone_private *zone, const struct zone *from, uint32_t serial, struct errs *errs)
{
	ldns_rr *soa = ldns_rr_clone(ldns_rr_list_rr(from->rrs, 0));

	if (!soa)
		return -1;
	ldns_rdf_deep_free(ldns_rr_set_rdf(soa, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, serial), 2));
	return zone_add(zone, soa, 0, errs);
}

static int add_records(struct zone_private *zone, const struct zone *from, const ldns_rr_list *add,
		       const ldns_rr_list *remove, struct errs *errs)
{
	int r = 0;

	for (size_t i = 0; !r && add && i < ldns_rr_list_rr_count(add); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(add, i);

		if (!zone_has(from, rr) || is_in(remove, rr))
			r = zone_add(zone, ldns_rr_clone(rr), 0, errs);
	}
	return r;
}

struct zone *zone_edit(const struct zone *from, const char *file, uint32_t serial, const ldns_rr_list *add,
		       const ldns_rr_list *remove, struct errs *errs)
{
	const struct zone_private *source = zone_private(from);
	size_t before = errs->count + errs->dropped;
	struct zone_private *zone = zone_new(from->name, file);
	bool *is_gone = calloc(source->count, sizeof(*is_gone));
	int r = -1;

	if (zone)
		zone->own = ldns_rr_list_new();
	if (zone && zone->own && is_gone) {
		mark_removed(source, remove, is_gone);
		r = share_rest(zone, source, is_gone);
		if (!r)
			r = add_soa(zone, from, serial, errs);
		if (!r)
			r = add_records(zone, from, add, remove, errs);
	}
	free(is_gone);
	if (r && errs->count + errs->dropped == before)
		errs_add(errs, LOC_NONE, "out of memory");
	if (!r) {
		zone_sort(zone);
		zone_check(zone, errs->count + errs->dropped == before, errs);
	}
	if (errs->count + errs->dropped > before) {
		zone_free(zone ? &zone->zone : NULL);
		return NULL;
	}
	zone_finish(zone);
	return &zone->zone;
}
