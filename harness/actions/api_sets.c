/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/api_sets.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "harness/base/rr.h"

static int compare_sets(const struct api_record *a, const struct api_record *b)
{
	int r = strcmp(a->name, b->name);

	return r ? r : strcmp(a->type, b->type);
}

static int compare_records(const void *a, const void *b)
{
	const struct api_record *one = a, *other = b;
	int r = compare_sets(one, other);

	return r ? r : strcmp(one->data, other->data);
}

static struct api_record record_of(const ldns_rr *rr, struct arena *arena)
{
	char *name = ldns_rdf2str(ldns_rr_owner(rr)), *type = ldns_rr_type2str(ldns_rr_get_type(rr));
	struct api_record ret = {
		.name = arena_strdup(arena, name ? name : ""),
		.type = arena_strdup(arena, type ? type : ""),
		.data = zone_rdata_text(rr, arena),
		.ttl = ldns_rr_ttl(rr),
	};

	free(name);
	free(type);
	return ret;
}

struct api_records api_records_of(const ldns_rr_list *rrs, struct arena *arena)
{
	size_t count = ldns_rr_list_rr_count(rrs);
	struct api_records ret = {.v = ARENA_ARRAY(arena, struct api_record, count + 1), .count = count};

	for (size_t i = 0; i < count; i++) {
		ldns_rr *rr = ldns_rr_clone(ldns_rr_list_rr(rrs, i));

		ldns_rr2canonical(rr);
		ret.v[i] = record_of(rr, arena);
		ldns_rr_free(rr);
	}
	qsort(ret.v, count, sizeof(*ret.v), compare_records);
	return ret;
}

static int read_record(const char *name, const char *type, json_int_t ttl, const json_t *record, ldns_rr_list *rrs,
		       struct err *err)
{
	const char *data = json_string_value(json_object_get(record, "content"));
	struct buf line = {0};
	ldns_rr *rr = NULL;
	ldns_status status;

	if (!data)
		return err_set(err, -EINVAL, LOC_NONE, "a record of %.100s %.20s without content", name, type);
	buf_printf(&line, "%s %lld IN %s %s", name, (long long)ttl, type, data);
	status = line.failed ? LDNS_STATUS_MEM_ERR : rr_from_text(&rr, line.data, 0, NULL);
	buf_fini(&line);
	if (status != LDNS_STATUS_OK || !ldns_rr_list_push_rr(rrs, rr))
		return err_set(err, -EINVAL, LOC_NONE, "%.100s %.20s '%.60s': %s", name, type, data,
			       ldns_get_errorstr_by_id(status));
	return 0;
}

static int read_set(const json_t *set, ldns_rr_list *rrs, struct err *err)
{
	const char *name = json_string_value(json_object_get(set, "name"));
	const char *type = json_string_value(json_object_get(set, "type"));
	json_int_t ttl = json_integer_value(json_object_get(set, "ttl"));
	const json_t *record;
	int r = 0;
	size_t i;

	if (!name || !type)
		return err_set(err, -EINVAL, LOC_NONE, "a record set without name or type");
	json_array_foreach(json_object_get(set, "records"), i, record)
	{
		r = r ? r : read_record(name, type, ttl, record, rrs, err);
	}
	return r;
}

static bool is_name(const char *name, const char *zone)
{
	size_t len = strlen(zone);

	return !strncasecmp(name, zone, len) && (!name[len] || !strcmp(name + len, "."));
}

static int read_zone(const json_t *root, const char *zone, ldns_rr_list *rrs, struct err *err)
{
	const char *name = json_string_value(json_object_get(root, "name"));
	const json_t *sets = json_object_get(root, "rrsets"), *set;
	int r = 0;
	size_t i;

	if (!name || !json_is_array(sets))
		return err_set(err, -EINVAL, LOC_NONE, "JSON without %s", name ? "rrsets" : "a zone's name");
	if (!is_name(name, zone))
		return err_set(err, -EINVAL, LOC_NONE, "another zone, %.100s", name);
	json_array_foreach(sets, i, set)
	{
		r = r ? r : read_set(set, rrs, err);
	}
	return r;
}

int api_records_read(const char *json, size_t len, const char *zone, struct arena *arena, struct api_records *ret,
		     struct err *err)
{
	json_error_t why;
	json_t *root = json_loadb(json, len, 0, &why);
	ldns_rr_list *rrs = ldns_rr_list_new();
	int r;

