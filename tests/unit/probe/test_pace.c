/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a probe asks that has two paces. Times are milliseconds: each 10,000 ms, near faults each 100 ms; a row of three is stable. */
#include "harness/base/macro.h"
#include "harness/probe/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)
#define ROOM 20000

struct play {
	struct pace pace;
	int64_t moments[8]; /* planned, 0 after the last */
	int64_t bad_from, bad_to; /* samples due in [from, to) end bad */
	int64_t took; /* ms until a sample has ended */
	int64_t happens; /* something does, at that moment; 0: nothing */
	int64_t due[ROOM];
	size_t count;
};

static int64_t planned(void *arg, int64_t after_ns)
{
	const struct play *play = arg;

	for (size_t i = 0; play->moments[i]; i++) {
		if (play->moments[i] * MSEC > after_ns)
			return play->moments[i] * MSEC;
	}
	return INT64_MAX;
}

static void end_one(struct play *play, size_t k)
{
	int64_t due_ms = play->due[k];
	bool is_good = due_ms < play->bad_from || due_ms >= play->bad_to;

	pace_ended(&play->pace, (int64_t)k, due_ms * MSEC, is_good, (due_ms + play->took) * MSEC);
}

/* Asks all, ending each `took` after it was due, in the order in which these things come. */
static void play_to(struct play *play, int64_t end_ms)
{
	size_t ended = 0;
	struct pace_plan plan = {.every_ns = 10000 * MSEC,
				 .near_ns = 100 * MSEC,
				 .end_ns = end_ms * MSEC,
				 .stable = 3,
				 .moment = planned,
				 .arg = play};

	pace_init(&play->pace, &plan);
	for (;;) {
		int64_t due_ns = pace_due(&play->pace);

		if (play->happens && due_ns >= play->happens * MSEC) {
			pace_happened(&play->pace, play->happens * MSEC);
			play->happens = 0;
		} else if (ended < play->count && (play->due[ended] + play->took) * MSEC <= due_ns) {
			end_one(play, ended++);
		} else if (due_ns == INT64_MAX) {
			break;
		} else {
			assert_int_equal(play->pace.i, play->count);
			assert_true(play->count < ROOM);
			play->due[play->count++] = due_ns / MSEC;
			pace_took(&play->pace);
		}
	}
	pace_fini(&play->pace);
}

/* How many samples are due in [from, to). */
static size_t due_in(const struct play *play, int64_t from, int64_t to)
{
	size_t count = 0;

	for (size_t k = 0; k < play->count; k++)
		count += play->due[k] >= from && play->due[k] < to;
	return count;
}

static bool is_due(const struct play *play, int64_t ms)
{
	return due_in(play, ms, ms + 1) == 1;
}

static struct play *new_play(void)
{
	struct play *play = calloc(1, sizeof(*play));

	assert_non_null(play);
	return play;
}

/* 0, 10,000 … 90,000, and ten more right before the end. */
static void without_faults_it_is_sparse_until_right_before_the_end(void **state UNUSED)
{
	struct play *play = new_play();

	play_to(play, 100000);
	assert_int_equal(due_in(play, 0, 99000), 10);
	assert_int_equal(due_in(play, 99000, 100000), 10);
	assert_int_equal(play->due[play->count - 1], 99900);
	free(play);
}

/* A fault at 35,000: from 34,000 (ten before) up to 45,000 (a hundred after). */
static void it_is_dense_around_what_is_planned(void **state UNUSED)
{
	struct play *play = new_play();

	play->moments[0] = 35000;
	play_to(play, 100000);
	assert_int_equal(due_in(play, 30001, 34000), 0);
	assert_int_equal(due_in(play, 34000, 45000), 110);
	assert_int_equal(due_in(play, 45000, 50000), 0);
	assert_true(is_due(play, 50000));
	free(play);
}

static void windows_of_moments_that_are_close_are_one(void **state UNUSED)
{
	struct play *play = new_play();

	play->moments[0] = 35000;
	play->moments[1] = 40000;
	play_to(play, 100000);
	assert_int_equal(due_in(play, 34000, 50000), 160);
	assert_int_equal(due_in(play, 50000, 60000), 1);
	free(play);
}

/* Confirmed at 61,234, between two samples: the next of the grid, 61,300, is asked, and a hundred tenths of a second on. */
static void what_happens_later_than_planned_is_met_at_the_next_moment_of_the_grid(void **state UNUSED)
{
	struct play *play = new_play();

	play->happens = 61234;
	play_to(play, 100000);
	assert_int_equal(due_in(play, 60001, 61300), 0);
	assert_true(is_due(play, 61300));
	assert_int_equal(due_in(play, 61234, 71234), 100);
	assert_int_equal(due_in(play, 71234, 80000), 0);
	free(play);
}

/* Bad from 20,000 to 25,000; each answer takes 5 ms. The bad one due at 20,000 is known at 20,005: the next is due at 20,100. The last bad one is due at 24,900; 25,000, 25,100
 * and 25,200 are good, and the last of them is known to be so at 25,205. */
