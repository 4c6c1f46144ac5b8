/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/window.h"

#include "harness/base/macro.h"
#include "harness/base/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_PASS] = "pass",
		[VERDICT_FAIL] = "fail",
		[VERDICT_INCONCLUSIVE] = "inconclusive",
		[VERDICT_ERROR] = "error",
	};

	return names[verdict];
}

int verdict_exit_code(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return 0;
	case VERDICT_FAIL:
		return 1;
	case VERDICT_INCONCLUSIVE:
	case VERDICT_ERROR:
		break;
	}
	return 3;
}

static bool is_reason(const struct run_record *run, const char *reason)
{
	return run->reason && !strcmp(run->reason, reason);
}

/* Each of these returns why the run deserves its verdict, or NULL. */

static const char *could_not_be(const char *stage)
{
	return !strcmp(stage, "revert") ? "undone" : !strcmp(stage, "adjust") ? "adjusted" : "applied";
}

static const char *error_of_fault(const struct run_record *run, const struct fault_record *fault, struct arena *arena)
{
	const char *name = fault->plan.name;

	if (fault->failed && strcmp(fault->failed_stage, "effect") != 0)
		return arena_printf(arena, "The fault \"%s\" could not be %s: %s.", name,
				    could_not_be(fault->failed_stage), fault->failed_message);
	if (fault->applied && !fault->reverted && is_reason(run, "complete"))
		return arena_printf(arena, "The fault \"%s\" was never undone.", name);
	return NULL;
}

static const char *why_error(const struct run_record *run, struct arena *arena)
{
	if (run->error_count)
		return arena_printf(arena, "The run could not be carried out as planned: %s%s%s.",
				    run->errors[0].host ? run->errors[0].host : "", run->errors[0].host ? ": " : "",
				    run->errors[0].message);
	for (size_t i = 0; i < run->fault_count; i++) {
		const char *why = error_of_fault(run, &run->faults[i], arena);

		if (why)
			return why;
	}
	for (size_t i = 0; i < run->step_count; i++) {
		const struct step_record *step = &run->steps[i];

		if (step->ended && !step->ok && !step->plan.may_fail)
			return arena_printf(arena, "The step \"%s\" failed: %s.", step->plan.name,
					    step->text ? step->text : "no reason was given");
	}
	if (!run->reason)
		return "The recording was cut off before the run had ended.";
	if (!is_reason(run, "complete") && !is_reason(run, "interrupted"))
		return "The run ended with an error.";
	return NULL;
}

static const char *doubt_of_baseline(const struct run_results *results, const struct measurement *m,
				     struct arena *arena)
{
	int64_t wanted_ppm = results->run->start.baseline_ppm;
	char got[32], wanted[32];

	if (m->window != WINDOW_BASELINE)
		return NULL;
	if (!m->samples)
		return arena_printf(arena, "No sample of %s was done before the first fault: there is no baseline.",
				    m->probe->plan.probe);
	if (m->availability_ppm >= wanted_ppm)
		return NULL;
	units_format_share(m->availability_ppm, got, sizeof(got));
	units_format_share(wanted_ppm, wanted, sizeof(wanted));
	return arena_printf(arena, "Unhealthy before anything was broken: %s of %s's baseline was good, %s is needed.",
			    got, m->probe->plan.probe, wanted);
}

static const char *doubt_of_fault(const struct fault_record *fault, struct arena *arena)
{
	if (!fault->applied)
		return arena_printf(arena, "The fault \"%s\" was never applied.", fault->plan.name);
	if (fault->failed)
		return arena_printf(arena, "Whether the fault \"%s\" took effect is unknown: %s.", fault->plan.name,
				    fault->failed_message);
	if (!fault->took_effect)
		return arena_printf(arena, "The fault \"%s\" had no effect%s%s, so it proves nothing.",
				    fault->plan.name, fault->effect ? ": " : "", fault->effect ? fault->effect : "");
	return NULL;
}

