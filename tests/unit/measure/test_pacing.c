/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes with two paces: each 1,000 ms, near faults each 100 ms. A sample weighs as much as the moments of the grid since the one before it. stream_fini has
 * tests/scenario/recompute.py come to the same numbers.
 */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void begin(struct stream *stream)
{
	struct ev ev = {.kind = EV_PLAN_PROBE};

	stream_begin(stream);
	ev.plan_probe = (struct ev_plan_probe){
		.probe = "www",
		.kind = "dns",
		.every_ns = 1000 * MSEC,
		.timeout_ns = TIMEOUT_MS * MSEC,
		.near_faults_ns = 100 * MSEC,
	};
	stream_emit(stream, ev, 0);
}

/* Samples i, i + 1 … due at from, from + step …: '.' ok after 1 ms, 'r' an error answer after 1 ms, 'x' a timeout. Returns the next i. */
static int64_t ask(struct stream *stream, int64_t i, int64_t from_ms, int64_t step_ms, const char *letters)
{
	for (; *letters; letters++, i++, from_ms += step_ms)
		stream_sample(stream, "www", i, from_ms, from_ms + (*letters == 'x' ? TIMEOUT_MS : 1),
			      *letters == '.'   ? OUTCOME_OK
			      : *letters == 'r' ? OUTCOME_RCODE
						: OUTCOME_TIMEOUT);
	return i;
}

static const struct measurement *overall(struct stream *stream)
{
	stream_end(stream, "complete", 99999);
	return stream_find(stream, "www", WINDOW_OVERALL, NULL);
}

/* One answer in a hundred is bad by chance, and the moments after it are all asked. Of 20 samples, at 0, 1,000 … 10,000 and 10,100 … 10,900, one is bad, that at 10,000. It stands for ten
 * of 110 moments. Counted, 19/20 were good; and if each stood for the time after it, 109/110. */
static void a_bad_sample_weighs_what_a_good_one_in_its_place_would(void **state)
{
	struct stream stream;
	const struct measurement *m;
	int64_t i;

	(void)state;
	begin(&stream);
	i = ask(&stream, 0, 0, 1000, "..........r");
	ask(&stream, i, 10100, 100, ".........");
	m = overall(&stream);
	assert_int_equal(m->samples, 20);
	assert_int_equal(m->moments, 110);
	assert_int_equal(m->good_moments, 100);
	assert_int_equal(m->availability_ppm, 909090);
	stream_fini(&stream);
}

/* An outage of which the sparse pace saw the beginning: bad at 3,000, 3,100 and 3,200, good at 3,300. It lasted 300 ms, and up to 900 ms more: 2,100 to 2,900 were left out. */
static void an_outage_may_have_begun_where_nothing_was_asked(void **state)
{
	struct stream stream;
	const struct measurement *m;
	int64_t i;

	(void)state;
	begin(&stream);
	i = ask(&stream, 0, 0, 1000, "...r");
	i = ask(&stream, i, 3100, 100, "rr...");
	ask(&stream, i, 4000, 1000, "..");
	m = overall(&stream);
	assert_int_equal(m->outage_ns, 300 * MSEC);
	assert_int_equal(m->outage_range.least_ns, 300 * MSEC);
	assert_int_equal(m->outage_range.most_ns, 1200 * MSEC);
	assert_int_equal(m->wrong_range.most_ns, 0);
	/* moments: 1, 10, 10, 10 (bad), 1 + 1 (bad), 1 + 1 + 1, 5 (4,000 after 3,500), 10 */
	assert_int_equal(m->moments, 51);
	assert_int_equal(m->good_moments, 39);
	/* E = 5,000 + 100: nothing is claimed of the time after */
	assert_int_equal(m->to_ns, 5100 * MSEC);
	stream_fini(&stream);
}

/* T = 1,950, R = 5,950; each moment from 1,000 to 2,900 is asked, then 3,000, 4,000 and 5,000, at which the resolver is seen to fail, until 5,400. */
static struct measurement late_impact(struct stream *stream, const char *op, int64_t bound_ms)
{
	int64_t i;

