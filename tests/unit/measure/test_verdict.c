/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a whole run is worth, and in which words. */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A fault "dark" from 500 to 1000 ms; a failover of 100 ms; baseline good. */
static void begin_good(struct stream *stream)
{
	stream_begin(stream);
	stream_probe(stream, "www");
	stream_fault(stream, 1, "dark");
	stream_applied(stream, 1, 500);
	stream_reverted(stream, 1, 1000, true);
	stream_ask(stream, "www", 0, ".....x.........");
}

static void check_verdict(struct stream *stream, enum verdict verdict, const char *reason)
{
	const struct run_results *run = stream_run(stream);

	assert_string_equal(run->reason, reason);
	assert_int_equal(run->verdict, verdict);
	assert_int_equal(stream->results->verdict, verdict);
	stream_fini(stream);
}

static void a_run_that_held_passes_and_tells_how_long_it_took(void **state)
{
	struct stream stream;

	(void)state;
	begin_good(&stream);
	stream_expect(&stream, "www", "dark", "time_to_failover", "<=", 3 * SEC);
	stream_expect(&stream, "www", NULL, "availability", ">=", 900000);
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_PASS, "www failed over 100 ms after \"dark\" began; all 2 expectations held.");
}

static void without_a_fault_it_tells_what_the_change_did(void **state)
{
	static const struct {
		bool stale_is_bad;
		int64_t accepted_ms;
		const char *fits, *reason;
	} cases[] = {
		/* 0 to 400 ms before the change, every answer from 500 ms on is the new one */
		{false, 450, "000001111",
		 "Every answer was good and new; nothing was expected, so nothing was judged."},
		/* version 0 at 500, 600 and 700 ms, when version 1 was served; the next good one is that of 800 ms */
		{false, 450, "000000001111",
		 "www got answers that had been replaced for 300 ms; nothing was expected, so nothing was judged."},
		{true, 450, "000000001111",
		 "www was without a good answer for 300 ms; nothing was expected, so nothing was judged."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stream stream;
		const struct run_results *run =
			stream_push(&stream, cases[i].stale_is_bad, cases[i].accepted_ms, cases[i].fits);

		assert_string_equal(run->reason, cases[i].reason);
		assert_int_equal(run->verdict, VERDICT_PASS);
		stream_fini(&stream);
	}
}

static void without_a_fault_wrong_answers_are_told_before_silence(void **state)
{
	struct ev step = {.kind = EV_PLAN_STEP, .plan_step = {.id = 1, .name = "restart", .kind = "restart"}};
	struct ev started = {.kind = EV_STEP_STARTED, .step_started = {.id = 1}};
	struct ev ended = {.kind = EV_STEP_ENDED, .step_ended = {.id = 1, .ok = true}};
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_emit(&stream, step, 0);
	stream_emit(&stream, started, 500);
	stream_emit(&stream, ended, 510);
	stream_ask(&stream, "www", 0, "......xxx..ww..");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_PASS,
		      "www was answered wrongly for 200 ms; nothing was expected, so nothing was judged.");
}

static void a_run_without_expectations_passes_and_says_that_nothing_was_judged(void **state)
{
	struct stream stream;

	(void)state;
	begin_good(&stream);
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_PASS,
		      "www failed over 100 ms after \"dark\" began; nothing was expected, so nothing was judged.");
}

static void one_failed_expectation_fails_the_run_whatever_became_of_the_others(void **state)
{
	struct stream stream;

	(void)state;
	begin_good(&stream);
	stream_expect(&stream, "www", "dark", "latency_p99", "<=", 5 * SEC); /* censored at 1 s: inconclusive */
	stream_expect(&stream, "www", "dark", "time_to_failover", "<", 100 * MSEC);
	stream_expect(&stream, "www", NULL, "availability", ">=", 900000);
	stream_end(&stream, "complete", 2000);
	assert_int_equal(stream_run(&stream)->expectations[0].result, VERDICT_INCONCLUSIVE);
	check_verdict(&stream, VERDICT_FAIL,
		      "www: time_to_failover < 100000000 did not hold: measured 100 ms; 1 of 3 expectations failed.");
}

static void an_expectation_that_cannot_be_judged_makes_the_run_inconclusive(void **state)
{
	struct stream stream;

	(void)state;
	begin_good(&stream);
	stream_expect(&stream, "www", "dark", "latency_p99", "<=", 5 * SEC);
	stream_end(&stream, "complete", 2000);
	check_verdict(
		&stream, VERDICT_INCONCLUSIVE,
		"www: latency_p99 <= 5000000000 could not be judged: not reached within 1.00 s, which is as far as it "
		"was watched.");
}

static void an_unhealthy_baseline_outweighs_a_failed_expectation(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_expect(&stream, "www", NULL, "availability", "=", 0);
	stream_applied(&stream, 1, 400);
	stream_reverted(&stream, 1, 800, true);
	stream_ask(&stream, "www", 0, ".r..x.......");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_INCONCLUSIVE,
		      "Unhealthy before anything was broken: 75% of www's baseline was good, 100% is needed.");
}

static void no_baseline_is_not_a_good_one(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_applied(&stream, 1, 0);
	stream_reverted(&stream, 1, 500, true);
	stream_ask(&stream, "www", 0, "..........");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_INCONCLUSIVE,
		      "No sample of www was done before the first fault: there is no baseline.");
}

static void a_fault_without_effect_is_never_a_pass(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_expect(&stream, "www", NULL, "availability", ">=", 900000);
	stream_applied(&stream, 1, 500);
	stream_reverted(&stream, 1, 1000, false);
	stream_ask(&stream, "www", 0, "...............");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_INCONCLUSIVE,
		      "The fault \"dark\" had no effect: counted, so it proves nothing.");
}

