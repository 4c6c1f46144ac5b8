/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/svg.h"
#include "report/escape.h"
#include <math.h>

struct svg_scale svg_scale_make(int64_t from_ns, int64_t to_ns, int left, int right)
{
	struct svg_scale scale = {.from_ns = from_ns, .to_ns = to_ns, .left = left, .right = right};

	if (scale.to_ns <= scale.from_ns)
		scale.to_ns = scale.from_ns + SEC;
	return scale;
}

int svg_x(const struct svg_scale *scale, int64_t t_ns)
{
	if (t_ns <= scale->from_ns)
		return scale->left;
	if (t_ns >= scale->to_ns)
		return scale->right;
	double share = (double)(t_ns - scale->from_ns) / (double)(scale->to_ns - scale->from_ns);
	return scale->left + (int)(share * (scale->right - scale->left) + 0.5);
}

int svg_log_y(const struct svg_log *log, int64_t value_ns)
{
	if (value_ns <= log->lo_ns)
		return log->bottom;
	if (value_ns >= log->hi_ns)
		return log->top;
	double share = log10((double)value_ns / (double)log->lo_ns) / log10((double)log->hi_ns / (double)log->lo_ns);
	return log->bottom - (int)(share * (log->bottom - log->top) + 0.5);
}

int64_t svg_tick_step(int64_t span_ns, int max)
{
	static const int64_t seconds[] = {1,    2,    5,    10,    15,    30,    60,     120,    300,    600,
					  1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 2592000};
	static const int64_t steps[] = {1, 2, 5};

	for (int64_t unit = NSEC_PER_USEC; unit < SEC; unit *= 10) {
		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			if (span_ns / (steps[i] * unit) <= max)
				return steps[i] * unit;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		if (span_ns / (seconds[i] * SEC) <= max)
			return seconds[i] * SEC;
	}
	return span_ns / max;
}

void svg_num(struct buf *out, int tenths)
{
	if (tenths < 0)
		buf_putc(out, '-');
	tenths = tenths < 0 ? -tenths : tenths;
	if (tenths % 10)
		buf_printf(out, "%d.%d", tenths / 10, tenths % 10);
	else
		buf_printf(out, "%d", tenths / 10);
}

static void attribute(struct buf *out, const char *name, int tenths)
{
	buf_printf(out, " %s=\"", name);
	svg_num(out, tenths);
	buf_putc(out, '"');
}

void svg_rect(struct buf *out, const char *attrs, int x, int y, int w, int h)
{
	buf_printf(out, "<rect %s", attrs);
	attribute(out, "x", x);
	attribute(out, "y", y);
	attribute(out, "width", w);
	attribute(out, "height", h);
	buf_puts(out, "/>\n");
}

void svg_line(struct buf *out, const char *attrs, int x1, int y1, int x2, int y2)
{
	buf_printf(out, "<path %s d=\"M", attrs);
	svg_num(out, x1);
	buf_putc(out, ' ');
	svg_num(out, y1);
	buf_putc(out, 'L');
	svg_num(out, x2);
	buf_putc(out, ' ');
	svg_num(out, y2);
	buf_puts(out, "\"/>\n");
}

void svg_text(struct buf *out, const char *cls, int size, enum svg_anchor anchor, int x, int y, const char *text)
{
	static const char *const anchors[] = {"start", "middle", "end"};

	buf_printf(out, "<text class=\"%s\" font-size=\"%d\" text-anchor=\"%s\"", cls, size, anchors[anchor]);
	attribute(out, "x", x);
	attribute(out, "y", y);
	buf_putc(out, '>');
	escape_html(out, text);
	buf_puts(out, "</text>\n");
}

static void move_to(struct buf *out, int x, int y)
{
	buf_putc(out, 'M');
	svg_num(out, x);
	buf_putc(out, ' ');
	svg_num(out, y);
}

void svg_area(struct buf *out, const char *attrs, const int (*points)[2], size_t count)
{
	buf_printf(out, "<path %s d=\"", attrs);
	for (size_t i = 0; i < count; i++) {
		if (i == 0) {
			move_to(out, points[i][0], points[i][1]);
			continue;
		}
		buf_putc(out, 'L');
		svg_num(out, points[i][0]);
		buf_putc(out, ' ');
		svg_num(out, points[i][1]);
	}
	buf_puts(out, "z\"/>\n");
}

void svg_mark(struct buf *out, enum outcome outcome, int x, int y)
{
	switch (outcome) {
	case OUTCOME_OK: /* round caps make a dot of it */
		move_to(out, x, y);
		buf_puts(out, "h0");
		return;
	case OUTCOME_WRONG:
		move_to(out, x, y - 48);
		buf_puts(out, "l4.8 4.8-4.8 4.8-4.8-4.8z");
		return;
	case OUTCOME_RCODE:
		move_to(out, x, y - 42);
		buf_puts(out, "l4.6 8h-9.2z");
		return;
	case OUTCOME_TIMEOUT:
		move_to(out, x - 36, y - 36);
		buf_puts(out, "l7.2 7.2m0-7.2l-7.2 7.2");
		return;
	case OUTCOME_ERROR:
		move_to(out, x - 35, y - 35);
		buf_puts(out, "h7v7h-7z");
		return;
	case OUTCOME_COUNT:
		return;
	}
}

/* Fills from the palette of Okabe and Ito, which stays apart for colour-blind eyes; outlines darker, for 3:1 against white. */
void svg_mark_group(struct buf *out, enum outcome outcome)
{
	static const char *const looks[OUTCOME_COUNT] = {
		[OUTCOME_OK] = "stroke=\"#009e73\" stroke-width=\"3\" stroke-linecap=\"round\" fill=\"none\"",
		[OUTCOME_WRONG] = "stroke=\"#8a3d68\" stroke-width=\"1\" fill=\"#cc79a7\"",
		[OUTCOME_RCODE] = "stroke=\"#7a5200\" stroke-width=\"1\" fill=\"#e69f00\"",
		[OUTCOME_TIMEOUT] = "stroke=\"#d55e00\" stroke-width=\"1.8\" fill=\"none\"",
		[OUTCOME_ERROR] = "stroke=\"#222222\" stroke-width=\"1\" fill=\"#777777\"",
	};

	buf_printf(out, "<g class=\"m-%s\" %s>\n", outcome_name(outcome), looks[outcome]);
}
