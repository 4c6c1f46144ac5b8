/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/clock.h"
#include "harness/base/macro.h"
#include "harness/probe/pacer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

#define EVERY (2 * MSEC)

struct asked {
	struct pacer *pacer;
	struct event_base *base;
	int64_t start_ns, every_ns;
	int64_t count, cancel_at;
	bool is_off_grid, is_early;
	int64_t hold_until_ns; /* the first ask keeps the loop until then */
};

static void take(void *arg, int64_t i, int64_t due_ns)
{
	struct asked *asked = arg;

	asked->is_off_grid |= i != asked->count || due_ns != asked->start_ns + i * asked->every_ns;
	asked->is_early |= clock_now_ns() < due_ns;
	asked->count++;
	if (asked->count == asked->cancel_at)
		pacer_cancel(TAKE(asked->pacer));
	while (clock_now_ns() < asked->hold_until_ns)
		;
}

static struct pace_plan even(int64_t start_ns, int64_t every_ns, int64_t end_ns)
{
	return (struct pace_plan){
		.start_ns = start_ns, .every_ns = every_ns, .near_ns = every_ns, .end_ns = end_ns, .stable = 5};
}

/* Runs until nothing is left to wait for: the pacer must let the loop end after its last sample. */
static void run(struct asked *asked, int64_t start_ns, int64_t every_ns, int64_t end_ns)
{
	const struct pace_plan plan = even(start_ns, every_ns, end_ns);

	asked->start_ns = start_ns;
	asked->every_ns = every_ns;
	asked->base = event_base_new();
	asked->pacer = pacer_start(asked->base, &plan, take, asked);
	assert_non_null(asked->pacer);
	assert_int_equal(asked->count, 0);
	event_base_dispatch(asked->base);
	pacer_cancel(asked->pacer);
	event_base_free(asked->base);
	assert_false(asked->is_off_grid);
}

static void asks_on_the_grid_and_never_early(void **state UNUSED)
{
	struct asked asked = {0};
	int64_t start_ns = clock_now_ns() + 3 * MSEC;

	run(&asked, start_ns, EVERY, start_ns + 20 * EVERY);
	assert_int_equal(asked.count, 20);
	assert_false(asked.is_early);
}

/* Due times are start + 0, 1, 2 × every; the end itself is not part of the run, a nanosecond more is. */
static void stops_before_the_first_sample_due_at_the_end(void **state UNUSED)
{
	struct asked at = {0}, after = {0};
	int64_t start_ns = clock_now_ns();

	run(&at, start_ns, EVERY, start_ns + 3 * EVERY);
	assert_int_equal(at.count, 3);
	start_ns = clock_now_ns();
	run(&after, start_ns, EVERY, start_ns + 3 * EVERY + 1);
	assert_int_equal(after.count, 4);
}

static void a_late_loop_asks_all_that_were_due_with_their_own_times(void **state UNUSED)
{
	struct asked asked = {0};
	int64_t start_ns = clock_now_ns();

	asked.hold_until_ns = start_ns + 10 * EVERY;
	run(&asked, start_ns, EVERY, start_ns + 12 * EVERY);
	assert_int_equal(asked.count, 12);
	assert_false(asked.is_early);
}

static void a_start_in_the_past_is_caught_up_with(void **state UNUSED)
{
	struct asked asked = {0};
	int64_t now_ns = clock_now_ns();

	run(&asked, now_ns - 100 * EVERY, EVERY, now_ns);
	assert_int_equal(asked.count, 100);
}

static void an_interval_that_is_no_whole_millisecond_does_not_drift(void **state UNUSED)
{
	struct asked asked = {0};
	int64_t start_ns = clock_now_ns();

	run(&asked, start_ns, 333333, start_ns + 90 * 333333);
	assert_int_equal(asked.count, 90);
	assert_false(asked.is_early);
}

static void nothing_is_asked_after_cancelling_within_ask(void **state UNUSED)
{
	struct asked asked = {.cancel_at = 2};
	int64_t start_ns = clock_now_ns();

	run(&asked, start_ns - 10 * EVERY, EVERY, start_ns + 10 * EVERY);
	assert_int_equal(asked.count, 2);
}

