/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NSEC (RFC 4035 section 5.4) and NSEC3 (RFC 5155 section 8).
 */
#include "harness/dnssec/validate_internal.h"

#define ITERATIONS_MAX 150 /* what resolvers go along with today */

static bool is_denial(const ldns_rr *rr)
{
	return (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NSEC && ldns_rr_rd_count(rr) == 2) ||
	       /* without a bitmap: an empty non-terminal */
	       (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NSEC3 && ldns_rr_rd_count(rr) >= 5);
}

ldns_rr_list *verified_denials(const ldns_rr_list *section, const ldns_rdf *zone, const ldns_rr_list *keys,
			       int64_t now_s, struct validation_verdict *why)
{
	ldns_rr_list *ret = ldns_rr_list_new();

	for (size_t i = 0; ret && i < ldns_rr_list_rr_count(section); i++) {
		ldns_rr *rr = ldns_rr_list_rr(section, i);
		ldns_rr_list *rrset, *signatures;

		if (!is_denial(rr) || !is_within(ldns_rr_owner(rr), zone))
			continue;
		rrset = rrset_of(section, ldns_rr_owner(rr), ldns_rr_get_type(rr));
		signatures = signatures_of(section, ldns_rr_owner(rr), ldns_rr_get_type(rr));
		if (verify_rrset(rrset, signatures, zone, keys, now_s, NULL, why) == STEP_OK)
			ldns_rr_list_push_rr(ret, rr);
		ldns_rr_list_free(rrset);
		ldns_rr_list_free(signatures);
	}
	return ret;
}

bool denial_has_type(const ldns_rr *match, ldns_rr_type type)
{
	const ldns_rdf *bitmap =
		ldns_rr_get_type(match) == LDNS_RR_TYPE_NSEC ? ldns_nsec_get_bitmap(match) : ldns_nsec3_bitmap(match);

	return bitmap && ldns_nsec_bitmap_covers_type(bitmap, type);
}

/* ---- NSEC ---- */

/* Canonical order, the last one pointing back to the apex (RFC 4034 section 6.1). */
static bool nsec_covers(const ldns_rr *nsec, const ldns_rdf *name, const ldns_rdf *zone)
{
	const ldns_rdf *owner = ldns_rr_owner(nsec), *next = ldns_rr_rdf(nsec, 0);

	if (ldns_dname_compare(owner, name) >= 0)
		return false;
	/* An NSEC of a zone cut or of a DNAME says nothing about what lies below it (RFC 6840 section 4.1). */
	if (ldns_dname_is_subdomain(name, owner) &&
	    (denial_has_type(nsec, LDNS_RR_TYPE_DNAME) ||
	     (denial_has_type(nsec, LDNS_RR_TYPE_NS) && !denial_has_type(nsec, LDNS_RR_TYPE_SOA))))
		return false;
	return ldns_dname_compare(name, next) < 0 || ldns_dname_compare(next, zone) == 0;
}

static const ldns_rr *nsec_matching(const ldns_rr_list *list, const ldns_rdf *name)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(list, i)) == LDNS_RR_TYPE_NSEC &&
		    ldns_dname_compare(ldns_rr_owner(ldns_rr_list_rr(list, i)), name) == 0)
			return ldns_rr_list_rr(list, i);
	return NULL;
}

static const ldns_rr *nsec_covering(const ldns_rr_list *list, const ldns_rdf *name, const ldns_rdf *zone)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(list, i)) == LDNS_RR_TYPE_NSEC &&
		    nsec_covers(ldns_rr_list_rr(list, i), name, zone))
			return ldns_rr_list_rr(list, i);
	return NULL;
}

static ldns_rdf *wildcard_below(const ldns_rdf *name)
{
	ldns_rdf *star = ldns_dname_new_frm_str("*"), *ret = star ? ldns_dname_cat_clone(star, name) : NULL;

	ldns_rdf_deep_free(star);
	return ret;
}

/* The closest name above that exists, by the neighbours an NSEC names. Caller frees. */
static ldns_rdf *encloser_by(const ldns_rr *nsec, const ldns_rdf *name)
{
	ldns_rdf *at = ldns_dname_left_chop(name);

	while (at && ldns_dname_label_count(at) > 0 && !is_within(ldns_rr_owner(nsec), at) &&
	       !is_within(ldns_rr_rdf(nsec, 0), at)) {
		ldns_rdf *up = ldns_dname_left_chop(at);

		ldns_rdf_deep_free(at);
		at = up;
	}
	return at;
}

