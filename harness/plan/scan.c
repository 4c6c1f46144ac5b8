/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is looked for in a file before it is read as YAML, so that no file can make the harness slow or large.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "harness/plan/node_build.h"

/* Decodes the character at s (RFC 3629: no overlong forms, no surrogates). Its length, or 0 if it is none. */
static size_t decode(const unsigned char *s, size_t left, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t c;

	if ((s[0] >= 0x80 && s[0] < 0xc0) || s[0] >= 0xf8 || len > left)
		return 0;
	c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

static bool is_refused(uint32_t c)
{
	if (c < 0x20)
		return c != '\t' && c != '\n' && c != '\r';
	return (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static int refuse(struct loc loc, uint32_t c, struct err *err)
{
	if (!c)
		return err_set(err, -EINVAL, loc,
			       "NUL byte; a plan is text in UTF-8 (save it as UTF-8, not as UTF-16)");
	return err_set(err, -EINVAL, loc, "control character U+%04X; remove it", (unsigned)c);
}

static int scan_encoding(const char *file, const unsigned char *data, size_t len, struct err *err)
{
	struct loc loc = {file, 1, 1};

	if (len >= 2 && ((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff)))
		return err_set(err, -EINVAL, loc, "the file is in UTF-16; save it as UTF-8");
	return 0;
}

int scan_bytes(const char *file, const char *data, size_t len, struct err *err)
{
	const unsigned char *s = (const unsigned char *)data;
	struct loc loc = {file, 1, 1};
	size_t i = len >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0; /* a byte order mark may stand first */
	int r = scan_encoding(file, s, len, err);

	if (r)
		return r;
	while (i < len) {
		uint32_t c;
		size_t n = decode(s + i, len - i, &c);

		if (!n)
			return err_set(err, -EINVAL, loc, "byte 0x%02X is not UTF-8; save the file as UTF-8", s[i]);
		if (is_refused(c))
			return refuse(loc, c, err);
		/* libyaml compares each TAG directive with all before it, and plans have no use for one. */
		if (loc.col == 1 && c == '%' && len - i >= 4 && !memcmp(data + i, "%TAG", 4))
			return err_set(err, -EINVAL, loc, "plans have no %%TAG directives; remove it");
		if (c == '\n' || (c == '\r' && (i + 1 == len || s[i + 1] != '\n')))
			loc = (struct loc){file, loc.line + 1, 1};
		else
			loc.col++;
		i += n;
	}
	return 0;
}

/* libyaml's words, and what to do about them. */
static const struct {
	const char *problem, *hint;
} hints[] = {
	{"found character that cannot start any token",
	 "indent with spaces, not tabs, and quote a text that begins with one of % @ `"},
	{"mapping values are not allowed in this context", "quote a text that holds \": \", or mend the indentation"},
	{"did not find expected key", "mend the indentation, or close the quotes and brackets above"},
	{"did not find expected '-' indicator", "mend the indentation of the list"},
	{"did not find expected ',' or '}'", "close the brace, or quote the text"},
	{"did not find expected ',' or ']'", "close the bracket, or quote the text"},
	{"could not find expected ':'", "a mapping is written \"key: value\""},
	{"found undefined alias", "define it before with &"},
	{"did not find expected alphabetic or numeric character", "quote a text that begins with * or &"},
	{"found unexpected end of stream", "close the quotes"},
};

int scan_say_syntax(const char *file, const yaml_parser_t *parser, struct err *err)
{
	struct loc loc = {file, (unsigned)parser->problem_mark.line + 1, (unsigned)parser->problem_mark.column + 1};
	const char *problem = parser->problem ? parser->problem : "unreadable";

	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		if (!strcmp(hints[i].problem, problem))
			return err_set(err, -EINVAL, loc, "not YAML: %s; %s", problem, hints[i].hint);
	}
	return err_set(err, -EINVAL, loc, "not YAML: %s", problem);
}

struct counts {
	const char *file;
	size_t documents, nodes, depth, anchors;
};

static struct loc loc_of(const struct counts *counts, const yaml_event_t *event)
{
	return (struct loc){counts->file, (unsigned)event->start_mark.line + 1, (unsigned)event->start_mark.column + 1};
}

static int check_node(struct counts *counts, const yaml_event_t *event, const yaml_char_t *anchor,
		      const yaml_char_t *tag, struct err *err)
{
	struct loc loc = loc_of(counts, event);

	if (++counts->nodes > NODE_COUNT_MAX)
		return err_set(err, -E2BIG, loc, "the plan is too large: more than %d values", NODE_COUNT_MAX);
	if (counts->depth > NODE_DEPTH_MAX)
		return err_set(err, -E2BIG, loc, "nested too deeply: more than %d levels", NODE_DEPTH_MAX);
	if (anchor && ++counts->anchors > NODE_ANCHOR_MAX)
		return err_set(err, -E2BIG, loc, "too many anchors: more than %d", NODE_ANCHOR_MAX);
	if (tag)
		return err_set(err, -EINVAL, loc, "plans have no tags; remove %.40s (quotes make a text)",
			       (const char *)tag);
	return 0;
}

static int check_event(struct counts *counts, const yaml_event_t *event, struct err *err)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (counts->documents++)
			return err_set(err, -EINVAL, loc_of(counts, event),
				       "a second document begins here; a file holds one plan");
		return 0;
	case YAML_MAPPING_START_EVENT:
		counts->depth++;
		return check_node(counts, event, event->data.mapping_start.anchor, event->data.mapping_start.tag, err);
	case YAML_SEQUENCE_START_EVENT:
		counts->depth++;
		return check_node(counts, event, event->data.sequence_start.anchor, event->data.sequence_start.tag,
				  err);
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.length > NODE_TEXT_MAX)
			return err_set(err, -E2BIG, loc_of(counts, event),
				       "a text of more than %u KiB; shorten it, or keep it in a file of its own",
				       NODE_TEXT_MAX >> 10);
		return check_node(counts, event, event->data.scalar.anchor, event->data.scalar.tag, err);
	case YAML_ALIAS_EVENT:
		return check_node(counts, event, NULL, NULL, err);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		counts->depth--;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

int scan_structure(const char *file, const char *data, size_t len, struct err *err)
{
	struct counts counts = {.file = file};
	yaml_parser_t parser;
	bool at_end = false;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, len);
	while (!r && !at_end) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			r = scan_say_syntax(file, &parser, err);
			break;
		}
		r = check_event(&counts, &event, err);
		at_end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return r;
}
