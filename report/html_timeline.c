/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timeline of one run: the faults as bands across a lane for each probe, all on one axis with t = 0 at the first fault. */
#include "harness/base/units.h"
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"

#define WIDTH 11600 /* all sizes in tenths */
#define LEFT 1780
#define RIGHT 11480
#define FAULT_HEIGHT 320
#define AXIS_HEIGHT 240
#define TICKS 14

#define RANGE_MAX (INT64_MAX / 8) /* so that differences of what is kept within it fit */

static void widen(int64_t *from, int64_t *to, int64_t t)
{
	t = t > RANGE_MAX ? RANGE_MAX : t < -RANGE_MAX ? -RANGE_MAX : t;
	*from = t < *from ? t : *from;
	*to = t > *to ? t : *to;
}

static void view_take_run(struct html_view *view, const struct run_record *run)
{
	int64_t zero = facts_zero_ns(run);

	widen(&view->from_ns, &view->to_ns, facts_sub(run->timeline_ns, zero));
	for (size_t i = 0; i < run->fault_count; i++) {
		if (run->faults[i].applied)
			widen(&view->from_ns, &view->to_ns, facts_sub(run->faults[i].reverted_ns, zero));
	}
	for (size_t p = 0; p < run->probe_count; p++) {
		const struct probe_record *probe = &run->probes[p];
		for (size_t k = 0; k < probe->count; k++) {
			const struct sample *s = &probe->samples[k];
			widen(&view->from_ns, &view->to_ns, facts_sub(s->due_ns, zero));
			if (s->outcome != OUTCOME_ERROR && s->done_ns > s->due_ns)
				widen(&view->fastest_ns, &view->slowest_ns, facts_sub(s->done_ns, s->due_ns));
		}
	}
}

void html_view_init(struct html_view *view, const struct record *record)
{
	size_t lanes = 0;

	*view = (struct html_view){.fastest_ns = MSEC, .slowest_ns = 10 * MSEC, .text_left = HTML_TEXT_BYTES};
	for (size_t i = 0; i < record->count; i++) {
		view_take_run(view, &record->runs[i]);
		lanes += record->runs[i].probe_count;
	}
	int64_t decade = 10 * NSEC_PER_USEC;
	while (decade * 10 <= view->fastest_ns)
		decade *= 10;
	view->fastest_ns = decade;
	lanes = lanes ? lanes : 1;
	view->lane_marks = HTML_MARKS / lanes < HTML_LANE_MARKS ? HTML_MARKS / lanes : HTML_LANE_MARKS;
	view->lane_marks = view->lane_marks < 24 ? 24 : view->lane_marks;
	view->evidence = HTML_EVIDENCE_ROWS / lanes < HTML_EVIDENCE ? HTML_EVIDENCE_ROWS / lanes : HTML_EVIDENCE;
	view->evidence = view->evidence < 5 ? 5 : view->evidence;
}

static void fault_label(struct buf *out, const struct fault_record *fault)
{
	const struct ev_plan_fault *plan = &fault->plan;

	buf_printf(out, "%s: %s %s", plan->name ? plan->name : "", plan->kind ? plan->kind : "",
		   plan->target ? plan->target : "");
	if (!fault->applied)
		buf_puts(out, fault->failed ? ", could not be applied" : ", not applied");
	else {
		buf_puts(out, ", ");
		format_duration(out, facts_sub(fault->reverted_ns, fault->applied_ns), false);
		buf_puts(out, fault->reverted ? "" : ", not reverted");
		buf_puts(out, fault->took_effect ? "" : ", WITHOUT EFFECT");
	}
}