	begin(stream);
	stream_fault(stream, 1, "dark");
	if (op)
		stream_expect(stream, "www", "dark", "outage", op, bound_ms * MSEC);
	i = ask(stream, 0, 0, 1000, ".");
	i = ask(stream, i, 1000, 100, "..........");
	stream_applied(stream, 1, 1950);
	i = ask(stream, i, 2000, 100, "..........");
	i = ask(stream, i, 3000, 1000, "..r");
	i = ask(stream, i, 5100, 100, "rrr...");
	stream_reverted(stream, 1, 5950, true);
	ask(stream, i, 6000, 100, "..........");
	stream_end(stream, "complete", 9999);
	return *stream_find(stream, "www", WINDOW_FAULT, "dark");
}

static void each_moment_has_the_resolution_of_the_place_it_was_found_at(void **state)
{
	struct stream stream;
	struct measurement m = late_impact(&stream, NULL, 0);

	(void)state;
	assert_int_equal(m.time_to_impact_ns, 3050 * MSEC);
	assert_int_equal(m.impact_resolution_ns, 1000 * MSEC);
	assert_int_equal(m.time_to_failover_ns, 3450 * MSEC);
	assert_int_equal(m.resolution_ns, 100 * MSEC);
	/* nothing was bad after R: 6,000 stands for 5,950 on, the others for one moment each */
	assert_int_equal(m.time_to_recover_ns, 0);
	assert_int_equal(m.recover_resolution_ns, 100 * MSEC);
	assert_int_equal(m.outage_ns, 400 * MSEC);
	assert_int_equal(m.outage_range.most_ns, 1300 * MSEC);
	/* 10 + 1 (3,000 after 2,900) + 10 + 10 (5,000) + 6 moments; bad are 10 + 3 */
	assert_int_equal(m.moments, 37);
	assert_int_equal(m.good_moments, 24);
	stream_fini(&stream);
}

static enum verdict judged(const char *op, int64_t bound_ms)
{
	struct stream stream;
	enum verdict verdict;

	late_impact(&stream, op, bound_ms);
	verdict = stream_run(&stream)->expectations[0].result;
	stream_fini(&stream);
	return verdict;
}

/* It lasted between 400 and 1,300 ms: what lies between decides nothing. */
static void a_bound_within_what_was_not_seen_is_inconclusive(void **state)
{
	(void)state;
	assert_int_equal(judged("<=", 1300), VERDICT_PASS);
	assert_int_equal(judged("<=", 1299), VERDICT_INCONCLUSIVE);
	assert_int_equal(judged("<=", 400), VERDICT_INCONCLUSIVE);
	assert_int_equal(judged("<=", 399), VERDICT_FAIL);
	assert_int_equal(judged(">=", 400), VERDICT_PASS);
	assert_int_equal(judged(">", 400), VERDICT_INCONCLUSIVE);
	assert_int_equal(judged(">", 1300), VERDICT_FAIL);
	assert_int_equal(judged("=", 1000), VERDICT_INCONCLUSIVE);
	assert_int_equal(judged("=", 1301), VERDICT_FAIL);
}

/* Nobody noticed the fault, but from 3,000 on nobody looked more often than each second. */
static void that_nobody_noticed_is_as_coarse_as_the_longest_time_between_samples(void **state)
{
	struct stream stream;
	const struct measurement *m;
	int64_t i;

	(void)state;
	begin(&stream);
	stream_fault(&stream, 1, "dark");
	i = ask(&stream, 0, 0, 100, "..........");
	stream_applied(&stream, 1, 950);
	i = ask(&stream, i, 1000, 100, "..........");
	i = ask(&stream, i, 2000, 1000, "....");
	stream_reverted(&stream, 1, 5950, true);
	i = ask(&stream, i, 6000, 100, "...");
	ask(&stream, i, 7000, 1000, "..");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_FAULT, "dark");
	assert_int_equal(m->time_to_failover_ns, 0);
	assert_int_equal(m->resolution_ns, 1000 * MSEC);
	assert_int_equal(m->time_to_recover_ns, 0);
	assert_int_equal(m->recover_resolution_ns, 100 * MSEC);
	stream_fini(&stream);
}

