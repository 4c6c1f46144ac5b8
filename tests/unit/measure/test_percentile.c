/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latency percentiles: nearest rank, timeouts count. The timeout is 1 s. */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void begin(struct stream *stream)
{
	stream_begin(stream);
	stream_probe(stream, "www");
}

static const struct measurement *end(struct stream *stream)
{
	stream_end(stream, "complete", 99999);
	return stream_find(stream, "www", WINDOW_OVERALL, NULL);
}

static void nearest_rank_takes_a_value_that_occurred(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	/* latencies 1 … 10 ms, longest first: rank ⌈0.5 × 10⌉ = 5, ⌈9.5⌉ = 10, ⌈9.9⌉ = 10 */
	begin(&stream);
	for (int64_t i = 0; i < 10; i++)
		stream_sample(&stream, "www", i, i * 100, i * 100 + 10 - i, OUTCOME_OK);
	m = end(&stream);
	assert_int_equal(m->latency_p50_ns, 5 * MSEC);
	assert_int_equal(m->latency_p95_ns, 10 * MSEC);
	assert_int_equal(m->latency_p99_ns, 10 * MSEC);
	assert_false(m->latency_p99_censored);
	stream_fini(&stream);
}

static void of_one_sample_every_percentile_is_that_sample(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin(&stream);
	stream_sample(&stream, "www", 0, 0, 7, OUTCOME_RCODE);
	m = end(&stream);
	assert_int_equal(m->latency_p50_ns, 7 * MSEC);
	assert_int_equal(m->latency_p99_ns, 7 * MSEC);
	stream_fini(&stream);
}

static void a_timed_out_sample_counts_as_its_timeout_and_marks_the_percentile(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	/* 18 answers of 1 ms and two timeouts: rank 10 of 20 is an answer, ranks ⌈19⌉ = 19 and ⌈19.8⌉ = 20 are timeouts */
	begin(&stream);
	stream_ask(&stream, "www", 0, "..................xx");
	m = end(&stream);
	assert_int_equal(m->latency_p50_ns, 1 * MSEC);
	assert_false(m->latency_p50_censored);
	assert_int_equal(m->latency_p95_ns, 1000 * MSEC);
	assert_true(m->latency_p95_censored);
	assert_true(m->latency_p99_censored);
	stream_fini(&stream);
}

static void an_answer_as_slow_as_the_timeout_ranks_before_a_timeout(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	/* two values, both 1 s: the median is the answer, the 95th percentile the timeout */
	begin(&stream);
	stream_sample(&stream, "www", 0, 0, 1000, OUTCOME_TIMEOUT);
	stream_sample(&stream, "www", 1, 100, 1100, OUTCOME_OK);
	m = end(&stream);
	assert_int_equal(m->latency_p50_ns, 1000 * MSEC);
	assert_false(m->latency_p50_censored);
	assert_true(m->latency_p95_censored);
	stream_fini(&stream);
}

static void an_answer_slower_than_the_timeout_ranks_behind_it(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin(&stream);
	stream_sample(&stream, "www", 0, 0, 1500, OUTCOME_OK);
	stream_sample(&stream, "www", 1, 100, 1100, OUTCOME_TIMEOUT);
	m = end(&stream);
	assert_int_equal(m->latency_p50_ns, 1000 * MSEC);
	assert_true(m->latency_p50_censored);
	assert_int_equal(m->latency_p95_ns, 1500 * MSEC);
	assert_false(m->latency_p95_censored);
	stream_fini(&stream);
}

static void no_answer_counts_as_the_timeout_even_where_it_was_known_sooner(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	/* refused after 300 ms of its 1 s: a quick failure is not a quick answer */
	begin(&stream);
	stream_sample(&stream, "www", 0, 0, 300, OUTCOME_TIMEOUT);
	m = end(&stream);
	assert_int_equal(m->latency_p50_ns, 1000 * MSEC);
	assert_true(m->latency_p50_censored);
	stream_fini(&stream);
}

static void samples_that_could_not_be_asked_have_no_latency(void **state)
{
	struct stream stream;
	const struct measurement *m;

	(void)state;
	begin(&stream);
	stream_ask(&stream, "www", 0, "eeee.");
	m = end(&stream);
	assert_int_equal(m->latency_p50_ns, 1 * MSEC);
	assert_int_equal(m->latency_p99_ns, 1 * MSEC);
	stream_fini(&stream);
	begin(&stream);
	stream_ask(&stream, "www", 0, "e");
	assert_int_equal(end(&stream)->latency_p50_ns, MEASURE_NONE);
	stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest_rank_takes_a_value_that_occurred),
		cmocka_unit_test(of_one_sample_every_percentile_is_that_sample),
		cmocka_unit_test(a_timed_out_sample_counts_as_its_timeout_and_marks_the_percentile),
		cmocka_unit_test(an_answer_as_slow_as_the_timeout_ranks_before_a_timeout),
		cmocka_unit_test(an_answer_slower_than_the_timeout_ranks_behind_it),
		cmocka_unit_test(no_answer_counts_as_the_timeout_even_where_it_was_known_sooner),
		cmocka_unit_test(samples_that_could_not_be_asked_have_no_latency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
