/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of the page: each in a box that scrolls by itself, so that the page never does sideways. */
#include "report/escape.h"
#include "report/facts.h"
#include "report/html.h"

#define CELL_BYTES 500 /* of a stranger's text; all of it is in events.ndjson */

void html_heading(struct buf *out, struct html_section section, const char *id, const char *text)
{
	buf_printf(out, "<h%d id=\"%s-%zu\">", section.level, id, section.index);
	escape_html(out, text);
	buf_printf(out, "</h%d>\n", section.level);
}

/* A column that starts with '>' holds numbers: aligned right. */
void html_table_open(struct buf *out, const char *caption, const char *const *columns, size_t count)
{
	buf_puts(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	escape_html(out, caption);
	buf_puts(out, "\">\n<table>\n<caption class=\"unseen\">");
	escape_html(out, caption);
	buf_puts(out, "</caption>\n<thead><tr>");
	for (size_t i = 0; i < count; i++) {
		bool number = columns[i][0] == '>';
		buf_printf(out, "<th scope=\"col\"%s>", number ? " class=\"num\"" : "");
		escape_html(out, columns[i] + number);
		buf_puts(out, "</th>");
	}
	buf_puts(out, "</tr></thead>\n<tbody>\n");
}

void html_table_close(struct buf *out)
{
	buf_puts(out, "</tbody>\n</table>\n</div>\n");
}

void html_cell_text(struct buf *out, const char *cls, const char *text)
{
	if (cls)
		buf_printf(out, "<td class=\"%s\">", cls);
	else
		buf_puts(out, "<td>");
	escape_html(out, text);
	buf_puts(out, "</td>");
}

void html_cell(struct buf *out, const char *cls, struct buf *scratch)
{
	html_cell_text(out, cls, scratch->len ? scratch->data : "");
	out->failed |= scratch->failed;
	buf_clear(scratch);
}

void html_cell_cut(struct buf *out, const char *cls, const char *text)
{
	struct buf scratch = {0};

	escape_cut(&scratch, text, CELL_BYTES);
	html_cell(out, cls, &scratch);
	buf_fini(&scratch);
}

void html_row_heading(struct buf *out, const char *text)
{
	buf_puts(out, "<th scope=\"row\">");
	escape_html(out, text);
	buf_puts(out, "</th>");
}

void html_verdict_cell(struct buf *out, enum verdict verdict)
{
	static const char *const signs[] = {
		[VERDICT_PASS] = "✓", [VERDICT_FAIL] = "✗", [VERDICT_INCONCLUSIVE] = "?", [VERDICT_ERROR] = "!"};

	buf_printf(out, "<td class=\"verdict-cell %s\"><span aria-hidden=\"true\">%s</span> %s</td>",
		   verdict_name(verdict), signs[verdict], verdict_name(verdict));
}
