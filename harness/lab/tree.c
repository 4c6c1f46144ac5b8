/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/tree.h"
#include "harness/base/fd.h"
#include "harness/lab/tree_internal.h"
#include "harness/plan/catalog.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#define SERIAL "2026010101"
#define TTL_HINT 3600000 /* as in the internet's own hints file */

static bool has_child(const struct topology *topology, const struct topo_zone *zone)
{
	for (size_t i = 0; i < topology->zone_count; i++)
		if (topology->zones[i].parent == zone)
			return true;
	return false;
}

/* The zone a DNS name belongs to. */
static size_t enclosing_zone(const struct topology *topology, const char *name)
{
	size_t best = 0;

	for (size_t i = 1; i < topology->zone_count; i++) {
		const struct topo_zone *zone = &topology->zones[i];

		/* Of two zones above one name, the longer is the closer. The root is "." and always first. */
		if (tree_is_below(name, zone->name) &&
		    (best == 0 || strlen(zone->name) > strlen(topology->zones[best].name)))
			best = i;
	}
	return best;
}

static int add_apex_ns(const struct tree *tree, const struct topo_zone *zone, ldns_rr_list *list, unsigned ttl,
		       struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < zone->ns_count; i++)
		r = tree_add(list, err, "%s %u IN NS %s", tree_fqdn(tree, zone->name), ttl,
			     tree_fqdn(tree, zone->ns[i]->hostname));
	return r;
}

/* Timers as the real ones have them: the root's negative answers live a day, those of a TLD a quarter of an hour. */
static int generate_zone(const struct tree *tree, const struct topo_zone *zone, ldns_rr_list *list, struct err *err)
{
	bool is_root = !strcmp(zone->name, ".");
	bool is_registry = is_root || has_child(tree->topology, zone);
	unsigned soa_ttl = is_root ? TTL_DAY : 900;
	const char *apex = tree_fqdn(tree, zone->name);
	int r;

	if (!zone->ns_count)
		return err_set(err, -EINVAL, LOC_NONE, "zone %s has no nameserver", zone->name);
	r = tree_add(list, err, "%s %u IN SOA %s hostmaster.%s %s 1800 900 604800 %u", apex, soa_ttl,
		     tree_fqdn(tree, zone->ns[0]->hostname), is_root ? "" : apex, SERIAL, soa_ttl);
	return r < 0 ? r : add_apex_ns(tree, zone, list, is_registry ? TTL_DELEGATION : TTL_DAY, err);
}

/* A plan's zone as the lab changes it: the apex NS set of the lab in place of the file's. */
static int copy_plan_zone(const struct tree *tree, const struct topo_zone *zone, ldns_rr_list *list, struct err *err)
{
	const ldns_rr_list *rrs = zone->spec->zone->rrs;
	ldns_rdf *apex = ldns_dname_new_frm_str(zone->name);
	bool is_replaced = zone->spec->apex_ns == APEX_NS_FROM_LAB;
	unsigned ttl = 3600;
	bool has_failed = !apex;

	for (size_t i = 0; !has_failed && i < ldns_rr_list_rr_count(rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);
		bool is_apex_ns =
			ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS && ldns_dname_compare(ldns_rr_owner(rr), apex) == 0;

		if (is_apex_ns)
			ttl = ldns_rr_ttl(rr);
		if (!is_apex_ns || !is_replaced)
			has_failed = !ldns_rr_list_push_rr(list, ldns_rr_clone(rr));
	}
	ldns_rdf_deep_free(apex);
	if (has_failed)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	return is_replaced ? add_apex_ns(tree, zone, list, ttl, err) : 0;
}

/* Whether what is written differs from the plan's file. A zone signed in its file is never touched. */
static bool is_changed(const struct tree *tree, const struct topo_zone *zone)
{
	const struct topology *topology = tree->topology;

	if (!zone->spec)
		return true;
	if (zone->has_signature)
		return false;
	if (zone->spec->apex_ns == APEX_NS_FROM_LAB || has_child(topology, zone))
		return true;
	for (size_t i = 0; i < topology->host_count; i++) {
		const char *hostname = topology->hosts[i].hostname;

		if (hostname && &topology->zones[enclosing_zone(topology, hostname)] == zone)
			return true;
	}
	return false;
}