static const char *doubt_of_probe(const struct probe_record *probe, struct arena *arena)
{
	if (!probe->missing)
		return NULL;
	return arena_printf(arena, "%" PRId64 " sample%s of %s %s missing from the recording.", probe->missing,
			    probe->missing == 1 ? "" : "s", probe->plan.probe, probe->missing == 1 ? "is" : "are");
}

static const char *doubt_of_step(const struct run_record *run, const struct step_record *step, struct arena *arena)
{
	const struct step_record *before = NULL;

	if (!step->ended)
		return arena_printf(arena, "The step \"%s\" %s.", step->plan.name,
				    step->started ? "did not end" : "was never begun");
	if (step->was_seen)
		return arena_printf(arena,
				    "The step \"%s\" failed, but there were answers as only its zone holds them: which "
				    "ones were right cannot be told.",
				    step->plan.name);
	if (step->plan.version && step->plan.kind && !strcmp(step->plan.kind, "update"))
		before = changes_built_on_nothing(run, step);
	if (before)
		return arena_printf(
			arena,
			"The step \"%s\" was to change what \"%s\" had made, which failed: what the zone held "
			"after it is unknown.",
			step->plan.name, before->plan.name);
	return NULL;
}

static const char *why_doubtful(const struct run_results *results, struct arena *arena)
{
	const struct run_record *run = results->run;
	const char *why = NULL;

	if (is_reason(run, "interrupted"))
		return "The run was interrupted before its end.";
	if (!run->probe_count)
		return "Nothing was asked: the run has no probe.";
	for (size_t i = 0; !why && i < run->probe_count; i++)
		why = doubt_of_probe(&run->probes[i], arena);
	for (size_t i = 0; !why && i < results->measurement_count; i++)
		why = doubt_of_baseline(results, &results->measurements[i], arena);
	for (size_t i = 0; !why && i < run->fault_count; i++)
		why = doubt_of_fault(&run->faults[i], arena);
	for (size_t i = 0; !why && i < run->step_count; i++)
		why = doubt_of_step(run, &run->steps[i], arena);
	return why;
}

static size_t count_results(const struct run_results *results, enum verdict verdict,
			    const struct expectation **ret_first)
{
	size_t count = 0;

	for (size_t i = results->expectation_count; i-- > 0;) {
		if (results->expectations[i].result == verdict) {
			count++;
			*ret_first = &results->expectations[i];
		}
	}
	return count;
}

static const char *say_failed(const struct run_results *results, const struct expectation *first, size_t failed,
			      struct arena *arena)
{
	enum metric metric = metric_find(first->plan->metric);
	size_t all = results->expectation_count;
	char text[64];

	measured_text(metric, first->measured, first->censored, text, sizeof(text));
	return arena_printf(arena, "%s did not hold: measured %s%s; %zu of %zu expectation%s failed.",
			    first->plan->text, first->censored ? "at least " : "", text, failed, all,
			    all == 1 ? "" : "s");
}

static const char *say_doubtful(const struct expectation *first, struct arena *arena)
{
	return arena_printf(arena, "%s could not be judged: %s.", first->plan->text,
			    first->why ? first->why : "no reason is known");
}

static bool is_worse(const struct measurement *m, const struct measurement *than)
{
	if (!than || m->failover_censored != than->failover_censored)
		return !than || m->failover_censored;
	return m->time_to_failover_ns > than->time_to_failover_ns;
}

/* The slowest failover of the run tells most about it. */
static const struct measurement *slowest_failover(const struct run_results *results)
{
	const struct measurement *slowest = NULL;

	for (size_t i = 0; i < results->measurement_count; i++) {
		const struct measurement *m = &results->measurements[i];

		if (m->window == WINDOW_FAULT && m->time_to_failover_ns != MEASURE_NONE && is_worse(m, slowest))
			slowest = m;
	}
	return slowest;
}