static void a_fault_never_applied_is_never_a_pass(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_ask(&stream, "www", 0, "...............");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_INCONCLUSIVE, "The fault \"dark\" was never applied.");
}

static void fail_fault(struct stream *stream, const char *stage)
{
	struct ev ev = {.kind = EV_FAULT_FAILED};

	ev.fault_failed = (struct ev_fault_failed){.id = 1, .stage = stage, .message = "no such table"};
	stream_emit(stream, ev, 1000);
}

static void a_fault_that_could_not_be_applied_or_undone_is_an_error(void **state)
{
	struct stream stream;

	(void)state;
	begin_good(&stream);
	fail_fault(&stream, "apply");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_ERROR, "The fault \"dark\" could not be applied: no such table.");
	begin_good(&stream);
	fail_fault(&stream, "revert");
	fail_fault(&stream, "effect"); /* the lesser trouble does not hide the greater */
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_ERROR, "The fault \"dark\" could not be undone: no such table.");
	begin_good(&stream);
	fail_fault(&stream, "effect");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_INCONCLUSIVE,
		      "Whether the fault \"dark\" took effect is unknown: no such table.");
}

static void a_fault_left_behind_is_an_error(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_applied(&stream, 1, 500);
	stream_ask(&stream, "www", 0, ".....x.........");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_ERROR, "The fault \"dark\" was never undone.");
}

static void an_error_event_is_an_error_even_if_the_run_went_on(void **state)
{
	struct stream stream;
	struct err err;

	(void)state;
	begin_good(&stream);
	err_set(&err, -1, LOC_NONE, "the server died");
	bus_error(stream.bus, "ns1", &err);
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_ERROR, "The run could not be carried out as planned: ns1: the server died.");
}

static void a_run_cut_off_or_ended_by_an_error_is_an_error(void **state)
{
	struct stream stream;

	(void)state;
	begin_good(&stream);
	stream_end(&stream, NULL, 0);
	check_verdict(&stream, VERDICT_ERROR, "The recording was cut off before the run had ended.");
	begin_good(&stream);
	stream_end(&stream, "error", 2000);
	check_verdict(&stream, VERDICT_ERROR, "The run ended with an error.");
}

static void an_interrupted_run_is_inconclusive(void **state)
{
	struct stream stream;

	(void)state;
	begin_good(&stream);
	stream_expect(&stream, "www", NULL, "availability", "=", 0);
	stream_end(&stream, "interrupted", 2000);
	check_verdict(&stream, VERDICT_INCONCLUSIVE, "The run was interrupted before its end.");
}

static void samples_that_are_missing_are_not_passed_over(void **state)
{
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_ask(&stream, "www", 0, "..__....");
	stream_end(&stream, "complete", 2000);
	check_verdict(&stream, VERDICT_INCONCLUSIVE, "2 samples of www are missing from the recording.");
}

static void the_worst_run_of_a_matrix_is_the_verdict_of_all(void **state)
{
	struct stream stream;

	(void)state;
	begin_good(&stream);
	stream_expect(&stream, "www", "dark", "time_to_failover", "<", 100 * MSEC);
	stream_end(&stream, "complete", 2000);
	stream_begin_case(&stream, "resolver=bind");
	stream_probe(&stream, "www");
	stream_ask(&stream, "www", 0, "........");
	stream_end(&stream, "complete", 2000);
	assert_int_equal(stream.results->count, 2);
	assert_int_equal(stream.results->runs[0].verdict, VERDICT_FAIL);
	assert_int_equal(stream.results->runs[1].verdict, VERDICT_PASS);
	assert_int_equal(stream.results->verdict, VERDICT_FAIL);
	stream_fini(&stream);
}

static void every_verdict_has_its_exit_status(void **state)
{
	(void)state;
	assert_int_equal(verdict_exit_code(VERDICT_PASS), 0);
	assert_int_equal(verdict_exit_code(VERDICT_FAIL), 1);
	assert_int_equal(verdict_exit_code(VERDICT_INCONCLUSIVE), 3);
	assert_int_equal(verdict_exit_code(VERDICT_ERROR), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_that_held_passes_and_tells_how_long_it_took),
		cmocka_unit_test(without_a_fault_it_tells_what_the_change_did),
		cmocka_unit_test(without_a_fault_wrong_answers_are_told_before_silence),
		cmocka_unit_test(a_run_without_expectations_passes_and_says_that_nothing_was_judged),
		cmocka_unit_test(one_failed_expectation_fails_the_run_whatever_became_of_the_others),
		cmocka_unit_test(an_expectation_that_cannot_be_judged_makes_the_run_inconclusive),
		cmocka_unit_test(an_unhealthy_baseline_outweighs_a_failed_expectation),
		cmocka_unit_test(no_baseline_is_not_a_good_one),
		cmocka_unit_test(a_fault_without_effect_is_never_a_pass),
		cmocka_unit_test(a_fault_never_applied_is_never_a_pass),
		cmocka_unit_test(a_fault_that_could_not_be_applied_or_undone_is_an_error),
		cmocka_unit_test(a_fault_left_behind_is_an_error),
		cmocka_unit_test(an_error_event_is_an_error_even_if_the_run_went_on),
		cmocka_unit_test(a_run_cut_off_or_ended_by_an_error_is_an_error),
		cmocka_unit_test(an_interrupted_run_is_inconclusive),
		cmocka_unit_test(samples_that_are_missing_are_not_passed_over),
		cmocka_unit_test(the_worst_run_of_a_matrix_is_the_verdict_of_all),
		cmocka_unit_test(every_verdict_has_its_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
