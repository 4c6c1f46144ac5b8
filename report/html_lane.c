/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One probe's lane: who asks, its marks, the outages, how long failover took, and the latencies. */
#include "harness/base/units.h"
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"
#include <string.h>

#define BRACKET_HEIGHT 170
#define BRACKETS_MAX 8 /* rows of brackets; more overlapping faults share the last */
#define MARKS_HEIGHT 370 /* from the brackets down to the good samples */
#define LATENCY_HEIGHT 640
#define LABEL_PLACES 27 /* characters that fit beside a lane */

/* Text beside the lane, cut to fit; the whole of it as a tooltip. */
static void label(struct buf *out, const char *cls, int size, int y, const char *text, size_t fit)
{
	const char *at = text;
	size_t shown = 0;

	while (*at && shown < fit) {
		escape_next(&at);
		shown++;
	}
	struct buf cut = {0};
	buf_add(&cut, text, (size_t)(at - text));
	if (*at)
		buf_puts(&cut, "…");
	if (cut.len) {
		buf_puts(out, "<g><title>");
		escape_html(out, text);
		buf_puts(out, "</title>");
		svg_text(out, cls, size, SVG_START, 0, y, cut.data);
		buf_puts(out, "</g>");
	}
	out->failed |= cut.failed;
	buf_fini(&cut);
}

static void draw_labels(struct buf *out, const struct html_lane *lane, int y)
{
	const struct ev_plan_probe *plan = &lane->probe->plan;
	struct buf from = {0};

	buf_printf(&from, "from %s", plan->from ? plan->from : "nowhere");
	label(out, "name", 14, y + 150, plan->probe ? plan->probe : "", LABEL_PLACES - 6);
	label(out, "muted", 11, y + 300, plan->query ? plan->query : "", LABEL_PLACES);
	label(out, "muted", 11, y + 440, from.data ? from.data : "", LABEL_PLACES);
	label(out, "muted", 11, y + 580, plan->via ? plan->via : "", LABEL_PLACES);
	out->failed |= from.failed;
	buf_fini(&from);
}

/* From impact to failover, with the time that counts: from the fault's instant. */
static void draw_bracket(struct buf *out, const struct html_lane *lane, const struct measurement *m, int y)
{
	int64_t applied = m->fault->applied_ns;
	int from = svg_x(&lane->scale, facts_add(applied, m->time_to_impact_ns));
	int to = svg_x(&lane->scale, facts_add(applied, m->time_to_failover_ns));
	int middle = (lane->scale.left + lane->scale.right) / 2;
	struct buf text = {0};

	buf_puts(&text, m->failover_censored ? "no failover: " : "failover ");
	format_failover(&text, m);
	buf_puts(out, "<g class=\"bracket\" stroke=\"#005a94\" stroke-width=\"1.4\" fill=\"none\">\n");
	svg_line(out, "class=\"lead\" stroke-dasharray=\"2 3\"", svg_x(&lane->scale, applied), y + 130, from, y + 130);
	svg_line(out, "", from, y + 90, from, y + 170);
	svg_line(out, m->failover_censored ? "stroke-dasharray=\"6 3\"" : "", from, y + 130, to, y + 130);
	if (!m->failover_censored)
		svg_line(out, "", to, y + 90, to, y + 170);
	buf_puts(out, "</g>\n");
	if (to < middle)
		svg_text(out, "figure", 12, SVG_START, to + 60, y + 170, text.data ? text.data : "");
	else
		svg_text(out, "figure", 12, SVG_END, to, y + 70, text.data ? text.data : "");
	out->failed |= text.failed;
	buf_fini(&text);
}

static bool has_bracket(const struct html_lane *lane, const struct measurement *m)
{
	return m->window == WINDOW_FAULT && m->probe == lane->probe && m->fault &&
	       m->time_to_impact_ns != MEASURE_NONE && m->time_to_failover_ns != MEASURE_NONE;
}

/* The first row whose last bracket ends before this one begins. */
static size_t free_row(const int ends[BRACKETS_MAX], int from)
{
	for (size_t row = 0; row < BRACKETS_MAX; row++) {
		if (ends[row] <= from)
			return row;
	}
	return BRACKETS_MAX - 1;
}

/* Moves *y below the brackets. */
static void draw_brackets(struct buf *out, const struct html_lane *lane, int *y)
{
	int ends[BRACKETS_MAX] = {0};
	size_t rows = 1;

	for (size_t i = 0; i < lane->run->measurement_count; i++) {
		const struct measurement *m = &lane->run->measurements[i];
		if (!has_bracket(lane, m))
			continue;
		int from = svg_x(&lane->scale, m->fault->applied_ns);
		size_t row = free_row(ends, from);
		int to = svg_x(&lane->scale, facts_add(m->fault->applied_ns, m->time_to_failover_ns));
		ends[row] = to + 1700; /* room for its text */
		draw_bracket(out, lane, m, *y + (int)row * BRACKET_HEIGHT);
		rows = row + 1 > rows ? row + 1 : rows;
	}
	*y += (int)rows * BRACKET_HEIGHT;
}