static int make_zone(struct tree *tree, size_t i, struct err *err)
{
	const struct topo_zone *zone = &tree->topology->zones[i];

	if (!is_changed(tree, zone))
		return 0;
	tree->zones[i] = ldns_rr_list_new();
	if (!tree->zones[i])
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	return zone->spec ? copy_plan_zone(tree, zone, tree->zones[i], err)
			  : generate_zone(tree, zone, tree->zones[i], err);
}

/* The names of nameservers resolve in the lab: their addresses stand in the zone they belong to, unless its file has some. */
static int add_bearers(struct tree *tree, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < tree->topology->host_count; i++) {
		const struct topo_host *host = &tree->topology->hosts[i];
		ldns_rr_list *list;
		size_t zone;

		if (!host->hostname)
			continue;
		zone = enclosing_zone(tree->topology, host->hostname);
		list = tree->zones[zone];
		if (list && !tree_has(list, host->hostname, LDNS_RR_TYPE_A) &&
		    !tree_has(list, host->hostname, LDNS_RR_TYPE_AAAA))
			r = tree_add_addresses(tree, list, host, zone == 0 ? TTL_DELEGATION : TTL_DAY, err);
	}
	return r;
}

/* The keys by which a parent names a zone that was signed in its file: those with the SEP flag (RFC 4034 section 2.1.1), else all. */
static ldns_rr_list *file_keys(const struct topo_zone *zone)
{
	const ldns_rr_list *rrs = zone->spec->zone->rrs;
	ldns_rr_list *keys = ldns_rr_list_new();

	for (int sep = LDNS_KEY_SEP_KEY; keys && sep >= 0 && !ldns_rr_list_rr_count(keys); sep -= LDNS_KEY_SEP_KEY) {
		for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
			const ldns_rr *rr = ldns_rr_list_rr(rrs, i);

			if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY &&
			    (ldns_rdf2native_int16(ldns_rr_dnskey_flags(rr)) & sep) == sep)
				ldns_rr_list_push_rr(keys, ldns_rr_clone(rr));
		}
	}
	return keys;
}

static const char *zone_path(const struct tree *tree, size_t i)
{
	const char *name = tree->topology->zones[i].name;
	char *path = arena_printf(tree->arena, "%s/%s.zone", tree->dir, strcmp(name, ".") ? name : "root");
	bool is_mangled = false;

	/* Names may hold any byte; RFC 2317 puts "/" into reverse zones. */
	for (char *p = path + strlen(tree->dir) + 1; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr(".-_", *p)) {
			*p = '_';
			is_mangled = true;
		}
	}
	return is_mangled ? arena_printf(tree->arena, "%s.%zu", path, i) : path;
}

/* Children were written before: their keys are known. */
static int write_zone(struct tree *tree, size_t i, const char *path, struct err *err)
{
	const struct topology *topology = tree->topology;
	const struct topo_zone *zone = &topology->zones[i];
	int r = 0;

	for (size_t child = 0; r == 0 && child < topology->zone_count; child++)
		if (topology->zones[child].parent == zone)
			r = tree_delegate(tree, child, i, err);
	if (r < 0)
		return r;
	if (zone->sign && !zone->has_signature)
		return tree_write_signed(tree, i, path, err);
	if (zone->has_signature)
		tree->secure_entry[i] = file_keys(zone);
	return tree_write_plain(tree_records(tree, i), path, err);
}

static int write_hints(const struct tree *tree, const char *path, struct err *err)
{
	const struct topo_zone *root = &tree->topology->zones[0];
	ldns_rr_list *list = ldns_rr_list_new();
	int r = list ? add_apex_ns(tree, root, list, TTL_HINT, err) : err_set(err, -ENOMEM, LOC_NONE, "out of memory");

	for (size_t i = 0; r == 0 && i < root->ns_count; i++)
		r = tree_add_addresses(tree, list, root->ns[i], TTL_HINT, err);
	if (r == 0)
		r = tree_write_plain(list, path, err);
	ldns_rr_list_deep_free(list);
	return r;
}

