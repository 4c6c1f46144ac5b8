/* SPDX-License-Identifier: GPL-2.0-or-later */
/* time_to_impact, time_to_failover, time_to_recover. Sample i is due at i × 100 ms; three in a row are stable. */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A run with one fault called "dark" from t_ms to r_ms (-1: never reverted), asked once every 100 ms from 0. */
static const struct measurement *one_fault(struct stream *stream, int64_t t_ms, int64_t r_ms, const char *letters)
{
	stream_begin(stream);
	stream_probe(stream, "www");
	stream_fault(stream, 1, "dark");
	stream_applied(stream, 1, t_ms);
	if (r_ms >= 0)
		stream_reverted(stream, 1, r_ms, true);
	stream_ask(stream, "www", 0, letters);
	stream_end(stream, "complete", 9999);
	return stream_find(stream, "www", WINDOW_FAULT, "dark");
}

static void failover_is_the_first_of_enough_good_samples_in_a_row(void **state)
{
	struct stream stream;
	/* due 0…        500 600 700 800 900 1000 …: after the bad one at 600 come two good ones (700, 800), too few; then one bad (900)
	 * and good ones from 1000 on. T = 500: impact 600 − 500, failover 1000 − 500. */
	const struct measurement *m = one_fault(&stream, 500, 1500, "......x..x..........");

	(void)state;
	assert_int_equal(m->time_to_impact_ns, 100 * MSEC);
	assert_int_equal(m->time_to_failover_ns, 500 * MSEC);
	assert_false(m->failover_censored);
	assert_int_equal(m->resolution_ns, 100 * MSEC);
	stream_fini(&stream);
}

static void a_fault_that_nobody_notices_has_no_impact_and_failover_zero(void **state)
{
	struct stream stream;
	const struct measurement *m = one_fault(&stream, 500, 1000, "...............");

	(void)state;
	assert_int_equal(m->time_to_impact_ns, MEASURE_NONE);
	assert_int_equal(m->time_to_failover_ns, 0);
	assert_false(m->failover_censored);
	assert_int_equal(m->time_to_recover_ns, 0);
	stream_fini(&stream);
}

/* Sample i, due at i × 100 ms and answered at done_ms. */
static void answered(struct stream *stream, int64_t i, int64_t done_ms)
{
	stream_sample(stream, "www", i, i * EVERY_MS, done_ms, OUTCOME_OK);
}

/* One fault from 500 to 1000; what was due in it was answered at done_ms[0…4]. */
static const struct measurement *answered_late(struct stream *stream, const char *baseline, const int64_t done_ms[5])
{
	stream_begin(stream);
	stream_probe(stream, "www");
	stream_fault(stream, 1, "dark");
	stream_ask(stream, "www", 0, baseline);
	stream_applied(stream, 1, 500);
	for (int64_t i = 5; i < 10; i++)
		answered(stream, i, done_ms[i - 5]);
	stream_reverted(stream, 1, 1000, true);
	stream_ask(stream, "www", 10, "....");
	stream_end(stream, "complete", 9999);
	return stream_find(stream, "www", WINDOW_FAULT, "dark");
}

/* The patience of the resolver and of the probe outlasted the fault: no answer was lost, but not one of them came while the fault stood. */
static void a_fault_that_everybody_sat_out_is_no_failover_at_once(void **state)
{
	struct stream stream;
	const struct measurement *m = answered_late(&stream, ".....", (int64_t[]){1001, 1001, 1001, 1001, 1001});

	(void)state;
	assert_int_equal(m->availability_ppm, 1000000);
	assert_int_equal(m->time_to_impact_ns, MEASURE_NONE);
	assert_int_equal(m->time_to_failover_ns, 500 * MSEC);
	assert_true(m->failover_censored);
	stream_fini(&stream);
}

