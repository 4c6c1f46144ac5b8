/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/array.h"
#include "harness/plan/zone_private.h"
#include "harness/plan/zone_reader.h"

#define ZONE_FILE_MAX (256u << 20)

const struct zone_private *zone_private(const struct zone *zone)
{
	return (const struct zone_private *)(const void *)zone;
}

bool zone_is_below(const ldns_rdf *name, const ldns_rdf *parent)
{
	/* ldns says so of a name and itself, if they differ in case. */
	return ldns_dname_label_count(name) > ldns_dname_label_count(parent) && ldns_dname_is_subdomain(name, parent);
}

/* ---- the index ---- */

static int compare_key(const struct zone_item *item, const ldns_rdf *owner, ldns_rr_type type)
{
	int by_owner = ldns_dname_compare(ldns_rr_owner(item->rr), owner);

	if (by_owner)
		return by_owner;
	return (ldns_rr_get_type(item->rr) > type) - (ldns_rr_get_type(item->rr) < type);
}

static int compare_items(const void *a, const void *b)
{
	const struct zone_item *x = a, *y = b;
	int by_key = compare_key(x, ldns_rr_owner(y->rr), ldns_rr_get_type(y->rr));

	return by_key ? by_key : (x->line > y->line) - (x->line < y->line);
}

/* Of the first item that is not before owner and type. */
static size_t lower_bound(const struct zone_private *zone, const ldns_rdf *owner, ldns_rr_type type)
{
	size_t low = 0, high = zone->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_key(&zone->items[middle], owner, type) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t zone_find(const struct zone_private *zone, const ldns_rdf *owner, ldns_rr_type type, size_t *ret_first)
{
	size_t first = lower_bound(zone, owner, type), end = first;

	while (end < zone->count && !compare_key(&zone->items[end], owner, type))
		end++;
	*ret_first = first;
	return end - first;
}

bool zone_has_name(const struct zone_private *zone, const ldns_rdf *owner)
{
	/* In canonical order what lies below a name follows it at once. */
	size_t i = lower_bound(zone, owner, (ldns_rr_type)0);

	return i < zone->count && (!ldns_dname_compare(ldns_rr_owner(zone->items[i].rr), owner) ||
				   zone_is_below(ldns_rr_owner(zone->items[i].rr), owner));
}

ldns_rdf *zone_cut_above(const struct zone_private *zone, const ldns_rdf *name)
{
	ldns_rdf *cut = NULL, *at = ldns_rdf_clone(name);
	size_t first;

	while (at && zone_is_below(at, zone->apex)) {
		ldns_rdf *up;

		if (zone_find(zone, at, LDNS_RR_TYPE_NS, &first)) {
			ldns_rdf_deep_free(cut);
			cut = ldns_rdf_clone(at);
		}
		up = ldns_dname_left_chop(at);
		ldns_rdf_deep_free(at);
		at = up;
	}
	ldns_rdf_deep_free(at);
	return cut;
}

/* ---- loading ---- */

/* The whole file; NULL with err. */
static char *read_whole(const char *path, struct loc where, size_t *ret_len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *data = NULL;
	struct stat st;
	size_t got = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st)) {
		err_set(err, -errno, where, "cannot read zone file '%s': %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, -EINVAL, where, "cannot read zone file '%s': not a regular file", path);
		goto out;
	}
	if (st.st_size > (off_t)ZONE_FILE_MAX) {
		err_set(err, -EFBIG, where, "zone file '%s' has %jd MiB; at most %u can be read", path,
			(intmax_t)(st.st_size >> 20), ZONE_FILE_MAX >> 20);
		goto out;
	}
	data = malloc((size_t)st.st_size + 1);
	while (data && got < (size_t)st.st_size && (n = read(fd, data + got, (size_t)st.st_size - got)) > 0)
		got += (size_t)n;
	if (!data || n < 0) {
		err_set(err, -EIO, where, "cannot read zone file '%s': %s", path, strerror(errno));
		free(TAKE(data));
	}
	*ret_len = got;
out:
	if (fd >= 0)
		close(fd);
	return data;
}

static bool is_in_zone(const struct zone_private *zone, const ldns_rdf *owner)
{
	return !ldns_dname_compare(owner, zone->apex) || zone_is_below(owner, zone->apex);
}

