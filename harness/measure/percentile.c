/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

#include <stdio.h>

struct latency {
	int64_t ns, weight;
};

struct latencies {
	struct latency *v; /* of samples that were answered, ascending */
	size_t count;
	int64_t answered,
		timeouts; /* what they weigh, and samples without an answer, however they ended: these count as the probe's timeout, or more */
	int64_t timeout_ns;
};

static int ascending(const void *a, const void *b)
{
	const struct latency *x = a, *y = b;

	return (x->ns > y->ns) - (x->ns < y->ns);
}

static struct latency *room_for(size_t count)
{
	struct latency *v = malloc((count ? count : 1) * sizeof(*v));

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
		struct latency latency = {.ns = sample->done_ns - sample->due_ns};

		if (!window_has(window, sample) || sample->outcome == OUTCOME_ERROR)
			continue;
		latency.weight = probe_record_weight(probe, k, window->from_ns);
		if (sample->outcome == OUTCOME_TIMEOUT) {
			all.timeouts += latency.weight;
			continue;
		}
		all.answered += latency.weight;
		all.v[all.count++] = latency;
	}
	qsort(all.v, all.count, sizeof(*all.v), ascending);
	return all;
}

/* The value that stands at place `rank` of the answered, counted from 1. */
static int64_t ranked(const struct latencies *all, int64_t rank)
{
	size_t k = 0;

	while (k + 1 < all->count && all->v[k].weight < rank)
		rank -= all->v[k++].weight;
	return all->v[k].ns;
}

/* Nearest rank: the smallest value that at least `percent` of all are not above. Timed-out samples stand behind answers that took
 * exactly as long, because they took longer. */
static int64_t nearest_rank(const struct latencies *all, int64_t percent, bool *ret_censored)
{
	int64_t n = all->answered + all->timeouts, rank = n / 100 * percent + (n % 100 * percent + 99) / 100, below = 0;

	if (!n)
		return MEASURE_NONE;
	for (size_t k = 0; k < all->count && all->v[k].ns <= all->timeout_ns; k++)
		below += all->v[k].weight;
	*ret_censored = rank > below && rank <= below + all->timeouts;
	if (*ret_censored)
		return all->timeout_ns;
	return ranked(all, rank - (rank > below ? all->timeouts : 0));
}

void percentile_latency(const struct probe_record *probe, const struct window *window, struct measurement *ret)
{
	struct latencies all = collect(probe, window);

	ret->latency_p50_ns = nearest_rank(&all, 50, &ret->latency_p50_censored);
	ret->latency_p95_ns = nearest_rank(&all, 95, &ret->latency_p95_censored);
	ret->latency_p99_ns = nearest_rank(&all, 99, &ret->latency_p99_censored);
	free(all.v);
}