/* A cache answers 500 and 600; then its records expire, and three in a row wait for the repair. */
static void who_sits_out_the_end_of_a_fault_was_met_by_it(void **state)
{
	struct stream stream;
	const struct measurement *m = answered_late(&stream, ".....", (int64_t[]){501, 601, 1001, 1001, 1001});

	(void)state;
	assert_int_equal(m->time_to_failover_ns, 500 * MSEC);
	assert_true(m->failover_censored);
	stream_fini(&stream);
}

/* The first of two resolvers is silent: every answer takes 300 ms while the fault stands. Those due last are on their way when it ends; they were
 * served as all before them. */
static void answers_as_slow_as_others_in_the_fault_are_no_impact(void **state)
{
	struct stream stream;
	const struct measurement *m = answered_late(&stream, ".....", (int64_t[]){800, 900, 1000, 1100, 1200});

	(void)state;
	assert_int_equal(m->time_to_failover_ns, 0);
	assert_false(m->failover_censored);
	stream_fini(&stream);
}

/* One question happened to be on its way when the fault ended: fewer than a row, so nobody noticed. */
static void what_is_on_its_way_when_the_fault_ends_is_no_impact(void **state)
{
	struct stream stream;
	const struct measurement *m = answered_late(&stream, ".....", (int64_t[]){501, 601, 701, 1001, 1001});

	(void)state;
	assert_int_equal(m->time_to_failover_ns, 0);
	assert_false(m->failover_censored);
	stream_fini(&stream);
}

/* Where answers took 450 ms before anything was broken too, some are on their way at any time. */
static void slow_answers_as_slow_as_before_are_no_impact(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	answered(&stream, 0, 450);
	stream_applied(&stream, 1, 500);
	for (int64_t i = 1; i < 14; i++) {
		if (i == 10)
			stream_reverted(&stream, 1, 1000, true);
		answered(&stream, i, i * EVERY_MS + 450);
	}
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_FAULT, "dark");
	assert_int_equal(m->time_to_failover_ns, 0);
	assert_false(m->failover_censored);
	stream_fini(&stream);
}

/* Everything is gone from 500 to 1000 and the resolver keeps trying: what was due at 700, 800 and 900 (three in a row) is answered by the
 * repair at 1001. Nobody failed over. */
static void answers_that_came_after_the_repair_are_no_failover(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_applied(&stream, 1, 500);
	stream_ask(&stream, "www", 0, ".....xx");
	for (int64_t i = 7; i < 10; i++)
		stream_sample(&stream, "www", i, i * EVERY_MS, 1001, OUTCOME_OK);
	stream_reverted(&stream, 1, 1000, true);
	stream_ask(&stream, "www", 10, "....");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_FAULT, "dark");
	assert_true(m->failover_censored);
	assert_int_equal(m->time_to_failover_ns, 500 * MSEC);
	assert_int_equal(m->availability_ppm, 600000); /* 3 of 5: their askers did get an answer */
	stream_fini(&stream);
}

static void failover_that_is_not_reached_is_censored_with_the_length_of_the_fault(void **state)
{
	struct stream stream;
	/* Bad from 500 to 900, T = 450, R = 1000: not within 550 ms. Recovered at 1000, the moment of R. */
	const struct measurement *m = one_fault(&stream, 450, 1000, ".....xxxxx.....");

	(void)state;
	assert_true(m->failover_censored);
	assert_int_equal(m->time_to_failover_ns, 550 * MSEC);
	assert_int_equal(m->time_to_recover_ns, 0);
	stream_fini(&stream);
}

static void good_samples_too_late_to_be_enough_lower_the_bound(void **state)
{
	struct stream stream;
	/* Bad at 500, 600, 700; good at 800 and 900; R = 1000. Whether those two were the failover nobody knows: it may have taken 300 ms,
	 * so more than 300 ms cannot be claimed. */
	const struct measurement *m = one_fault(&stream, 500, 1000, ".....xxx.......");

	(void)state;
	assert_true(m->failover_censored);
	assert_int_equal(m->time_to_failover_ns, 300 * MSEC);
	stream_fini(&stream);
}

