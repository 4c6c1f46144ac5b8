/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers as people read them: with units, never better than they are. */
#include "report/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(struct buf *out, const char *want)
{
	assert_false(out->failed);
	assert_string_equal(out->data, want);
	buf_fini(out);
}

static void duration(int64_t ns, bool censored, const char *want)
{
	struct buf out = {0};

	format_duration(&out, ns, censored);
	check(&out, want);
}

static void whole_milliseconds_are_rounded_and_bounds_cut(void **state)
{
	struct buf out = {0};
	(void)state;

	format_milliseconds(&out, 1972600000, false, 50 * MSEC);
	check(&out, "1973 ms ± 50 ms");
	format_milliseconds(&out, 11999999999, true, 50 * MSEC);
	check(&out, "> 11999 ms");
	format_milliseconds(&out, 0, false, MSEC / 2);
	check(&out, "0 ms ± 0.5 ms");
}

static void share(int64_t ppm, const char *want)
{
	struct buf out = {0};

	format_share(&out, ppm);
	check(&out, want);
}

static void failover(struct measurement m, const char *want)
{
	struct buf out = {0};

	format_failover(&out, &m);
	check(&out, want);
}

static void measured(const char *metric, int64_t bound, int64_t value, bool censored, const char *want)
{
	struct ev_plan_expect plan = {.metric = metric, .op = "<=", .bound = bound};
	struct measurement m = {.resolution_ns = 100 * MSEC};
	struct expectation e = {.plan = &plan, .measured = value, .censored = censored, .measurement = &m};
	struct buf out = {0};

	format_measured(&out, &e);
	check(&out, want);
}

static void bound_is(const char *metric, const char *op, int64_t bound, const char *want)
{
	struct ev_plan_expect plan = {.metric = metric, .op = op, .bound = bound};
	struct buf out = {0};

	format_bound(&out, &plan);
	check(&out, want);
}

static void what_does_not_exist_is_a_dash(void **state)
{
	(void)state;
	duration(MEASURE_NONE, false, "–");
	duration(MEASURE_NONE, true, "–");
	share(MEASURE_NONE, "–");
	failover((struct measurement){.time_to_failover_ns = MEASURE_NONE, .resolution_ns = MSEC}, "–");
	measured("outage", SEC, MEASURE_NONE, false, "–");
}

static void lower_bound_is_never_rounded_up(void **state)
{
	(void)state;
	duration(12 * SEC, true, "> 12.0 s");
	duration(11990 * MSEC, true, "> 11.9 s"); /* "> 12.0 s" would be untrue */
	duration(1999 * MSEC, true, "> 1.99 s");
	duration(999999 * NSEC_PER_USEC, true, "> 999 ms");
	duration(1999 * NSEC_PER_USEC, true, "> 1.99 ms");
	duration(11990 * MSEC, false, "12.0 s"); /* what is measured is rounded to the nearest */
}

static void failover_has_its_resolution(void **state)
{
	(void)state;
	failover((struct measurement){.time_to_failover_ns = 1200 * MSEC, .resolution_ns = 100 * MSEC},
		 "1.20 s ± 0.1 s");
	failover((struct measurement){.time_to_failover_ns = 842 * MSEC, .resolution_ns = 20 * MSEC},
		 "842 ms ± 20.0 ms");
	failover((struct measurement){.time_to_failover_ns = 0, .resolution_ns = SEC}, "0 s ± 1 s");
	failover((struct measurement){.time_to_failover_ns = 12 * SEC, .failover_censored = true, .resolution_ns = SEC},
		 "> 12.0 s");
}

static void share_of_100_percent_means_all(void **state)
{
	(void)state;
	share(PPM_ONE, "100%");
	share(PPM_ONE - 1, "99.99%");
	share(0, "0%");
	share(1, "< 0.01%"); /* "0%" would mean that nothing was answered */
	share(985714, "98.57%");
}

static void measured_has_the_digits_that_explain_its_result(void **state)
{
	(void)state;
	measured("time_to_failover", 3 * SEC, 1200 * MSEC, false, "1.20 s ± 0.1 s");
	measured("time_to_failover", 3 * SEC, 3001 * MSEC, false,
		 "3.001s"); /* "3.00 s" would not explain why it failed */
	measured("time_to_failover", 3 * SEC, 20 * SEC, true, "> 20.0 s");
	measured("latency_p95", SEC, 31 * MSEC, false, "31.0 ms"); /* a latency is not read off due times */
	measured("availability", 950000, 949999, false, "94.9999%");
}

static void bound_stands_as_the_plan_has_it(void **state)
{
	(void)state;
	bound_is("time_to_failover", "<=", 3 * SEC, "<= 3s");
	bound_is("availability", ">=", 995000, ">= 99.5%");
	bound_is("time_to_failover", "never", 0, "never");
}

static void moment_has_sign_and_milliseconds(void **state)
{
	struct buf out = {0};
	(void)state;

	format_moment(&out, -1500 * MSEC);
	buf_putc(&out, '|');
	format_moment(&out, 125 * SEC + 7 * MSEC);
	buf_putc(&out, '|');
	format_moment(&out, 2 * 3600 * SEC + 60 * SEC);
	buf_putc(&out, '|');
	format_moment(&out, -1); /* less than what is shown has no sign */
	check(&out, "−1.500 s|+2 min 5.007 s|+2 h 1 min 0.000 s|+0.000 s");
}

static void outcomes_are_those_that_occurred(void **state)
{
	const int64_t some[OUTCOME_COUNT] = {[OUTCOME_OK] = 198, [OUTCOME_TIMEOUT] = 2};
	const int64_t none[OUTCOME_COUNT] = {0};
	struct buf out = {0};
	(void)state;

	format_outcomes(&out, some);
	buf_putc(&out, '|');
	format_outcomes(&out, none);
	check(&out, "198 ok, 2 timeout|none");
}

static void wall_clock_is_utc(void **state)
{
	struct buf out = {0};
	(void)state;

	format_wall(&out, 1000000000 * SEC); /* the well-known billionth second */
	check(&out, "2001-09-09 01:46:40 UTC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_milliseconds_are_rounded_and_bounds_cut),
		cmocka_unit_test(what_does_not_exist_is_a_dash),
		cmocka_unit_test(lower_bound_is_never_rounded_up),
		cmocka_unit_test(failover_has_its_resolution),
		cmocka_unit_test(share_of_100_percent_means_all),
		cmocka_unit_test(measured_has_the_digits_that_explain_its_result),
		cmocka_unit_test(bound_stands_as_the_plan_has_it),
		cmocka_unit_test(moment_has_sign_and_milliseconds),
		cmocka_unit_test(outcomes_are_those_that_occurred),
		cmocka_unit_test(wall_clock_is_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
