/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events to NDJSON. Written by hand, not with jansson: a line is built for every sample while probes are being timed, and the
 * table of fields already fixes names, order and types. Tests read it back with jansson and with Python.
 */
#include "harness/base/text.h"
#include "harness/event/fields.h"

#include <inttypes.h>
#include <string.h>

static void add_int(struct buf *out, int64_t value)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--p = '-';
	buf_add(out, p, (size_t)(digits + sizeof(digits) - p));
}

static void add_control(struct buf *out, unsigned char c)
{
	switch (c) {
	case '\n':
		buf_puts(out, "\\n");
		break;
	case '\t':
		buf_puts(out, "\\t");
		break;
	case '\r':
		buf_puts(out, "\\r");
		break;
	default:
		buf_printf(out, "\\u%04x", c);
	}
}

/* Bytes of s that need no change. */
static size_t plain_span(const char *s)
{
	size_t n = 0;

	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static size_t add_special(struct buf *out, const char *s)
{
	size_t len = text_utf8_length(s);

	if (!len) {
		buf_puts(out, "\xef\xbf\xbd");
		return 1;
	}
	if (len == 1 && (*s == '"' || *s == '\\')) {
		buf_putc(out, '\\');
		buf_putc(out, *s);
	} else if (len == 1) {
		add_control(out, (unsigned char)*s);
	} else if (!memcmp(s, "\xe2\x80\xa8", 3) || !memcmp(s, "\xe2\x80\xa9", 3)) {
		/* U+2028 and U+2029 end lines for many readers: one event stays one line for them too. */
		buf_printf(out, "\\u202%c", s[2] == '\xa8' ? '8' : '9');
	} else {
		buf_add(out, s, len);
	}
	return len;
}

static void add_text(struct buf *out, const char *s)
{
	buf_putc(out, '"');
	while (*s) {
		size_t n = plain_span(s);

		buf_add(out, s, n);
		s += n;
		if (*s)
			s += add_special(out, s);
	}
	buf_putc(out, '"');
}

static void add_key(struct buf *out, const char *key)
{
	buf_add(out, ",\"", 2);
	buf_puts(out, key);
	buf_add(out, "\":", 2);
}

static void add_strings(struct buf *out, const struct ev_strings *strings)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < strings->count; i++) {
		if (i)
			buf_putc(out, ',');
		add_text(out, strings->v[i] ? strings->v[i] : "");
	}
	buf_putc(out, ']');
}

static bool is_said(const struct field *field, const void *value)
{
	if (field->type == FIELD_TEXT_OPTIONAL)
		return *(const char *const *)value != NULL;
	if (field->type == FIELD_INT_OPTIONAL)
		return *(const int64_t *)value != 0;
	if (field->type == FIELD_STRINGS)
		return ((const struct ev_strings *)value)->count > 0;
	return true;
}

static void add_value(struct buf *out, const struct field *field, const void *value)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_TEXT_OPTIONAL:
		add_text(out, *(const char *const *)value ? *(const char *const *)value : "");
		break;
	case FIELD_INT:
	case FIELD_INT_OPTIONAL:
	case FIELD_INT_ANY:
		add_int(out, *(const int64_t *)value);
		break;
	case FIELD_BOOL:
		buf_puts(out, *(const bool *)value ? "true" : "false");
		break;
	case FIELD_STRINGS:
		add_strings(out, value);
		break;
	case FIELD_OUTCOME:
		add_text(out, outcome_name(*(const enum outcome *)value));
		break;
	}
}

void ev_encode(const struct ev *ev, struct buf *out)
{
	size_t count;
	const struct field *fields = ev_fields(ev->kind, &count);

	buf_puts(out, "{\"seq\":");
	add_int(out, ev->seq);
	add_key(out, "t_ns");
	add_int(out, ev->t_ns);
	add_key(out, "event");
	add_text(out, ev_kind_name(ev->kind));
	for (size_t i = 0; i < count; i++) {
		const void *value = (const char *)ev + fields[i].offset;

		if (is_said(&fields[i], value)) {
			add_key(out, fields[i].key);
			add_value(out, &fields[i], value);
		}
	}
	buf_add(out, "}\n", 2);
}
