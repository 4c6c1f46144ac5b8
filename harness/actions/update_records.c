/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/update_records.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/rr.h"

#define TTL_DEFAULT 3600

static ldns_rr *parse_rr(const struct text *text, const ldns_rdf *origin, struct errs *errs)
{
	ldns_rr *rr = NULL;
	ldns_status status = rr_from_text(&rr, text->value, TTL_DEFAULT, origin);

	if (status == LDNS_STATUS_OK && ldns_rr_get_type(rr))
		return rr;
	if (status == LDNS_STATUS_OK)
		status = LDNS_STATUS_SYNTAX_TYPE_ERR; /* it takes "www nonsense" to be of type 0 */
	ldns_rr_free(rr);
	errs_add(errs, text->loc, "'%.80s' is not a record: %s; write such as \"www 60 A 192.0.2.9\"", text->value,
		 ldns_get_errorstr_by_id(status));
	return NULL;
}

static ldns_rdf *parse_owner(const char *name, const ldns_rdf *origin)
{
	ldns_rdf *owner = strcmp(name, "@") ? ldns_dname_new_frm_str(name) : ldns_rdf_clone(origin);

	if (owner && strcmp(name, "@") != 0 && name[strlen(name) - 1] != '.')
		ldns_dname_cat(owner, origin);
	return owner;
}

/* "www A": all of a set; is_name_enough: "www" alone is all of a name. A record without data, of a class that says what about it. NULL: it is no such thing. */
static ldns_rr *parse_set(const struct text *text, const ldns_rdf *origin, ldns_rr_class klass, bool is_name_enough,
			  struct arena *arena)
{
	char *copy = arena_strdup(arena, text->value), *save = NULL;
	const char *name = strtok_r(copy, " \t", &save), *type = strtok_r(NULL, " \t", &save);
	ldns_rr_type number = type ? ldns_get_rr_type_by_name(type) : is_name_enough ? LDNS_RR_TYPE_ANY : 0;
	ldns_rdf *owner;
	ldns_rr *rr;

	if (!name || !number || strtok_r(NULL, " \t", &save))
		return NULL;
	owner = parse_owner(name, origin);
	rr = ldns_rr_new();
	if (!owner || !rr) {
		ldns_rdf_deep_free(owner);
		ldns_rr_free(rr);
		return NULL;
	}
	ldns_rr_set_owner(rr, owner);
	ldns_rr_set_type(rr, number);
	ldns_rr_set_class(rr, klass);
	ldns_rr_set_ttl(rr, 0);
	return rr;
}

static void take_additions(struct update_records *records, const ldns_rdf *origin, struct errs *errs)
{
	for (size_t i = 0; i < records->add.count; i++) {
		ldns_rr *rr = parse_rr(&records->add.v[i], origin, errs);

		if (!rr)
			continue;
		ldns_rr_list_push_rr(records->added, rr);
		ldns_rr_list_push_rr(records->changes, ldns_rr_clone(rr));
	}
}

static void remove_set(const struct zone *zone, const ldns_rr *set, ldns_rr_list *removed)
{
	for (size_t i = 1; i < ldns_rr_list_rr_count(zone->rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(zone->rrs, i);

		if (ldns_rr_get_type(rr) == ldns_rr_get_type(set) &&
		    !ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(set)))
			ldns_rr_list_push_rr(removed, ldns_rr_clone(rr));
	}
}

/* RFC 2136 section 2.5: class ANY takes away a set, class NONE one record. Deletions go before additions. */
static void take_deletions(struct update_records *records, const struct zone *zone, const ldns_rdf *origin,
			   struct arena *arena, struct errs *errs)
{
	for (size_t i = 0; i < records->delete.count; i++) {
		const struct text *text = &records->delete.v[i];
		ldns_rr *set = parse_set(text, origin, LDNS_RR_CLASS_ANY, false, arena), *rr;

		if (set) {
			remove_set(zone, set, records->removed);
			ldns_rr_list_push_rr(records->changes, set);
			continue;
		}
		rr = parse_rr(text, origin, errs);
		if (!rr)
			continue;
		ldns_rr_list_push_rr(records->removed, ldns_rr_clone(rr));
		ldns_rr_set_class(rr, LDNS_RR_CLASS_NONE);
		ldns_rr_set_ttl(rr, 0);
		ldns_rr_list_push_rr(records->changes, rr);
	}
}

