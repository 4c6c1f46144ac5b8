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

/* What was left out of the time between sample k and the one before it, as far as it is the window's. */
static int64_t left_out_ns(const struct probe_record *probe, const struct window *window, size_t k)
{
	int64_t due_ns = probe->samples[k].due_ns, moments = probe_record_weight(probe, k, INT64_MIN) - 1;

	return shared_ns(window, due_ns - moments * probe_record_grid_ns(probe), due_ns);
}

/* Spans that follow each other without a good sample between them are one. A span may begin before the window; but those of the
 * baseline begin with samples of the baseline, for a sample that the fault has met says nothing about the time before it. */
static int64_t spans_ns(const struct probe_record *probe, const struct window *window, int64_t end_ns,
			bool (*is_in)(const struct sample *sample), struct range *ret)
{
	int64_t total_ns = 0, start_ns = 0, more_ns = 0, less_ns = 0;
	bool open = false;

	for (size_t k = 0; k < probe->count; k++) {
		const struct sample *sample = &probe->samples[k];

		if (open && !is_in(sample)) {
			total_ns += shared_ns(window, start_ns, sample->due_ns);
			less_ns += left_out_ns(probe, window, k);
			open = false;
		} else if (!open && is_in(sample) && (window->kind != WINDOW_BASELINE || window_has(window, sample))) {
			more_ns += left_out_ns(probe, window, k);
			open = true;
			start_ns = sample->due_ns;
		}
	}
	total_ns += open ? shared_ns(window, start_ns, end_ns) : 0;
	*ret = (struct range){.least_ns = total_ns - less_ns, .most_ns = total_ns + more_ns};
	return total_ns;
}

void outage_measure(const struct probe_record *probe, const struct window *window, int64_t end_ns,
		    struct measurement *ret)
{
	ret->outage_ns = spans_ns(probe, window, end_ns, is_bad, &ret->outage_range);
	ret->wrong_window_ns = spans_ns(probe, window, end_ns, is_wrong, &ret->wrong_range);
	ret->stale_window_ns = spans_ns(probe, window, end_ns, is_stale, &ret->stale_range);
	ret->skew_ns = spans_ns(probe, window, end_ns, differs, &ret->skew_range);
}
