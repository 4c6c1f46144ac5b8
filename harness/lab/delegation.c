/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/units.h"
#include "harness/dnssec/key.h"
#include "harness/lab/tree_internal.h"
#include <errno.h>
#include <string.h>

static bool has_lab_ns(const struct topo_zone *zone)
{
	return !zone->spec || zone->spec->apex_ns == APEX_NS_FROM_LAB;
}

static unsigned parent_ttl(const struct topo_zone *parent)
{
	return parent->spec ? 3600 : TTL_DELEGATION;
}

/* Addresses at the parent for a nameserver whose name lies below it: they could not be found without (RFC 9471), and registries give
 * those of siblings too. A name no host bears may have addresses in the child's own file. */
static int add_glue(struct tree *tree, size_t child, size_t parent, const char *target, struct err *err)
{
	const struct topo_zone *up = &tree->topology->zones[parent];
	const struct topo_host *bearer = tree_bearer(tree->topology, target);
	const ldns_rr_list *rrs = tree_records(tree, child);
	int r = 0;

	if (!tree_is_below(target, up->name) || tree_has(tree->zones[parent], target, LDNS_RR_TYPE_A) ||
	    tree_has(tree->zones[parent], target, LDNS_RR_TYPE_AAAA))
		return 0;
	if (bearer)
		return tree_add_addresses(tree, tree->zones[parent], bearer, parent_ttl(up), err);
	for (size_t i = 0; r == 0 && i < ldns_rr_list_rr_count(rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);
		ldns_rdf *name = ldns_dname_new_frm_str(target);

		if ((ldns_rr_get_type(rr) == LDNS_RR_TYPE_A || ldns_rr_get_type(rr) == LDNS_RR_TYPE_AAAA) &&
		    ldns_dname_compare(ldns_rr_owner(rr), name) == 0)
			r = tree_push(tree->zones[parent], ldns_rr_clone(rr), err);
		ldns_rdf_deep_free(name);
	}
	return r;
}

static int add_ns(struct tree *tree, size_t child, size_t parent, const char *target, struct err *err)
{
	const struct topo_zone *zone = &tree->topology->zones[child];
	int r = tree_add(tree->zones[parent], err, "%s %u IN NS %s", tree_fqdn(tree, zone->name),
			 parent_ttl(&tree->topology->zones[parent]), tree_fqdn(tree, target));

	return r < 0 ? r : add_glue(tree, child, parent, target, err);
}

static int add_ns_of_file(struct tree *tree, size_t child, size_t parent, struct err *err)
{
	const struct topo_zone *zone = &tree->topology->zones[child];
	const ldns_rr_list *rrs = tree_records(tree, child);
	ldns_rdf *apex = ldns_dname_new_frm_str(zone->name);
	int r = 0;

	for (size_t i = 0; r == 0 && i < ldns_rr_list_rr_count(rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);
		char *target;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NS || ldns_dname_compare(ldns_rr_owner(rr), apex) != 0)
			continue;
		target = ldns_rdf2str(ldns_rr_ns_nsdname(rr));
		r = target ? add_ns(tree, child, parent, target, err)
			   : err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		free(target);
	}
	ldns_rdf_deep_free(apex);
	return r;
}

static int add_ns_of_lab(struct tree *tree, size_t child, size_t parent, struct err *err)
{
	const struct topo_zone *zone = &tree->topology->zones[child];
	int r = 0;

	for (size_t i = 0; r == 0 && i < zone->ns_count; i++)
		r = add_ns(tree, child, parent, zone->ns[i]->hostname, err);
	return r;
}

static int add_ds(struct tree *tree, size_t child, size_t parent, struct err *err)
{
	const ldns_rr_list *keys = tree->secure_entry[child];
	uint32_t ttl = (uint32_t)(tree->topology->zones[child].signing->ds_ttl_ns / SEC);
	int r = 0;

	for (size_t i = 0; keys && r == 0 && i < ldns_rr_list_rr_count(keys); i++) {
		ldns_rr *ds = dnssec_key_ds(ldns_rr_list_rr(keys, i), ttl);

		if (!ds)
			return err_set(err, -EINVAL, LOC_NONE, "cannot make a DS record for %s",
				       tree->topology->zones[child].name);
		r = tree_push(tree->zones[parent], ds, err);
	}
	return r;
}

/* `@` is the parent's own name: records there would replace nothing and make a second NS set of the parent's. */
static int refuse_at_parent(const struct zone_spec *spec, const char *parent, const ldns_rr *rr, int line,
			    struct err *err)
{
	ldns_rdf *apex = ldns_dname_new_frm_str(parent);
	bool at_parent = apex && ldns_dname_compare(ldns_rr_owner(rr), apex) == 0;

	ldns_rdf_deep_free(apex);
	if (!at_parent)
		return 0;
	return err_set(err, -EINVAL, spec->delegation.loc,
		       "delegation of %s, line %d: this record is %s's own; names here are relative to %s, so write "
		       "%s. with a dot at "
		       "its end, not @",
		       spec->name.value, line, parent, parent, spec->name.value);
}

int tree_parse_delegation(const struct zone_spec *spec, const char *parent, ldns_rr_list *list, struct err *err)
{
	char *text = strdup(spec->delegation.value);
	FILE *in = text ? fmemopen(text, strlen(text) + 1, "r") : NULL;
	ldns_rdf *origin = ldns_dname_new_frm_str(parent), *previous = NULL;
	uint32_t ttl = TTL_DELEGATION;
	int line = 0, r = 0;

	while (in && r == 0 && !feof(in)) {
		ldns_rr *rr = NULL;
		ldns_status status = ldns_rr_new_frm_fp_l(&rr, in, &ttl, &origin, &previous, &line);

		if (status == LDNS_STATUS_OK) {
			r = refuse_at_parent(spec, parent, rr, line, err);
			if (r)
				ldns_rr_free(rr);
			else
				r = tree_push(list, rr, err);
		} else if (status != LDNS_STATUS_SYNTAX_EMPTY && status != LDNS_STATUS_SYNTAX_TTL &&
			   status != LDNS_STATUS_SYNTAX_ORIGIN)
			r = err_set(err, -EINVAL, spec->delegation.loc,
				    "delegation of %s, line %d: %s; expected records in zone file syntax",
				    spec->name.value, line ? line : 1, ldns_get_errorstr_by_id(status));
	}
	if (!in)
		r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	else
		fclose(in);
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	free(text);
	return r;
}

int tree_delegate(struct tree *tree, size_t child, size_t parent, struct err *err)
{
	const struct topo_zone *down = &tree->topology->zones[child], *up = &tree->topology->zones[parent];
	int r = 0;

	if (up->has_signature) /* signed by its owner: nothing may be added */
		return 0;
	if (down->spec && down->spec->delegation.value)
		return tree_parse_delegation(down->spec, up->name, tree->zones[parent], err);
	/* A parent from a file may delegate in words of its own. */
	if (!tree_has(tree->zones[parent], down->name, LDNS_RR_TYPE_NS))
		r = has_lab_ns(down) ? add_ns_of_lab(tree, child, parent, err)
				     : add_ns_of_file(tree, child, parent, err);
	if (r == 0 && up->sign && !tree_has(tree->zones[parent], down->name, LDNS_RR_TYPE_DS))
		r = add_ds(tree, child, parent, err);
	return r;
}
