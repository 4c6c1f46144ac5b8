/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/grid.h"
#include "harness/base/array.h"
#include "report/escape.h"
#include <stdint.h>
#include <string.h>

#define SHRUNK_LEAST 10 /* places that a shrunk column keeps */
#define GAP 2

struct range {
	uint32_t from, to;
};

/* Unicode's wide and fullwidth blocks, in the coarse form that terminals agree on. */
static const struct range wide[] = {{0x1100, 0x115F},   {0x2E80, 0xA4CF},  {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
				    {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
				    {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
static const struct range combining[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},
					 {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};

static bool within(const struct range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++) {
		if (code >= ranges[i].from && code <= ranges[i].to)
			return true;
	}
	return false;
}

static unsigned places(uint32_t code)
{
	if (code < 0x300)
		return 1;
	if (within(combining, ARRAY_LEN(combining), code))
		return 0;
	return within(wide, ARRAY_LEN(wide), code) ? 2 : 1;
}

unsigned grid_width(const char *text)
{
	unsigned width = 0;
	uint32_t code;

	while ((code = escape_next(&text)) != 0)
		width += places(code);
	return width;
}

void grid_open(struct grid *grid, const char *layout)
{
	*grid = (struct grid){0};
	for (size_t i = 0; layout[i] && i < GRID_COLUMNS; i++) {
		grid->right[i] = layout[i] == 'r';
		grid->shrinks[i] = layout[i] == 's';
	}
}

static void begin_row(struct grid *grid)
{
	if (array_reserve((void **)&grid->rows, &grid->row_cap, grid->row_count + 1, sizeof(*grid->rows))) {
		grid->failed = true;
		return;
	}
	memset(grid->rows[grid->row_count++], 0, sizeof(*grid->rows));
}

void grid_row(struct grid *grid)
{
	grid->column = 0;
}

void grid_cell(struct grid *grid, enum grid_style style, const char *text)
{
	struct buf plain = {0};

	if (grid->column == 0)
		begin_row(grid);
	if (grid->failed || grid->column >= GRID_COLUMNS)
		return;
	escape_terminal(&plain, text);
	grid->failed |= plain.failed;
	grid->rows[grid->row_count - 1][grid->column++] = (struct grid_cell_text){.text = plain.data, .style = style};
}

void grid_cell_buf(struct grid *grid, enum grid_style style, struct buf *scratch)
{
	grid->failed |= scratch->failed;
	grid_cell(grid, style, scratch->len ? scratch->data : "");
	buf_clear(scratch);
}

void grid_styled(struct buf *out, enum grid_style style, bool colour, const char *text)
{
	static const char *const codes[] = {[GRID_PLAIN] = "",    [GRID_BOLD] = "1",   [GRID_DIM] = "2",
					    [GRID_GOOD] = "32;1", [GRID_BAD] = "31;1", [GRID_DOUBT] = "33;1"};

	if (colour && style != GRID_PLAIN)
		buf_printf(out, "\x1b[%sm%s\x1b[0m", codes[style], text);
	else
		buf_puts(out, text);
}

/* As much of text as fits into width places, with "…" if that is not all. */
static void add_fitting(struct buf *out, const char *text, unsigned width)
{
	unsigned used = 0;
	const char *at = text;

	if (grid_width(text) <= width) {
		buf_puts(out, text);
		return;
	}
	for (const char *next = at; *at; at = next) {
		used += places(escape_next(&next));
		if (used + 1 > width)
			break;
	}
	buf_add(out, text, (size_t)(at - text));
	buf_puts(out, "…");
}

static void measure_columns(const struct grid *grid, unsigned widths[GRID_COLUMNS])
{
	memset(widths, 0, GRID_COLUMNS * sizeof(*widths));
	for (size_t r = 0; r < grid->row_count; r++) {
		for (size_t c = 0; c < GRID_COLUMNS; c++) {
			unsigned width = grid->rows[r][c].text ? grid_width(grid->rows[r][c].text) : 0;
			widths[c] = width > widths[c] ? width : widths[c];
		}
	}
}

/* Takes from the widest column that may shrink, place by place, until all fit or none can give more. */
static void shrink(const struct grid *grid, unsigned widths[GRID_COLUMNS], unsigned columns)
{
	for (;;) {
		unsigned total = 0;
		size_t widest = GRID_COLUMNS;
		for (size_t c = 0; c < GRID_COLUMNS; c++) {
			total += widths[c] ? widths[c] + GAP : 0;
			if (grid->shrinks[c] && widths[c] > SHRUNK_LEAST &&
			    (widest == GRID_COLUMNS || widths[c] > widths[widest]))
				widest = c;
		}
		if (total <= columns || widest == GRID_COLUMNS)
			return;
		widths[widest]--;
	}
}

static void spaces(struct buf *out, unsigned count)
{
	while (count--)
		buf_putc(out, ' ');
}

static void write_row(const struct grid *grid, size_t row, const unsigned widths[GRID_COLUMNS], bool colour,
		      struct buf *out)
{
	unsigned owed = 0; /* spaces, written only before text: no line ends in blanks */

	for (size_t c = 0; c < GRID_COLUMNS && widths[c]; c++) {
		const struct grid_cell_text *cell = &grid->rows[row][c];
		struct buf text = {0};
		if (cell->text)
			add_fitting(&text, cell->text, widths[c]);
		unsigned pad = widths[c] - (text.len ? grid_width(text.data) : 0);
		owed += GAP + (grid->right[c] ? pad : 0);
		if (text.len) {
			spaces(out, owed);
			grid_styled(out, cell->style, colour, text.data);
			owed = 0;
		}
		owed += grid->right[c] ? 0 : pad;
		out->failed |= text.failed;
		buf_fini(&text);
	}
	buf_putc(out, '\n');
}

void grid_close(struct grid *grid, bool colour, unsigned columns, struct buf *out)
{
	unsigned widths[GRID_COLUMNS];

	measure_columns(grid, widths);
	shrink(grid, widths, columns);
	for (size_t r = 0; r < grid->row_count; r++) {
		write_row(grid, r, widths, colour, out);
		for (size_t c = 0; c < GRID_COLUMNS; c++)
			free(grid->rows[r][c].text);
	}
	out->failed |= grid->failed;
	free(grid->rows);
	*grid = (struct grid){0};
}
