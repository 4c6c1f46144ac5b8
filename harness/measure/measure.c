/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

#include "harness/base/units.h"

#include <stdio.h>

static void count_outcomes(const struct probe_record *probe, const struct window *window, struct measurement *m)
{
	for (size_t k = window->first; k < window->last; k++) {
		if (window_has(window, &probe->samples[k])) {
			int64_t weight = probe_record_weight(probe, k, window->from_ns);

			m->samples++;
			m->moments += weight;
			m->good_moments += probe->samples[k].outcome == OUTCOME_OK ? weight : 0;
			m->outcomes[probe->samples[k].outcome]++;
			m->stale += probe->samples[k].is_stale;
		}
	}
	/* Rounded down: 100 % means all of them. */
	m->availability_ppm = m->moments ? units_share_ppm(m->good_moments, m->moments) : MEASURE_NONE;
}

/* Where good answers came back: the time since the sample before. Where they never were away, they may have been between any two. */
static int64_t resolution_of(const struct probe_record *probe, const struct window *window,
			     const struct comeback *comeback)
{
	if (comeback->ns == MEASURE_NONE || !comeback->ns || comeback->censored)
		return window_longest_gap(probe, window);
	return window_gap_before(probe, window, window->from_ns + comeback->ns);
}

/* Of a recovery at once: that is what the first sample says. */
static int64_t first_gap(const struct probe_record *probe, const struct window *window)
{
	return window_gap_before(probe, window, probe->samples[window->first].due_ns);
}

static void measure_comebacks(const struct run_record *run, const struct probe_record *probe,
			      const struct window *window, struct measurement *m)
{
	struct window after = window_after(run, probe, window->fault);
	struct comeback failover = comeback_find(probe, window, run->start.stable);
	struct comeback recover = comeback_find(probe, &after, run->start.stable);

	m->time_to_impact_ns = failover.first_bad_ns;
	m->time_to_failover_ns = failover.ns;
	m->failover_censored = failover.censored;
	m->time_to_recover_ns = recover.ns;
	m->recover_censored = recover.censored;
	m->resolution_ns = resolution_of(probe, window, &failover);
	m->recover_resolution_ns = recover.ns ? resolution_of(probe, &after, &recover) : first_gap(probe, &after);
	if (failover.first_bad_ns != MEASURE_NONE)
		m->impact_resolution_ns = window_gap_before(probe, window, window->from_ns + failover.first_bad_ns);
	m->recover_samples = (int64_t)(after.last - after.first);
	for (size_t k = after.first; k < after.last; k++)
		m->recover_errors += probe->samples[k].outcome == OUTCOME_ERROR;
}

static struct measurement measure_window(const struct run_record *run, const struct probe_record *probe,
					 struct window window)
{
	int64_t end_ns = window_end_of_asking(run, probe);
	struct measurement m = {
		.probe = probe,
		.window = window.kind,
		.fault = window.fault,
		.from_ns = window.from_ns,
		.to_ns = window.to_ns,
		.time_to_impact_ns = MEASURE_NONE,
		.time_to_failover_ns = MEASURE_NONE,
		.time_to_recover_ns = MEASURE_NONE,
		.resolution_ns = window_longest_gap(probe, &window),
		.impact_resolution_ns = probe_record_grid_ns(probe),
		.recover_resolution_ns = probe_record_grid_ns(probe),
		.propagation_resolution_ns = probe_record_grid_ns(probe),
		.propagation_ns = MEASURE_NONE,
	};

	count_outcomes(probe, &window, &m);
	outage_measure(probe, &window, end_ns, &m);
	percentile_latency(probe, &window, &m);
	if (window.kind == WINDOW_FAULT)
		measure_comebacks(run, probe, &window, &m);
	return m;
}

/* The longest, and no more is known than a lower bound if that is so of one of them. */
static void take_propagation(const struct run_results *results, struct measurement *m)
{
	for (size_t i = 0; i < results->change_count; i++) {
		const struct change *change = &results->changes[i];

		if (change->probe != m->probe || change->propagation_ns == MEASURE_NONE ||
		    change->accepted_ns < m->from_ns || change->accepted_ns >= m->to_ns)
			continue;
		m->propagation_censored |= change->censored;
		if (change->propagation_ns > m->propagation_ns) {
			m->propagation_ns = change->propagation_ns;
			m->propagation_resolution_ns = change->resolution_ns;
		}
	}
}

static void measure_run(const struct run_record *run, struct run_results *ret, struct arena *arena)
{
	size_t per_probe = run->fault_count + 3;
	struct measurement *m = ARENA_ARRAY(arena, struct measurement, run->probe_count * per_probe);

	ret->run = run;
	ret->measurements = m;
	ret->measurement_count = run->probe_count * per_probe;
	for (size_t p = 0; p < run->probe_count; p++) {
		const struct probe_record *probe = &run->probes[p];

		*m++ = measure_window(run, probe, window_overall(run, probe));
		*m++ = measure_window(run, probe, window_baseline(run, probe));
		for (size_t f = 0; f < run->fault_count; f++)
			*m++ = measure_window(run, probe, window_fault(run, probe, &run->faults[f]));
		*m++ = measure_window(run, probe, window_recovery(run, probe));
	}
	ret->change_count = changes_find(run, &ret->changes, arena);
	for (size_t i = 0; i < ret->measurement_count; i++)
		take_propagation(ret, &ret->measurements[i]);
	ret->expectations = ARENA_ARRAY(arena, struct expectation, run->expect_count);
	ret->expectation_count = run->expect_count;
	for (size_t e = 0; e < run->expect_count; e++)
		ret->expectations[e] = expect_judge(ret, &run->expects[e], arena);
	verdict_decide(ret, arena);
}

static enum verdict worst(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

struct results *measure(const struct record *record)
{
	struct arena *arena = arena_new();
	struct results *results = calloc(1, sizeof(*results));

	if (!results) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	results->arena = arena;
	results->count = record->count;
	results->runs = ARENA_ARRAY(arena, struct run_results, record->count);
	results->verdict = record->count ? VERDICT_PASS : VERDICT_ERROR;
	for (size_t i = 0; i < record->count; i++) {
		measure_run(&record->runs[i], &results->runs[i], arena);
		results->verdict = worst(results->verdict, results->runs[i].verdict);
	}
	return results;
}

void results_free(struct results *results)
{
	if (!results)
		return;
	arena_free(results->arena);
	free(results);
}
