/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/facts.h"
#include <string.h>

bool facts_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_longer(const struct measurement *a, const struct measurement *b)
{
	if (a->failover_censored != b->failover_censored)
		return a->failover_censored;
	return a->time_to_failover_ns > b->time_to_failover_ns;
}

/* The worse of worst, which may be NULL, and m, which may have no failover. */
static const struct measurement *worse(const struct measurement *worst, const struct measurement *m)
{
	if (m->window != WINDOW_FAULT || m->time_to_failover_ns == MEASURE_NONE)
		return worst;
	return !worst || is_longer(m, worst) ? m : worst;
}

const struct measurement *facts_worst_of_probe(const struct run_results *run, const char *probe)
{
	const struct measurement *worst = NULL;

	for (size_t i = 0; i < run->measurement_count; i++) {
		if (facts_same(run->measurements[i].probe->plan.probe, probe))
			worst = worse(worst, &run->measurements[i]);
	}
	return worst;
}

const struct measurement *facts_worst_failover(const struct results *results, const struct run_results **ret_run)
{
	const struct measurement *worst = NULL;

	for (size_t r = 0; r < results->count; r++) {
		const struct run_results *run = &results->runs[r];
		for (size_t i = 0; i < run->measurement_count; i++) {
			const struct measurement *now = worse(worst, &run->measurements[i]);
			if (now != worst)
				*ret_run = run;
			worst = now;
		}
	}
	return worst;
}

static bool is_slower(const struct change *a, const struct change *b)
{
	if (a->censored != b->censored)
		return a->censored;
	return a->propagation_ns > b->propagation_ns;
}

const struct change *facts_longest_change(const struct results *results)
{
	const struct change *longest = NULL;

	for (size_t r = 0; r < results->count; r++) {
		for (size_t i = 0; i < results->runs[r].change_count; i++) {
			const struct change *now = &results->runs[r].changes[i];
			if (now->propagation_ns != MEASURE_NONE && (!longest || is_slower(now, longest)))
				longest = now;
		}
	}
	return longest;
}

void facts_case(const struct results *results, size_t run, struct buf *out)
{
	const char *label = results->runs[run].run->start.case_label;

	if (label)
		buf_puts(out, label);
	else
		buf_printf(out, "run %zu", run + 1);
}

void facts_sentence(const struct results *results, struct buf *out)
{
	size_t passed = 0, worst = 0;

	if (results->count == 0) {
		buf_puts(out, "The stream holds no run.");
		return;
	}
	if (results->count == 1) {
		buf_puts(out, results->runs[0].reason ? results->runs[0].reason : "");
		return;
	}
	for (size_t i = 0; i < results->count; i++) {
		passed += results->runs[i].verdict == VERDICT_PASS;
		if (results->runs[i].verdict > results->runs[worst].verdict)
			worst = i;
	}
	if (passed == results->count) {
		buf_printf(out, "All %zu cases passed.", results->count);
		return;
	}
	buf_printf(out, "%zu of %zu cases passed. ", passed, results->count);
	facts_case(results, worst, out);
	buf_printf(out, ": %s", results->runs[worst].reason ? results->runs[worst].reason : "");
}

const struct measurement *facts_find(const struct run_results *run, const char *probe, enum window_kind window,
				     const char *fault)
{
	for (size_t i = 0; i < run->measurement_count; i++) {
		const struct measurement *m = &run->measurements[i];
		if (m->window != window || !facts_same(m->probe->plan.probe, probe))
			continue;
		if (window != WINDOW_FAULT || (m->fault && facts_same(m->fault->plan.name, fault)))
			return m;
	}
	return NULL;
}

const char *facts_verdict_word(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return "PASS";
	case VERDICT_FAIL:
		return "FAIL";
	case VERDICT_INCONCLUSIVE:
		return "INCONCLUSIVE";
	case VERDICT_ERROR:
		return "ERROR";
	}
	return "";
}

static bool is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (facts_same(names[i], name))
			return true;
	}
	return false;
}

const char **facts_probe_names(const struct results *results, size_t *ret_count)
{
	size_t room = 0, count = 0;

	for (size_t r = 0; r < results->count; r++)
		room += results->runs[r].run->probe_count;
	const char **names = room ? calloc(room, sizeof(*names)) : NULL;
	for (size_t r = 0; names && r < results->count; r++) {
		const struct run_record *run = results->runs[r].run;
		for (size_t p = 0; p < run->probe_count; p++) {
			if (!is_among(names, count, run->probes[p].plan.probe))
				names[count++] = run->probes[p].plan.probe;
		}
	}
	*ret_count = count;
	return names;
}

int64_t facts_add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? INT64_MIN : INT64_MAX) : sum;
}

int64_t facts_sub(int64_t a, int64_t b)
{
	int64_t difference;

	return __builtin_sub_overflow(a, b, &difference) ? (a < 0 ? INT64_MIN : INT64_MAX) : difference;
}

int64_t facts_zero_ns(const struct run_record *run)
{
	int64_t applied = INT64_MAX, planned = INT64_MAX;

	for (size_t i = 0; i < run->fault_count; i++) {
		const struct fault_record *fault = &run->faults[i];
		if (fault->applied && fault->applied_ns < applied)
			applied = fault->applied_ns;
		int64_t at = facts_add(run->timeline_ns, fault->plan.at_ns);
		if (at < planned)
			planned = at;
	}
	if (applied != INT64_MAX)
		return applied;
	for (size_t i = 0; i < run->step_count && planned == INT64_MAX; i++) {
		if (run->steps[i].started)
			return run->steps[i].started_ns;
	}
	return planned != INT64_MAX ? planned : run->timeline_ns;
}