/* Over the whole run, the probe that fared worst by one figure; NULL: none has any of it. */
static const struct measurement *longest(const struct run_results *results, size_t figure)
{
	const struct measurement *worst = NULL;
	int64_t most = 0;

	for (size_t i = 0; i < results->measurement_count; i++) {
		const struct measurement *m = &results->measurements[i];
		const int64_t *value = (const void *)((const char *)m + figure);

		if (m->window == WINDOW_OVERALL && *value > most) {
			most = *value;
			worst = m;
		}
	}
	return worst;
}

/* Without a fault, what the changes did to those who asked. */
static const char *say_changes(const struct run_results *results, struct arena *arena)
{
	static const struct {
		size_t offset;
		enum metric metric;
		const char *what;
	} figures[] = {
		{offsetof(struct measurement, wrong_window_ns), METRIC_WRONG_WINDOW, "was answered wrongly for"},
		{offsetof(struct measurement, outage_ns), METRIC_OUTAGE, "was without a good answer for"},
		{offsetof(struct measurement, stale_window_ns), METRIC_STALE_WINDOW,
		 "got answers that had been replaced for"},
	};
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		const struct measurement *m = longest(results, figures[i].offset);

		if (!m)
			continue;
		measured_text(figures[i].metric, *(const int64_t *)(const void *)((const char *)m + figures[i].offset),
			      false, text, sizeof(text));
		return arena_printf(arena, "%s %s %s", m->probe->plan.probe, figures[i].what, text);
	}
	return "Every answer was good and new";
}

static const char *say_story(const struct run_results *results, struct arena *arena)
{
	const struct measurement *m = slowest_failover(results);
	const char *probe, *fault;
	char text[64];

	if (!m && results->run->step_count)
		return say_changes(results, arena);
	if (!m)
		return "Nothing was broken";
	probe = m->probe->plan.probe;
	fault = m->fault->plan.name;
	measured_text(METRIC_TIME_TO_FAILOVER, m->time_to_failover_ns, m->failover_censored, text, sizeof(text));
	if (m->failover_censored)
		return arena_printf(arena, "%s did not fail over within %s of \"%s\"", probe, text, fault);
	if (m->time_to_failover_ns)
		return arena_printf(arena, "%s failed over %s after \"%s\" began", probe, text, fault);
	return results->run->fault_count == 1 ? arena_printf(arena, "No answer was lost during \"%s\"", fault)
					      : "No answer was lost during any fault";
}

static const char *say_passed(const struct run_results *results, struct arena *arena)
{
	const char *story = say_story(results, arena);
	size_t all = results->expectation_count;

	if (!all)
		return arena_printf(arena, "%s; nothing was expected, so nothing was judged.", story);
	if (all == 1)
		return arena_printf(arena, "%s; the one expectation held.", story);
	return arena_printf(arena, "%s; all %zu expectations held.", story, all);
}

/* Doubt about the whole run comes before what it seems to have shown; but once the run can be trusted, one expectation that failed is a
 * failure whatever became of the others. */
void verdict_decide(struct run_results *results, struct arena *arena)
{
	const struct expectation *first = NULL;
	size_t failed;

	results->verdict = VERDICT_ERROR;
	results->reason = why_error(results->run, arena);
	if (results->reason)
		return;
	results->verdict = VERDICT_INCONCLUSIVE;
	results->reason = why_doubtful(results, arena);
	if (results->reason)
		return;
	failed = count_results(results, VERDICT_FAIL, &first);
	if (failed) {
		results->verdict = VERDICT_FAIL;
		results->reason = say_failed(results, first, failed, arena);
	} else if (count_results(results, VERDICT_INCONCLUSIVE, &first)) {
		results->reason = say_doubtful(first, arena);
	} else {
		results->verdict = VERDICT_PASS;
		results->reason = say_passed(results, arena);
	}
}
