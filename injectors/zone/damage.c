/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/zone/damage.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

const char *const damage_names[] = {"none",         "truncated",     "empty", "missing", "typo",        "missing-dot",
				    "wrong-origin", "cname-at-apex", "ttl",   "ns",      "not-applied", NULL};

struct line { /* of the text: fields[i] has lens[i] bytes */
	const char *fields[5]; /* owner, TTL, class, type, data */
	size_t lens[5];
};
enum { OWNER, TTL, CLASS, TYPE, DATA, FIELDS };

/* The next line; false at the end. */
static bool next_line(const char **io, const char *end, struct line *ret)
{
	const char *p = *io, *stop;

	if (p >= end)
		return false;
	stop = memchr(p, '\n', (size_t)(end - p));
	stop = stop ? stop : end;
	*io = stop + 1;
	*ret = (struct line){0};
	for (int i = 0; i < FIELDS; i++) {
		const char *tab = i < DATA && p < stop ? memchr(p, '\t', (size_t)(stop - p)) : NULL;

		ret->fields[i] = p;
		ret->lens[i] = (size_t)((tab ? tab : stop) - p);
		p = tab ? tab + 1 : stop;
	}
	return true;
}

static bool is_text(const struct line *line, int field, const char *text)
{
	return line->lens[field] == strlen(text) && !strncasecmp(line->fields[field], text, line->lens[field]);
}

static bool is_name(const struct line *line, const char *name)
{
	size_t len = line->lens[OWNER];

	return len && !strncasecmp(line->fields[OWNER], name, len - 1) && strlen(name) == len - 1;
}

static bool is_meant(const struct damage_args *args, const struct line *line)
{
	return is_name(line, args->name) && (!args->type || is_text(line, TYPE, args->type)) &&
	       !is_text(line, TYPE, "SOA");
}

static void add_line(const struct line *line, struct buf *out)
{
	for (int i = 0; i < FIELDS; i++) {
		buf_add(out, line->fields[i], line->lens[i]);
		buf_putc(out, i < DATA ? '\t' : '\n');
	}
}

/* The SOA's data with its third word, the serial, exchanged. */
static void add_soa(const struct damage_args *args, const struct line *line, struct buf *out)
{
	const char *p = line->fields[DATA], *end = p + line->lens[DATA];

	buf_add(out, line->fields[OWNER], (size_t)(line->fields[DATA] - line->fields[OWNER]));
	for (int word = 0; word < 2 && p < end; word++) {
		size_t len = strcspn(p, " \n");

		buf_add(out, p, len);
		buf_putc(out, ' ');
		p += len + 1;
	}
	buf_printf(out, "%u", args->serial);
	p += strcspn(p, " \n");
	if (p < end)
		buf_add(out, p, (size_t)(end - p));
	buf_putc(out, '\n');
}

static void add_with(const struct line *line, int field, const char *text, struct buf *out)
{
	struct line changed = *line;

	changed.fields[field] = text;
	changed.lens[field] = strlen(text);
	add_line(&changed, out);
}

static void add_other_origin(const struct damage_args *args, const struct line *line, struct buf *out)
{
	size_t zone = strlen(args->zone) + 1, own = line->lens[OWNER] > zone ? line->lens[OWNER] - zone : 0;
	struct buf owner = {0};

	buf_add(&owner, line->fields[OWNER], own);
	buf_printf(&owner, "%s.", args->origin);
	add_with(line, OWNER, owner.data ? owner.data : "", out);
	buf_fini(&owner);
}

/* One record as the damage leaves it. Returns whether it was one of those meant. */
static bool damage_line(const struct damage_args *args, const struct line *line, struct buf *out)
{
	struct line cut = *line;
	char ttl[24];

	switch (args->damage) {
	case DAMAGE_MISSING:
		if (!is_meant(args, line))
			break;
		return true;
	case DAMAGE_TYPO:
		if (!is_meant(args, line))
			break;
		add_with(line, DATA, args->data, out);
		return true;
	case DAMAGE_MISSING_DOT:
		if (!is_meant(args, line) || !line->lens[DATA] || line->fields[DATA][line->lens[DATA] - 1] != '.')
			break;
		cut.lens[DATA]--;
		add_line(&cut, out);
		return true;
	case DAMAGE_WRONG_ORIGIN:
		add_other_origin(args, line, out);
		return true;
	case DAMAGE_TTL:
		snprintf(ttl, sizeof(ttl), "%lld", (long long)args->ttl_s);
		add_with(line, TTL, ttl, out);
		return true;
	case DAMAGE_NS:
		if (!is_name(line, args->zone) || !is_text(line, TYPE, "NS"))
			break;
		return true;
	case DAMAGE_NONE:
	case DAMAGE_TRUNCATED:
	case DAMAGE_EMPTY:
	case DAMAGE_CNAME_AT_APEX:
	case DAMAGE_NOT_APPLIED:
		break;
	}
	add_line(line, out);
	return false;
}

static bool needs_records(enum damage damage)
{
	return damage == DAMAGE_MISSING || damage == DAMAGE_TYPO || damage == DAMAGE_MISSING_DOT;
}

/* In the middle of a record, wherever the share would have it. */
static void cut_off(const struct damage_args *args, size_t from, struct buf *out)
{
	size_t len = out->len - from, left = (size_t)((double)len * (double)args->keep_ppm / PPM_ONE);

	while (left > 0 && (out->data[from + left - 1] == '\n' || out->data[from + left] == '\n'))
		left--;
	out->len = from + left;
	out->data[out->len] = '\0';
}

int damage_zone(const struct damage_args *args, const char *text, size_t len, struct buf *out, struct err *err)
{
	const char *p = text, *end = text + len;
	size_t from = out->len, meant = 0;
	struct line line;

	if (args->damage == DAMAGE_EMPTY)
		return 0;
	buf_printf(out, "$ORIGIN %s.\n", args->zone);
	while (next_line(&p, end, &line)) {
		struct buf soa = {0};
		const char *soa_text;

		if (!is_text(&line, TYPE, "SOA")) {
			meant += damage_line(args, &line, out);
			continue;
		}
		add_soa(args, &line, &soa);
		soa_text = soa.data ? soa.data : "";
		if (next_line(&soa_text, soa_text + soa.len, &line))
			damage_line(args, &line, out);
		buf_fini(&soa);
	}
	if (args->damage == DAMAGE_CNAME_AT_APEX)
		buf_printf(out, "%s.\t3600\tIN\tCNAME\t%s\n", args->zone, args->data);
	if (args->damage == DAMAGE_NS)
		buf_printf(out, "%s.\t3600\tIN\tNS\t%s\n", args->zone, args->data);
	if (args->damage == DAMAGE_TRUNCATED && !out->failed)
		cut_off(args, from, out);
	if (needs_records(args->damage) && !meant)
		return err_set(err, -ENOENT, LOC_NONE, "the zone %s has no %s%srecords of %s%s", args->zone,
			       args->type ? args->type : "", args->type ? " " : "", args->name,
			       args->damage == DAMAGE_MISSING_DOT ? " whose data ends with a name" : "");
	return out->failed ? err_set(err, -ENOMEM, LOC_NONE, "out of memory") : 0;
}
