/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words around a timeline: its legend, its caption, and what a screen reader says in its place. */
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"

void html_timeline_words(struct buf *out, const struct run_results *run)
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
		format_outage(&text, m);
		buf_puts(&text, ". ");
		escape_html(out, text.data);
		buf_fini(&text);
	}
	buf_puts(out, "The tables below hold the same in numbers.");
}

static bool has_stale(const struct run_record *run)
{
	for (size_t i = 0; i < run->probe_count; i++) {
		for (size_t k = 0; k < run->probes[i].count; k++) {
			if (run->probes[i].samples[k].is_stale)
				return true;
		}
	}
	return false;
}

static void write_change_words(struct buf *out, const struct run_record *run)
{
	if (has_stale(run)) {
		buf_puts(out, "<li><svg width=\"26\" height=\"16\" viewBox=\"0 0 26 16\" aria-hidden=\"true\">");
		svg_rect(out, "class=\"stale\" fill=\"#7a4fb5\"", 0, 60, 260, 40);
		buf_puts(out, "</svg> stale: of a version that had been replaced</li>\n");
	}
	if (run->step_count) {
		buf_puts(out, "<li><svg width=\"16\" height=\"16\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">");
		svg_line(out, "class=\"change\" stroke=\"#7a4fb5\" stroke-width=\"1.2\" stroke-dasharray=\"5 3\"", 80,
			 0, 80, 160);
		buf_puts(out, "</svg> a change is first served</li>\n");
	}
}

void html_legend_write(struct buf *out, const struct run_record *run)
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
	buf_puts(out, "</svg> fault as applied; dashed: as planned</li>\n");
	write_change_words(out, run);
	buf_puts(out, "</ul>\n");
}

void html_caption_write(struct buf *out, const struct html_view *view, int64_t most)
{
	buf_puts(out, "<figcaption>Each sample stands at the time it was due; t = 0 is the instant of the first fault, "
		      "or step. "
		      "Below the marks of each probe are the latencies, a timed-out sample at its timeout. ");
	if (most <= 1)
		buf_puts(out, "Point at a mark to read the sample.");
	else
		buf_printf(out,
			   "Lanes of more than %zu samples are drawn in columns: a mark shows the worst outcome of its "
			   "column "
			   "(wrong, then timeout, error answer, could not ask) and stands for up to %lld samples. Its "
			   "latencies are a line from the fastest to the slowest, with a bar at the median. All "
			   "samples are in events.ndjson.",
			   view->lane_marks, (long long)most);
	buf_puts(out, "</figcaption>\n");
}
