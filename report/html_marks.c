/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The marks of a lane: what each sample came to, at its due time, and below it its latency. */
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"
#include <string.h>

#define COLUMN_WIDTH 30 /* tenths: marks of neighbouring columns overlap, yet can be told apart */
#define TOOLTIP_TEXT 60 /* bytes of an answer or a detail in a tooltip */

/* From the least to the most harm to a user. The harness's own trouble says nothing about DNS, and comes before it only over ok. */
static const enum outcome by_harm[OUTCOME_COUNT] = {OUTCOME_OK, OUTCOME_ERROR, OUTCOME_RCODE, OUTCOME_TIMEOUT,
						    OUTCOME_WRONG};

/* One column of a lane with too many samples to draw each. */
struct column {
	int64_t count, outcomes[OUTCOME_COUNT];
	int64_t from_ns, to_ns, fastest_ns, slowest_ns;
};

static int64_t sample_latency(const struct sample *s)
{
	return s->done_ns > s->due_ns ? facts_sub(s->done_ns, s->due_ns) : 0;
}

/* A sample that could not be asked has no latency. */
static bool has_latency(const struct sample *s)
{
	return s->outcome != OUTCOME_ERROR;
}

static enum outcome worst_of(const int64_t outcomes[OUTCOME_COUNT])
{
	enum outcome worst = OUTCOME_OK;

	for (size_t i = 0; i < OUTCOME_COUNT; i++) {
		if (outcomes[by_harm[i]] > 0)
			worst = by_harm[i];
	}
	return worst;
}

/* A stranger's text in a tooltip: cut, and left out once the page has had its ration of them. */
static void add_foreign(struct buf *out, struct html_view *view, const char *text)
{
	char cut[TOOLTIP_TEXT + 1];
	size_t len, before = out->len;

	if (!text || !*text || view->text_left == 0)
		return;
	len = strnlen(text, TOOLTIP_TEXT + 1);
	bool whole = len <= TOOLTIP_TEXT;
	if (!whole) {
		len = TOOLTIP_TEXT;
		while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
			len--;
	}
	memcpy(cut, text, len);
	cut[len] = '\0';
	buf_puts(out, " · ");
	escape_html(out, cut);
	buf_puts(out, whole ? "" : "…");
	size_t used = out->len - before;
	view->text_left -= used < view->text_left ? used : view->text_left;
}

static void sample_title(struct buf *out, struct html_lane *lane, const struct sample *s)
{
	buf_puts(out, "<title>");
	format_moment(out, facts_sub(s->due_ns, lane->zero_ns));
	buf_printf(out, " · %s", outcome_name(s->outcome));
	if (s->rcode) {
		buf_puts(out, " · ");
		escape_html(out, s->rcode);
	}
	if (has_latency(s)) {
		buf_puts(out, " · ");
		format_duration(out, sample_latency(s), false);
	}
	add_foreign(out, lane->view, s->name);
	add_foreign(out, lane->view, s->answer);
	add_foreign(out, lane->view, s->detail);
	buf_puts(out, "</title>");
}

static void draw_sample(struct buf *out, struct html_lane *lane, const struct sample *s)
{
	int x = svg_x(&lane->scale, s->due_ns);

	buf_puts(out, "<path d=\"");
	svg_mark(out, s->outcome, x, lane->y);
	if (has_latency(s))
		svg_mark(out, s->outcome, x, svg_log_y(&lane->log, sample_latency(s)));
	buf_puts(out, "\">");
	sample_title(out, lane, s);
	buf_puts(out, "</path>\n");
}

/* In groups by outcome, the harmful last, so that none hides under a good one. */
static void draw_each(struct buf *out, struct html_lane *lane)
{
	for (size_t i = 0; i < OUTCOME_COUNT; i++) {
		bool open = false;
		for (size_t k = 0; k < lane->probe->count; k++) {
			const struct sample *s = &lane->probe->samples[k];
			if (s->outcome != by_harm[i])
				continue;
			if (!open)
				svg_mark_group(out, s->outcome);
			open = true;
			draw_sample(out, lane, s);
		}
		if (open)
			buf_puts(out, "</g>\n");
	}
}

static void column_take(struct column *c, const struct sample *s)
{
	if (c->count == 0 || s->due_ns < c->from_ns)
		c->from_ns = s->due_ns;
	if (c->count == 0 || s->due_ns > c->to_ns)
		c->to_ns = s->due_ns;
	c->count++;
	c->outcomes[s->outcome]++;
	if (!has_latency(s))
		return;
	int64_t latency = sample_latency(s);
	if (c->fastest_ns < 0 || latency < c->fastest_ns)
		c->fastest_ns = latency;
	if (latency > c->slowest_ns)
		c->slowest_ns = latency;
}

static void column_title(struct buf *out, const struct html_lane *lane, const struct column *c)
{
	buf_puts(out, "<title>");
	format_moment(out, facts_sub(c->from_ns, lane->zero_ns));
	buf_puts(out, " to ");
	format_moment(out, facts_sub(c->to_ns, lane->zero_ns));
	buf_printf(out, " · %lld samples: ", (long long)c->count);
	format_outcomes(out, c->outcomes);
	if (c->slowest_ns >= 0) {
		buf_puts(out, " · latency ");
		format_duration(out, c->fastest_ns, false);
		buf_puts(out, " to ");
		format_duration(out, c->slowest_ns, false);
	}
	buf_puts(out, "</title>");
}

static void draw_column(struct buf *out, const struct html_lane *lane, const struct column *c, int x)
{
	buf_puts(out, "<g>");
	column_title(out, lane, c);
	buf_puts(out, "<path d=\"");
	svg_mark(out, worst_of(c->outcomes), x, lane->y);
	buf_puts(out, "\"/>");
	if (c->slowest_ns >= 0) {
		int top = svg_log_y(&lane->log, c->slowest_ns), bottom = svg_log_y(&lane->log, c->fastest_ns);
		svg_line(out, "class=\"span\" stroke-width=\"2.4\" stroke-linecap=\"butt\"", x, bottom + 8, x, top - 8);
	}
	buf_puts(out, "</g>\n");
}

static size_t column_count(const struct html_lane *lane)
{
	size_t fit = (size_t)(lane->scale.right - lane->scale.left) / COLUMN_WIDTH;

	return fit < lane->view->lane_marks ? fit : lane->view->lane_marks;
}

static void draw_columns(struct buf *out, struct html_lane *lane, const struct column *columns, size_t count)
{
	int width = lane->scale.right - lane->scale.left;

	for (size_t i = 0; i < OUTCOME_COUNT; i++) {
		svg_mark_group(out, by_harm[i]);
		for (size_t k = 0; k < count; k++) {
			if (columns[k].count == 0 || worst_of(columns[k].outcomes) != by_harm[i])
				continue;
			int x = lane->scale.left + (int)((2 * k + 1) * (size_t)width / (2 * count));
			draw_column(out, lane, &columns[k], x);
			if (columns[k].count > lane->most)
				lane->most = columns[k].count;
		}
		buf_puts(out, "</g>\n");
	}
}

static void draw_binned(struct buf *out, struct html_lane *lane)
{
	size_t count = column_count(lane), width = (size_t)(lane->scale.right - lane->scale.left);
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
		column_take(&columns[x * count / (width + 1)], s);
	}
	draw_columns(out, lane, columns, count);
}

void html_marks_draw(struct buf *out, struct html_lane *lane)
{
	lane->most = 1;
	if (lane->probe->count <= lane->view->lane_marks)
		draw_each(out, lane);
	else
		draw_binned(out, lane);
}
