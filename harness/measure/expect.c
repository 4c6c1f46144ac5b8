/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

#include "harness/base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum op { OP_LE, OP_LT, OP_GE, OP_GT, OP_EQ, OP_NEVER, OP_COUNT };
static const char *const ops[OP_COUNT] = {"<=", "<", ">=", ">", "=", "never"};

struct value {
	int64_t v; /* MEASURE_NONE: there is none */
	bool censored; /* v is a lower bound */
	bool more; /* the share is more than v, which was rounded down */
};

/* As much as units_human_duration shows, without what it would round up: three digits, from 100 s on seconds, from 2 h on minutes. */
static int64_t rounded_down(int64_t ns)
{
	int64_t unit = 1;

	if (ns >= 7200 * SEC)
		unit = 60 * SEC;
	else if (ns >= 100 * SEC)
		unit = SEC;
	else
		while (ns / unit >= 1000)
			unit *= 10;
	return ns - ns % unit;
}

const char *measured_text(enum metric metric, int64_t value, bool is_lower_bound, char *buf, size_t size)
{
	if (metric < METRIC_COUNT && metric_infos[metric].unit == METRIC_SHARE)
		return units_format_share(value, buf, size);
	return units_human_duration(is_lower_bound ? rounded_down(value) : value, buf, size);
}

static enum op op_find(const char *text)
{
	size_t i = 0;

	while (i < OP_COUNT && strcmp(ops[i], text) != 0)
		i++;
	return (enum op)i;
}

static bool is_window(const struct measurement *m, const char *during)
{
	switch (m->window) {
	case WINDOW_OVERALL:
		return !during;
	case WINDOW_BASELINE:
		return during && !strcmp(during, "baseline");
	case WINDOW_RECOVERY:
		return during && !strcmp(during, "recovery");
	case WINDOW_FAULT:
		return during && !strcmp(during, m->fault->plan.name);
	}
	return false;
}

static const struct measurement *find_measurement(const struct run_results *results, const struct ev_plan_expect *plan)
{
	for (size_t i = 0; i < results->measurement_count; i++) {
		const struct measurement *m = &results->measurements[i];

		if (!strcmp(m->probe->plan.probe, plan->probe) && is_window(m, plan->during))
			return m;
	}
	return NULL;
}

static struct value value_of(enum metric metric, const struct measurement *m)
{
	switch (metric) {
	case METRIC_TIME_TO_IMPACT:
		return (struct value){.v = m->time_to_impact_ns};
	case METRIC_TIME_TO_FAILOVER:
		return (struct value){.v = m->time_to_failover_ns, .censored = m->failover_censored};
	case METRIC_TIME_TO_RECOVER:
		return (struct value){.v = m->time_to_recover_ns, .censored = m->recover_censored};
	case METRIC_AVAILABILITY:
		return (struct value){.v = m->availability_ppm,
				      .more = m->moments && units_share_is_more(m->good_moments, m->moments)};
	case METRIC_OUTAGE:
		return (struct value){.v = m->outage_ns};
	case METRIC_WRONG_WINDOW:
		return (struct value){.v = m->wrong_window_ns};
	case METRIC_STALE_WINDOW:
		return (struct value){.v = m->stale_window_ns};
	case METRIC_PROPAGATION:
		return (struct value){.v = m->propagation_ns, .censored = m->propagation_censored};
	case METRIC_SKEW:
		return (struct value){.v = m->skew_ns};
	case METRIC_LATENCY_P50:
		return (struct value){.v = m->latency_p50_ns, .censored = m->latency_p50_censored};
	case METRIC_LATENCY_P95:
		return (struct value){.v = m->latency_p95_ns, .censored = m->latency_p95_censored};
	case METRIC_LATENCY_P99:
		return (struct value){.v = m->latency_p99_ns, .censored = m->latency_p99_censored};
	case METRIC_COUNT:
		break;
	}
	return (struct value){.v = MEASURE_NONE};
}

