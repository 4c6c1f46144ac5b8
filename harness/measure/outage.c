/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

static bool is_bad(const struct sample *sample)
{
	return sample->outcome != OUTCOME_OK;
}

static bool is_wrong(const struct sample *sample)
{
	return sample->outcome == OUTCOME_WRONG && !sample->is_stale;
}

static bool is_stale(const struct sample *sample)
{
	return sample->is_stale;
}

static bool differs(const struct sample *sample)
{
	return sample->differs;
}

/* What [from, to) and the window share. */
static int64_t shared_ns(const struct window *window, int64_t from_ns, int64_t to_ns)
{
	if (from_ns < window->from_ns)
		from_ns = window->from_ns;
	if (to_ns > window->to_ns)
		to_ns = window->to_ns;
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

/* Spans that follow each other without a good sample between them are one. A span may begin before the window; but those of the
 * baseline begin with samples of the baseline, for a sample that the fault has met says nothing about the time before it. */
static int64_t spans_ns(const struct probe_record *probe, const struct window *window, int64_t end_ns,
			bool (*is_in)(const struct sample *sample))
{
	int64_t total_ns = 0, start_ns = 0;
	bool open = false;

	for (size_t k = 0; k < probe->count; k++) {
		const struct sample *sample = &probe->samples[k];

		if (!is_in(sample)) {
			total_ns += open ? shared_ns(window, start_ns, sample->due_ns) : 0;
			open = false;
		} else if (!open && (window->kind != WINDOW_BASELINE || window_has(window, sample))) {
			open = true;
			start_ns = sample->due_ns;
		}
	}
	return total_ns + (open ? shared_ns(window, start_ns, end_ns) : 0);
}

int64_t outage_bad_ns(const struct probe_record *probe, const struct window *window, int64_t end_ns)
{
	return spans_ns(probe, window, end_ns, is_bad);
}

int64_t outage_wrong_ns(const struct probe_record *probe, const struct window *window, int64_t end_ns)
{
	return spans_ns(probe, window, end_ns, is_wrong);
}

int64_t outage_stale_ns(const struct probe_record *probe, const struct window *window, int64_t end_ns)
{
	return spans_ns(probe, window, end_ns, is_stale);
}

int64_t outage_skew_ns(const struct probe_record *probe, const struct window *window, int64_t end_ns)
{
	return spans_ns(probe, window, end_ns, differs);
}