/* RFC 2136 section 2.4.2: the set exists with exactly this data. */
static void require_serial(struct update_records *records, const struct zone *zone)
{
	ldns_rr *soa;

	if (records->if_serial == PARAM_UNSET)
		return;
	soa = ldns_rr_clone(ldns_rr_list_rr(zone->rrs, 0));
	ldns_rdf_deep_free(
		ldns_rr_set_rdf(soa, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, (uint32_t)records->if_serial), 2));
	ldns_rr_set_ttl(soa, 0);
	ldns_rr_list_push_rr(records->prerequisites, soa);
}

/* Section 2.4: class ANY says that there is such a set or name, NONE that there is none, IN that a set has exactly the data of all its records. */
static void require(struct update_records *records, const ldns_rdf *origin, struct arena *arena, struct errs *errs)
{
	for (size_t i = 0; i < records->if_present.count; i++) {
		const struct text *text = &records->if_present.v[i];
		ldns_rr *rr = parse_set(text, origin, LDNS_RR_CLASS_ANY, true, arena);

		if (!rr)
			rr = parse_rr(text, origin, errs);
		if (!rr)
			continue;
		ldns_rr_set_ttl(rr, 0);
		ldns_rr_list_push_rr(records->prerequisites, rr);
	}
	for (size_t i = 0; i < records->if_absent.count; i++) {
		const struct text *text = &records->if_absent.v[i];
		ldns_rr *rr = parse_set(text, origin, LDNS_RR_CLASS_NONE, true, arena);

		if (rr)
			ldns_rr_list_push_rr(records->prerequisites, rr);
		else
			errs_add(errs, text->loc,
				 "if_absent: '%.80s' is no name and type; write such as \"www A\", or a name alone",
				 text->value);
	}
}

static void free_list(void *list)
{
	ldns_rr_list_deep_free(list);
}

static ldns_rr_list *list_in(struct arena *arena)
{
	ldns_rr_list *list = ldns_rr_list_new();

	arena_defer(arena, free_list, list);
	return list;
}

void update_records_read(struct update_records *records, const struct zone *zone, struct arena *arena,
			 struct errs *errs)
{
	const ldns_rdf *origin = ldns_rr_owner(ldns_rr_list_rr(zone->rrs, 0));

	records->added = list_in(arena);
	records->removed = list_in(arena);
	records->changes = list_in(arena);
	records->prerequisites = list_in(arena);
	take_deletions(records, zone, origin, arena, errs);
	take_additions(records, origin, errs);
	require_serial(records, zone);
	require(records, origin, arena, errs);
}

static bool is_in(const ldns_rr_list *list, const ldns_rr *rr)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		if (!ldns_rr_compare(ldns_rr_list_rr(list, i), rr))
			return true;
	}
	return false;
}

bool update_records_change(const struct update_records *records, const struct zone *zone)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(records->removed); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records->removed, i);

		if (zone_has(zone, rr) && !is_in(records->added, rr))
			return true;
	}
	for (size_t i = 0; i < ldns_rr_list_rr_count(records->added); i++) {
		if (!zone_has(zone, ldns_rr_list_rr(records->added, i)))
			return true;
	}
	return false;
}

/* ---- in nsupdate's words ---- */

/* It takes a name without a dot at its end to be relative to the root, so each is written out. */
static void print_rr(struct buf *out, const char *words, const ldns_rr *rr, bool has_ttl)
{
	char *owner = ldns_rdf2str(ldns_rr_owner(rr)), *type = ldns_rr_type2str(ldns_rr_get_type(rr));

	buf_printf(out, "%s %s", words, owner ? owner : "");
	if (has_ttl)
		buf_printf(out, " %u", ldns_rr_ttl(rr));
	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_ANY)
		buf_printf(out, " %s", type ? type : "");
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		char *data = ldns_rdf2str(ldns_rr_rdf(rr, i));

		buf_printf(out, " %s", data ? data : "");
		free(data);
	}
	buf_puts(out, "\n");
	free(owner);
	free(type);
}

static const char *prerequisite_words(const ldns_rr *rr)
{
	bool is_name = ldns_rr_get_type(rr) == LDNS_RR_TYPE_ANY;

	if (ldns_rr_get_class(rr) == LDNS_RR_CLASS_NONE)
		return is_name ? "prereq nxdomain" : "prereq nxrrset";
	return is_name ? "prereq yxdomain" : "prereq yxrrset";
}

void update_records_print(const struct update_records *records, struct buf *out)
{
	for (size_t i = 0; records->prerequisites && i < ldns_rr_list_rr_count(records->prerequisites); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records->prerequisites, i);

		print_rr(out, prerequisite_words(rr), rr, false);
	}
	for (size_t i = 0; records->changes && i < ldns_rr_list_rr_count(records->changes); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records->changes, i);
		bool is_new = ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN;

		print_rr(out, is_new ? "update add" : "update delete", rr, is_new);
	}
}
