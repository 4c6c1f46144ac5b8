/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measurements and verdicts, computed from a record and nothing else. Definitions: docs/metrics.md.
 */
#pragma once
#include "harness/measure/record.h"

#define MEASURE_NONE INT64_MIN /* a measurement that does not exist (no bad sample: no impact) */

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_INCONCLUSIVE, VERDICT_ERROR };
const char *verdict_name(enum verdict verdict); /* "pass", … */
int verdict_exit_code(enum verdict verdict); /* 0, 1, 3, 3 */

enum window_kind { WINDOW_OVERALL, WINDOW_BASELINE, WINDOW_FAULT, WINDOW_RECOVERY };

struct range {
	int64_t least_ns, most_ns;
};

/* One probe in one window. */
struct measurement {
	const struct probe_record *probe;
	enum window_kind window;
	const struct fault_record *fault; /* WINDOW_FAULT */
	int64_t from_ns, to_ns; /* [from, to) of due times */
	int64_t samples, outcomes[OUTCOME_COUNT];
	int64_t moments,
		good_moments; /* what samples and the good ones among them weigh: as many as there are where the pace is even */
	int64_t availability_ppm; /* MEASURE_NONE without samples */
	int64_t time_to_impact_ns, time_to_failover_ns, time_to_recover_ns; /* WINDOW_FAULT only, else MEASURE_NONE */
	bool failover_censored, recover_censored; /* not reached: the value is the lower bound */
	int64_t recover_samples, recover_errors; /* of time_to_recover: due after R, before the next fault */
	/* How much earlier the true moment may lie: of the time to failover, to impact and to recover, and of the propagation. All are the probe's every, where its pace is even.
	 * resolution_ns without a failover: the longest time between two samples. */
	int64_t resolution_ns, impact_resolution_ns, recover_resolution_ns, propagation_resolution_ns;
	int64_t outage_ns, wrong_window_ns;
	/* Between which lengths each of these lies: it may have begun or ended where the pace was sparse. Even paces leave no such doubt beyond their resolution: both are the value. */
	struct range outage_range, wrong_range, stale_range, skew_range;
	int64_t stale, stale_window_ns; /* samples; of versions that had been replaced */
	int64_t skew_ns; /* while those who were asked did not say the same */
	int64_t propagation_ns; /* the longest of the changes accepted in the window; MEASURE_NONE: it saw none */
	bool propagation_censored;
	int64_t latency_p50_ns, latency_p95_ns, latency_p99_ns; /* MEASURE_NONE without samples */
	bool latency_p50_censored, latency_p95_censored, latency_p99_censored; /* the percentile is a timeout */
};

/* One change of a zone as one probe saw it. */
struct change {
	const struct step_record *step;
	const struct probe_record *probe; /* or the part of one server of it: then host is set */
	int64_t accepted_ns;
	int64_t propagation_ns; /* until the probe shows it for good; MEASURE_NONE: it never asked */
	bool censored; /* it did not while it was watched: a lower bound */
	int64_t resolution_ns; /* how much earlier it may have shown it */
};

struct expectation {
	const struct ev_plan_expect *plan;
	enum verdict result; /* pass, fail or inconclusive */
	int64_t measured; /* ns or ppm; MEASURE_NONE */
	bool censored; /* measured is a lower bound */
	const struct measurement *measurement; /* it was taken from; NULL if there is none */
	const char *why; /* in words, where not a plain pass or fail */
};

struct run_results {
	const struct run_record *run;
	enum verdict verdict;
	const char *reason; /* one sentence: why this verdict */
	struct measurement *measurements; /* per probe: overall, baseline, each fault, recovery */
	size_t measurement_count;
	struct change *changes; /* of each step that was accepted, each probe that can tell it */
	size_t change_count;
	struct expectation *expectations; /* in the order of the plan */
	size_t expectation_count;
};

struct results {
	struct arena *arena;
	enum verdict verdict; /* the worst: error, then inconclusive, then fail, then pass */
	struct run_results *runs; /* as record->runs */
	size_t count;
};

struct results *measure(const struct record *record);
void results_free(struct results *results);
DEFINE_CLEANUP(struct results *, results_free);

/* How much earlier the moment may lie that the metric was read off from, or by how much a length of time may be off; 0 for metrics that are not. */
int64_t measured_resolution(enum metric metric, const struct measurement *m);
/* Between which values a metric that is a length of time lies. NULL for others. */
const struct range *measured_range(enum metric metric, const struct measurement *m);

/* A measured value in its metric's unit, for people: "1.53 s", "99.9%". A lower bound is rounded down: no more is claimed than is known. */
const char *measured_text(enum metric metric, int64_t value, bool is_lower_bound, char *buf, size_t size);