/* Planned as a dashed outline, what really was as a filled bar, with the label above both. */
static void draw_fault_row(struct buf *out, const struct run_record *run, const struct fault_record *fault,
			   const struct svg_scale *scale, int y)
{
	int64_t planned = facts_add(run->timeline_ns, fault->plan.at_ns);
	int64_t until = fault->plan.for_ns > 0 ? facts_add(planned, fault->plan.for_ns) : scale->to_ns;
	int from = svg_x(scale, planned), to = svg_x(scale, until);
	struct buf text = {0};

	fault_label(&text, fault);
	int width = (int)text.len * 62;
	if (text.data && from + width < RIGHT)
		svg_text(out, "name", 12, SVG_START, from, y + 130, text.data);
	else if (text.data)
		svg_text(out, "name", 12, SVG_END, RIGHT, y + 130, text.data);
	if (fault->applied) {
		int start = svg_x(scale, fault->applied_ns), end = svg_x(scale, fault->reverted_ns);
		svg_rect(out, "class=\"applied\" fill=\"#0072b2\"", start, y + 195, end - start, 60);
	}
	svg_rect(out, "class=\"planned\" fill=\"none\" stroke=\"#555555\" stroke-dasharray=\"4 2\"", from, y + 175,
		 to - from, 100);
	out->failed |= text.failed;
	buf_fini(&text);
}

/* Behind the lanes. A fault without effect is only outlined: nothing was broken while it stood. */
static void draw_bands(struct buf *out, const struct run_record *run, const struct svg_scale *scale, int top,
		       int bottom)
{
	for (size_t i = 0; i < run->fault_count; i++) {
		const struct fault_record *fault = &run->faults[i];
		if (!fault->applied)
			continue;
		int from = svg_x(scale, fault->applied_ns), to = svg_x(scale, fault->reverted_ns);
		svg_rect(out,
			 fault->took_effect
				 ? "class=\"band\" fill=\"#56b4e9\" fill-opacity=\"0.17\""
				 : "class=\"idle\" fill=\"none\" stroke=\"#56b4e9\" stroke-dasharray=\"3 3\"",
			 from, top, to - from, bottom - top);
	}
}

static void tick_text(struct buf *out, int64_t ns)
{
	char text[32];

	buf_printf(out, "%s%s",
		   ns < 0 ? "−"
		   : ns   ? "+"
			  : "",
		   ns ? units_format_duration(ns < 0 ? -ns : ns, text, sizeof(text)) : "t = 0");
}

static void draw_axis(struct buf *out, const struct svg_scale *scale, int64_t zero_ns, int top, int bottom)
{
	int64_t step = svg_tick_step(scale->to_ns - scale->from_ns, TICKS);
	int64_t first = (scale->from_ns - zero_ns) / step * step;

	for (int64_t t = first; t <= scale->to_ns - zero_ns; t += step) {
		struct buf text = {0};
		int x = svg_x(scale, zero_ns + t);
		svg_line(out,
			 t == 0 ? "class=\"zero\" stroke=\"#333333\" stroke-width=\"1.2\""
				: "class=\"grid\" stroke=\"#d8dce0\" stroke-width=\"0.7\"",
			 x, top, x, bottom + 50);
		tick_text(&text, t);
		if (text.data)
			svg_text(out, t == 0 ? "figure" : "muted", 11, SVG_MIDDLE, x, bottom + 170, text.data);
		out->failed |= text.failed;
		buf_fini(&text);
	}
}

/* Moves *y below the lanes. Returns for how many samples the fullest mark stands. */
static int64_t draw_lanes(struct buf *out, struct html_view *view, const struct run_results *run,
			  const struct svg_scale *scale, int *y)
{
	int64_t most = 0;

	for (size_t i = 0; i < run->run->probe_count; i++) {
		struct html_lane lane = {
			.view = view,
			.run = run,
			.probe = &run->run->probes[i],
			.scale = *scale,
			.zero_ns = facts_zero_ns(run->run),
		};
		html_lane_draw(out, &lane, y);
		most = lane.most > most ? lane.most : most;
	}
	return most;
}

/* What a screen reader says in place of the picture. */
static void description(struct buf *out, const struct run_results *run)
{
	buf_printf(out, "%zu faults, %zu probes. ", run->run->fault_count, run->run->probe_count);
	for (size_t i = 0; i < run->measurement_count; i++) {
		const struct measurement *m = &run->measurements[i];
		struct buf text = {0};
		if (m->window != WINDOW_FAULT)
			continue;
		buf_printf(&text, "%s during %s: time to failover ", m->probe->plan.probe, format_window(m));
		format_failover(&text, m);
		buf_puts(&text, ", outage ");
		format_duration(&text, m->outage_ns, false);
		buf_puts(&text, ". ");
		escape_html(out, text.data);
		buf_fini(&text);
	}
	buf_puts(out, "The tables below hold the same in numbers.");
}