static void bad_samples_make_it_dense_until_a_row_is_good(void **state UNUSED)
{
	struct play *play = new_play();

	play->bad_from = 20000;
	play->bad_to = 25000;
	play->took = 5;
	play_to(play, 100000);
	assert_int_equal(due_in(play, 10001, 20000), 0);
	assert_int_equal(due_in(play, 20000, 25000), 50);
	assert_int_equal(due_in(play, 25000, 25201), 3);
	assert_int_equal(due_in(play, 25201, 30000), 0);
	assert_true(is_due(play, 30000));
	free(play);
}

/* They time out after 2,000 ms, as everything does here: what is known at 22,000 makes that moment's sample due, and none in the past. The row due at 25,000 is known to be good
 * when its last one has ended, at 27,200. */
static void what_is_known_late_does_not_reach_back(void **state UNUSED)
{
	struct play *play = new_play();

	play->bad_from = 20000;
	play->bad_to = 25000;
	play->took = 2000;
	play_to(play, 100000);
	assert_int_equal(due_in(play, 20001, 22000), 0);
	assert_int_equal(due_in(play, 22000, 27200), 52);
	assert_int_equal(due_in(play, 27201, 30000), 0);
	free(play);
}

/* A day of outage from 20,000 on. An interval is doubled once it is less than 1/300 of what has passed since: that of 100 ms stands until 60,000 ms have (2 × 100 × 300), that of 200 ms until
 * 120,000 ms have. At 10,000 ms it ends: it is sparse. */
static void a_long_outage_thins_out(void **state UNUSED)
{
	struct play *play = new_play();

	play->bad_from = 20000;
	play->bad_to = 2 * DAY_MS;
	play_to(play, DAY_MS);
	assert_int_equal(due_in(play, 20000, 80000), 600);
	assert_int_equal(due_in(play, 80000 + 1, 80000 + 10001), 50);
	assert_int_equal(due_in(play, 140000 + 1, 140000 + 10001 - 200), 24);
	/* the rest of the day is sparse: one each 10 s */
	assert_int_equal(due_in(play, DAY_MS / 2, DAY_MS / 2 + 1000000), 100);
	assert_in_range(play->count, 8640 + 600, 8640 + 600 + 300 * 7);
	free(play);
}

/* Every due time is one of the grid's, none comes twice, and each sparse one is there. */
static void all_lie_on_one_grid(void **state UNUSED)
{
	struct play *play = new_play();

	play->moments[0] = 31050;
	play->moments[1] = 200070;
	play->bad_from = 33000;
	play->bad_to = 170000;
	play->took = 1500;
	play->happens = 412345;
	play_to(play, 500000);
	for (size_t k = 0; k < play->count; k++) {
		assert_int_equal(play->due[k] % 100, 0);
		assert_true(!k || play->due[k] > play->due[k - 1]);
	}
	for (int64_t ms = 0; ms < 500000; ms += 10000)
		assert_true(is_due(play, ms));
	free(play);
}

static void an_even_pace_takes_no_notice_of_anything(void **state UNUSED)
{
	struct pace pace;
	struct pace_plan plan = {
		.start_ns = 50, .every_ns = 100, .near_ns = 100, .end_ns = 1000, .stable = 3, .moment = planned};
	int64_t count = 0;

	pace_init(&pace, &plan);
	for (; pace_due(&pace) != INT64_MAX; count++) {
		assert_int_equal(pace_due(&pace), 50 + count * 100);
		pace_took(&pace);
		pace_ended(&pace, count, 50 + count * 100, false, 50 + count * 100);
		pace_happened(&pace, 55 + count * 100);
	}
	assert_int_equal(count, 10);
	pace_fini(&pace);
}

/* The loop was kept from 20,000 to 45,000: what was due meanwhile is asked with its own time, what was not due then is not. */
static void a_late_loop_asks_what_was_due_and_no_more(void **state UNUSED)
{
	struct play *play = new_play();
	struct pace_plan plan = {.every_ns = 10000 * MSEC, .near_ns = 100 * MSEC, .end_ns = 100000 * MSEC, .stable = 3};

	pace_init(&play->pace, &plan);
	pace_took(&play->pace); /* 0 */
	pace_took(&play->pace); /* 10,000 */
	assert_int_equal(pace_due(&play->pace), 20000 * MSEC);
	pace_ended(&play->pace, 1, 10000 * MSEC, false, 45000 * MSEC); /* 20,000 waits to be asked */
	assert_int_equal(pace_due(&play->pace), 20000 * MSEC);
	pace_took(&play->pace);
	assert_int_equal(pace_due(&play->pace), 30000 * MSEC);
	pace_took(&play->pace);
	pace_took(&play->pace); /* 40,000 */
	assert_int_equal(pace_due(&play->pace), 45000 * MSEC);
	pace_fini(&play->pace);
	free(play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_faults_it_is_sparse_until_right_before_the_end),
		cmocka_unit_test(it_is_dense_around_what_is_planned),
		cmocka_unit_test(windows_of_moments_that_are_close_are_one),
		cmocka_unit_test(what_happens_later_than_planned_is_met_at_the_next_moment_of_the_grid),
		cmocka_unit_test(bad_samples_make_it_dense_until_a_row_is_good),
		cmocka_unit_test(what_is_known_late_does_not_reach_back),
		cmocka_unit_test(a_long_outage_thins_out),
		cmocka_unit_test(all_lie_on_one_grid),
		cmocka_unit_test(an_even_pace_takes_no_notice_of_anything),
		cmocka_unit_test(a_late_loop_asks_what_was_due_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
