/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns of text for a terminal, aligned by what a terminal shows (East Asian characters take two places, combining marks none).
 * grid_open → (grid_cell… grid_row)… → grid_close, which writes and frees.
 */
#pragma once
#include "harness/base/buf.h"

#define GRID_COLUMNS 16

enum grid_style { GRID_PLAIN, GRID_BOLD, GRID_DIM, GRID_GOOD, GRID_BAD, GRID_DOUBT };

struct grid_cell_text {
	char *text;
	enum grid_style style;
};

struct grid {
	struct grid_cell_text (*rows)[GRID_COLUMNS];
	size_t row_count, row_cap;
	size_t column; /* that the next cell goes to; 0: it begins a row */
	bool right[GRID_COLUMNS]; /* aligned right */
	bool shrinks[GRID_COLUMNS]; /* cut with "…" where the whole is wider than columns allow */
	bool failed;
};

/* layout: one letter per column: 'l' left, 'r' right, 's' left and shrinks. */
void grid_open(struct grid *grid, const char *layout);
/* text is made harmless for a terminal. Cells past the layout are dropped. */
void grid_cell(struct grid *grid, enum grid_style style, const char *text);
/* What scratch holds; clears it. */
void grid_cell_buf(struct grid *grid, enum grid_style style, struct buf *scratch);
void grid_row(struct grid *grid); /* ends a row */
/* Writes all rows, two places in, at most `columns` wide where shrinking can do that, with ANSI colours or without. Frees. */
void grid_close(struct grid *grid, bool colour, unsigned columns, struct buf *out);

/* Places that text takes on a terminal. */
unsigned grid_width(const char *text);
/* text in a style, colours or not. */
void grid_styled(struct buf *out, enum grid_style style, bool colour, const char *text);