static void look_at_nsec(struct denial *denial, const ldns_rr_list *list, const ldns_rdf *name, const ldns_rdf *zone)
{
	const ldns_rr *covering = nsec_covering(list, name, zone);
	ldns_rdf *encloser, *wildcard;

	denial->match = nsec_matching(list, name);
	if (denial->match || !covering)
		return;
	if (ldns_dname_is_subdomain(ldns_rr_rdf(covering, 0), name)) {
		denial->is_empty_nonterminal = true;
		return;
	}
	encloser = encloser_by(covering, name);
	wildcard = encloser ? wildcard_below(encloser) : NULL;
	if (wildcard) {
		denial->match = nsec_matching(list, wildcard);
		denial->has_no_name = !denial->match && nsec_covering(list, wildcard, zone);
	}
	ldns_rdf_deep_free(encloser);
	ldns_rdf_deep_free(wildcard);
}

/* ---- NSEC3 ---- */

/* The label of an NSEC3 owner against a hash: both base32hex, so both compare as names do. */
static const ldns_rr *nsec3_for(const ldns_rr_list *list, const ldns_rdf *name, const ldns_rdf *zone, bool wants_match)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		ldns_rdf *hash, *full = NULL;
		bool fits = false;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NSEC3 || ldns_nsec3_iterations(rr) > ITERATIONS_MAX)
			continue;
		hash = ldns_nsec3_hash_name_frm_nsec3(rr, name);
		if (hash)
			full = ldns_dname_cat_clone(hash, zone);
		if (full)
			fits = wants_match ? ldns_dname_compare(full, ldns_rr_owner(rr)) == 0
					   : ldns_nsec_covers_name(rr, full);
		ldns_rdf_deep_free(hash);
		ldns_rdf_deep_free(full);
		if (fits)
			return rr;
	}
	return NULL;
}

static bool has_opt_out(const ldns_rr *nsec3)
{
	return nsec3 && ldns_nsec3_optout(nsec3);
}

/* The closest encloser exists, the name one label longer (next) does not: RFC 5155 section 8.3. */
static void look_below(struct denial *denial, const ldns_rr_list *list, const ldns_rdf *encloser, const ldns_rdf *next,
		       const ldns_rdf *zone)
{
	const ldns_rr *covering = nsec3_for(list, next, zone, false);
	ldns_rdf *wildcard = wildcard_below(encloser);

	if (covering && wildcard) {
		denial->is_opt_out = has_opt_out(covering);
		denial->match = nsec3_for(list, wildcard, zone, true);
		denial->has_no_name = !denial->match && nsec3_for(list, wildcard, zone, false);
	}
	ldns_rdf_deep_free(wildcard);
}

static void look_at_nsec3(struct denial *denial, const ldns_rr_list *list, const ldns_rdf *name, const ldns_rdf *zone)
{
	ldns_rdf *next = ldns_rdf_clone(name);

	denial->match = nsec3_for(list, name, zone, true);
	while (!denial->match && next && is_within(next, zone) && ldns_dname_compare(next, zone) != 0) {
		ldns_rdf *up = ldns_dname_left_chop(next);

		if (up && nsec3_for(list, up, zone, true)) {
			look_below(denial, list, up, next, zone);
			ldns_rdf_deep_free(up);
			break;
		}
		ldns_rdf_deep_free(next);
		next = up;
	}
	ldns_rdf_deep_free(next);
}

bool denial_covers(const ldns_rr_list *denials, const ldns_rdf *name, const ldns_rdf *zone)
{
	return nsec_covering(denials, name, zone) || nsec3_for(denials, name, zone, false);
}

struct denial denial_of(const ldns_rr_list *denials, const ldns_rdf *name, const ldns_rdf *zone)
{
	struct denial ret = {0};
	bool has_nsec3 = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(denials); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(denials, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NSEC3)
			continue;
		has_nsec3 = true;
		ret.is_too_costly = ret.is_too_costly || ldns_nsec3_iterations(rr) > ITERATIONS_MAX;
	}
	if (has_nsec3)
		look_at_nsec3(&ret, denials, name, zone);
	else
		look_at_nsec(&ret, denials, name, zone);
	return ret;
}
