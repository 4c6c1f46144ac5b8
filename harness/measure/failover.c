/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

/* A question that was due while the fault stood and answered after its end was answered by the repair. */
static bool is_evidence(const struct window *window, const struct sample *sample)
{
	return sample->outcome == OUTCOME_OK && sample->done_ns < window->evidence_until_ns;
}

/* The first run of `stable` good samples in a row from `at` on. A missing sample is not known to be good: it breaks a run. */
static struct comeback find_run(const struct probe_record *probe, const struct window *window, size_t at,
				int64_t stable)
{
	struct comeback ret = {.first_bad_ns = probe->samples[at].due_ns - window->from_ns};
	int64_t length = 0, start_ns = 0;

	for (size_t k = at; k < window->last; k++) {
		const struct sample *sample = &probe->samples[k];

		if (!is_evidence(window, sample)) {
			length = 0;
			continue;
		}
		if (!length || sample->i != probe->samples[k - 1].i + 1) {
			length = 0;
			start_ns = sample->due_ns;
		}
		if (++length >= stable) {
			ret.ns = start_ns - window->from_ns;
			return ret;
		}
	}
	/* A run that the window's end cut short may have been the one: only what lies before it is certain. */
	ret.ns = (length ? start_ns : window->to_ns) - window->from_ns;
	ret.censored = true;
	return ret;
}

struct comeback comeback_find(const struct probe_record *probe, const struct window *window, int64_t stable)
{
	struct comeback none = {.first_bad_ns = MEASURE_NONE, .ns = MEASURE_NONE};

	if (window->first == window->last)
		return none;
	for (size_t k = window->first; k < window->last; k++) {
		if (probe->samples[k].outcome != OUTCOME_OK)
			return find_run(probe, window, k, stable);
	}
	none.ns = 0;
	return none;
}
