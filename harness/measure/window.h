/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts measurements are put together from: windows of one probe's samples, and what is computed over them. All pure; of use inside
 * measure/. Definitions, with worked examples: docs/metrics.md.
 */
#pragma once
#include "harness/measure/results.h"

struct window {
	enum window_kind kind;
	const struct fault_record *fault; /* WINDOW_FAULT */
	int64_t from_ns, to_ns; /* of due times: [from, to) */
	int64_t done_before_ns; /* baseline: members were also done before this; else INT64_MAX */
	int64_t evidence_until_ns; /* a fault's end: what was answered later is no evidence that the fault was overcome; else INT64_MAX */
	int64_t usual_ns; /* a fault's: the longest that a good answer took, of the baseline or before the fault's end; 0 without one */
	size_t first, last; /* samples [first, last) of the probe are due in it */
};

/* Where asking ended for this probe: the due time of its last sample, and one interval more, the dense one where it has two. run.end comes later, after the lab was torn
 * down, and counting that time as an outage would be wrong. Without samples: the end of the run. */
int64_t window_end_of_asking(const struct run_record *run, const struct probe_record *probe);

struct window window_overall(const struct run_record *run, const struct probe_record *probe);
struct window window_baseline(const struct run_record *run, const struct probe_record *probe);
struct window window_fault(const struct run_record *run, const struct probe_record *probe,
			   const struct fault_record *fault);
struct window window_recovery(const struct run_record *run, const struct probe_record *probe);
/* From a fault's end to the next fault's instant: where time_to_recover is looked for. Empty if it never ended. */
struct window window_after(const struct run_record *run, const struct probe_record *probe,
			   const struct fault_record *fault);

/* The longest time between two samples that the window holds, and that of the sample due at due_ns from the one before it. */
int64_t window_longest_gap(const struct probe_record *probe, const struct window *window);
int64_t window_gap_before(const struct probe_record *probe, const struct window *window, int64_t due_ns);

static inline bool window_has(const struct window *window, const struct sample *sample)
{
	return sample->due_ns >= window->from_ns && sample->due_ns < window->to_ns &&
	       sample->done_ns < window->done_before_ns;
}

/* failover.c: when good answers came back for good. */
struct comeback {
	int64_t first_bad_ns; /* from the window's start; MEASURE_NONE: no bad sample */
	int64_t ns; /* from the window's start; 0: neither a bad sample nor a row that waited for the repair; MEASURE_NONE without samples */
	bool censored; /* not reached in the window: ns is the lower bound */
};
struct comeback comeback_find(const struct probe_record *probe, const struct window *window, int64_t stable);

/* outage.c: the lengths of the unions of spans in which samples were bad (any but ok), wrong, stale, or those asked differed, within the window, and their ranges. */
void outage_measure(const struct probe_record *probe, const struct window *window, int64_t end_ns,
		    struct measurement *ret);

/* changes.c: the changes that were accepted, probe by probe. *ret in arena; returns how many. */
/* The step whose version `step`, an update, was to change and which failed; NULL: none. An update sends differences: without what they are to, nobody knows what
 * they made. A push holds the whole zone. */
const struct step_record *changes_built_on_nothing(const struct run_record *run, const struct step_record *step);
size_t changes_find(const struct run_record *run, struct change **ret, struct arena *arena);

/* percentile.c: fills the latency members of ret, whose samples are those of the window. */
void percentile_latency(const struct probe_record *probe, const struct window *window, struct measurement *ret);

/* expect.c: judges one expectation by the measurements that are in results already. */
struct expectation expect_judge(const struct run_results *results, const struct ev_plan_expect *plan,
				struct arena *arena);

/* verdict.c: fills verdict and reason from the rest of results. */
void verdict_decide(struct run_results *results, struct arena *arena);