static void good_samples_behind_the_end_of_the_fault_do_not_count_as_failover(void **state)
{
	struct stream stream;
	/* R = 1050: of the run 900, 1000, 1100 the third is due after R. */
	const struct measurement *m = one_fault(&stream, 500, 1050, ".....xxxx.......");

	(void)state;
	assert_true(m->failover_censored);
	assert_int_equal(m->time_to_failover_ns, 400 * MSEC);
	stream_fini(&stream);
}

static void flapping_never_fails_over(void **state)
{
	struct stream stream;
	/* Never three in a row between 500 and 1500; the last good ones before R are 1300 and 1400. */
	const struct measurement *m = one_fault(&stream, 500, 1500, ".....x..x..x.x.......");

	(void)state;
	assert_true(m->failover_censored);
	assert_int_equal(m->time_to_failover_ns, 900 * MSEC);
	/* bad spans 500–600, 800–900, 1100–1200, 1300–1400; the sample at 1400 is good, and so is all after it */
	assert_int_equal(m->outage_ns, 400 * MSEC);
	stream_fini(&stream);
}

static void a_missing_sample_breaks_a_run_of_good_ones(void **state)
{
	struct stream stream;
	/* 600 and 700 good, 800 not known, so the run of three begins at 900. */
	const struct measurement *m = one_fault(&stream, 500, 1500, ".....x.._............");

	(void)state;
	assert_int_equal(m->time_to_failover_ns, 400 * MSEC);
	stream_fini(&stream);
}

static void recovery_is_timed_from_the_end_of_the_fault(void **state)
{
	struct stream stream;
	/* R = 1000: bad at 1000 and 1100, then 1200 good, 1300 bad, good from 1400 on: 400 ms. */
	const struct measurement *m = one_fault(&stream, 500, 1000, ".....xxxxxxx.x.....");

	(void)state;
	assert_int_equal(m->time_to_recover_ns, 400 * MSEC);
	assert_false(m->recover_censored);
	stream_fini(&stream);
}

static void recovery_that_is_not_reached_is_censored_with_the_rest_of_the_run(void **state)
{
	struct stream stream;
	/* R = 1000; the last sample is due at 1400 and stands for 100 ms: asking ended at 1500, not at run.end (9999). */
	const struct measurement *m = one_fault(&stream, 500, 1000, ".....xxxxxxxxxx");

	(void)state;
	assert_true(m->recover_censored);
	assert_int_equal(m->time_to_recover_ns, 500 * MSEC);
	stream_fini(&stream);
}

static void recovery_is_looked_for_only_until_the_next_fault(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_fault(&stream, 2, "again");
	stream_applied(&stream, 1, 500);
	stream_reverted(&stream, 1, 800, true);
	stream_applied(&stream, 2, 1000);
	stream_reverted(&stream, 2, 1200, true);
	/* between 800 and 1000: bad, good. One good sample is too few, and the fault at 1000 ends the watch: more than 900 − 800 */
	stream_ask(&stream, "www", 0, ".....xxxx.xx.....");
	stream_end(&stream, "complete", 9999);
	assert_true(stream_find(&stream, "www", WINDOW_FAULT, "dark")->recover_censored);
	assert_int_equal(stream_find(&stream, "www", WINDOW_FAULT, "dark")->time_to_recover_ns, 100 * MSEC);
	assert_int_equal(stream_find(&stream, "www", WINDOW_FAULT, "again")->time_to_recover_ns, 0);
	stream_fini(&stream);
}

