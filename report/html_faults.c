/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The faults of a timeline: a row for each, and its band behind the lanes. A fault that flaps has several spans, one that ramps a slope. */
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"

#define RIGHT HTML_TIMELINE_RIGHT
#define LABEL_BYTES 40 /* of the name and of the target in a fault's label */
#define BAR_HEIGHT 60
#define GAP_MIN 10 /* spans closer than one unit are drawn as one */

/* ", growing over 10 s, on 2 s and off 3 s" */
static void fault_shape(struct buf *out, const struct ev_plan_fault *plan)
{
	if (plan->ramp_ns > 0) {
		buf_puts(out, ", growing over ");
		format_duration(out, plan->ramp_ns, false);
	}
	if (plan->on_ns > 0) {
		buf_puts(out, ", on ");
		format_duration(out, plan->on_ns, false);
		buf_puts(out, " and off ");
		format_duration(out, plan->off_ns, false);
	}
}

static void fault_label(struct buf *out, const struct fault_record *fault)
{
	const struct ev_plan_fault *plan = &fault->plan;

	escape_cut(out, plan->name, LABEL_BYTES);
	buf_printf(out, ": %s ", plan->kind ? plan->kind : "");
	escape_cut(out, plan->target, LABEL_BYTES);
	fault_shape(out, plan);
	if (!fault->applied)
		buf_puts(out, fault->failed ? ", could not be applied" : ", not applied");
	else {
		buf_puts(out, ", ");
		format_duration(out, facts_sub(fault->reverted_ns, fault->applied_ns), false);
		buf_puts(out, fault->reverted ? "" : ", not reverted");
		buf_puts(out, fault->took_effect ? "" : ", WITHOUT EFFECT");
	}
}

/* The next span as it is drawn, with those that follow too closely. False: there is none. */
static bool next_span(const struct fault_record *fault, const struct svg_scale *scale, size_t *io_i,
		      struct fault_span *ret)
{
	size_t i = *io_i;

	if (i >= fault->span_count)
		return false;
	*ret = fault->spans[i++];
	while (i < fault->span_count && svg_x(scale, fault->spans[i].from_ns) - svg_x(scale, ret->to_ns) < GAP_MIN)
		ret->to_ns = fault->spans[i++].to_ns;
	*io_i = i;
	return true;
}

/* How high the bar is at a moment: all of it but on the slope of a ramp. */
static int height_at(const struct fault_record *fault, int64_t t_ns)
{
	int64_t since = facts_sub(t_ns, fault->applied_ns);

	if (since >= fault->plan.ramp_ns)
		return BAR_HEIGHT;
	return since <= 0 ? 0 : (int)((double)since / (double)fault->plan.ramp_ns * BAR_HEIGHT + 0.5);
}

static void draw_slope(struct buf *out, const struct fault_record *fault, const struct svg_scale *scale,
		       const struct fault_span *span, int bottom)
{
	int64_t knee_ns = facts_add(fault->applied_ns, fault->plan.ramp_ns);
	int64_t top_ns = knee_ns < span->to_ns ? knee_ns : span->to_ns;
	int from = svg_x(scale, span->from_ns), knee = svg_x(scale, top_ns), to = svg_x(scale, span->to_ns);
	const int points[][2] = {
		{from, bottom},
		{from, bottom - height_at(fault, span->from_ns)},
		{knee, bottom - height_at(fault, top_ns)},
		{to, bottom - height_at(fault, span->to_ns)},
		{to, bottom},
	};

	svg_area(out, "class=\"applied\" fill=\"#0072b2\"", points, ARRAY_LEN(points));
}

static void draw_spans(struct buf *out, const struct fault_record *fault, const struct svg_scale *scale, int top)
{
	struct fault_span span;

	for (size_t i = 0; next_span(fault, scale, &i, &span);) {
		int from = svg_x(scale, span.from_ns), to = svg_x(scale, span.to_ns);

		if (fault->plan.ramp_ns > 0 && span.from_ns < facts_add(fault->applied_ns, fault->plan.ramp_ns))
			draw_slope(out, fault, scale, &span, top + BAR_HEIGHT);
		else
			svg_rect(out, "class=\"applied\" fill=\"#0072b2\"", from, top, to - from, BAR_HEIGHT);
	}
}

/* Planned as a dashed outline, what really was as a filled bar, with the label above both. */
void html_faults_row(struct buf *out, const struct run_record *run, const struct fault_record *fault,
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
	draw_spans(out, fault, scale, y + 195);
	svg_rect(out, "class=\"planned\" fill=\"none\" stroke=\"#555555\" stroke-dasharray=\"4 2\"", from, y + 175,
		 to - from, 100);
	out->failed |= text.failed;
	buf_fini(&text);
}

/* A fault without effect is only outlined: nothing was broken while it stood. */
void html_faults_bands(struct buf *out, const struct run_record *run, const struct svg_scale *scale, int top,
		       int bottom)
{
	for (size_t i = 0; i < run->fault_count; i++) {
		const struct fault_record *fault = &run->faults[i];
		struct fault_span span;

		for (size_t j = 0; next_span(fault, scale, &j, &span);) {
			int from = svg_x(scale, span.from_ns), to = svg_x(scale, span.to_ns);

			svg_rect(out,
				 fault->took_effect
					 ? "class=\"band\" fill=\"#56b4e9\" fill-opacity=\"0.17\""
					 : "class=\"idle\" fill=\"none\" stroke=\"#56b4e9\" stroke-dasharray=\"3 3\"",
				 from, top, to - from, bottom - top);
		}
	}
}
