/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/zone_entry.h"

#include <errno.h>
#include <string.h>

#define ENTRY_MAX (256u << 10) /* longer than any record's text can be */

static struct loc place(const struct zone_reader *reader)
{
	return (struct loc){reader->file, reader->line, 0};
}

static int entry_fail(struct zone_reader *reader, struct err *err, const char *why)
{
	/* Reading goes on at the next line. */
	while (reader->pos < reader->len && reader->data[reader->pos] != '\n')
		reader->pos++;
	return err_set(err, -EINVAL, place(reader), "%s", why);
}

/* Takes the quoted text that begins at pos. */
static int take_quoted(struct zone_reader *reader, struct err *err)
{
	size_t start = reader->pos++;

	for (; reader->pos < reader->len && reader->data[reader->pos] != '\n'; reader->pos++) {
		if (reader->data[reader->pos] == '"') {
			reader->pos++;
			buf_add(&reader->entry, reader->data + start, reader->pos - start);
			return 0;
		}
		if (reader->data[reader->pos] == '\\' && reader->pos + 1 < reader->len)
			reader->pos++;
	}
	return entry_fail(reader, err, "a quoted text is not closed on its line");
}

static void skip_comment(struct zone_reader *reader)
{
	while (reader->pos < reader->len && reader->data[reader->pos] != '\n')
		reader->pos++;
}

/* Takes one piece at pos that is not the end of the entry; *depth counts open parentheses. */
static int take_piece(struct zone_reader *reader, unsigned *depth, struct err *err)
{
	char c = reader->data[reader->pos];

	if (c == '"')
		return take_quoted(reader, err);
	if (c == ';') {
		skip_comment(reader);
		return 0;
	}
	reader->pos++;
	switch (c) {
	case '\0':
		return entry_fail(reader, err, "a NUL byte: this is not a master file");
	case '(':
		++*depth;
		c = ' ';
		break;
	case ')':
		if (!*depth)
			return entry_fail(reader, err, "\")\" without a \"(\" before it");
		--*depth;
		c = ' ';
		break;
	case '\\':
		buf_putc(&reader->entry, c);
		if (reader->pos >= reader->len || reader->data[reader->pos] == '\n')
			return entry_fail(reader, err, "\"\\\" at the end of a line");
		c = reader->data[reader->pos++];
		break;
	case '\n':
	case '\r':
	case '\t':
		reader->next_line += c == '\n';
		c = ' ';
		break;
	default:
		break;
	}
	buf_putc(&reader->entry, c);
	return 0;
}

int zone_entry_next(struct zone_reader *reader, struct err *err)
{
	while (reader->pos < reader->len) {
		unsigned depth = 0;

		buf_clear(&reader->entry);
		reader->line = reader->next_line + 1;
		while (reader->pos < reader->len && (depth || reader->data[reader->pos] != '\n')) {
			int r = take_piece(reader, &depth, err);

			if (r)
				return r;
			if (reader->entry.len > ENTRY_MAX)
				return entry_fail(reader, err, "longer than any record can be: is a \")\" missing?");
		}
		if (depth)
			return entry_fail(reader, err, "\"(\" is never closed");
		if (reader->pos < reader->len) {
			reader->pos++;
			reader->next_line++;
		}
		if (reader->entry.len && strspn(reader->entry.data, " ") < reader->entry.len)
			return reader->entry.failed ? err_set(err, -ENOMEM, LOC_NONE, "out of memory") : 1;
	}
	return 0;
}
