/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which zones lie between the root and a name, and which of their keys are to be trusted.
 */
#include "harness/dnssec/validate_internal.h"
#include <stdio.h>

static struct cut *add_cut(struct validation *v, const ldns_rdf *name)
{
	struct cut *cut;

	if (v->cut_count == ARRAY_LEN(v->cuts))
		return NULL;
	cut = &v->cuts[v->cut_count++];
	*cut = (struct cut){.name = ldns_rdf_clone(name)};
	return cut;
}

static enum step too_deep(struct validation *v)
{
	return conclude(&v->verdict, STEP_FAILED, 0, "more than %d names would have to be looked at", ANSWERS_MAX);
}

static bool is_usable_key(const ldns_rr *key)
{
	return ldns_rr_rd_count(key) == 4 && (ldns_rdf2native_int16(ldns_rr_dnskey_flags(key)) & LDNS_KEY_ZONE_KEY) &&
	       !(ldns_rdf2native_int16(ldns_rr_dnskey_flags(key)) & LDNS_KEY_REVOKE_KEY) &&
	       ldns_rdf2native_int8(ldns_rr_rdf(key, 1)) == 3;
}

static bool is_same_ds(const ldns_rr *ds, const ldns_rr *key)
{
	ldns_hash hash = (ldns_hash)ldns_rdf2native_int8(ldns_rr_rdf(ds, 2));
	ldns_rr *made;
	bool is_same;

	if (ldns_rdf2native_int16(ldns_rr_rdf(ds, 0)) != ldns_calc_keytag(key))
		return false;
	made = ldns_key_rr2ds(key, hash);
	is_same = made && ldns_rr_rd_count(made) == 4 &&
		  ldns_rdf_compare(ldns_rr_rdf(made, 1), ldns_rr_rdf(ds, 1)) == 0 &&
		  ldns_rdf_compare(ldns_rr_rdf(made, 3), ldns_rr_rdf(ds, 3)) == 0;
	ldns_rr_free(made);
	return is_same;
}

static bool is_named(const ldns_rr *key, const ldns_rr_list *entry)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(entry); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(entry, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY
			    ? ldns_rdf_compare(ldns_rr_dnskey_key(rr), ldns_rr_dnskey_key(key)) == 0 &&
				      ldns_calc_keytag(rr) == ldns_calc_keytag(key)
			    : ldns_rr_rd_count(rr) == 4 && is_same_ds(rr, key))
			return true;
	}
	return false;
}

static void list_tags(const ldns_rr_list *entry, char *buf, size_t size)
{
	size_t used = 0;

	*buf = '\0';
	for (size_t i = 0; i < ldns_rr_list_rr_count(entry) && used + 8 < size; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(entry, i);
		unsigned tag = ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS ? ldns_rdf2native_int16(ldns_rr_rdf(rr, 0))
								       : ldns_calc_keytag(rr);

		used += (size_t)snprintf(buf + used, size - used, "%s%u", used ? ", " : "", tag);
	}
}

/* The zone's DNSKEY RRset, if one of those that entry (DS records, or the anchor) names has signed it, becomes cut->keys. */
static enum step trust_keys(struct validation *v, const ldns_rdf *zone, const ldns_rr_list *entry, struct cut **ret)
{
	const ldns_pkt *answer = NULL;
	enum step step = answer_to(v, zone, LDNS_RR_TYPE_DNSKEY, &answer);
	ldns_rr_list *keys, *signatures, *named = ldns_rr_list_new();
	char name[NAME_TEXT], tags[64];

	if (step != STEP_OK) {
		ldns_rr_list_free(named);
		return step;
	}
	keys = rrset_of(ldns_pkt_answer(answer), zone, LDNS_RR_TYPE_DNSKEY);
	signatures = signatures_of(ldns_pkt_answer(answer), zone, LDNS_RR_TYPE_DNSKEY);
	for (size_t i = 0; i < ldns_rr_list_rr_count(keys); i++)
		if (is_usable_key(ldns_rr_list_rr(keys, i)) && is_named(ldns_rr_list_rr(keys, i), entry))
			ldns_rr_list_push_rr(named, ldns_rr_list_rr(keys, i));
	list_tags(entry, tags, sizeof(tags));
	if (!ldns_rr_list_rr_count(keys))
		step = conclude(&v->verdict, STEP_BOGUS, EDE_NO_DNSKEY, "%s has a DS (key %s), but no DNSKEY",
				name_text(zone, name), tags);
	else if (!ldns_rr_list_rr_count(named))
		step = conclude(&v->verdict, STEP_BOGUS, EDE_NO_DNSKEY,
				"no DNSKEY of %s is the one that %s names (key %s)", name_text(zone, name),
				ldns_dname_label_count(zone) ? "its DS" : "the trust anchor", tags);
	else
		step = verify_rrset(keys, signatures, zone, named, v->now_s, NULL, &v->verdict);
	blame(v, step, answer, zone, LDNS_RR_TYPE_DS);
	ldns_rr_list_free(named);
	ldns_rr_list_free(signatures);
	*ret = step == STEP_OK ? add_cut(v, zone) : NULL;
	if (!*ret) {
		ldns_rr_list_free(keys);
		return step == STEP_OK ? too_deep(v) : step;
	}
	(*ret)->is_zone = true;
	(*ret)->keys = keys;
	return STEP_OK;
}

static enum step add_insecure(struct validation *v, const ldns_rdf *name, const char *why, struct cut **ret)
{
	*ret = add_cut(v, name);
	if (!*ret)
		return too_deep(v);
	(*ret)->is_zone = (*ret)->is_insecure = true;
	snprintf((*ret)->why, sizeof((*ret)->why), "%s", why);
	return STEP_OK;
}

