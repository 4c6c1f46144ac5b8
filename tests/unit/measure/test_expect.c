/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations: a comparison of what was measured with a bound. */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The one expectation's result over a run with a fault "dark" from 500 to 1000 ms that took effect as said. */
static struct expectation judge_with(struct stream *stream, const char *letters, bool took_effect, const char *during,
				     const char *metric, const char *op, int64_t bound)
{
	stream_begin(stream);
	stream_probe(stream, "www");
	stream_fault(stream, 1, "dark");
	stream_expect(stream, "www", during, metric, op, bound);
	stream_applied(stream, 1, 500);
	stream_reverted(stream, 1, 1000, took_effect);
	stream_ask(stream, "www", 0, letters);
	stream_end(stream, "complete", 9999);
	assert_int_equal(stream_run(stream)->expectation_count, 1);
	return stream_run(stream)->expectations[0];
}

static enum verdict judge(const char *letters, const char *during, const char *metric, const char *op, int64_t bound)
{
	struct stream stream;
	enum verdict result = judge_with(&stream, letters, true, during, metric, op, bound).result;

	stream_fini(&stream);
	return result;
}

/* Bad at 500, good from 600 on: a failover of exactly 100 ms, an availability of 14 in 15. */
#define QUICK ".....x........."
/* Bad from 500 to 900: a failover of more than 500 ms. */
#define DARK ".....xxxxx....."