static void write_legend(struct buf *out)
{
	static const char *const words[OUTCOME_COUNT] = {[OUTCOME_OK] = "ok",
							 [OUTCOME_WRONG] = "wrong answer",
							 [OUTCOME_RCODE] = "error answer (rcode)",
							 [OUTCOME_TIMEOUT] = "timeout",
							 [OUTCOME_ERROR] = "could not ask"};

	buf_puts(out, "<ul class=\"legend\">\n");
	for (int o = 0; o < OUTCOME_COUNT; o++) {
		buf_puts(out, "<li><svg width=\"16\" height=\"16\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">");
		svg_mark_group(out, (enum outcome)o);
		buf_puts(out, "<path d=\"");
		svg_mark(out, (enum outcome)o, 80, 80);
		buf_printf(out, "\"/></g></svg> %s</li>\n", words[o]);
	}
	buf_puts(out, "<li><svg width=\"26\" height=\"16\" viewBox=\"0 0 26 16\" aria-hidden=\"true\">");
	svg_rect(out, "class=\"outage\" fill=\"#d55e00\"", 0, 60, 260, 40);
	buf_puts(out, "</svg> outage</li>\n");
	buf_puts(out, "<li><svg width=\"26\" height=\"16\" viewBox=\"0 0 26 16\" aria-hidden=\"true\">");
	svg_rect(out, "class=\"applied\" fill=\"#0072b2\"", 20, 50, 220, 60);
	svg_rect(out, "class=\"planned\" fill=\"none\" stroke=\"#555555\" stroke-dasharray=\"4 2\"", 10, 30, 240, 100);
	buf_puts(out, "</svg> fault as applied; dashed: as planned</li>\n</ul>\n");
}

static void write_caption(struct buf *out, const struct html_view *view, int64_t most)
{
	buf_puts(out, "<figcaption>Each sample stands at the time it was due; t = 0 is the instant of the first fault. "
		      "Below the marks of each probe are the latencies, a timed-out sample at its timeout. ");
	if (most <= 1)
		buf_puts(out, "Point at a mark to read the sample.");
	else
		buf_printf(out,
			   "Lanes of more than %zu samples are drawn in columns: a mark shows the worst outcome of its "
			   "column "
			   "(wrong, then timeout, error answer, could not ask) and stands for up to %lld samples; all "
			   "samples are in events.ndjson.",
			   view->lane_marks, (long long)most);
	buf_puts(out, "</figcaption>\n");
}

void html_timeline_write(struct buf *out, struct html_view *view, const struct run_results *run, size_t index)
{
	int64_t zero = facts_zero_ns(run->run);
	struct svg_scale scale =
		svg_scale_make(facts_add(zero, view->from_ns), facts_add(zero, view->to_ns), LEFT, RIGHT);
	struct buf lanes = {0};
	int top = (int)run->run->fault_count * FAULT_HEIGHT + 60, bottom = top;

	int64_t most = draw_lanes(&lanes, view, run, &scale, &bottom);
	write_legend(out);
	buf_puts(out, "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline, scrolls "
		      "sideways\">\n");
	buf_puts(out, "<svg class=\"timeline\" role=\"img\" font-family=\"system-ui, sans-serif\" width=\"1160\"");
	buf_printf(out, " height=\"%d\" viewBox=\"0 0 1160 %d\" aria-labelledby=\"t%zu d%zu\">\n",
		   (bottom + AXIS_HEIGHT) / 10, (bottom + AXIS_HEIGHT) / 10, index, index);
	buf_printf(out, "<title id=\"t%zu\">Timeline of samples and faults</title>\n<desc id=\"d%zu\">", index, index);
	description(out, run);
	buf_puts(out, "</desc>\n");
	draw_bands(out, run->run, &scale, top, bottom);
	draw_axis(out, &scale, zero, top, bottom);
	for (size_t i = 0; i < run->run->fault_count; i++)
		draw_fault_row(out, run->run, &run->run->faults[i], &scale, (int)i * FAULT_HEIGHT);
	buf_add(out, lanes.data, lanes.len);
	buf_puts(out, "</svg>\n</div>\n");
	write_caption(out, view, most);
	buf_puts(out, "</figure>\n");
	out->failed |= lanes.failed;
	buf_fini(&lanes);
}
