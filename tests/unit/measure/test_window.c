/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which samples belong to which window, and availability. Sample i is due at i × 100 ms; a timed-out one is done 1 s later. */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void begin_one_fault(struct stream *stream, int64_t t_ms, int64_t r_ms)
{
	stream_begin(stream);
	stream_probe(stream, "www");
	stream_fault(stream, 1, "dark");
	stream_applied(stream, 1, t_ms);
	stream_reverted(stream, 1, r_ms, true);
}

static void windows_are_half_open_by_due_time(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	/* T = 500 and R = 800 are due times themselves: 500, 600, 700 are in, 800 is not. */
	begin_one_fault(&stream, 500, 800);
	stream_ask(&stream, "www", 0, "............");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_FAULT, "dark");
	assert_int_equal(m->samples, 3);
	assert_int_equal(m->from_ns, 500 * MSEC);
	assert_int_equal(m->to_ns, 800 * MSEC);
	assert_int_equal(stream_find(&stream, "www", WINDOW_BASELINE, NULL)->samples, 5);
	m = stream_find(&stream, "www", WINDOW_RECOVERY, NULL);
	assert_int_equal(m->samples, 4);
	assert_int_equal(m->from_ns, 800 * MSEC);
	assert_int_equal(m->to_ns, 1200 * MSEC);
	assert_int_equal(stream_find(&stream, "www", WINDOW_OVERALL, NULL)->samples, 12);
	stream_fini(&stream);
}

static void a_sample_the_fault_met_on_its_way_is_in_neither_window(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	/* T = 450. The sample due at 400 was not done by then (it timed out at 1400). Baseline: 0, 100, 200, 300. Fault: 500 … 900. */
	begin_one_fault(&stream, 450, 1000);
	stream_ask(&stream, "www", 0, "....xx.........");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_BASELINE, NULL);
	assert_int_equal(m->samples, 4);
	assert_int_equal(m->availability_ppm, 1000000);
	assert_int_equal(m->outage_ns, 0);
	m = stream_find(&stream, "www", WINDOW_FAULT, "dark");
	assert_int_equal(m->samples, 5);
	assert_int_equal(m->availability_ppm, 800000);
	/* users were without an answer from 400 to 600; 450 to 600 of that lies in the fault */
	assert_int_equal(m->outage_ns, 150 * MSEC);
	assert_int_equal(stream_find(&stream, "www", WINDOW_OVERALL, NULL)->samples, 15);
	assert_int_equal(stream_find(&stream, "www", WINDOW_OVERALL, NULL)->outage_ns, 200 * MSEC);
	stream_fini(&stream);
}

static void a_bad_sample_done_before_the_fault_spoils_the_baseline(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin_one_fault(&stream, 500, 800);
	stream_ask(&stream, "www", 0, "..r.........");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_BASELINE, NULL);
	assert_int_equal(m->availability_ppm, 800000);
	assert_int_equal(m->outage_ns, 100 * MSEC);
	assert_int_equal(stream_run(&stream)->verdict, VERDICT_INCONCLUSIVE);
	stream_fini(&stream);
}

static void the_baseline_ends_with_the_first_of_several_faults_and_recovery_begins_with_the_last_end(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "late");
	stream_fault(&stream, 2, "early");
	stream_applied(&stream, 2, 300);
	stream_applied(&stream, 1, 500);
	stream_reverted(&stream, 1, 600, true);
	stream_reverted(&stream, 2, 900, true);
	stream_ask(&stream, "www", 0, "............");
	stream_end(&stream, "complete", 9999);
	assert_int_equal(stream_find(&stream, "www", WINDOW_BASELINE, NULL)->samples, 3);
	assert_int_equal(stream_find(&stream, "www", WINDOW_FAULT, "late")->samples, 1);
	assert_int_equal(stream_find(&stream, "www", WINDOW_FAULT, "early")->samples, 6);
	assert_int_equal(stream_find(&stream, "www", WINDOW_RECOVERY, NULL)->samples, 3);
	stream_fini(&stream);
}

