/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/pace.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_CAP 64

bool pace_is_even(const struct pace *pace)
{
	return pace->plan.near_ns == pace->plan.every_ns;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The first moment of the grid, of `step` from each to the next, at or after t_ns. */
static int64_t grid_up(const struct pace *pace, int64_t t_ns, int64_t step_ns)
{
	int64_t since_ns = t_ns - pace->plan.start_ns;

	return since_ns <= 0 ? pace->plan.start_ns : pace->plan.start_ns + (since_ns + step_ns - 1) / step_ns * step_ns;
}

/* The end of asking is a moment like others: so the last sample is due right before it. */
static int64_t next_moment(const struct pace *pace, int64_t after_ns)
{
	int64_t end_ns = after_ns < pace->plan.end_ns ? pace->plan.end_ns : INT64_MAX;

	return least(end_ns, pace->plan.moment ? pace->plan.moment(pace->plan.arg, after_ns) : INT64_MAX);
}

/* In a phase that has been bad for long. */
static int64_t thinned(const struct pace *pace)
{
	int64_t step_ns = pace->plan.near_ns, lasted_ns = pace->last_ns - pace->bad_since_ns;

	while (step_ns < pace->plan.every_ns && lasted_ns / PACE_FINENESS >= 2 * step_ns)
		step_ns *= 2;
	return step_ns;
}

/* When it gets dense for the next planned moment. INT64_MAX: there is none. */
static int64_t near_from(const struct pace *pace)
{
	return pace->moment_ns == INT64_MAX ? INT64_MAX : pace->moment_ns - PACE_LEAD * pace->plan.near_ns;
}

static int64_t next_dense(const struct pace *pace)
{
	return grid_up(pace, most(pace->last_ns + pace->plan.near_ns, pace->from_ns), pace->plan.near_ns);
}

/* Works out when the next sample is due, from what is known now. Nothing that was never due becomes so in the past: from_ns sees to it. */
static void find_due(struct pace *pace)
{
	const struct pace_plan *plan = &pace->plan;
	int64_t dense_ns = next_dense(pace);
	int64_t due_ns = grid_up(pace, pace->last_ns + 1, plan->every_ns);

	while (near_from(pace) <= dense_ns) {
		pace->until_ns = most(pace->until_ns, pace->moment_ns + PACE_TAIL * plan->near_ns);
		pace->moment_ns = next_moment(pace, pace->moment_ns);
	}
	if (dense_ns < pace->until_ns)
		due_ns = least(due_ns, dense_ns);
	else if (near_from(pace) != INT64_MAX)
		due_ns = least(due_ns, grid_up(pace, near_from(pace), plan->near_ns));
	if (pace->is_bad)
		due_ns = least(due_ns, most(dense_ns, pace->last_ns + thinned(pace)));
	pace->due_ns = due_ns;
}

void pace_init(struct pace *pace, const struct pace_plan *plan)
{
	*pace = (struct pace){.plan = *plan, .due_ns = plan->start_ns, .last_bad = -1, .moment_ns = INT64_MAX};
	pace->from_ns = pace->until_ns = plan->start_ns;
	if (!pace_is_even(pace))
		pace->moment_ns = next_moment(pace, INT64_MIN);
}

void pace_fini(struct pace *pace)
{
	free(pace->has_ended);
	pace->has_ended = NULL;
	pace->cap = 0;
}

int64_t pace_due(const struct pace *pace)
{
	return pace->due_ns < pace->plan.end_ns ? pace->due_ns : INT64_MAX;
}

void pace_took(struct pace *pace)
{
	pace->last_ns = pace->due_ns;
	pace->i++;
	if (pace_is_even(pace))
		pace->due_ns += pace->plan.every_ns;
	else
		find_due(pace);
}

/* Denser from now on. What is due already, or was planned to be, and only waits for a loop that is late, stays due. */
static void start_dense(struct pace *pace, int64_t now_ns)
{
	if (pace->due_ns > next_dense(pace))
		pace->from_ns = most(pace->from_ns, least(now_ns, near_from(pace)));
}

/* Before the first sample there is nothing to bring forward. */
static void reconsider(struct pace *pace)
{
	if (pace->i)
		find_due(pace);
}

void pace_happened(struct pace *pace, int64_t now_ns)
{
	if (pace_is_even(pace))
		return;
	start_dense(pace, now_ns);
	pace->until_ns = most(pace->until_ns, now_ns + PACE_TAIL * pace->plan.near_ns);
	reconsider(pace);
}

/* Room to note that sample i, which is not before `ended`, has. */
static int make_room(struct pace *pace, int64_t i)
{
	size_t need = (size_t)(i - pace->ended) + 1, cap = pace->cap ? pace->cap : FIRST_CAP;
	bool *ring;

	while (cap < need)
		cap *= 2;
	if (cap == pace->cap)
		return 0;
	ring = calloc(cap, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (size_t k = 0; k < pace->cap; k++) {
		size_t at = (size_t)pace->ended + k;

		ring[at % cap] = pace->has_ended[at % pace->cap];
	}
	free(pace->has_ended);
	pace->has_ended = ring;
	pace->cap = cap;
	return 0;
}

static void note_end(struct pace *pace, int64_t i)
{
	if (i < pace->ended || make_room(pace, i) < 0)
		return;
	pace->has_ended[(size_t)i % pace->cap] = true;
	while (pace->has_ended[(size_t)pace->ended % pace->cap])
		pace->has_ended[(size_t)pace->ended++ % pace->cap] = false;
}

void pace_ended(struct pace *pace, int64_t i, int64_t due_ns, bool is_good, int64_t now_ns)
{
	if (pace_is_even(pace))
		return;
	note_end(pace, i);
	if (!is_good) {
		if (!pace->is_bad) {
			pace->bad_since_ns = due_ns;
			start_dense(pace, now_ns);
		}
		pace->is_bad = true;
		pace->last_bad = most(pace->last_bad, i);
	}
	/* All of a row have ended, so none that is still on its way can turn out to be bad. */
	if (pace->is_bad && pace->ended - 1 - pace->last_bad >= pace->plan.stable)
		pace->is_bad = false;
	reconsider(pace);
}