const struct range *measured_range(enum metric metric, const struct measurement *m)
{
	switch (metric) {
	case METRIC_OUTAGE:
		return &m->outage_range;
	case METRIC_WRONG_WINDOW:
		return &m->wrong_range;
	case METRIC_STALE_WINDOW:
		return &m->stale_range;
	case METRIC_SKEW:
		return &m->skew_range;
	case METRIC_TIME_TO_IMPACT:
	case METRIC_TIME_TO_FAILOVER:
	case METRIC_TIME_TO_RECOVER:
	case METRIC_AVAILABILITY:
	case METRIC_PROPAGATION:
	case METRIC_LATENCY_P50:
	case METRIC_LATENCY_P95:
	case METRIC_LATENCY_P99:
	case METRIC_COUNT:
		break;
	}
	return NULL;
}

int64_t measured_resolution(enum metric metric, const struct measurement *m)
{
	switch (metric) {
	case METRIC_TIME_TO_FAILOVER:
		return m->resolution_ns;
	case METRIC_TIME_TO_IMPACT:
		return m->impact_resolution_ns;
	case METRIC_TIME_TO_RECOVER:
		return m->recover_resolution_ns;
	case METRIC_PROPAGATION:
		return m->propagation_resolution_ns;
	case METRIC_OUTAGE:
	case METRIC_WRONG_WINDOW:
	case METRIC_STALE_WINDOW:
	case METRIC_SKEW:
		return probe_record_grid_ns(m->probe);
	case METRIC_AVAILABILITY:
	case METRIC_LATENCY_P50:
	case METRIC_LATENCY_P95:
	case METRIC_LATENCY_P99:
	case METRIC_COUNT:
		break;
	}
	return 0;
}

static const char *why_no_value(enum metric metric, const struct measurement *m)
{
	if (m->window != WINDOW_FAULT && metric <= METRIC_TIME_TO_RECOVER)
		return "it is measured during a fault only";
	if (metric == METRIC_TIME_TO_IMPACT)
		return "no bad sample: there was no impact to time";
	if (metric == METRIC_TIME_TO_RECOVER && !m->fault->reverted)
		return "the fault was never reverted";
	if (metric == METRIC_TIME_TO_RECOVER)
		return "no sample between the fault's end and the next fault or the end of the run";
	if (metric == METRIC_PROPAGATION)
		return "no change that this probe can see was accepted in this window";
	return "no sample to measure it from";
}

/* Why no judgement is possible, or NULL. */
static const char *obstacle(enum metric metric, const struct measurement *m, struct arena *arena)
{
	const struct fault_record *fault = m->fault;
	bool is_after = metric == METRIC_TIME_TO_RECOVER && fault;
	int64_t errors = is_after ? m->recover_errors : m->outcomes[OUTCOME_ERROR];

	if (fault && !fault->applied)
		return arena_printf(arena, "the fault \"%s\" was never applied", fault->plan.name);
	if (fault && fault->reverted && !fault->took_effect)
		return arena_printf(arena, "the fault \"%s\" had no effect", fault->plan.name);
	if (!m->samples && !is_after)
		return "no sample in this window";
	if (errors)
		return arena_printf(arena, "%" PRId64 " sample%s could not be asked", errors, errors == 1 ? "" : "s");
	return value_of(metric, m).v == MEASURE_NONE ? why_no_value(metric, m) : NULL;
}

static enum verdict verdict_of(bool holds)
{
	return holds ? VERDICT_PASS : VERDICT_FAIL;
}

static enum verdict judge_exact(enum op op, const struct value *value, int64_t bound)
{
	int order = (value->v > bound) - (value->v < bound);

	if (!order && value->more)
		order = 1;
	switch (op) {
	case OP_LE:
		return verdict_of(order <= 0);
	case OP_LT:
		return verdict_of(order < 0);
	case OP_GE:
		return verdict_of(order >= 0);
	case OP_GT:
		return verdict_of(order > 0);
	case OP_EQ:
		return verdict_of(order == 0);
	case OP_NEVER:
		return VERDICT_FAIL; /* it was reached */
	case OP_COUNT:
		break;
	}
	return VERDICT_INCONCLUSIVE;
}

