/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all timelines of a page share: their axes, and how much each may draw. */
#include "report/facts.h"
#include "report/html.h"

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
