/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The marks of a lane: what each sample came to, at its due time, and below it its latency. */
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"

#define TOOLTIP_TEXT 60 /* bytes of an answer or a detail in a tooltip */

const enum outcome html_by_harm[OUTCOME_COUNT] = {OUTCOME_OK, OUTCOME_ERROR, OUTCOME_RCODE, OUTCOME_TIMEOUT,
						  OUTCOME_WRONG};
const int html_raised[OUTCOME_COUNT] = {
	[OUTCOME_OK] = 0, [OUTCOME_TIMEOUT] = 110, [OUTCOME_RCODE] = 200, [OUTCOME_WRONG] = 300, [OUTCOME_ERROR] = 300};

int64_t html_sample_latency(const struct sample *s)
{
	if (s->outcome == OUTCOME_ERROR)
		return -1;
	return s->done_ns > s->due_ns ? facts_sub(s->done_ns, s->due_ns) : 0;
}

/* A stranger's text in a tooltip: cut, and left out once the page has had its ration of them. */
static void add_foreign(struct buf *out, struct html_view *view, const char *text)
{
	struct buf cut = {0};
	size_t before = out->len;

	if (!text || !*text || view->text_left == 0)
		return;
	escape_cut(&cut, text, TOOLTIP_TEXT);
	buf_puts(out, " · ");
	escape_html(out, cut.data);
	out->failed |= cut.failed;
	buf_fini(&cut);
	size_t used = out->len - before;
	view->text_left -= used < view->text_left ? used : view->text_left;
}

static void sample_title(struct buf *out, struct html_lane *lane, const struct sample *s)
{
	buf_puts(out, "<title>");
	format_moment(out, facts_sub(s->due_ns, lane->zero_ns));
	buf_printf(out, " · %s", outcome_name(s->outcome));
	if (s->is_stale)
		buf_puts(out, " · stale");
	if (s->rcode) {
		buf_puts(out, " · ");
		escape_html(out, s->rcode);
	}
	if (html_sample_latency(s) >= 0) {
		buf_puts(out, " · ");
		format_duration(out, html_sample_latency(s), false);
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
	svg_mark(out, s->outcome, x, lane->y - html_raised[s->outcome]);
	if (html_sample_latency(s) >= 0)
		svg_mark(out, s->outcome, x, svg_log_y(&lane->log, html_sample_latency(s)));
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
			if (s->outcome != html_by_harm[i])
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

void html_marks_draw(struct buf *out, struct html_lane *lane)
{
	lane->most = 1;
	if (lane->probe->count <= lane->view->lane_marks)
		draw_each(out, lane);
	else
		html_columns_draw(out, lane);
}