static void an_empty_span_asks_nothing(void **state UNUSED)
{
	struct asked asked = {0};
	int64_t now_ns = clock_now_ns();

	run(&asked, now_ns, EVERY, now_ns);
	assert_int_equal(asked.count, 0);
}

static void cancelling_before_the_first_sample_is_fine(void **state UNUSED)
{
	struct asked asked = {0};
	struct event_base *base = event_base_new();

	const struct pace_plan plan = even(clock_now_ns() + SEC, EVERY, INT64_MAX);

	pacer_cancel(NULL);
	pacer_cancel(pacer_start(base, &plan, take, &asked));
	event_base_dispatch(base); /* returns at once: nothing is left */
	event_base_free(base);
	assert_int_equal(asked.count, 0);
}

/* A probe that asks each 2 ms near faults, and else each 200 ms: `bad` samples from the third on end bad, at once. */
struct dense {
	struct pacer *pacer;
	int64_t start_ns, count, bad, last_due_ns;
	bool is_off_grid, is_early, is_over_at_last;
};

static void take_dense(void *arg, int64_t i, int64_t due_ns)
{
	struct dense *dense = arg;

	dense->is_off_grid |=
		i != dense->count || (due_ns - dense->start_ns) % EVERY != 0 || (i && due_ns <= dense->last_due_ns);
	dense->is_early |= clock_now_ns() < due_ns;
	dense->count++;
	dense->last_due_ns = due_ns;
	dense->is_over_at_last = pacer_is_over(dense->pacer);
	pacer_ended(dense->pacer, i, due_ns, i < 2 || i >= 2 + dense->bad);
}

static void run_dense(struct dense *dense, int64_t end_ms)
{
	struct event_base *base = event_base_new();
	struct pace_plan plan = even(clock_now_ns() + MSEC, 200 * MSEC, 0);

	dense->start_ns = plan.start_ns;
	plan.near_ns = EVERY;
	plan.end_ns = plan.start_ns + end_ms * MSEC;
	dense->pacer = pacer_start(base, &plan, take_dense, dense);
	event_base_dispatch(base);
	assert_true(pacer_is_over(dense->pacer));
	pacer_cancel(dense->pacer);
	event_base_free(base);
	assert_false(dense->is_off_grid);
	assert_false(dense->is_early);
	assert_true(dense->is_over_at_last);
}

/* Due at 0, 200 and 400 ms, and each 2 ms from 20 ms before the end at 500: 3 + 10. */
static void a_probe_whose_answers_are_good_asks_at_its_sparse_pace(void **state UNUSED)
{
	struct dense dense = {0};

	run_dense(&dense, 500);
	assert_int_equal(dense.count, 13);
	assert_int_equal(dense.last_due_ns - dense.start_ns, 498 * MSEC);
}

/* Sparse: 15, before the end: 10. The one due at 400 ms is bad, and so are the next two: those are followed by five good ones, which makes seven more. A loop that is late can leave some out. */
static void bad_answers_bring_the_next_sample_forward(void **state UNUSED)
{
	struct dense dense = {.bad = 3};

	run_dense(&dense, 3000);
	assert_in_range(dense.count, 25 + 2, 25 + 2 + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_on_the_grid_and_never_early),
		cmocka_unit_test(stops_before_the_first_sample_due_at_the_end),
		cmocka_unit_test(a_late_loop_asks_all_that_were_due_with_their_own_times),
		cmocka_unit_test(a_start_in_the_past_is_caught_up_with),
		cmocka_unit_test(an_interval_that_is_no_whole_millisecond_does_not_drift),
		cmocka_unit_test(nothing_is_asked_after_cancelling_within_ask),
		cmocka_unit_test(an_empty_span_asks_nothing),
		cmocka_unit_test(cancelling_before_the_first_sample_is_fine),
		cmocka_unit_test(a_probe_whose_answers_are_good_asks_at_its_sparse_pace),
		cmocka_unit_test(bad_answers_bring_the_next_sample_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
