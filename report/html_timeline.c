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
#define LABEL_BYTES 40 /* of the name and of the target in a fault's label */

static void fault_label(struct buf *out, const struct fault_record *fault)
{
	const struct ev_plan_fault *plan = &fault->plan;

	escape_cut(out, plan->name, LABEL_BYTES);
	buf_printf(out, ": %s ", plan->kind ? plan->kind : "");
	escape_cut(out, plan->target, LABEL_BYTES);
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
	int width = (int)text.len * 72;
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

	if (ns == 0)
		buf_puts(out, "t = 0");
	else if (ns % SEC == 0 && ns > -120 * SEC && ns < 120 * SEC)
		buf_printf(out, "%s%d s", ns < 0 ? "−" : "+", abs((int)(ns / SEC)));
	else
		buf_printf(out, "%s%s", ns < 0 ? "−" : "+",
			   units_format_duration(ns < 0 ? -ns : ns, text, sizeof(text)));
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
			svg_text(out, t == 0 ? "figure" : "muted", 11, x > RIGHT - 150 ? SVG_END : SVG_MIDDLE, x,
				 bottom + 170, text.data);
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

void html_timeline_write(struct buf *out, struct html_view *view, const struct run_results *run, size_t index)
{
	int64_t zero = facts_zero_ns(run->run);
	struct svg_scale scale =
		svg_scale_make(facts_add(zero, view->from_ns), facts_add(zero, view->to_ns), LEFT, RIGHT);
	struct buf lanes = {0};
	int top = (int)run->run->fault_count * FAULT_HEIGHT + 60, bottom = top;

	int64_t most = draw_lanes(&lanes, view, run, &scale, &bottom);
	html_legend_write(out);
	buf_puts(out, "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline, scrolls "
		      "sideways\">\n");
	buf_puts(out, "<svg class=\"timeline\" role=\"img\" font-family=\"system-ui, sans-serif\" width=\"1160\"");
	buf_printf(out, " height=\"%d\" viewBox=\"0 0 1160 %d\" aria-labelledby=\"t%zu d%zu\">\n",
		   (bottom + AXIS_HEIGHT) / 10, (bottom + AXIS_HEIGHT) / 10, index, index);
	buf_printf(out, "<title id=\"t%zu\">Timeline of samples and faults</title>\n<desc id=\"d%zu\">", index, index);
	html_timeline_words(out, run);
	buf_puts(out, "</desc>\n");
	draw_bands(out, run->run, &scale, top, bottom);
	draw_axis(out, &scale, zero, top, bottom);
	for (size_t i = 0; i < run->run->fault_count; i++)
		draw_fault_row(out, run->run, &run->run->faults[i], &scale, (int)i * FAULT_HEIGHT);
	buf_add(out, lanes.data, lanes.len);
	buf_puts(out, "</svg>\n</div>\n");
	html_caption_write(out, view, most);
	buf_puts(out, "</figure>\n");
	out->failed |= lanes.failed;
	buf_fini(&lanes);
}
