/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/dnssec/damage.h"
#include <errno.h>
#include <string.h>

#include "harness/base/rr.h"

const char *const delegation_whats[] = {
	[DELEGATION_HOLD] = "hold",
	[DELEGATION_NS_REMOVED] = "ns-removed",
	[DELEGATION_NS_WRONG] = "ns-wrong",
	[DELEGATION_GLUE_STALE] = "glue-stale",
	[DELEGATION_DS_REMOVED] = "ds-removed",
	[DELEGATION_DS_WRONG] = "ds-wrong",
	[DELEGATION_DS_NEXT] = "ds-next",
	[DELEGATION_DS_LEFT_BEHIND] = "ds-left-behind",
	NULL,
};

const char *delegation_sentence(enum delegation_what what)
{
	switch (what) {
	case DELEGATION_HOLD:
		return "is gone, as when the registrar holds it";
	case DELEGATION_NS_REMOVED:
		return "has lost nameservers";
	case DELEGATION_NS_WRONG:
		return "names wrong nameservers";
	case DELEGATION_GLUE_STALE:
		return "has glue with addresses of the past";
	case DELEGATION_DS_REMOVED:
		return "has lost its DS";
	case DELEGATION_DS_WRONG:
		return "has a DS with a wrong digest";
	case DELEGATION_DS_NEXT:
		return "has the DS of the next key, which the zone does not have yet";
	case DELEGATION_DS_LEFT_BEHIND:
		return "has a DS, though the zone is not signed any more";
	}
	return "";
}

static bool is_at(const ldns_rr *rr, const ldns_rdf *name)
{
	return ldns_dname_compare(ldns_rr_owner(rr), name) == 0;
}

static bool is_address(const ldns_rr *rr)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_A || ldns_rr_get_type(rr) == LDNS_RR_TYPE_AAAA;
}

static bool is_nameserver_of(const ldns_rdf *name, const ldns_rr_list *rrs, const ldns_rdf *child)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS && is_at(rr, child) &&
		    ldns_dname_compare(ldns_rr_rdf(rr, 0), name) == 0)
			return true;
	}
	return false;
}

static bool is_delegating(const ldns_rr *rr, const ldns_rr_list *rrs, const ldns_rdf *child)
{
	return is_at(rr, child) || ldns_dname_is_subdomain(ldns_rr_owner(rr), child) ||
	       (is_address(rr) && is_nameserver_of(ldns_rr_owner(rr), rrs, child));
}

ldns_rr_list *delegation_records(const ldns_rr_list *rrs, const char *child)
{
	ldns_rdf *name = ldns_dname_new_frm_str(child);
	ldns_rr_list *ret = ldns_rr_list_new();

	for (size_t i = 0; name && ret && i < ldns_rr_list_rr_count(rrs); i++)
		if (is_delegating(ldns_rr_list_rr(rrs, i), rrs, name))
			ldns_rr_list_push_rr(ret, ldns_rr_clone(ldns_rr_list_rr(rrs, i)));
	ldns_rdf_deep_free(name);
	return ret;
}

/* Removes and frees the records that fits says; how many. */
static size_t remove_if(ldns_rr_list *rrs, bool (*fits)(const ldns_rr *rr, void *arg), void *arg)
{
	size_t kept = 0, count = ldns_rr_list_rr_count(rrs);

	for (size_t i = 0; i < count; i++) {
		ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (fits(rr, arg))
			ldns_rr_free(rr);
		else
			ldns_rr_list_set_rr(rrs, rr, kept++);
	}
	ldns_rr_list_set_rr_count(rrs, kept);
	return count - kept;
}

struct match {
	const ldns_rdf *child;
	const ldns_rr_list *of; /* records whose equals are meant */
	ldns_rr_type type;
	const struct delegation_damage *damage;
};

static bool is_among(const ldns_rr *rr, void *arg)
{
	const struct match *match = arg;

	for (size_t i = 0; i < ldns_rr_list_rr_count(match->of); i++)
		if (ldns_rr_compare(ldns_rr_list_rr(match->of, i), rr) == 0)
			return true;
	return false;
}

static bool is_of_type(const ldns_rr *rr, void *arg)
{
	const struct match *match = arg;

	return ldns_rr_get_type(rr) == match->type && is_at(rr, match->child);
}

static bool is_named_ns(const ldns_rr *rr, void *arg)
{
	const struct match *match = arg;
	bool found = false;

	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NS || !is_at(rr, match->child))
		return false;
	for (size_t i = 0; !found && i < match->damage->ns_count; i++) {
		ldns_rdf *name = ldns_dname_new_frm_str(match->damage->ns[i]);

		found = name && ldns_dname_compare(ldns_rr_rdf(rr, 0), name) == 0;
		ldns_rdf_deep_free(name);
	}
	return found;
}

int delegation_restore(ldns_rr_list *rrs, const char *child, const ldns_rr_list *records, struct err *err)
{
	ldns_rr_list *now = delegation_records(rrs, child), *missing = ldns_rr_list_new();
	struct match match = {.of = now};

	if (!now || !missing) {
		ldns_rr_list_free(now);
		ldns_rr_list_free(missing);
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	}
	remove_if(rrs, is_among, &match);
	match.of = records; /* addresses of nameservers that were not found, as the NS records were away */
	remove_if(rrs, is_among, &match);
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++)
		ldns_rr_list_push_rr(rrs, ldns_rr_clone(ldns_rr_list_rr(records, i)));
	ldns_rr_list_deep_free(now);
	ldns_rr_list_free(missing);
	return 0;
}

static int nothing(const struct delegation_damage *damage, const char *what, struct err *err)
{
	return err_set(err, -EINVAL, LOC_NONE, "the parent has no %s of %s", what, damage->child);
}

