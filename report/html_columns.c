/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lane with more samples than can be drawn: what came of all samples of a narrow column in one mark. */
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"

#define COLUMN_WIDTH 30 /* tenths: marks of neighbouring columns overlap, yet can be told apart */
#define ROWS_MAX 128 /* of the picture of latencies, in which medians are counted */

struct column {
	int64_t count, outcomes[OUTCOME_COUNT];
	int64_t from_ns, to_ns, fastest_ns, slowest_ns; /* fastest -1: none has a latency */
	uint32_t rows[ROWS_MAX]; /* samples by the height at which their latency would be drawn, from the top */
};

static enum outcome worst_of(const int64_t outcomes[OUTCOME_COUNT])
{
	enum outcome worst = OUTCOME_OK;

	for (size_t i = 0; i < OUTCOME_COUNT; i++) {
		if (outcomes[html_by_harm[i]] > 0)
			worst = html_by_harm[i];
	}
	return worst;
}

static void take_latency(struct column *c, const struct svg_log *log, int64_t latency)
{
	int row = (svg_log_y(log, latency) - log->top) / 10;

	if (c->fastest_ns < 0 || latency < c->fastest_ns)
		c->fastest_ns = latency;
	if (latency > c->slowest_ns)
		c->slowest_ns = latency;
	c->rows[row < ROWS_MAX ? row : ROWS_MAX - 1]++;
}

static void take_sample(struct column *c, const struct svg_log *log, const struct sample *s)
{
	if (c->count == 0 || s->due_ns < c->from_ns)
		c->from_ns = s->due_ns;
	if (c->count == 0 || s->due_ns > c->to_ns)
		c->to_ns = s->due_ns;
	c->count++;
	c->outcomes[s->outcome]++;
	if (html_sample_latency(s) >= 0)
		take_latency(c, log, html_sample_latency(s));
}

/* To the unit of the picture: the row with as many samples above as below it. */
static int median_y(const struct column *c, const struct svg_log *log)
{
	uint64_t all = 0, seen = 0;

	for (int row = 0; row < ROWS_MAX; row++)
		all += c->rows[row];
	for (int row = 0; row < ROWS_MAX; row++) {
		seen += c->rows[row];
		if (2 * seen >= all)
			return log->top + row * 10;
	}
	return log->bottom;
}

static void column_title(struct buf *out, const struct html_lane *lane, const struct column *c)
{
	buf_puts(out, "<title>");
	format_moment(out, facts_sub(c->from_ns, lane->zero_ns));
	buf_puts(out, " to ");
	format_moment(out, facts_sub(c->to_ns, lane->zero_ns));
	buf_printf(out, " · %lld samples: ", (long long)c->count);
	format_outcomes(out, c->outcomes);
	if (c->fastest_ns >= 0) {
		buf_puts(out, " · latency ");
		format_duration(out, c->fastest_ns, false);
		buf_puts(out, " to ");
		format_duration(out, c->slowest_ns, false);
	}
	buf_puts(out, "</title>");
}

static void draw_column(struct buf *out, const struct html_lane *lane, const struct column *c, int x)
{
	enum outcome worst = worst_of(c->outcomes);

	buf_puts(out, "<g>");
	column_title(out, lane, c);
	if (c->fastest_ns >= 0)
		svg_line(out, "stroke-width=\"2\" stroke-opacity=\".32\" stroke-linecap=\"butt\"", x,
			 svg_log_y(&lane->log, c->fastest_ns) + 5, x, svg_log_y(&lane->log, c->slowest_ns) - 5);
	buf_puts(out, "<path d=\"");
	svg_mark(out, worst, x, lane->y - html_raised[worst]);
	buf_puts(out, "\"/>");
	if (c->fastest_ns >= 0) {
		int y = median_y(c, &lane->log);
		svg_line(out, "stroke-width=\"2\" stroke-linecap=\"butt\"", x - 13, y, x + 13, y);
	}
	buf_puts(out, "</g>\n");
}

static void draw_columns(struct buf *out, struct html_lane *lane, const struct column *columns, size_t count)
{
	size_t width = (size_t)(lane->scale.right - lane->scale.left);

	for (size_t i = 0; i < OUTCOME_COUNT; i++) {
		svg_mark_group(out, html_by_harm[i]);
		for (size_t k = 0; k < count; k++) {
			if (columns[k].count == 0 || worst_of(columns[k].outcomes) != html_by_harm[i])
				continue;
			draw_column(out, lane, &columns[k],
				    lane->scale.left + (int)((2 * k + 1) * width / (2 * count)));
			if (columns[k].count > lane->most)
				lane->most = columns[k].count;
		}
		buf_puts(out, "</g>\n");
	}
}

void html_columns_draw(struct buf *out, struct html_lane *lane)
{
	size_t width = (size_t)(lane->scale.right - lane->scale.left), count = width / COLUMN_WIDTH;

	if (count > lane->view->lane_marks / 2) /* the mark of a column takes about twice the bytes of a sample's */
		count = lane->view->lane_marks / 2;
	CLEANUP_FREE struct column *columns = calloc(count, sizeof(*columns));
	if (!columns) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		columns[i].fastest_ns = columns[i].slowest_ns = -1;
	for (size_t k = 0; k < lane->probe->count; k++) {
		const struct sample *s = &lane->probe->samples[k];
		size_t x = (size_t)(svg_x(&lane->scale, s->due_ns) - lane->scale.left);
		take_sample(&columns[x * count / (width + 1)], &lane->log, s);
	}
	draw_columns(out, lane, columns, count);
}