/* The sample at 3,000 is the fault's, T = 2,750; of the ten moments it stands for, three lie in it: 2,800, 2,900, 3,000. The outage may have begun at T, 250 ms before it was seen. */
static void what_was_left_out_before_a_window_does_not_count_in_it(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin(&stream);
	stream_fault(&stream, 1, "dark");
	ask(&stream, 0, 0, 1000, "...");
	stream_applied(&stream, 1, 2750);
	ask(&stream, 3, 3000, 1000, "r.");
	stream_reverted(&stream, 1, 4500, true);
	ask(&stream, 5, 5000, 1000, ".");
	stream_end(&stream, "complete", 9999);
	m = stream_find(&stream, "www", WINDOW_FAULT, "dark");
	assert_int_equal(m->moments, 13);
	assert_int_equal(m->good_moments, 10);
	/* bad at 3,000, good at 4,000 */
	assert_int_equal(m->outage_ns, 1000 * MSEC);
	assert_int_equal(m->outage_range.least_ns, 100 * MSEC);
	assert_int_equal(m->outage_range.most_ns, 1250 * MSEC);
	assert_int_equal(m->impact_resolution_ns, 300 * MSEC);
	stream_fini(&stream);
}

/* Ten sparse answers of 1 ms stand for 1 + 9 × 10 = 91 moments, ten dense ones of 50 ms for 10. Of 101, the 51st is one of 1 ms, the 96th one of 50 ms. */
static void percentiles_weigh_too(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin(&stream);
	ask(&stream, 0, 0, 1000, "..........");
	for (int64_t k = 0; k < 10; k++)
		stream_sample(&stream, "www", 10 + k, 9100 + k * 100, 9150 + k * 100, OUTCOME_OK);
	m = overall(&stream);
	assert_int_equal(m->moments, 101);
	assert_int_equal(m->latency_p50_ns, MSEC);
	assert_int_equal(m->latency_p95_ns, 50 * MSEC);
	stream_fini(&stream);
}

/* Half of the samples timed out, but 10 of 101 moments. */
static void timed_out_samples_weigh_as_others_do(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin(&stream);
	ask(&stream, 0, 0, 1000, "..........");
	ask(&stream, 10, 9100, 100, "xxxxxxxxxx");
	m = overall(&stream);
	assert_int_equal(m->latency_p50_ns, MSEC);
	assert_false(m->latency_p50_censored);
	assert_int_equal(m->latency_p95_ns, TIMEOUT_MS * MSEC);
	assert_true(m->latency_p95_censored);
	stream_fini(&stream);
}

/* Samples 2 and 3 were in flight when the run was cut short: nobody knows what was due then, and sample 4 does not stand for it. */
static void what_is_missing_is_stood_for_by_nobody(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin(&stream);
	ask(&stream, 0, 0, 1000, ".r");
	ask(&stream, 4, 4000, 1000, ".");
	m = overall(&stream);
	assert_int_equal(m->moments, 12);
	assert_int_equal(m->good_moments, 2);
	stream_fini(&stream);
}

static void where_the_pace_is_even_every_sample_weighs_the_same(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_ask(&stream, "www", 0, "..x.r._...");
	m = overall(&stream);
	assert_int_equal(m->moments, m->samples);
	assert_int_equal(m->samples, 9);
	assert_int_equal(m->outage_range.least_ns, m->outage_ns);
	assert_int_equal(m->outage_range.most_ns, m->outage_ns);
	assert_int_equal(m->resolution_ns, 100 * MSEC);
	stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_sample_weighs_what_a_good_one_in_its_place_would),
		cmocka_unit_test(an_outage_may_have_begun_where_nothing_was_asked),
		cmocka_unit_test(each_moment_has_the_resolution_of_the_place_it_was_found_at),
		cmocka_unit_test(a_bound_within_what_was_not_seen_is_inconclusive),
		cmocka_unit_test(that_nobody_noticed_is_as_coarse_as_the_longest_time_between_samples),
		cmocka_unit_test(what_was_left_out_before_a_window_does_not_count_in_it),
		cmocka_unit_test(percentiles_weigh_too),
		cmocka_unit_test(timed_out_samples_weigh_as_others_do),
		cmocka_unit_test(what_is_missing_is_stood_for_by_nobody),
		cmocka_unit_test(where_the_pace_is_even_every_sample_weighs_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