static int add_ns(ldns_rr_list *rrs, const struct delegation_damage *damage, struct err *err)
{
	static const char *const nowhere[] = {"ns1.nowhere.invalid", "ns2.nowhere.invalid"};
	const char *const *names = damage->ns_count ? damage->ns : nowhere;
	size_t count = damage->ns_count ? damage->ns_count : ARRAY_LEN(nowhere);

	for (size_t i = 0; i < count; i++) {
		char line[1200];
		ldns_rr *rr = NULL;

		snprintf(line, sizeof(line), "%s. 172800 IN NS %s.", damage->child, names[i]);
		if (rr_from_text(&rr, line, 0, NULL) != LDNS_STATUS_OK)
			return err_set(err, -EINVAL, LOC_NONE, "'%s' is no name of a nameserver", names[i]);
		ldns_rr_list_push_rr(rrs, rr);
	}
	return 0;
}

static int make_glue_stale(ldns_rr_list *rrs, const ldns_rdf *child, const struct delegation_damage *damage,
			   struct err *err)
{
	size_t changed = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(rrs, i);
		int family = ldns_rr_get_type(rr) == LDNS_RR_TYPE_A ? AF_INET : AF_INET6;
		const struct address *address = addresses_first(damage->addresses, family);
		ldns_rdf *rdf = NULL;

		if (!is_address(rr) || !is_nameserver_of(ldns_rr_owner(rr), rrs, child))
			continue;
		if (ldns_str2rdf_a(&rdf, address ? address->text : "192.0.2.254") != LDNS_STATUS_OK && address)
			ldns_str2rdf_aaaa(&rdf, address->text);
		if (family == AF_INET6 && !address)
			ldns_rdf_deep_free(rdf), ldns_str2rdf_aaaa(&rdf, "2001:db8:dead::1");
		ldns_rdf_deep_free(ldns_rr_set_rdf(rr, rdf, 0));
		changed++;
	}
	return changed ? 0 : nothing(damage, "glue", err);
}

static ldns_rr *find_ds(const ldns_rr_list *rrs, const ldns_rdf *child)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(rrs, i)) == LDNS_RR_TYPE_DS &&
		    is_at(ldns_rr_list_rr(rrs, i), child))
			return ldns_rr_list_rr(rrs, i);
	return NULL;
}

static int add_fresh_ds(ldns_rr_list *rrs, const char *child, unsigned algorithm, uint32_t ttl, struct err *err)
{
	struct dnssec_key *key;
	int r = dnssec_key_new(child, algorithm, true, &key, err);
	ldns_rr *ds;

	if (r < 0)
		return r;
	ds = dnssec_key_ds(key->dnskey, ttl);
	dnssec_key_free(key);
	if (!ds || !ldns_rr_list_push_rr(rrs, ds))
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	return 0;
}

static int damage_ds(ldns_rr_list *rrs, const ldns_rdf *child, const struct delegation_damage *damage, struct err *err)
{
	struct match match = {.child = child, .type = LDNS_RR_TYPE_DS};
	ldns_rr *ds = find_ds(rrs, child);
	unsigned algorithm = ds ? ldns_rdf2native_int8(ldns_rr_rdf(ds, 1)) : 13;
	uint32_t ttl = ds ? ldns_rr_ttl(ds) : 86400;

	if (damage->what == DELEGATION_DS_LEFT_BEHIND)
		return add_fresh_ds(rrs, damage->child, algorithm, ttl, err);
	if (!ds)
		return nothing(damage, "DS", err);
	if (damage->what == DELEGATION_DS_WRONG) {
		for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
			if (is_of_type(ldns_rr_list_rr(rrs, i), &match))
				ldns_rdf_data(ldns_rr_rdf(ldns_rr_list_rr(rrs, i), 3))[0] ^= 1;
		return 0;
	}
	remove_if(rrs, is_of_type, &match);
	return damage->what == DELEGATION_DS_NEXT ? add_fresh_ds(rrs, damage->child, algorithm, ttl, err) : 0;
}

static int damage_it(ldns_rr_list *rrs, const ldns_rdf *child, const struct delegation_damage *damage, struct err *err)
{
	struct match match = {.child = child, .type = LDNS_RR_TYPE_NS, .damage = damage};
	ldns_rr_list *all;
	size_t removed;

	switch (damage->what) {
	case DELEGATION_HOLD:
		match.of = all = delegation_records(rrs, damage->child);
		removed = remove_if(rrs, is_among, &match);
		ldns_rr_list_deep_free(all);
		return removed ? 0 : nothing(damage, "delegation", err);
	case DELEGATION_NS_REMOVED:
		return remove_if(rrs, is_named_ns, &match) ? 0 : nothing(damage, "such NS record", err);
	case DELEGATION_NS_WRONG:
		removed = remove_if(rrs, is_of_type, &match);
		return removed ? add_ns(rrs, damage, err) : nothing(damage, "NS record", err);
	case DELEGATION_GLUE_STALE:
		return make_glue_stale(rrs, child, damage, err);
	case DELEGATION_DS_REMOVED:
	case DELEGATION_DS_WRONG:
	case DELEGATION_DS_NEXT:
	case DELEGATION_DS_LEFT_BEHIND:
		return damage_ds(rrs, child, damage, err);
	}
	return 0;
}

int delegation_damage(ldns_rr_list *rrs, const struct delegation_damage *damage, struct err *err)
{
	ldns_rdf *child = ldns_dname_new_frm_str(damage->child);
	int r = child ? damage_it(rrs, child, damage, err) : err_set(err, -EINVAL, LOC_NONE, "no domain name");

	ldns_rdf_deep_free(child);
	return r;
}
