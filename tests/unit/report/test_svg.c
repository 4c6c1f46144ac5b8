/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void scale_places_times_and_clamps(void **state)
{
	struct svg_scale scale = svg_scale_make(-5 * SEC, 15 * SEC, 1000, 3000);
	(void)state;

	assert_int_equal(svg_x(&scale, -5 * SEC), 1000);
	assert_int_equal(svg_x(&scale, 0), 1500); /* a quarter of the way */
	assert_int_equal(svg_x(&scale, 15 * SEC), 3000);
	assert_int_equal(svg_x(&scale, INT64_MIN), 1000);
	assert_int_equal(svg_x(&scale, INT64_MAX), 3000);
}

static void scale_of_no_length_still_works(void **state)
{
	struct svg_scale scale = svg_scale_make(7, 7, 0, 100);
	(void)state;

	assert_int_equal(svg_x(&scale, 7), 0);
	assert_true(svg_x(&scale, 8 + SEC) == 100);
}

static void log_scale_gives_each_decade_the_same_height(void **state)
{
	struct svg_log log = {.lo_ns = MSEC, .hi_ns = SEC, .top = 100, .bottom = 400};
	(void)state;

	assert_int_equal(svg_log_y(&log, MSEC), 400);
	assert_int_equal(svg_log_y(&log, 10 * MSEC), 300);
	assert_int_equal(svg_log_y(&log, 100 * MSEC), 200);
	assert_int_equal(svg_log_y(&log, 9 * SEC), 100);
	assert_int_equal(svg_log_y(&log, 0), 400);
}

static void ticks_are_round_and_few(void **state)
{
	static const int64_t spans[] = {MSEC,         35 * SEC, 59 * SEC, 600 * SEC, 24 * 3600 * SEC, 30 * 86400 * SEC,
					INT64_MAX / 2};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		int64_t step = svg_tick_step(spans[i], 12);
		assert_true(step > 0);
		assert_true(spans[i] / step <= 12);
	}
	/* 35 s in at most 12 steps: 2 s would need 17, so 5 s. */
	assert_int_equal(svg_tick_step(35 * SEC, 12), 5 * SEC);
	/* 10 min in at most 12: 30 s would need 20, so a minute. */
	assert_int_equal(svg_tick_step(600 * SEC, 12), 60 * SEC);
}

static void every_outcome_has_a_shape_of_its_own(void **state)
{
	struct buf marks[OUTCOME_COUNT] = {0};
	(void)state;

	for (int o = 0; o < OUTCOME_COUNT; o++) {
		svg_mark(&marks[o], (enum outcome)o, 500, 500);
		assert_true(marks[o].len > 0);
		for (int earlier = 0; earlier < o; earlier++)
			assert_string_not_equal(marks[o].data, marks[earlier].data);
	}
	for (int o = 0; o < OUTCOME_COUNT; o++)
		buf_fini(&marks[o]);
}

static void numbers_are_tenths(void **state)
{
	struct buf out = {0};
	(void)state;

	svg_num(&out, 123);
	buf_putc(&out, ' ');
	svg_num(&out, -5);
	buf_putc(&out, ' ');
	svg_num(&out, 40);
	assert_string_equal(out.data, "12.3 -0.5 4");
	buf_fini(&out);
}

static void text_is_escaped(void **state)
{
	struct buf out = {0};
	(void)state;

	svg_text(&out, "name", 12, SVG_START, 0, 0, "</text><script>");
	assert_null(strstr(out.data, "<script"));
	assert_non_null(strstr(out.data, "&lt;/text&gt;&lt;script&gt;"));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scale_places_times_and_clamps),
		cmocka_unit_test(scale_of_no_length_still_works),
		cmocka_unit_test(log_scale_gives_each_decade_the_same_height),
		cmocka_unit_test(ticks_are_round_and_few),
		cmocka_unit_test(every_outcome_has_a_shape_of_its_own),
		cmocka_unit_test(numbers_are_tenths),
		cmocka_unit_test(text_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