static bool is_usable_ds(const ldns_rr *ds)
{
	unsigned digest = ldns_rr_rd_count(ds) == 4 ? ldns_rdf2native_int8(ldns_rr_rdf(ds, 2)) : 0;

	return (digest == 1 || digest == 2 || digest == 4) &&
	       is_known_algorithm(ldns_rdf2native_int8(ldns_rr_rdf(ds, 1)));
}

/* The parent names keys. */
static enum step enter_by_ds(struct validation *v, const ldns_rdf *name, const ldns_rr_list *ds, struct cut **ret)
{
	char text[NAME_TEXT], why[NAME_TEXT + 80];

	for (size_t i = 0; i < ldns_rr_list_rr_count(ds); i++)
		if (is_usable_ds(ldns_rr_list_rr(ds, i)))
			return trust_keys(v, name, ds, ret);
	snprintf(why, sizeof(why), "the DS of %s names no algorithm and digest known here", name_text(name, text));
	return add_insecure(v, name, why, ret);
}

/* The parent says that there is no DS: because it is an unsigned zone, or no zone at all. */
static enum step enter_without_ds(struct validation *v, const struct cut *parent, const ldns_rdf *name,
				  const ldns_pkt *answer, struct cut **ret)
{
	struct validation_verdict why = {0};
	ldns_rr_list *denials =
		verified_denials(ldns_pkt_authority(answer), parent->name, parent->keys, v->now_s, &why);
	struct denial denial = denial_of(denials, name, parent->name);
	char text[NAME_TEXT], zone[NAME_TEXT], insecure[2 * NAME_TEXT + 80];
	bool has_match = denial.match && !denial_has_type(denial.match, LDNS_RR_TYPE_DS);
	bool is_delegation = has_match && denial_has_type(denial.match, LDNS_RR_TYPE_NS) &&
			     !denial_has_type(denial.match, LDNS_RR_TYPE_SOA);
	enum step step = STEP_OK;

	ldns_rr_list_free(denials);
	snprintf(insecure, sizeof(insecure), "%s has no DS for %s", name_text(parent->name, zone),
		 name_text(name, text));
	if (is_delegation || denial.is_opt_out)
		return add_insecure(v, name, insecure, ret);
	if (denial.is_too_costly) {
		snprintf(insecure, sizeof(insecure), "the NSEC3 records of %s have too many iterations", zone);
		return add_insecure(v, name, insecure, ret);
	}
	if (has_match || denial.has_no_name || denial.is_empty_nonterminal) {
		*ret = add_cut(v, name);
		return *ret ? STEP_OK : too_deep(v);
	}
	if (*why.reason)
		step = conclude(&v->verdict, STEP_BOGUS, why.ede, "%s; so nothing proves that %s has no DS", why.reason,
				text);
	else
		step = conclude(&v->verdict, STEP_BOGUS, EDE_NO_NSEC,
				"%s gives neither a DS for %s nor a proof that there is none", zone, text);
	return step;
}

static enum step look_for_cut(struct validation *v, const struct cut *parent, const ldns_rdf *name, struct cut **ret)
{
	const ldns_pkt *answer = NULL;
	enum step step = answer_to(v, name, LDNS_RR_TYPE_DS, &answer);
	ldns_rr_list *ds, *cname, *signatures;

	if (step != STEP_OK)
		return step;
	ds = rrset_of(ldns_pkt_answer(answer), name, LDNS_RR_TYPE_DS);
	cname = rrset_of(ldns_pkt_answer(answer), name, LDNS_RR_TYPE_CNAME);
	if (ldns_rr_list_rr_count(ds)) {
		signatures = signatures_of(ldns_pkt_answer(answer), name, LDNS_RR_TYPE_DS);
		step = verify_rrset(ds, signatures, parent->name, parent->keys, v->now_s, NULL, &v->verdict);
		ldns_rr_list_free(signatures);
		if (step == STEP_OK)
			step = enter_by_ds(v, name, ds, ret);
	} else if (ldns_rr_list_rr_count(cname)) { /* an alias is no zone's apex */
		*ret = add_cut(v, name);
		step = *ret ? STEP_OK : too_deep(v);
	} else {
		step = enter_without_ds(v, parent, name, answer, ret);
	}
	ldns_rr_list_free(ds);
	ldns_rr_list_free(cname);
	return blame(v, step, answer, parent->name, LDNS_RR_TYPE_DNSKEY);
}

static struct cut *known_cut(struct validation *v, const ldns_rdf *name)
{
	for (size_t i = 0; i < v->cut_count; i++)
		if (ldns_dname_compare(v->cuts[i].name, name) == 0)
			return &v->cuts[i];
	return NULL;
}

enum step zone_of(struct validation *v, const ldns_rdf *name, const struct cut **ret)
{
	struct cut *cut = known_cut(v, name);
	const struct cut *parent = NULL;
	ldns_rdf *up;
	enum step step = STEP_OK;

	if (ldns_dname_label_count(name) == 0) {
		if (!cut)
			step = trust_keys(v, name, v->anchor, &cut);
		*ret = cut;
		return step;
	}
	if (cut && cut->is_zone) {
		*ret = cut;
		return STEP_OK;
	}
	up = ldns_dname_left_chop(name);
	step = up ? zone_of(v, up, &parent) : STEP_FAILED;
	ldns_rdf_deep_free(up);
	if (step == STEP_OK && !cut && !parent->is_insecure)
		step = look_for_cut(v, parent, name, &cut);
	if (step == STEP_OK)
		*ret = cut && cut->is_zone ? cut : parent;
	return step;
}
