/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timeline of one run: the faults as bands across a lane for each probe, all on one axis with t = 0 at the first fault. */
#include "harness/base/units.h"
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"

#define WIDTH 11600 /* all sizes in tenths */
#define LEFT 1780
#define AXIS_HEIGHT 240
#define TICKS 14

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
			svg_text(out, t == 0 ? "figure" : "muted", 11,
				 x > HTML_TIMELINE_RIGHT - 150 ? SVG_END : SVG_MIDDLE, x, bottom + 170, text.data);
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
		svg_scale_make(facts_add(zero, view->from_ns), facts_add(zero, view->to_ns), LEFT, HTML_TIMELINE_RIGHT);
	struct buf lanes = {0};
	size_t faults = run->run->fault_count, rows = faults + run->run->step_count;
	int top = (int)rows * HTML_FAULT_HEIGHT + 60, bottom = top;

	int64_t most = draw_lanes(&lanes, view, run, &scale, &bottom);
	html_legend_write(out, run->run);
	buf_puts(out, "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline, scrolls "
		      "sideways\">\n");
	buf_puts(out, "<svg class=\"timeline\" role=\"img\" font-family=\"system-ui, sans-serif\" width=\"1160\"");
	buf_printf(out, " height=\"%d\" viewBox=\"0 0 1160 %d\" aria-labelledby=\"t%zu d%zu\">\n",
		   (bottom + AXIS_HEIGHT) / 10, (bottom + AXIS_HEIGHT) / 10, index, index);
	buf_printf(out, "<title id=\"t%zu\">Timeline of samples and faults</title>\n<desc id=\"d%zu\">", index, index);
	html_timeline_words(out, run);
	buf_puts(out, "</desc>\n");
	html_faults_bands(out, run->run, &scale, top, bottom);
	html_steps_lines(out, run->run, &scale, top, bottom);
	draw_axis(out, &scale, zero, top, bottom);
	for (size_t i = 0; i < faults; i++)
		html_faults_row(out, run->run, &run->run->faults[i], &scale, (int)i * HTML_FAULT_HEIGHT);
	for (size_t i = faults; i < rows; i++)
		html_steps_row(out, run->run, &run->run->steps[i - faults], &scale, (int)i * HTML_FAULT_HEIGHT);
	buf_add(out, lanes.data, lanes.len);
	buf_puts(out, "</svg>\n</div>\n");
	html_caption_write(out, view, most);
	buf_puts(out, "</figure>\n");
	out->failed |= lanes.failed;
	buf_fini(&lanes);
}
