/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a zone answers: RFC 1034 section 4.3.2 with the wildcards of RFC 4592 and the DNAMEs of RFC 6672.
 */
#include <ctype.h>
#include <string.h>

#include "harness/plan/zone_private.h"

#define CHAIN_MAX 16 /* a longer chain of aliases is a loop */

static const char *name_text(const ldns_rdf *name, struct arena *arena)
{
	char *text = ldns_rdf2str(name), *copy;
	size_t len;

	if (!text)
		return "";
	len = strlen(text);
	copy = arena_strndup(arena, text, len > 1 ? len - 1 : len);
	free(text);
	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

/* The longest existing ancestor of a name that does not exist, with "*." in front. */
static ldns_rdf *wildcard_for(const struct zone_private *zone, const ldns_rdf *name)
{
	ldns_rdf *at = ldns_dname_left_chop(name), *wildcard = NULL;

	while (at && ldns_dname_compare(at, zone->apex) && !zone_has_name(zone, at)) {
		ldns_rdf *up = ldns_dname_left_chop(at);

		ldns_rdf_deep_free(at);
		at = up;
	}
	if (at) {
		wildcard = ldns_dname_new_frm_str("*");
		if (wildcard && ldns_dname_cat(wildcard, at) != LDNS_STATUS_OK) {
			ldns_rdf_deep_free(wildcard);
			wildcard = NULL;
		}
	}
	ldns_rdf_deep_free(at);
	return wildcard;
}

/* name with its ending `from` replaced by `to`; NULL if that is too long. Caller frees. */
static ldns_rdf *replace_ending(const ldns_rdf *name, const ldns_rdf *from, const ldns_rdf *to)
{
	unsigned char wire[LDNS_MAX_DOMAINLEN];
	size_t prefix = ldns_rdf_size(name) - ldns_rdf_size(from), size = prefix + ldns_rdf_size(to);

	if (size > sizeof(wire))
		return NULL;
	memcpy(wire, ldns_rdf_data(name), prefix);
	memcpy(wire + prefix, ldns_rdf_data(to), ldns_rdf_size(to));
	return ldns_dname_new_frm_data((uint16_t)size, wire);
}

/* Where a DNAME above name sends it; NULL if there is none. Caller frees. */
static ldns_rdf *dname_target(const struct zone_private *zone, const ldns_rdf *name)
{
	ldns_rdf *at = ldns_dname_left_chop(name), *target = NULL;
	struct zone_key key;
	size_t first;

	while (at && !target && zone_key_of(zone, at, &key)) {
		ldns_rdf *up;

		if (zone_find(zone, at, LDNS_RR_TYPE_DNAME, &first))
			target = replace_ending(name, at, ldns_rr_rdf(zone->items[first].rr, 0));
		up = ldns_dname_left_chop(at);
		ldns_rdf_deep_free(at);
		at = up;
	}
	ldns_rdf_deep_free(at);
	return target;
}

static bool is_delegated(const struct zone_private *zone, const ldns_rdf *name, ldns_rr_type type)
{
	struct zone_key key;
	size_t cut = zone_key_of(zone, name, &key) ? zone_cut_above(zone, &key) : 0;

	/* DS records stand above the cut (RFC 4035 section 2.4). */
	return cut && (type != LDNS_RR_TYPE_DS || cut != key.len);
}

/* What one name of the zone answers. ret_next: where an alias sends the question, else NULL; caller frees. */
static enum zone_answer ask_once(const struct zone_private *zone, const ldns_rdf *name, ldns_rr_type type,
				 ldns_rr_list *found, ldns_rdf **ret_next)
{
	ldns_rdf *wildcard = NULL;
	const ldns_rdf *at = name;
	enum zone_answer answer = ZONE_NXDOMAIN;
	size_t first, count;

	*ret_next = NULL;
	if (is_delegated(zone, name, type))
		return ZONE_DELEGATION;
	*ret_next = dname_target(zone, name);
	if (*ret_next)
		return ZONE_ANSWER;
	if (!zone_has_name(zone, name))
		at = wildcard = wildcard_for(zone, name);
	if (at && zone_has_name(zone, at)) {
		count = zone_find(zone, at, type, &first);
		answer = count ? ZONE_ANSWER : ZONE_NODATA;
		for (size_t i = first; i < first + count; i++)
			ldns_rr_list_push_rr(found, zone->items[i].rr);
		if (!count && zone_find(zone, at, LDNS_RR_TYPE_CNAME, &first)) {
			*ret_next = ldns_rdf_clone(ldns_rr_rdf(zone->items[first].rr, 0));
			answer = ZONE_ANSWER;
		}
	}
	ldns_rdf_deep_free(wildcard);
	return answer;
}

enum zone_answer zone_lookup(const struct zone *zone_, const char *qname, uint16_t qtype, struct arena *arena,
			     ldns_rr_list **ret_rrs, const char **ret_cname)
{
	const struct zone_private *zone = zone_private(zone_);
	ldns_rr_list *found = ldns_rr_list_new();
	ldns_rdf *name = ldns_dname_new_frm_str(qname), *next = NULL;
	enum zone_answer answer = ZONE_NXDOMAIN;
	struct zone_key key;

	*ret_cname = NULL;
	for (int i = 0; name && i < CHAIN_MAX; i++) {
		answer = ask_once(zone, name, (ldns_rr_type)qtype, found, &next);
		if (answer == ZONE_DELEGATION)
			*ret_cname = name_text(name, arena);
		if (!next)
			break;
		ldns_rdf_deep_free(name);
		name = TAKE(next);
		answer = ZONE_NODATA; /* if this was the last try: a loop */
		if (!zone_key_of(zone, name, &key)) {
			answer = ZONE_CNAME_OUT;
			*ret_cname = name_text(name, arena);
			break;
		}
	}
	ldns_rdf_deep_free(name);
	*ret_rrs = found;
	return answer;
}

bool zone_has_address(const struct zone *zone, const char *name)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(name);
	size_t first;
	bool has = owner && (zone_find(zone_private(zone), owner, LDNS_RR_TYPE_A, &first) ||
			     zone_find(zone_private(zone), owner, LDNS_RR_TYPE_AAAA, &first));

	ldns_rdf_deep_free(owner);
	return has;
}

const char *zone_rdata_text(const ldns_rr *rr, struct arena *arena)
{
	ldns_rr *copy = ldns_rr_clone(rr);
	char *text, *data, *ret;

	for (size_t i = 0; i < ldns_rr_rd_count(copy); i++) {
		if (ldns_rdf_get_type(ldns_rr_rdf(copy, i)) == LDNS_RDF_TYPE_DNAME)
			ldns_dname2canonical(ldns_rr_rdf(copy, i));
	}
	text = ldns_rr2str_fmt(ldns_output_format_nocomments, copy);
	ldns_rr_free(copy);
	/* owner, TTL, class and type, each followed by a tab */
	data = text ? text : (char[]){""};
	for (int i = 0; i < 4 && strchr(data, '\t'); i++)
		data = strchr(data, '\t') + 1;
	ret = arena_strndup(arena, data, strcspn(data, "\n"));
	free(text);
	return ret;
}