static void bounds_compare_as_they_read(void **state)
{
	static const struct {
		const char *op;
		int64_t bound_ms;
		enum verdict result;
	} rows[] = {
		{"<=", 100, VERDICT_PASS}, {"<=", 99, VERDICT_FAIL},   {"<", 100, VERDICT_FAIL},
		{"<", 101, VERDICT_PASS},  {">=", 100, VERDICT_PASS},  {">=", 101, VERDICT_FAIL},
		{">", 100, VERDICT_FAIL},  {">", 99, VERDICT_PASS},    {"=", 100, VERDICT_PASS},
		{"=", 101, VERDICT_FAIL},  {"never", 0, VERDICT_FAIL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(judge(QUICK, "dark", "time_to_failover", rows[i].op, rows[i].bound_ms * MSEC),
				 rows[i].result);
}

static void a_lower_bound_decides_only_what_it_can(void **state)
{
	/* measured: at least 500 ms */
	static const struct {
		const char *op;
		int64_t bound_ms;
		enum verdict result;
	} rows[] = {
		{"<=", 499, VERDICT_FAIL},          {"<=", 500, VERDICT_INCONCLUSIVE},
		{"<=", 3000, VERDICT_INCONCLUSIVE}, {"<", 500, VERDICT_FAIL},
		{"<", 501, VERDICT_INCONCLUSIVE},   {">=", 500, VERDICT_PASS},
		{">=", 501, VERDICT_INCONCLUSIVE},  {">", 499, VERDICT_PASS},
		{">", 500, VERDICT_INCONCLUSIVE},   {"=", 499, VERDICT_FAIL},
		{"=", 500, VERDICT_INCONCLUSIVE},   {"never", 0, VERDICT_PASS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(judge(DARK, "dark", "time_to_failover", rows[i].op, rows[i].bound_ms * MSEC),
				 rows[i].result);
}

static void never_fails_where_nothing_was_ever_bad(void **state)
{
	struct stream stream;
	struct expectation e = judge_with(&stream, "...............", true, "dark", "time_to_failover", "never", 0);

	(void)state;
	assert_int_equal(e.result, VERDICT_FAIL);
	assert_string_equal(e.why, "there was no bad sample at all");
	stream_fini(&stream);
}

static void availability_compares_exactly_though_it_is_shown_rounded(void **state)
{
	(void)state;
	/* 14/15 = 933333.33… ppm */
	assert_int_equal(judge(QUICK, NULL, "availability", ">=", 933333), VERDICT_PASS);
	assert_int_equal(judge(QUICK, NULL, "availability", ">", 933333), VERDICT_PASS);
	assert_int_equal(judge(QUICK, NULL, "availability", "<=", 933333), VERDICT_FAIL);
	assert_int_equal(judge(QUICK, NULL, "availability", "=", 933333), VERDICT_FAIL);
	assert_int_equal(judge(QUICK, NULL, "availability", ">=", 933334), VERDICT_FAIL);
	assert_int_equal(judge("...............", NULL, "availability", "=", 1000000), VERDICT_PASS);
}

static void each_window_is_bounded_by_its_own_numbers(void **state)
{
	(void)state;
	/* fault: 4 of 5 good; baseline and recovery: all */
	assert_int_equal(judge(QUICK, "dark", "availability", "=", 800000), VERDICT_PASS);
	assert_int_equal(judge(QUICK, "baseline", "availability", "=", 1000000), VERDICT_PASS);
	assert_int_equal(judge(QUICK, "recovery", "availability", "=", 1000000), VERDICT_PASS);
	assert_int_equal(judge(QUICK, "dark", "outage", "=", 100 * MSEC), VERDICT_PASS);
	assert_int_equal(judge(QUICK, "dark", "wrong_window", "=", 0), VERDICT_PASS);
	assert_int_equal(judge(QUICK, "dark", "time_to_impact", "=", 0), VERDICT_PASS);
	assert_int_equal(judge(QUICK, "dark", "time_to_recover", "=", 0), VERDICT_PASS);
	assert_int_equal(judge(QUICK, "baseline", "latency_p99", "<=", 1 * MSEC), VERDICT_PASS);
	/* p99 of the fault is the timeout, 1 s, or more */
	assert_int_equal(judge(QUICK, "dark", "latency_p99", "<=", 999 * MSEC), VERDICT_FAIL);
	assert_int_equal(judge(QUICK, "dark", "latency_p99", "<=", 2000 * MSEC), VERDICT_INCONCLUSIVE);
	assert_int_equal(judge(QUICK, "dark", "latency_p50", "<=", 1 * MSEC), VERDICT_PASS);
}

static void check_inconclusive(const char *letters, bool took_effect, const char *during, const char *metric,
			       const char *op, const char *why)
{
	struct stream stream;
	struct expectation e = judge_with(&stream, letters, took_effect, during, metric, op, 800 * MSEC);

	assert_int_equal(e.result, VERDICT_INCONCLUSIVE);
	assert_string_equal(e.why, why);
	stream_fini(&stream);
}

static void what_cannot_be_judged_says_why(void **state)
{
	(void)state;
	check_inconclusive("...............", true, "dark", "time_to_impact",
			   "<=", "no bad sample: there was no impact to time");
	check_inconclusive(".....", true, "dark", "time_to_failover", "<=", "no sample in this window");
	check_inconclusive(".....e.e.......", true, "dark", "availability", ">=", "2 samples could not be asked");
	check_inconclusive("..........e....", true, "dark", "time_to_recover", "<=", "1 sample could not be asked");
	check_inconclusive(QUICK, false, "dark", "time_to_failover", "<=", "the fault \"dark\" had no effect");
	check_inconclusive(QUICK, true, NULL, "time_to_failover", "<=", "it is measured during a fault only");
	check_inconclusive(QUICK, true, "dusk", "availability", ">=", "there is no such probe or window in the run");
	check_inconclusive(QUICK, true, "dark", "beauty", ">=", "\"beauty\" is not a metric this dnsdrill knows");
	check_inconclusive(QUICK, true, "dark", "outage", "~", "\"~\" is not a comparison this dnsdrill knows");
	check_inconclusive(DARK, true, "dark", "time_to_failover",
			   "<=", "not reached within 500 ms, which is as far as it was watched");
}

static void a_sample_that_could_not_be_asked_spoils_only_its_own_window(void **state)
{
	(void)state;
	assert_int_equal(judge(".....x.......e.", "dark", "time_to_failover", "<=", 100 * MSEC), VERDICT_PASS);
	assert_int_equal(judge(".....x.......e.", "recovery", "availability", ">=", 0), VERDICT_INCONCLUSIVE);
	assert_int_equal(judge(".....xe........", "dark", "time_to_recover", "<=", 0), VERDICT_PASS);
}

static void a_fault_never_applied_judges_nothing(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_expect(&stream, "www", "dark", "availability", ">=", 0);
	stream_ask(&stream, "www", 0, "......");
	stream_end(&stream, "complete", 9999);
	assert_int_equal(stream_run(&stream)->expectations[0].result, VERDICT_INCONCLUSIVE);
	assert_string_equal(stream_run(&stream)->expectations[0].why, "the fault \"dark\" was never applied");
	stream_fini(&stream);
}

static void a_lower_bound_is_never_shown_as_more_than_it_is(void **state)
{
	static const struct {
		int64_t ms;
		const char *bound, *value;
	} rows[] = {
		/* 11.999 s is not yet 12.0 s */
		{11999, "11.9 s", "12.0 s"},
		{119900, "119 s", "2 min 0 s"},
		{1000, "1.00 s", "1.00 s"},
		{0, "0 s", "0 s"},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(measured_text(METRIC_OUTAGE, rows[i].ms * MSEC, true, text, sizeof(text)),
				    rows[i].bound);
		assert_string_equal(measured_text(METRIC_OUTAGE, rows[i].ms * MSEC, false, text, sizeof(text)),
				    rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_compare_as_they_read),
		cmocka_unit_test(a_lower_bound_decides_only_what_it_can),
		cmocka_unit_test(never_fails_where_nothing_was_ever_bad),
		cmocka_unit_test(availability_compares_exactly_though_it_is_shown_rounded),
		cmocka_unit_test(each_window_is_bounded_by_its_own_numbers),
		cmocka_unit_test(what_cannot_be_judged_says_why),
		cmocka_unit_test(a_sample_that_could_not_be_asked_spoils_only_its_own_window),
		cmocka_unit_test(a_fault_never_applied_judges_nothing),
		cmocka_unit_test(a_lower_bound_is_never_shown_as_more_than_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
