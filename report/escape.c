/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/escape.h"
#include "harness/base/text.h"
#include <stdbool.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu
#define REPLACEMENT_UTF8 "\xEF\xBF\xBD"

/* Length of the sequence that a first byte announces, and its payload bits; 0: no first byte. */
static unsigned utf8_announced(unsigned char first, uint32_t *bits)
{
	if (first >= 0xC2 && first <= 0xDF)
		return *bits = first & 0x1Fu, 2;
	if (first >= 0xE0 && first <= 0xEF)
		return *bits = first & 0x0Fu, 3;
	if (first >= 0xF0 && first <= 0xF4)
		return *bits = first & 0x07u, 4;
	return 0;
}

uint32_t escape_next(const char **text)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)**text;
	uint32_t code = 0;

	if (first == 0)
		return 0;
	(*text)++;
	if (first < 0x80)
		return first;
	unsigned len = utf8_announced(first, &code);
	if (len == 0)
		return REPLACEMENT;
	for (unsigned i = 0; i + 1 < len; i++) {
		unsigned char next = (unsigned char)(*text)[i];
		if ((next & 0xC0) != 0x80)
			return REPLACEMENT;
		code = code << 6 | (next & 0x3Fu);
	}
	if (code < smallest[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return REPLACEMENT;
	*text += len - 1;
	return code;
}

/* Appends the character between from and to as it stood, or U+FFFD if it was no character. */
static void add_as_is(struct buf *out, uint32_t code, const char *from, const char *to)
{
	if (code == REPLACEMENT)
		buf_puts(out, REPLACEMENT_UTF8);
	else
		buf_add(out, from, (size_t)(to - from));
}

/* Marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm, and its line and paragraph separators. */
static bool turns_writing(uint32_t code)
{
	return code == 0x061C || (code >= 0x200E && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
	       (code >= 0x2066 && code <= 0x2069);
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F);
}

/* The reference that stands for one of XML's five characters, or NULL. */
static const char *reference(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return NULL;
}

void escape_html(struct buf *out, const char *text)
{
	uint32_t code;

	if (!text)
		return;
	for (const char *at = text; (code = escape_next(&at)) != 0; text = at) {
		const char *ref = reference(code);
		if (ref)
			buf_puts(out, ref);
		else if (is_control(code) && code != '\t' && code != '\n')
			buf_puts(out, REPLACEMENT_UTF8);
		else if (turns_writing(code))
			buf_printf(out, "\\u%04x", code);
		else
			add_as_is(out, code, text, at);
	}
}

void escape_xml(struct buf *out, const char *text)
{
	uint32_t code;

	if (!text)
		return;
	for (const char *at = text; (code = escape_next(&at)) != 0; text = at) {
		const char *ref = reference(code);
		if (ref)
			buf_puts(out, ref);
		else if (code == '\t' || code == '\n' || code == '\r')
			buf_printf(out, "&#%u;", code);
		else if (code >= 0x20 && code != 0xFFFE && code != 0xFFFF)
			add_as_is(out, code, text, at);
	}
}

static const char *markdown_reference(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '@': /* GitHub would send mail to whoever is named */
		return "@&#8203;";
	}
	return NULL;
}

void escape_markdown_cell(struct buf *out, const char *text)
{
	uint32_t code;

	if (!text)
		return;
	for (const char *at = text, *start = text; (code = escape_next(&at)) != 0; text = at) {
		const char *ref = markdown_reference(code);
		if (ref)
			buf_puts(out, ref);
		else if (is_control(code) || turns_writing(code))
			buf_putc(out, ' ');
		else if (code < 0x80 && strchr("\\`*_[]~|#$", (int)code))
			buf_printf(out, "\\%c", (int)code);
		else if (code == ':' && strncmp(at, "//", 2) == 0)
			buf_puts(out, "&#58;"); /* no link to wherever a stranger likes */
		else if (code == '.' && text - start >= 3 && strncasecmp(text - 3, "www", 3) == 0)
			buf_puts(out, "&#46;"); /* GitHub makes links of www. alone */
		else
			add_as_is(out, code, text, at);
	}
}

void escape_terminal(struct buf *out, const char *text)
{
	struct buf plain = {0};
	uint32_t code;

	if (!text)
		return;
	for (const char *at = text; (code = escape_next(&at)) != 0; text = at) {
		if (turns_writing(code))
			buf_printf(&plain, "\\u%04x", code);
		else
			buf_add(&plain, text, (size_t)(at - text));
	}
	if (plain.failed)
		out->failed = true;
	else if (plain.data)
		text_add_printable(out, plain.data);
	buf_fini(&plain);
}

void escape_cut(struct buf *out, const char *text, size_t max)
{
	size_t len = text ? strlen(text) : 0;

	if (len <= max) {
		buf_add(out, text ? text : "", len);
		return;
	}
	for (len = max; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80;)
		len--;
	buf_add(out, text, len);
	buf_puts(out, "…");
}
