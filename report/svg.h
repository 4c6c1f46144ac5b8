/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of SVG in a buffer. Coordinates are tenths of a unit, integers, so that the same record gives the same bytes everywhere.
 *
 * Looks are given twice: as presentation attributes, which still hold where a content policy forbids style sheets (Jenkins), and as
 * classes, by which the style sheet adapts them to dark mode and print.
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/event/event.h"

/* A horizontal scale of time: from_ns … to_ns onto left … right (tenths). */
struct svg_scale {
	int64_t from_ns, to_ns;
	int left, right;
};

/* to_ns is made later than from_ns if it is not. */
struct svg_scale svg_scale_make(int64_t from_ns, int64_t to_ns, int left, int right);
int svg_x(const struct svg_scale *scale, int64_t t_ns); /* clamped to the scale */

/* A vertical logarithmic scale: lo_ns at bottom, hi_ns at top (top < bottom), clamped. Both above 0. */
struct svg_log {
	int64_t lo_ns, hi_ns;
	int top, bottom;
};
int svg_log_y(const struct svg_log *log, int64_t value_ns);

/* The distance between ticks that gives at most max of them: 1, 2 or 5 × 10ⁿ below a minute, then round minutes, hours, days. */
int64_t svg_tick_step(int64_t span_ns, int max);

void svg_num(struct buf *out, int tenths); /* "12.3", "12" */
void svg_rect(struct buf *out, const char *attrs, int x, int y, int w, int h); /* attrs: trusted markup */
void svg_line(struct buf *out, const char *attrs, int x1, int y1, int x2, int y2);

/* A filled polygon. */
void svg_area(struct buf *out, const char *attrs, const int (*points)[2], size_t count);

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };
/* text is escaped. size in units. */
void svg_text(struct buf *out, const char *cls, int size, enum svg_anchor anchor, int x, int y, const char *text);

/* Path data of the mark of an outcome around x, y: a dot, a diamond, a triangle, a cross, a square. */
void svg_mark(struct buf *out, enum outcome outcome, int x, int y);

/* Opens <g> with the look of an outcome's marks; close with </g>. */
void svg_mark_group(struct buf *out, enum outcome outcome);
