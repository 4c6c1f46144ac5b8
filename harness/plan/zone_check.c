/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a zone as a whole. Works down the index, one owner name after the other.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/plan/zone_private.h"

static struct loc place(const struct zone_private *zone, size_t i)
{
	return (struct loc){zone->file, zone->items[i].line, 0};
}

static ldns_rr_type type_of(const struct zone_private *zone, size_t i)
{
	return (ldns_rr_type)zone->items[i].type;
}

/* A name as people write it; caller frees. */
static char *text_of(const ldns_rdf *name)
{
	char *text = ldns_rdf2str(name);
	size_t len = text ? strlen(text) : 0;

	if (len > 1)
		text[len - 1] = '\0'; /* the dot at the end */
	return text;
}

static void check_apex(const struct zone_private *zone, struct errs *errs)
{
	size_t first, soa = zone_find(zone, zone->apex, LDNS_RR_TYPE_SOA, &first);

	if (!soa)
		errs_add(errs, (struct loc){zone->file, 0, 0}, "no SOA record for %s", zone->name);
	for (size_t i = first + 1; soa && i < first + soa; i++)
		errs_add(errs, place(zone, i), "a second SOA record: a zone has one (line %u)",
			 zone->items[first].line);
	if (!zone_find(zone, zone->apex, LDNS_RR_TYPE_NS, &first))
		errs_add(errs, (struct loc){zone->file, 0, 0}, "no NS record for %s: a zone names its nameservers",
			 zone->name);
}

/* Types that may stand beside a CNAME (RFC 4035 section 2.5). */
static bool goes_with_cname(ldns_rr_type type)
{
	return type == LDNS_RR_TYPE_RRSIG || type == LDNS_RR_TYPE_NSEC || type == LDNS_RR_TYPE_KEY;
}

/* items[first … end) have one owner. */
static void check_cname(const struct zone_private *zone, size_t first, size_t end, struct errs *errs)
{
	size_t cname = end, other = end;
	char *owner;

	for (size_t i = first; i < end; i++) {
		if (type_of(zone, i) == LDNS_RR_TYPE_CNAME && cname == end)
			cname = i;
		else if (!goes_with_cname(type_of(zone, i)) && other == end)
			other = i;
	}
	if (cname == end || other == end)
		return;
	owner = text_of(ldns_rr_owner(zone->items[cname].rr));
	if (zone->items[other].line)
		errs_add(errs, place(zone, cname), "%s is a CNAME, and has other data on line %u: a CNAME stands alone",
			 owner ? owner : "a name", zone->items[other].line);
	else
		errs_add(errs, place(zone, cname), "%s is a CNAME, and has other data: a CNAME stands alone",
			 owner ? owner : "a name");
	free(owner);
}

/* RFC 2181 section 5.2: servers and caches would each choose another. */
static void check_ttl(const struct zone_private *zone, size_t i, struct errs *errs)
{
	const ldns_rr *before, *rr = zone->items[i].rr;
	char *owner, *type;

	if (!i || type_of(zone, i) == LDNS_RR_TYPE_RRSIG)
		return;
	before = zone->items[i - 1].rr;
	if (type_of(zone, i) != type_of(zone, i - 1) || ldns_rr_ttl(before) == ldns_rr_ttl(rr) ||
	    !zone_item_is_same(&zone->items[i - 1], &zone->items[i]))
		return;
	owner = text_of(ldns_rr_owner(rr));
	type = ldns_rr_type2str(ldns_rr_get_type(rr));
	errs_add(errs, place(zone, i),
		 "TTL %u of %s %s differs from %u on line %u: records of one name and type have one TTL",
		 ldns_rr_ttl(rr), owner ? owner : "", type ? type : "", ldns_rr_ttl(before), zone->items[i - 1].line);
	free(owner);
	free(type);
}

static bool has_address(const struct zone_private *zone, const struct zone_key *name)
{
	size_t first;

	return zone_find_key(zone, name->v, name->len, LDNS_RR_TYPE_A, &first) ||
	       zone_find_key(zone, name->v, name->len, LDNS_RR_TYPE_AAAA, &first);
}

/* A nameserver in the zone needs an address there, unless it lies in a part that is delegated to others. */
static void check_ns(const struct zone_private *zone, size_t i, struct errs *errs)
{
	const ldns_rdf *target = ldns_rr_rdf(zone->items[i].rr, 0);
	struct zone_key key;
	size_t cut;
	char *text;

	if (!zone_key_of(zone, target, &key) || !key.len || has_address(zone, &key))
		return;
	cut = zone_cut_above(zone, &key);
	if (cut && (cut != zone->items[i].key_len || memcmp(key.v, zone->items[i].key, cut)))
		return;
	text = text_of(target);
	errs_add(errs, place(zone, i), "nameserver %s lies in this zone but has no A or AAAA record here",
		 text ? text : "");
	free(text);
}

/* RFC 6672 section 2.4. items[first … end) have one owner; what lies below it follows. */
static void check_dname(const struct zone_private *zone, size_t first, size_t end, struct errs *errs)
{
	char *owner;

	for (size_t i = first; i < end && end < zone->count; i++) {
		if (type_of(zone, i) != LDNS_RR_TYPE_DNAME || !zone_item_is_below(&zone->items[end], &zone->items[i]))
			continue;
		owner = text_of(ldns_rr_owner(zone->items[end].rr));
		errs_add(errs, place(zone, end), "%s lies below the DNAME of line %u, where nothing may be",
			 owner ? owner : "a name", zone->items[i].line);
		free(owner);
		return;
	}
}

void zone_check(const struct zone_private *zone, bool is_whole, struct errs *errs)
{
	size_t end;

	if (is_whole)
		check_apex(zone, errs);
	for (size_t first = 0; first < zone->count; first = end) {
		for (end = first; end < zone->count; end++) {
			if (!zone_item_is_same(&zone->items[end], &zone->items[first]))
				break;
			check_ttl(zone, end, errs);
			if (is_whole && type_of(zone, end) == LDNS_RR_TYPE_NS)
				check_ns(zone, end, errs);
			if (type_of(zone, end) == LDNS_RR_TYPE_SOA && zone->items[end].key_len)
				errs_add(errs, place(zone, end), "a SOA record that is not at the top of the zone %s",
					 zone->name);
		}
		check_cname(zone, first, end, errs);
		check_dname(zone, first, end, errs);
	}
}