static int write_catalogs(const struct tree *tree, struct tree_files *files, struct err *err)
{
	const struct topology *topology = tree->topology;
	int r = 0;

	for (size_t i = 0; r == 0 && i < topology->host_count; i++) {
		struct catalog catalog;
		struct buf out = {0};

		catalog_of(topology, &topology->hosts[i], tree->arena, &catalog);
		if (!catalog.name)
			continue;
		files->catalog_files[i] = arena_printf(tree->arena, "%s/catalog.%zu", tree->dir, i);
		catalog_text(&catalog, CATALOG_SOUND, 0, 1, &out);
		r = fd_write_file(AT_FDCWD, files->catalog_files[i], out.data, out.len, 0644);
		buf_fini(&out);
		if (r < 0)
			err_set(err, r, LOC_NONE, "cannot write %s: %s", files->catalog_files[i], strerror(-r));
	}
	return r;
}

static int write_all(struct tree *tree, struct tree_files *files, struct err *err)
{
	const struct topology *topology = tree->topology;
	int r = 0;

	for (size_t i = 0; r == 0 && i < topology->zone_count; i++)
		r = make_zone(tree, i, err);
	if (r == 0)
		r = add_bearers(tree, err);
	for (size_t i = topology->zone_count; r == 0 && i-- > 0;) {
		files->zone_files[i] = zone_path(tree, i);
		r = write_zone(tree, i, files->zone_files[i], err);
		if (r < 0)
			err_wrap(err, "zone %s", topology->zones[i].name);
	}
	if (r == 0)
		r = write_catalogs(tree, files, err);
	if (r == 0)
		r = write_hints(tree, files->root_hints, err);
	if (r == 0 && files->trust_anchor && tree->secure_entry[0])
		r = tree_write_plain(tree->secure_entry[0], files->trust_anchor, err);
	return r;
}

int tree_write(const struct topology *topology, const char *dir, struct arena *arena, struct tree_files *ret,
	       struct err *err)
{
	struct tree tree = {.topology = topology, .arena = arena, .dir = dir};
	struct tree_files files = {
		.host_files = ARENA_ARRAY(arena, const char **, topology->zone_count + 1),
		.key_dirs = ARENA_ARRAY(arena, const char **, topology->zone_count + 1),
		.zone_files = ARENA_ARRAY(arena, const char *, topology->zone_count + 1),
		.catalog_files = ARENA_ARRAY(arena, const char *, topology->host_count + 1),
		.root_hints = arena_printf(arena, "%s/root.hints", dir),
		.trust_anchor = topology->is_signed ? arena_printf(arena, "%s/root.key", dir) : NULL,
	};
	int r;

	tree.files = &files;
	tree.zones = ARENA_ARRAY(arena, ldns_rr_list *, topology->zone_count + 1);
	tree.secure_entry = ARENA_ARRAY(arena, ldns_rr_list *, topology->zone_count + 1);
	r = write_all(&tree, &files, err);
	for (size_t i = 0; i < topology->zone_count; i++) {
		ldns_rr_list_deep_free(tree.zones[i]);
		ldns_rr_list_deep_free(tree.secure_entry[i]);
	}
	if (r == 0)
		*ret = files;
	return r;
}

static const char *of_host(const char **const *list, size_t zone, size_t host)
{
	return list && list[zone] ? list[zone][host] : NULL;
}

const char *tree_zone_file(const struct tree_files *files, size_t zone, size_t host)
{
	const char *own = of_host(files->host_files, zone, host);

	return own ? own : files->zone_files[zone];
}

const char *tree_catalog_file(const struct tree_files *files, size_t host)
{
	return files->catalog_files ? files->catalog_files[host] : NULL;
}

const char *tree_key_dir(const struct tree_files *files, size_t zone, size_t host)
{
	return of_host(files->key_dirs, zone, host);
}

void tree_check(const struct topology *topology, struct errs *errs)
{
	for (size_t i = 0; i < topology->zone_count; i++) {
		const struct topo_zone *zone = &topology->zones[i];
		ldns_rr_list *list;
		struct err err;

		if (!zone->spec || !zone->spec->delegation.value || !zone->parent)
			continue;
		list = ldns_rr_list_new();
		if (list && tree_parse_delegation(zone->spec, zone->parent->name, list, &err) < 0)
			errs_add_err(errs, &err);
		ldns_rr_list_deep_free(list);
	}
}