static void overlapping_faults_are_measured_each_by_itself(void **state)
{
	struct stream stream;
	const struct measurement *wide, *narrow;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "wide");
	stream_fault(&stream, 2, "narrow");
	stream_applied(&stream, 1, 500);
	stream_applied(&stream, 2, 800);
	stream_reverted(&stream, 2, 1200, true);
	stream_reverted(&stream, 1, 2000, true);
	/* bad from 900 to 1200 */
	stream_ask(&stream, "www", 0, ".........xxxx............");
	stream_end(&stream, "complete", 9999);
	wide = stream_find(&stream, "www", WINDOW_FAULT, "wide");
	narrow = stream_find(&stream, "www", WINDOW_FAULT, "narrow");
	/* wide: T 500, first bad 900, good again from 1300 */
	assert_int_equal(wide->time_to_impact_ns, 400 * MSEC);
	assert_int_equal(wide->time_to_failover_ns, 800 * MSEC);
	assert_int_equal(wide->samples, 15);
	/* narrow: samples 800, 900, 1000, 1100; none good after 800. After its R: bad at 1200, good from 1300 on */
	assert_int_equal(narrow->time_to_impact_ns, 100 * MSEC);
	assert_true(narrow->failover_censored);
	assert_int_equal(narrow->time_to_failover_ns, 400 * MSEC);
	assert_int_equal(narrow->time_to_recover_ns, 100 * MSEC);
	assert_int_equal(narrow->samples, 4);
	stream_fini(&stream);
}

static void a_fault_never_reverted_lasts_until_asking_ended(void **state)
{
	struct stream stream;
	/* T = 500, last sample due at 900, asking ended at 1000 */
	const struct measurement *m = one_fault(&stream, 500, -1, ".....xxxxx");

	(void)state;
	assert_int_equal(m->samples, 5);
	assert_true(m->failover_censored);
	assert_int_equal(m->time_to_failover_ns, 500 * MSEC);
	assert_int_equal(m->time_to_recover_ns, MEASURE_NONE);
	assert_int_equal(stream_find(&stream, "www", WINDOW_RECOVERY, NULL)->samples, 0);
	stream_fini(&stream);
}

static void a_fault_that_nobody_asked_during_has_no_times(void **state)
{
	struct stream stream;
	const struct measurement *m = one_fault(&stream, 510, 590, "..........");

	(void)state;
	assert_int_equal(m->samples, 0);
	assert_int_equal(m->time_to_impact_ns, MEASURE_NONE);
	assert_int_equal(m->time_to_failover_ns, MEASURE_NONE);
	assert_int_equal(m->availability_ppm, MEASURE_NONE);
	stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failover_is_the_first_of_enough_good_samples_in_a_row),
		cmocka_unit_test(a_fault_that_nobody_notices_has_no_impact_and_failover_zero),
		cmocka_unit_test(a_fault_that_everybody_sat_out_is_no_failover_at_once),
		cmocka_unit_test(who_sits_out_the_end_of_a_fault_was_met_by_it),
		cmocka_unit_test(answers_as_slow_as_others_in_the_fault_are_no_impact),
		cmocka_unit_test(what_is_on_its_way_when_the_fault_ends_is_no_impact),
		cmocka_unit_test(slow_answers_as_slow_as_before_are_no_impact),
		cmocka_unit_test(answers_that_came_after_the_repair_are_no_failover),
		cmocka_unit_test(failover_that_is_not_reached_is_censored_with_the_length_of_the_fault),
		cmocka_unit_test(good_samples_too_late_to_be_enough_lower_the_bound),
		cmocka_unit_test(good_samples_behind_the_end_of_the_fault_do_not_count_as_failover),
		cmocka_unit_test(flapping_never_fails_over),
		cmocka_unit_test(a_missing_sample_breaks_a_run_of_good_ones),
		cmocka_unit_test(recovery_is_timed_from_the_end_of_the_fault),
		cmocka_unit_test(recovery_that_is_not_reached_is_censored_with_the_rest_of_the_run),
		cmocka_unit_test(recovery_is_looked_for_only_until_the_next_fault),
		cmocka_unit_test(overlapping_faults_are_measured_each_by_itself),
		cmocka_unit_test(a_fault_never_reverted_lasts_until_asking_ended),
		cmocka_unit_test(a_fault_that_nobody_asked_during_has_no_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
