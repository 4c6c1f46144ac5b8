/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NDJSON to events: the other direction of encode.c, over the same table.
 */
#include "harness/base/array.h"
#include "harness/event/fields.h"
#include "harness/event/scan.h"

#include <errno.h>
#include <string.h>

struct decoder {
	struct scan scan;
	struct loc loc;
	struct ev *ev;
	const struct field *fields;
	size_t field_count, next; /* next: the row expected, since writers keep the order */
	uint64_t seen; /* a bit for each row */
	bool has_seq, has_t;
};

static int fail_field(struct decoder *d, const char *key, struct err *err)
{
	return err_set(err, -EINVAL, d->loc, "field \"%s\": %s", key, d->scan.problem);
}

static int fail_line(struct decoder *d, struct err *err)
{
	return err_set(err, -EINVAL, d->loc, "not an event (one JSON object on one line): %s", d->scan.problem);
}

static bool problem(struct decoder *d, const char *what)
{
	d->scan.problem = what;
	return false;
}

static bool take_int(struct decoder *d, bool any, int64_t *ret)
{
	int64_t value;

	if (!scan_int(&d->scan, &value))
		return false;
	if (!any && (value >= FIELD_INT_LIMIT || value <= -FIELD_INT_LIMIT))
		return problem(d, "a number out of range (less than 2^62 either side of zero)");
	*ret = value;
	return true;
}

static bool take_text(struct decoder *d, const char **ret)
{
	size_t len;

	return scan_string(&d->scan, ret, &len);
}

static bool take_strings(struct decoder *d, struct ev_strings *ret)
{
	const char **v = NULL;
	size_t count = 0, cap = 0;
	bool ok = scan_char(&d->scan, '[') || problem(d, "expected a list of strings");

	if (ok && !scan_char(&d->scan, ']')) {
		do {
			ok = !array_reserve((void **)&v, &cap, count + 1, sizeof(*v)) || problem(d, "out of memory");
			ok = ok && take_text(d, &v[count++]);
		} while (ok && scan_char(&d->scan, ','));
		ok = ok && (scan_char(&d->scan, ']') || problem(d, "expected , or ]"));
	}
	if (ok && count) {
		ret->v = arena_memdup(d->scan.arena, v, count * sizeof(*v));
		ret->count = count;
	}
	free(v);
	return ok;
}

static bool take_outcome(struct decoder *d, enum outcome *ret)
{
	const char *name;

	if (!take_text(d, &name))
		return false;
	*ret = outcome_find(name);
	return *ret != OUTCOME_COUNT || problem(d, "expected ok, wrong, rcode, timeout or error");
}

static bool take_field(struct decoder *d, const struct field *field)
{
	void *to = (char *)d->ev + field->offset;

	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_TEXT_OPTIONAL:
		return take_text(d, to);
	case FIELD_INT:
	case FIELD_INT_OPTIONAL:
		return take_int(d, false, to);
	case FIELD_INT_ANY:
		return take_int(d, true, to);
	case FIELD_BOOL:
		return scan_bool(&d->scan, to);
	case FIELD_STRINGS:
		return take_strings(d, to);
	case FIELD_OUTCOME:
		return take_outcome(d, to);
	}
	return false;
}

static const struct field *find_field(struct decoder *d, const char *key)
{
	for (size_t n = 0; n < d->field_count; n++) {
		size_t i = (d->next + n) % d->field_count;

		if (!strcmp(d->fields[i].key, key)) {
			d->next = i + 1;
			return &d->fields[i];
		}
	}
	return NULL;
}

static bool take_head(struct decoder *d, bool *seen, int64_t *ret)
{
	if (*seen)
		return problem(d, "said twice");
	*seen = true;
	return take_int(d, false, ret);
}

static bool take_member(struct decoder *d, const char *key)
{
	const struct field *field = find_field(d, key);
	uint64_t bit;

	if (!field) {
		if (!strcmp(key, "seq"))
			return take_head(d, &d->has_seq, &d->ev->seq);
		if (!strcmp(key, "t_ns"))
			return take_head(d, &d->has_t, &d->ev->t_ns);
		return scan_skip(&d->scan);
	}
	bit = UINT64_C(1) << (field - d->fields);
	if (d->seen & bit)
		return problem(d, "said twice");
	d->seen |= bit;
	return take_field(d, field);
}

/* One pass over the members of the object. Without a field table (first pass) stops at "event" and returns its name. */
static int each_member(struct decoder *d, const char **ret_kind, struct err *err)
{
	const char *key;

	if (!scan_char(&d->scan, '{')) {
		problem(d, "expected {");
		return fail_line(d, err);
	}
	do {
		if (!take_text(d, &key))
			return fail_line(d, err);
		if (!scan_char(&d->scan, ':')) {
			problem(d, "expected :");
			return fail_field(d, key, err);
		}
		if (ret_kind && !strcmp(key, "event"))
			return take_text(d, ret_kind) ? 0 : fail_field(d, key, err);
		if (!(ret_kind ? scan_skip(&d->scan) : take_member(d, key)))
			return fail_field(d, key, err);
	} while (scan_char(&d->scan, ','));
	if (!scan_char(&d->scan, '}') || !scan_is_end(&d->scan)) {
		problem(d, "expected } and the end of the line");
		return fail_line(d, err);
	}
	return 0;
}

static int check_complete(const struct decoder *d, struct err *err)
{
	if (!d->has_seq || !d->has_t)
		return err_set(err, -EINVAL, d->loc, "field \"%s\" is missing", d->has_seq ? "t_ns" : "seq");
	for (size_t i = 0; i < d->field_count; i++) {
		bool optional = d->fields[i].type == FIELD_TEXT_OPTIONAL || d->fields[i].type == FIELD_INT_OPTIONAL ||
				d->fields[i].type == FIELD_STRINGS;

		if (!optional && !(d->seen >> i & 1))
			return err_set(err, -EINVAL, d->loc, "%s: field \"%s\" is missing", ev_kind_name(d->ev->kind),
				       d->fields[i].key);
	}
	return 0;
}

int ev_decode(const char *line, size_t len, struct loc loc, struct arena *arena, struct ev *ret, struct err *err)
{
	struct ev ev = {0};
	struct decoder d = {.scan = {.at = line, .end = line + len, .arena = arena}, .loc = loc, .ev = &ev};
	const char *kind = NULL;
	int r = each_member(&d, &kind, err);

	if (r)
		return r;
	if (!kind)
		return err_set(err, -EINVAL, loc, "field \"event\" is missing");
	ev.kind = ev_kind_find(kind);
	if (ev.kind == EV_KIND_COUNT)
		return err_set(err, -EINVAL, loc, "unknown event \"%s\": was it written by a newer dnsdrill?", kind);
	d.fields = ev_fields(ev.kind, &d.field_count);
	d.scan.at = line;
	r = each_member(&d, NULL, err);
	if (!r)
		r = check_complete(&d, err);
	if (!r)
		*ret = ev;
	return r;
}
