/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A zone with its index. Only zone*.c include this.
 *
 * The index is one array in canonical order (RFC 4034 section 6.1), searched by halving: O(log n) for any name. Names are compared as keys, byte strings that
 * are in order exactly when their names are, and of which one is a prefix of all those below it. Besides its ldns_rr a record costs 32 bytes and its key.
 */
#pragma once
#include "harness/plan/zone.h"
#include <stdint.h>

/* A name of the zone: the labels below its apex, topmost first, lower case, each ended by a zero byte. The apex itself is empty. */
struct zone_key {
	uint8_t v[2 * LDNS_MAX_DOMAINLEN]; /* bytes 0 and 1 of a label take two */
	size_t len;
};

struct zone_item {
	uint64_t head; /* the key's first bytes as a number: most comparisons need no more */
	const uint8_t *key; /* of the owner; records of one owner may share it */
	ldns_rr *rr; /* borrowed from zone.rrs */
	unsigned line; /* of the file; 0: of none */
	uint16_t key_len, type;
};

struct zone_private {
	struct zone zone; /* must be first */
	char *name, *file; /* owned; zone's are these */
	ldns_rdf *apex;
	size_t apex_size; /* of its wire form */
	struct zone_item *items; /* every record, by owner in canonical order, then by type, then by line */
	size_t count, cap;
	struct arena *keys;
	ldns_rr_list
		*own; /* of an edited zone: the records that are its own, the others are borrowed; else NULL: all are */
};

const struct zone_private *zone_private(const struct zone *zone);

/* False: the name lies outside of the zone. */
bool zone_key_of(const struct zone_private *zone, const ldns_rdf *name, struct zone_key *ret);
/* Whether a record's owner is the same as another's; whether it lies below it, and is not the same. */
bool zone_item_is_same(const struct zone_item *a, const struct zone_item *b);
bool zone_item_is_below(const struct zone_item *item, const struct zone_item *parent);
/* Appends a record; zone_sort once all are there. -EINVAL: its owner lies outside of the zone; -ENOMEM. */
int zone_index(struct zone_private *zone, ldns_rr *rr, unsigned line);
void zone_sort(struct zone_private *zone);

/* The records of one owner and type: count of them from items[*ret_first]. */
size_t zone_find(const struct zone_private *zone, const ldns_rdf *owner, ldns_rr_type type, size_t *ret_first);
size_t zone_find_key(const struct zone_private *zone, const uint8_t *key, size_t key_len, ldns_rr_type type,
		     size_t *ret_first);
/* Whether the name owns records, or some name below it does (RFC 4592 section 2.2.2). */
bool zone_has_name(const struct zone_private *zone, const ldns_rdf *owner);
/* The topmost delegation between the apex and a name, both ends but the apex: how much of the name's key is its key. 0: there is none. */
size_t zone_cut_above(const struct zone_private *zone, const struct zone_key *name);

/* zone_check.c: what is wrong with the zone as a whole. is_whole: every record could be read; else nothing is called missing. */
void zone_check(const struct zone_private *zone, bool is_whole, struct errs *errs);

/* zone.c, for zone_edit.c: an empty zone, NULL: out of memory; */
struct zone_private *zone_new(const char *name, const char *file);
/* one more record, which it takes over: 0, also after an error of the record's own, or -ENOMEM; */
int zone_add(struct zone_private *zone, ldns_rr *rr, unsigned line, struct errs *errs);
/* what a zone is once its records are sorted. */
void zone_finish(struct zone_private *zone);
