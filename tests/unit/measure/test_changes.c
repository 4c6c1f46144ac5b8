/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MS(n) ((n)*MSEC)

/* The example of docs/metrics.md. */
static void propagation_ends_with_the_last_stale_answer(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 450, "0000000111");

	(void)state;
	assert_int_equal(run->change_count, 1);
	assert_int_equal(run->changes[0].propagation_ns, MS(250));
	assert_false(run->changes[0].censored);
	assert_int_equal(run->measurements[0].stale, 2);
	assert_int_equal(run->measurements[0].stale_window_ns, MS(200));
	assert_int_equal(run->measurements[0].availability_ppm, PPM_ONE);
	assert_int_equal(run->measurements[0].wrong_window_ns, 0);
	stream_fini(&stream);
}

static void stale_answers_are_bad_where_the_probe_says_so(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, true, 450, "0000000111");

	(void)state;
	assert_int_equal(run->measurements[0].availability_ppm, 800000);
	assert_int_equal(run->measurements[0].outage_ns, MS(200));
	assert_int_equal(run->measurements[0].wrong_window_ns, 0);
	stream_fini(&stream);
}

static void a_change_that_never_shows_is_a_lower_bound(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 450, "0000000000");

	(void)state;
	assert_true(run->changes[0].censored);
	assert_int_equal(run->changes[0].propagation_ns, MS(550));
	stream_fini(&stream);
}

/* Asked at 400, before it was accepted, it shows already: the push had not begun, so it was not right then. */
static void a_version_before_its_time_is_wrong(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 450, "0000111111");

	(void)state;
	assert_int_equal(run->measurements[0].outcomes[OUTCOME_WRONG], 1);
	assert_int_equal(run->changes[0].propagation_ns, 0);
	stream_fini(&stream);
}

static void a_change_that_came_to_nothing_replaces_nothing(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 0, "0000000000");

	(void)state;
	assert_int_equal(run->change_count, 0);
	assert_int_equal(run->measurements[0].stale, 0);
	assert_int_equal(run->measurements[0].propagation_ns, MEASURE_NONE);
	stream_fini(&stream);
}

static void silence_is_not_yet_the_new_version(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 450, "00000--111");

	(void)state;
	assert_int_equal(run->changes[0].propagation_ns, MS(250));
	assert_int_equal(run->measurements[0].stale_window_ns, 0);
	stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(propagation_ends_with_the_last_stale_answer),
		cmocka_unit_test(stale_answers_are_bad_where_the_probe_says_so),
		cmocka_unit_test(a_change_that_never_shows_is_a_lower_bound),
		cmocka_unit_test(a_version_before_its_time_is_wrong),
		cmocka_unit_test(a_change_that_came_to_nothing_replaces_nothing),
		cmocka_unit_test(silence_is_not_yet_the_new_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