	if (!root)
		r = err_set(err, -EINVAL, LOC_NONE, "no JSON: line %d: %.100s", why.line, why.text);
	else if (!rrs)
		r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	else
		r = read_zone(root, zone, rrs, err);
	if (!r)
		*ret = api_records_of(rrs, arena);
	ldns_rr_list_deep_free(rrs);
	json_decref(root);
	return r;
}

int64_t api_records_serial(const struct api_records *records)
{
	unsigned long serial;

	for (size_t i = 0; i < records->count; i++) {
		if (!strcmp(records->v[i].type, "SOA") && sscanf(records->v[i].data, "%*s %*s %lu", &serial) == 1)
			return (int64_t)serial;
	}
	return -1;
}

/* ---- the difference ---- */

static size_t set_len(const struct api_records *records, size_t from)
{
	size_t i = from;

	while (i < records->count && !compare_sets(&records->v[from], &records->v[i]))
		i++;
	return i - from;
}

static bool is_same_set(const struct api_record *a, size_t a_len, const struct api_record *b, size_t b_len)
{
	for (size_t i = 0; i < a_len && a_len == b_len; i++) {
		if (strcmp(a[i].data, b[i].data) || a[i].ttl != b[i].ttl)
			return false;
	}
	return a_len == b_len;
}

static const char *dump(json_t *set, struct arena *arena)
{
	char *text = json_dumps(set, JSON_COMPACT);
	const char *ret = arena_strdup(arena, text ? text : "{}");

	free(text);
	json_decref(set);
	return ret;
}

/* count 0: it is to go. */
static const char *change(const struct api_record *set, size_t count, struct arena *arena)
{
	json_t *records = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(records, json_pack("{s:s,s:b}", "content", set[i].data, "disabled", 0));
	if (!count) {
		json_decref(records);
		return dump(json_pack("{s:s,s:s,s:s}", "name", set->name, "type", set->type, "changetype", "DELETE"),
			    arena);
	}
	return dump(json_pack("{s:s,s:s,s:I,s:s,s:o}", "name", set->name, "type", set->type, "ttl",
			      (json_int_t)set->ttl, "changetype", "REPLACE", "records", records),
		    arena);
}

struct walk {
	const struct api_records *from, *to;
	size_t from_at, to_at;
	struct api_changes *changes;
	const char *soa;
	struct arena *arena;
};

static void add_change(struct walk *walk, const struct api_record *set, size_t count)
{
	const char *text = change(set, count, walk->arena);

	if (!strcmp(set->type, "SOA"))
		walk->soa = text;
	else
		walk->changes->sets[walk->changes->count++] = text;
}

/* The next set of either; those that go in one walk, those that come or change in another. */
static void step(struct walk *walk, bool is_deleting)
{
	const struct api_record *from = &walk->from->v[walk->from_at], *to = &walk->to->v[walk->to_at];
	size_t from_len = set_len(walk->from, walk->from_at), to_len = set_len(walk->to, walk->to_at);
	int order = !from_len ? 1 : !to_len ? -1 : compare_sets(from, to);

	if (order <= 0)
		walk->from_at += from_len;
	if (order >= 0)
		walk->to_at += to_len;
	if (order < 0 && is_deleting)
		add_change(walk, from, 0);
	if (order >= 0 && !is_deleting && !(order == 0 && is_same_set(from, from_len, to, to_len)))
		add_change(walk, to, to_len);
}

struct api_changes api_difference(const struct api_records *from, const struct api_records *to, struct arena *arena)
{
	struct api_changes ret = {.sets = ARENA_ARRAY(arena, const char *, from->count + to->count + 1)};
	struct walk walk = {.from = from, .to = to, .changes = &ret, .arena = arena};

	while (walk.from_at < from->count || walk.to_at < to->count)
		step(&walk, true);
	walk.from_at = walk.to_at = 0;
	while (walk.from_at < from->count || walk.to_at < to->count)
		step(&walk, false);
	if (walk.soa)
		ret.sets[ret.count++] = walk.soa;
	return ret;
}

const char *api_patch(const struct api_changes *changes, size_t first, size_t count, struct arena *arena)
{
	struct buf out = {0};
	const char *ret;

	buf_puts(&out, "{\"rrsets\":[");
	for (size_t i = first; i < first + count && i < changes->count; i++)
		buf_printf(&out, "%s%s", i > first ? "," : "", changes->sets[i]);
	buf_puts(&out, "]}");
	ret = arena_strdup(arena, out.failed ? "{}" : out.data);
	buf_fini(&out);
	return ret;
}
