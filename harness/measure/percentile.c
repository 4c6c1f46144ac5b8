/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

#include <stdio.h>

struct latencies {
	int64_t *v; /* of samples that were answered, ascending */
	size_t count;
	size_t timeouts; /* samples without an answer, however they ended: each counts as the probe's timeout, or more */
	int64_t timeout_ns;
};

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t *room_for(size_t count)
{
	int64_t *v = malloc((count ? count : 1) * sizeof(*v));

	if (!v) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	return v;
}

static struct latencies collect(const struct probe_record *probe, const struct window *window)
{
	struct latencies all = {.v = room_for(window->last - window->first), .timeout_ns = probe->plan.timeout_ns};

	for (size_t k = window->first; k < window->last; k++) {
		const struct sample *sample = &probe->samples[k];
		int64_t latency_ns = sample->done_ns - sample->due_ns;

		if (!window_has(window, sample) || sample->outcome == OUTCOME_ERROR)
			continue;
		if (sample->outcome == OUTCOME_TIMEOUT)
			all.timeouts++;
		else
			all.v[all.count++] = latency_ns;
	}
	qsort(all.v, all.count, sizeof(*all.v), ascending);
	return all;
}

/* Nearest rank: the smallest value that at least `percent` of all are not above. Timed-out samples stand behind answers that took
 * exactly as long, because they took longer. */
static int64_t nearest_rank(const struct latencies *all, size_t percent, bool *ret_censored)
{
	size_t n = all->count + all->timeouts, rank = (n * percent + 99) / 100, below = 0, high = all->count;

	if (!n)
		return MEASURE_NONE;
	while (below < high) {
		size_t mid = below + (high - below) / 2;

		if (all->v[mid] <= all->timeout_ns)
			below = mid + 1;
		else
			high = mid;
	}
	*ret_censored = rank > below && rank <= below + all->timeouts;
	if (*ret_censored)
		return all->timeout_ns;
	return all->v[rank - 1 - (rank > below ? all->timeouts : 0)];
}

void percentile_latency(const struct probe_record *probe, const struct window *window, struct measurement *ret)
{
	struct latencies all = collect(probe, window);

	ret->latency_p50_ns = nearest_rank(&all, 50, &ret->latency_p50_censored);
	ret->latency_p95_ns = nearest_rank(&all, 95, &ret->latency_p95_censored);
	ret->latency_p99_ns = nearest_rank(&all, 99, &ret->latency_p99_censored);
	free(all.v);
}
