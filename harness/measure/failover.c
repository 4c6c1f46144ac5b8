/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

/* A question that was due while the fault stood and answered after its end was answered by the repair. */
static bool is_evidence(const struct window *window, const struct sample *sample)
{
	return sample->outcome == OUTCOME_OK && sample->done_ns < window->evidence_until_ns;
}

/* It waited for the repair: answered after the fault's end, and slower than any good answer of the baseline or while the fault stood. */
static bool is_sat_out(const struct window *window, const struct sample *sample)
{
	return sample->outcome == OUTCOME_OK && sample->done_ns >= window->evidence_until_ns &&
	       sample->done_ns - sample->due_ns > window->usual_ns;
}

/* The first of `stable` samples in a row that waited for the repair: one alone may have been on its way by chance. window->last: none. */
static size_t find_sat_out(const struct probe_record *probe, const struct window *window, int64_t stable)
{
	int64_t length = 0;

	for (size_t k = window->first; k < window->last; k++) {
		if (!is_sat_out(window, &probe->samples[k]))
			length = 0;
		else if (!length || probe->samples[k].i == probe->samples[k - 1].i + 1)
			length++;
		else
			length = 1;
		if (length && length >= stable)
			return k + 1 - (size_t)length;
	}
	return window->last;
}

/* The first run of `stable` good samples in a row from `at` on. A missing sample is not known to be good: it breaks a run. */
static struct comeback find_run(const struct probe_record *probe, const struct window *window, size_t at,
				int64_t stable)
{
	struct comeback ret = {.first_bad_ns = MEASURE_NONE};
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
	struct comeback ret = {.first_bad_ns = MEASURE_NONE, .ns = MEASURE_NONE};
	size_t at = window->first;

	if (window->first == window->last)
		return ret;
	while (at < window->last && probe->samples[at].outcome == OUTCOME_OK)
		at++;
	if (at < window->last) {
		ret = find_run(probe, window, at, stable);
		ret.first_bad_ns = probe->samples[at].due_ns - window->from_ns;
		return ret;
	}
	at = find_sat_out(probe, window, stable);
	if (at < window->last)
		return find_run(probe, window, at, stable);
	ret.ns = 0;
	return ret;
}