/* Takes rr over. */
static int add_record(struct zone_private *zone, size_t *cap, ldns_rr *rr, unsigned line, struct errs *errs)
{
	struct loc loc = {zone->file, line, 0};

	if (!is_in_zone(zone, ldns_rr_owner(rr))) {
		char *owner = ldns_rdf2str(ldns_rr_owner(rr));

		errs_add(errs, loc,
			 "%s lies outside of the zone %s; a name without a dot at its end is relative to $ORIGIN",
			 owner ? owner : "the owner", zone->name);
		free(owner);
		ldns_rr_free(rr);
		return 0;
	}
	if (array_reserve((void **)&zone->items, cap, zone->count + 1, sizeof(*zone->items)) ||
	    !ldns_rr_list_push_rr(zone->zone.rrs, rr)) {
		ldns_rr_free(rr);
		errs_add(errs, loc, "out of memory");
		return -ENOMEM;
	}
	zone->items[zone->count++] = (struct zone_item){rr, line};
	return 0;
}

static int read_records(struct zone_private *zone, const char *data, size_t len, struct errs *errs)
{
	struct zone_reader reader = {
		.data = data, .len = len, .file = zone->file, .origin = ldns_rdf_clone(zone->apex)};
	size_t cap = 0;
	int r;

	do {
		struct err err = {0};
		ldns_rr *rr;

		r = zone_reader_next(&reader, &rr, &err);
		if (r < 0)
			errs_add_err(errs, &err);
		else if (r > 0 && add_record(zone, &cap, rr, reader.line, errs))
			break;
	} while (r);
	zone_reader_fini(&reader);
	if (zone->count)
		qsort(zone->items, zone->count, sizeof(*zone->items), compare_items);
	return r;
}

/* Everybody expects the SOA in front. */
static void put_soa_first(struct zone_private *zone)
{
	size_t first;

	if (!zone_find(zone, zone->apex, LDNS_RR_TYPE_SOA, &first))
		return;
	for (size_t i = 0; i < ldns_rr_list_rr_count(zone->zone.rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(zone->zone.rrs, i);

		if (rr != zone->items[first].rr)
			continue;
		ldns_rr_list_set_rr(zone->zone.rrs, ldns_rr_list_rr(zone->zone.rrs, 0), i);
		ldns_rr_list_set_rr(zone->zone.rrs, rr, 0);
		return;
	}
}

static struct zone_private *zone_new(const char *name, const char *path)
{
	struct zone_private *zone = calloc(1, sizeof(*zone));

	if (!zone)
		return NULL;
	zone->name = strdup(name);
	zone->file = strdup(path);
	zone->apex = ldns_dname_new_frm_str(name);
	zone->zone.rrs = ldns_rr_list_new();
	if (!zone->name || !zone->file || !zone->apex || !zone->zone.rrs) {
		zone_free(&zone->zone);
		return NULL;
	}
	zone->zone.name = zone->name;
	zone->zone.file = zone->file;
	return zone;
}

struct zone *zone_load_bytes(const char *name, const char *path, const char *data, size_t len, struct errs *errs)
{
	size_t before = errs->count + errs->dropped, first;
	struct zone_private *zone = zone_new(name, path);

	if (!zone)
		errs_add(errs, LOC_NONE, "out of memory");
	else if (!read_records(zone, data, len, errs))
		zone_check(zone, errs->count + errs->dropped == before, errs);
	if (errs->count + errs->dropped > before) {
		zone_free(zone ? &zone->zone : NULL);
		return NULL;
	}
	put_soa_first(zone);
	zone->zone.is_signed = zone_find(zone, zone->apex, LDNS_RR_TYPE_DNSKEY, &first) &&
			       zone_find(zone, zone->apex, LDNS_RR_TYPE_RRSIG, &first);
	return &zone->zone;
}

struct zone *zone_load(const char *name, const char *path, struct loc where, struct errs *errs)
{
	size_t len = 0;
	struct err err = {0};
	struct zone *zone;
	char *data = read_whole(path, where, &len, &err);

	if (!data) {
		errs_add_err(errs, &err);
		return NULL;
	}
	zone = zone_load_bytes(name, path, data, len, errs);
	free(data);
	return zone;
}

void zone_free(struct zone *zone)
{
	struct zone_private *private = (struct zone_private *)(void *)zone;

	if (!zone)
		return;
	ldns_rr_list_deep_free(zone->rrs);
	ldns_rdf_deep_free(private->apex);
	free(private->items);
	free(private->name);
	free(private->file);
	free(private);
}