static void outage_bar(struct buf *out, const struct html_lane *lane, int from, int to)
{
	svg_rect(out, "class=\"outage\" fill=\"#d55e00\"", from, lane->y + 90, to > from + 10 ? to - from : 10, 40);
}

/* Where an outage ends that no good sample ended: with what was measured. */
static int64_t measured_until(const struct html_lane *lane)
{
	for (size_t i = 0; i < lane->run->measurement_count; i++) {
		const struct measurement *m = &lane->run->measurements[i];
		if (m->window == WINDOW_OVERALL && m->probe == lane->probe)
			return m->to_ns;
	}
	return lane->scale.to_ns;
}

/* Spans from a bad sample to the next good one; spans less than half a unit apart are drawn as one. */
static void draw_outages(struct buf *out, const struct html_lane *lane)
{
	int from = -1, to = -1;
	bool bad = false;

	for (size_t i = 0; i < lane->probe->count; i++) {
		const struct sample *s = &lane->probe->samples[i];
		int x = svg_x(&lane->scale, s->due_ns);
		if (s->outcome == OUTCOME_OK && bad)
			to = x;
		if (s->outcome != OUTCOME_OK && !bad && (from < 0 || x - to > 5)) {
			if (from >= 0)
				outage_bar(out, lane, from, to);
			from = x;
		}
		bad = s->outcome != OUTCOME_OK;
	}
	if (bad)
		to = svg_x(&lane->scale, measured_until(lane));
	if (from >= 0)
		outage_bar(out, lane, from, to);
}

static void stale_bar(struct buf *out, const struct html_lane *lane, int from, int to)
{
	svg_rect(out, "class=\"stale\" fill=\"#7a4fb5\"", from, lane->y + 150, to > from + 10 ? to - from : 10, 40);
}

/* From each stale sample to the next one; spans less than half a unit apart are drawn as one. */
static void draw_stale(struct buf *out, const struct html_lane *lane)
{
	const struct probe_record *probe = lane->probe;
	int from = -1, to = -1;

	for (size_t i = 0; i < probe->count; i++) {
		int x = svg_x(&lane->scale, probe->samples[i].due_ns);

		if (!probe->samples[i].is_stale)
			continue;
		if (from >= 0 && x - to > 5) {
			stale_bar(out, lane, from, to);
			from = -1;
		}
		from = from < 0 ? x : from;
		to = svg_x(&lane->scale, i + 1 < probe->count ? probe->samples[i + 1].due_ns : measured_until(lane));
	}
	if (from >= 0)
		stale_bar(out, lane, from, to);
}

/* Of a power of ten: "100 µs". */
static void decade_text(struct buf *out, int64_t ns)
{
	if (ns < MSEC)
		buf_printf(out, "%d µs", (int)(ns / NSEC_PER_USEC));
	else if (ns < SEC)
		buf_printf(out, "%d ms", (int)(ns / MSEC));
	else
		buf_printf(out, "%lld s", (long long)(ns / SEC));
}

static void draw_latency_grid(struct buf *out, const struct html_lane *lane)
{
	const struct svg_log *log = &lane->log;
	char text[32];

	svg_text(out, "muted", 11, SVG_START, 0, (log->top + log->bottom) / 2 + 40, "latency (log)");
	for (int64_t value = log->lo_ns; value < log->hi_ns; value *= 10) {
		int y = svg_log_y(log, value);
		svg_line(out, "class=\"grid\" stroke=\"#d8dce0\" stroke-width=\"0.7\"", lane->scale.left, y,
			 lane->scale.right, y);
		if (y - log->top <= 120)
			continue;
		struct buf name = {0};
		decade_text(&name, value);
		svg_text(out, "muted", 10, SVG_END, lane->scale.left - 60, y + 35, name.data ? name.data : "");
		buf_fini(&name);
	}
	svg_line(out, "class=\"grid\" stroke=\"#d8dce0\" stroke-width=\"0.7\"", lane->scale.left, log->top,
		 lane->scale.right, log->top);
	svg_text(out, "muted", 10, SVG_END, lane->scale.left - 60, log->top + 35,
		 units_human_duration(log->hi_ns, text, sizeof(text)));
}

void html_lane_draw(struct buf *out, struct html_lane *lane, int *y)
{
	int top = *y, below = *y;

	buf_puts(out, "<g class=\"lane\">\n");
	svg_line(out, "class=\"rule\" stroke=\"#b4bac0\" stroke-width=\"0.8\"", 0, top, lane->scale.right, top);
	draw_labels(out, lane, top + 40);
	below += 60;
	draw_brackets(out, lane, &below);
	lane->y = below + MARKS_HEIGHT;
	lane->log = (struct svg_log){.lo_ns = lane->view->fastest_ns,
				     .hi_ns = lane->view->slowest_ns,
				     .top = lane->y + 250,
				     .bottom = lane->y + 250 + LATENCY_HEIGHT};
	draw_latency_grid(out, lane);
	draw_outages(out, lane);
	draw_stale(out, lane);
	html_marks_draw(out, lane);
	if (lane->probe->count == 0)
		svg_text(out, "muted", 12, SVG_START, lane->scale.left + 60, lane->y + 40, "no samples");
	buf_puts(out, "</g>\n");
	*y = lane->log.bottom + 160;
}
