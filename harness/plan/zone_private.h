/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A zone with its index. Only zone*.c include this.
 */
#pragma once
#include "harness/plan/zone.h"

struct zone_item {
	ldns_rr *rr; /* borrowed from zone.rrs */
	unsigned line; /* of the file */
};

struct zone_private {
	struct zone zone; /* must be first */
	char *name, *file; /* owned; zone's are these */
	ldns_rdf *apex;
	struct zone_item *items; /* every record, by owner in canonical order, then by type, then by line */
	size_t count;
};

const struct zone_private *zone_private(const struct zone *zone);

/* Whether name lies below parent, and is not parent itself. */
bool zone_is_below(const ldns_rdf *name, const ldns_rdf *parent);
/* The records of one owner and type: count of them from items[*ret_first]. */
size_t zone_find(const struct zone_private *zone, const ldns_rdf *owner, ldns_rr_type type, size_t *ret_first);
/* Whether the name owns records, or some name below it does (RFC 4592 section 2.2.2). */
bool zone_has_name(const struct zone_private *zone, const ldns_rdf *owner);
/* The topmost delegation between the apex and name, both ends but the apex; caller frees. NULL if there is none. */
ldns_rdf *zone_cut_above(const struct zone_private *zone, const ldns_rdf *name);

/* zone_check.c: what is wrong with the zone as a whole. is_whole: every record could be read; else nothing is called missing. */
void zone_check(const struct zone_private *zone, bool is_whole, struct errs *errs);
