/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/plan/zone_private.h"
#include "harness/plan/zone_reader.h"

#define ZONE_FILE_MAX (256u << 20)

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

int zone_add(struct zone_private *zone, ldns_rr *rr, unsigned line, struct errs *errs)
{
	struct loc loc = {zone->file, line, 0};
	int r = zone_index(zone, rr, line);

	if (!r && ldns_rr_list_push_rr(zone->zone.rrs, rr) && (!zone->own || ldns_rr_list_push_rr(zone->own, rr)))
		return 0;
	if (r == -EINVAL) {
		char *owner = ldns_rdf2str(ldns_rr_owner(rr));

		errs_add(errs, loc,
			 "%s lies outside of the zone %s; a name without a dot at its end is relative to $ORIGIN",
			 owner ? owner : "the owner", zone->name);
		free(owner);
	} else {
		errs_add(errs, loc, "out of memory");
	}
	ldns_rr_free(rr);
	return r == -EINVAL ? 0 : -ENOMEM;
}

static int read_records(struct zone_private *zone, const char *data, size_t len, struct errs *errs)
{
	struct zone_reader reader = {
		.data = data, .len = len, .file = zone->file, .origin = ldns_rdf_clone(zone->apex)};
	int r;

	do {
		struct err err = {0};
		ldns_rr *rr;

		r = zone_reader_next(&reader, &rr, &err);
		if (r < 0)
			errs_add_err(errs, &err);
		else if (r > 0 && zone_add(zone, rr, reader.line, errs))
			break;
	} while (r);
	zone_reader_fini(&reader);
	zone_sort(zone);
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

void zone_finish(struct zone_private *zone)
{
	size_t first;

	put_soa_first(zone);
	zone->zone.is_signed = zone_find(zone, zone->apex, LDNS_RR_TYPE_DNSKEY, &first) &&
			       zone_find(zone, zone->apex, LDNS_RR_TYPE_RRSIG, &first);
}

struct zone_private *zone_new(const char *name, const char *file)
{
	struct zone_private *zone = calloc(1, sizeof(*zone));

	if (!zone)
		return NULL;
	zone->name = strdup(name);
	zone->file = strdup(file);
	zone->apex = ldns_dname_new_frm_str(name);
	zone->zone.rrs = ldns_rr_list_new();
	zone->keys = arena_new();
	if (!zone->name || !zone->file || !zone->apex || !zone->zone.rrs) {
		zone_free(&zone->zone);
		return NULL;
	}
	zone->apex_size = ldns_rdf_size(zone->apex);
	zone->zone.name = zone->name;
	zone->zone.file = zone->file;
	return zone;
}

struct zone *zone_load_bytes(const char *name, const char *path, const char *data, size_t len, struct errs *errs)
{
	size_t before = errs->count + errs->dropped;
	struct zone_private *zone = zone_new(name, path);

	if (!zone)
		errs_add(errs, LOC_NONE, "out of memory");
	else if (!read_records(zone, data, len, errs))
		zone_check(zone, errs->count + errs->dropped == before, errs);
	if (errs->count + errs->dropped > before) {
		zone_free(zone ? &zone->zone : NULL);
		return NULL;
	}
	zone_finish(zone);
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
	if (private->own) {
		ldns_rr_list_deep_free(private->own);
		ldns_rr_list_free(zone->rrs);
	} else {
		ldns_rr_list_deep_free(zone->rrs);
	}
	arena_free(private->keys);
	ldns_rdf_deep_free(private->apex);
	free(private->items);
	free(private->name);
	free(private->file);
	free(private);
}