static void without_a_fault_the_whole_run_is_baseline(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_ask(&stream, "www", 0, "........");
	stream_end(&stream, "complete", 9999);
	assert_int_equal(stream_find(&stream, "www", WINDOW_BASELINE, NULL)->samples, 8);
	assert_int_equal(stream_find(&stream, "www", WINDOW_RECOVERY, NULL)->samples, 0);
	assert_int_equal(stream_run(&stream)->verdict, VERDICT_PASS);
	stream_fini(&stream);
}

static void no_samples_are_no_availability(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin_one_fault(&stream, 500, 800);
	stream_end(&stream, "complete", 9999);
	for (size_t i = 0; i < stream_run(&stream)->measurement_count; i++) {
		m = &stream_run(&stream)->measurements[i];
		assert_int_equal(m->samples, 0);
		assert_int_equal(m->availability_ppm, MEASURE_NONE);
		assert_int_equal(m->latency_p50_ns, MEASURE_NONE);
		assert_int_equal(m->outage_ns, 0);
	}
	assert_int_equal(stream_run(&stream)->verdict, VERDICT_INCONCLUSIVE);
	stream_fini(&stream);
}

static void a_single_sample_stands_for_one_interval(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_ask(&stream, "www", 0, "x");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_OVERALL, NULL);
	assert_int_equal(m->samples, 1);
	assert_int_equal(m->availability_ppm, 0);
	assert_int_equal(m->outage_ns, 100 * MSEC);
	stream_fini(&stream);
}

static void availability_is_rounded_down(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	/* 2 of 3 are 666666.67 ppm; all but the sixth of six 833333.3 */
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_probe(&stream, "mail");
	stream_ask(&stream, "www", 0, "..w");
	stream_ask(&stream, "mail", 0, ".....e");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_OVERALL, NULL);
	assert_int_equal(m->availability_ppm, 666666);
	assert_int_equal(m->outcomes[OUTCOME_WRONG], 1);
	m = stream_find(&stream, "mail", WINDOW_OVERALL, NULL);
	assert_int_equal(m->availability_ppm, 833333);
	assert_int_equal(m->outcomes[OUTCOME_ERROR], 1);
	stream_fini(&stream);
}

static void samples_that_arrive_out_of_order_are_measured_in_the_order_they_were_due(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin_one_fault(&stream, 200, 1000);
	stream_ask(&stream, "www", 0, "..");
	stream_ask(&stream, "www", 4, "......");
	stream_ask(&stream, "www", 2, "xx");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_FAULT, "dark");
	assert_int_equal(m->time_to_impact_ns, 0);
	assert_int_equal(m->time_to_failover_ns, 200 * MSEC);
	assert_int_equal(m->outage_ns, 200 * MSEC);
	stream_fini(&stream);
}

static void a_stream_that_was_cut_is_measured_as_far_as_it_goes(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_applied(&stream, 1, 500);
	stream_ask(&stream, "www", 0, ".....xxx");
	stream_end(&stream, NULL, 0);
	m = stream_find(&stream, "www", WINDOW_FAULT, "dark");
	/* the last sample is due at 700 and stands for 100 ms: 800 − 500 */
	assert_int_equal(m->samples, 3);
	assert_int_equal(m->outage_ns, 300 * MSEC);
	assert_true(m->failover_censored);
	assert_int_equal(m->time_to_failover_ns, 300 * MSEC);
	assert_int_equal(stream_run(&stream)->verdict, VERDICT_ERROR);
	stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_are_half_open_by_due_time),
		cmocka_unit_test(a_sample_the_fault_met_on_its_way_is_in_neither_window),
		cmocka_unit_test(a_bad_sample_done_before_the_fault_spoils_the_baseline),
		cmocka_unit_test(
			the_baseline_ends_with_the_first_of_several_faults_and_recovery_begins_with_the_last_end),
		cmocka_unit_test(without_a_fault_the_whole_run_is_baseline),
		cmocka_unit_test(no_samples_are_no_availability),
		cmocka_unit_test(a_single_sample_stands_for_one_interval),
		cmocka_unit_test(availability_is_rounded_down),
		cmocka_unit_test(samples_that_arrive_out_of_order_are_measured_in_the_order_they_were_due),
		cmocka_unit_test(a_stream_that_was_cut_is_measured_as_far_as_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
