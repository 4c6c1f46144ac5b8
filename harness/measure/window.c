/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t window_end_of_asking(const struct run_record *run, const struct probe_record *probe)
{
	if (!probe->count)
		return max_ns(run->end_ns, probe->start_ns);
	return probe->samples[probe->count - 1].due_ns + probe_record_grid_ns(probe);
}

static int64_t start_of_asking(const struct probe_record *probe)
{
	return probe->count ? probe->samples[0].due_ns : probe->start_ns;
}

/* Index of the first sample due at or after t_ns. */
static size_t first_due(const struct probe_record *probe, int64_t t_ns)
{
	size_t low = 0, high = probe->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (probe->samples[mid].due_ns < t_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct window make(enum window_kind kind, const struct probe_record *probe, int64_t from_ns, int64_t to_ns)
{
	to_ns = max_ns(from_ns, to_ns);
	return (struct window){
		.kind = kind,
		.from_ns = from_ns,
		.to_ns = to_ns,
		.done_before_ns = INT64_MAX,
		.evidence_until_ns = INT64_MAX,
		.first = first_due(probe, from_ns),
		.last = first_due(probe, to_ns),
	};
}

int64_t window_longest_gap(const struct probe_record *probe, const struct window *window)
{
	int64_t longest = 1;

	for (size_t k = window->first; probe->plan.near_faults_ns && k < window->last; k++)
		longest = max_ns(longest, probe_record_weight(probe, k, window->from_ns));
	return longest * probe_record_grid_ns(probe);
}

int64_t window_gap_before(const struct probe_record *probe, const struct window *window, int64_t due_ns)
{
	size_t k = first_due(probe, due_ns);

	return (k < probe->count ? probe_record_weight(probe, k, window->from_ns) : 1) * probe_record_grid_ns(probe);
}

struct window window_overall(const struct run_record *run, const struct probe_record *probe)
{
	return make(WINDOW_OVERALL, probe, start_of_asking(probe), window_end_of_asking(run, probe));
}

struct window window_baseline(const struct run_record *run, const struct probe_record *probe)
{
	int64_t end_ns = window_end_of_asking(run, probe), first_ns = INT64_MAX;
	struct window window;

	for (size_t i = 0; i < run->fault_count; i++) {
		if (run->faults[i].applied)
			first_ns = min_ns(first_ns, run->faults[i].applied_ns);
	}
	for (size_t i = 0; i < run->step_count; i++) {
		if (run->steps[i].started)
			first_ns = min_ns(first_ns, run->steps[i].started_ns);
	}
	window = make(WINDOW_BASELINE, probe, start_of_asking(probe), min_ns(first_ns, end_ns));
	window.done_before_ns = first_ns;
	return window;
}

/* The longest that a good answer took of those in the window that came before until_ns. */
static int64_t longest_good_ns(const struct probe_record *probe, const struct window *window, int64_t until_ns)
{
	int64_t longest_ns = 0;

	for (size_t k = window->first; k < window->last; k++) {
		const struct sample *sample = &probe->samples[k];

		if (sample->outcome == OUTCOME_OK && sample->done_ns < until_ns)
			longest_ns = max_ns(longest_ns, sample->done_ns - sample->due_ns);
	}
	return longest_ns;
}

struct window window_fault(const struct run_record *run, const struct probe_record *probe,
			   const struct fault_record *fault)
{
	int64_t end_ns = window_end_of_asking(run, probe);
	struct window window = make(WINDOW_FAULT, probe, 0, 0), baseline = window_baseline(run, probe);

	if (fault->applied)
		window = make(WINDOW_FAULT, probe, fault->applied_ns,
			      fault->reverted ? min_ns(fault->reverted_ns, end_ns) : end_ns);
	if (fault->applied && fault->reverted)
		window.evidence_until_ns = fault->reverted_ns;
	window.usual_ns = max_ns(longest_good_ns(probe, &baseline, baseline.done_before_ns),
				 longest_good_ns(probe, &window, window.evidence_until_ns));
	window.fault = fault;
	return window;
}

struct window window_recovery(const struct run_record *run, const struct probe_record *probe)
{
	int64_t end_ns = window_end_of_asking(run, probe), last_ns = INT64_MIN;

	for (size_t i = 0; i < run->fault_count; i++) {
		const struct fault_record *fault = &run->faults[i];

		if (fault->applied)
			last_ns = max_ns(last_ns, fault->reverted ? fault->reverted_ns : end_ns);
	}
	if (last_ns == INT64_MIN)
		last_ns = end_ns;
	return make(WINDOW_RECOVERY, probe, min_ns(last_ns, end_ns), end_ns);
}

struct window window_after(const struct run_record *run, const struct probe_record *probe,
			   const struct fault_record *fault)
{
	int64_t to_ns = window_end_of_asking(run, probe);

	if (!fault->applied || !fault->reverted)
		return make(WINDOW_RECOVERY, probe, to_ns, to_ns);
	for (size_t i = 0; i < run->fault_count; i++) {
		const struct fault_record *other = &run->faults[i];

		if (other != fault && other->applied && other->applied_ns >= fault->reverted_ns)
			to_ns = min_ns(to_ns, other->applied_ns);
	}
	return make(WINDOW_RECOVERY, probe, fault->reverted_ns, to_ns);
}