/* A value that is known within a range decides only what every value of it would. */
static enum verdict judge_range(enum op op, const struct range *range, int64_t bound)
{
	struct value least = {.v = range->least_ns}, most = {.v = range->most_ns};
	enum verdict verdict = judge_exact(op, &least, bound);

	if (verdict != judge_exact(op, &most, bound) || (op == OP_EQ && least.v < bound && bound < most.v))
		return VERDICT_INCONCLUSIVE;
	return verdict;
}

/* The true value is at least value->v. */
static enum verdict judge_censored(enum op op, const struct value *value, int64_t bound)
{
	switch (op) {
	case OP_LE:
	case OP_EQ:
		return value->v > bound ? VERDICT_FAIL : VERDICT_INCONCLUSIVE;
	case OP_LT:
		return value->v >= bound ? VERDICT_FAIL : VERDICT_INCONCLUSIVE;
	case OP_GE:
		return value->v >= bound ? VERDICT_PASS : VERDICT_INCONCLUSIVE;
	case OP_GT:
		return value->v > bound ? VERDICT_PASS : VERDICT_INCONCLUSIVE;
	case OP_NEVER:
		return VERDICT_PASS;
	case OP_COUNT:
		break;
	}
	return VERDICT_INCONCLUSIVE;
}

static const char *why_range(const struct range *range, struct arena *arena)
{
	char least[64], most[64];

	units_human_duration(range->least_ns, least, sizeof(least));
	units_human_duration(range->most_ns, most, sizeof(most));
	return arena_printf(arena, "between %s and %s: samples were sparse where it began or ended", least, most);
}

static const char *why_judged(enum metric metric, enum op op, const struct expectation *e, struct arena *arena)
{
	char text[64];

	measured_text(metric, e->measured, e->censored, text, sizeof(text));
	if (op == OP_COUNT)
		return arena_printf(arena, "\"%s\" is not a comparison this dnsdrill knows", e->plan->op);
	if (!e->censored && e->result == VERDICT_INCONCLUSIVE)
		return why_range(measured_range(metric, e->measurement), arena);
	if (e->censored && e->result == VERDICT_INCONCLUSIVE)
		return arena_printf(arena, "not reached within %s, which is as far as it was watched", text);
	if (e->censored && op != OP_NEVER)
		return arena_printf(arena, "not reached within %s", text);
	if (op == OP_NEVER && e->result == VERDICT_FAIL)
		return e->measured ? arena_printf(arena, "reached after %s", text) : "there was no bad sample at all";
	return NULL;
}

struct expectation expect_judge(const struct run_results *results, const struct ev_plan_expect *plan,
				struct arena *arena)
{
	struct expectation e = {.plan = plan, .result = VERDICT_INCONCLUSIVE, .measured = MEASURE_NONE};
	enum metric metric = metric_find(plan->metric);
	enum op op = op_find(plan->op);
	const struct range *range;
	struct value value;

	e.measurement = find_measurement(results, plan);
	if (metric == METRIC_COUNT)
		e.why = arena_printf(arena, "\"%s\" is not a metric this dnsdrill knows", plan->metric);
	else if (!e.measurement)
		e.why = "there is no such probe or window in the run";
	else
		e.why = obstacle(metric, e.measurement, arena);
	if (metric == METRIC_COUNT || !e.measurement)
		return e;
	value = value_of(metric, e.measurement);
	e.measured = value.v;
	e.censored = value.censored;
	if (e.why)
		return e;
	range = measured_range(metric, e.measurement);
	if (value.censored)
		e.result = judge_censored(op, &value, plan->bound);
	else
		e.result = range ? judge_range(op, range, plan->bound) : judge_exact(op, &value, plan->bound);
	e.why = why_judged(metric, op, &e, arena);
	return e;
}
