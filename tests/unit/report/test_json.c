/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.json, as a program reads it: with jansson. */
#include "harness/api/sink.h"
#include "tests/unit/measure/stream.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern const struct report_ops report_json;

/* Bad at 500 and 600, good from 700 on; the fault lasts from 500 to 1000. */
static void add_run(struct stream *stream)
{
	stream_probe(stream, "www");
	stream_fault(stream, 1, "alpha dark");
	stream_expect(stream, "www", "alpha dark", "time_to_failover", "<=", 3 * SEC);
	stream_expect(stream, "www", NULL, "availability", ">=", 950000);
	stream_expect(stream, "www", "alpha dark", "time_to_failover", "never", 0);
	stream_applied(stream, 1, 500);
	stream_reverted(stream, 1, 1000, true);
	stream_ask(stream, "www", 0, ".....xx........");
	stream_end(stream, "complete", 2000);
}

static json_t *write_json(const struct stream *stream)
{
	struct buf out = {0};
	json_t *json;

	report_json.write(stream->record, stream->results, &out);
	assert_false(out.failed);
	json = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	buf_fini(&out);
	return json;
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "(none)";
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* The measurement of a window; the test fails without one. */
static const json_t *find(const json_t *run, const char *window)
{
	const json_t *all = json_object_get(run, "measurements");

	for (size_t i = 0; i < json_array_size(all); i++) {
		if (!strcmp(text(json_array_get(all, i), "window"), window))
			return json_array_get(all, i);
	}
	fail_msg("no measurement of %s", window);
	return NULL;
}

static void one_run_has_its_fields_at_the_top(void **state)
{
	struct stream stream;
	json_t *json;

	(void)state;
	stream_begin(&stream);
	add_run(&stream);
	json = write_json(&stream);
	assert_string_equal(text(json, "plan"), "Test plan");
	assert_int_equal(number(json, "seed"), 7);
	assert_true(json_is_null(json_object_get(json, "engine")));
	assert_true(json_is_null(json_object_get(json, "case")));
	/* availability: 13 of 15, below 95 %; and it did fail over */
	assert_string_equal(text(json, "verdict"), "fail");
	assert_string_equal(text(json, "ended"), "complete");
	assert_int_equal(json_array_size(json_object_get(json, "measurements")), 4);
	json_decref(json);
	stream_fini(&stream);
}

static void an_expectation_carries_what_was_measured_and_where_it_is_written(void **state)
{
	struct stream stream;
	json_t *json;
	const json_t *first, *second, *third;

	(void)state;
	stream_begin(&stream);
	add_run(&stream);
	json = write_json(&stream);
	first = json_array_get(json_object_get(json, "expectations"), 0);
	second = json_array_get(json_object_get(json, "expectations"), 1);
	third = json_array_get(json_object_get(json, "expectations"), 2);
	assert_string_equal(text(first, "result"), "pass");
	assert_string_equal(text(first, "unit"), "ns");
	assert_int_equal(number(first, "measured"), 200 * MSEC);
	assert_int_equal(number(first, "bound"), 3 * SEC);
	assert_string_equal(text(first, "file"), "test.yaml");
	assert_int_equal(number(first, "line"), 12);
	assert_string_equal(text(second, "result"), "fail");
	assert_string_equal(text(second, "unit"), "ppm");
	assert_int_equal(number(second, "measured"), 866666);
	/* never has no bound */
	assert_true(json_is_null(json_object_get(third, "bound")));
	assert_string_equal(text(third, "why"), "reached after 200 ms");
	json_decref(json);
	stream_fini(&stream);
}

static void a_fault_carries_its_instants_and_its_proof(void **state)
{
	struct stream stream;
	json_t *json;
	const json_t *fault;

	(void)state;
	stream_begin(&stream);
	add_run(&stream);
	json = write_json(&stream);
	fault = json_array_get(json_object_get(json, "faults"), 0);
	assert_string_equal(text(fault, "name"), "alpha dark");
	assert_string_equal(text(fault, "kind"), "blackhole");
	assert_string_equal(text(fault, "target"), "alpha");
	assert_int_equal(number(fault, "applied_ns"), 500 * MSEC);
	assert_int_equal(number(fault, "reverted_ns"), 1000 * MSEC);
	assert_true(json_is_true(json_object_get(json_object_get(fault, "effect"), "took_effect")));
	json_decref(json);
	stream_fini(&stream);
}

static void a_measurement_has_the_fields_of_the_design(void **state)
{
	struct stream stream;
	json_t *json;
	const json_t *m;

	(void)state;
	stream_begin(&stream);
	add_run(&stream);
	json = write_json(&stream);
	m = find(json, "fault");
	assert_string_equal(text(m, "probe"), "www");
	assert_string_equal(text(m, "fault"), "alpha dark");
	assert_int_equal(number(m, "samples"), 5);
	assert_true(json_real_value(json_object_get(m, "availability")) == 0.6);
	assert_int_equal(number(m, "time_to_impact_ns"), 0);
	assert_int_equal(number(m, "time_to_failover_ns"), 200 * MSEC);
	assert_true(json_is_false(json_object_get(m, "censored")));
	assert_int_equal(number(m, "resolution_ns"), 100 * MSEC);
	assert_int_equal(number(m, "outage_ns"), 200 * MSEC);
	assert_int_equal(number(json_object_get(m, "latency_ns"), "p50"), 1 * MSEC);
	assert_int_equal(number(json_object_get(m, "latency_ns"), "p99"), 1000 * MSEC);
	assert_true(json_is_true(json_object_get(json_object_get(m, "latency_censored"), "p99")));
	m = find(json, "overall");
	assert_true(json_is_null(json_object_get(m, "fault")));
	assert_true(json_is_null(json_object_get(m, "time_to_failover_ns")));
	json_decref(json);
	stream_fini(&stream);
}

static void every_availability_in_ppm_is_said_exactly(void **state)
{
	struct stream stream;
	json_t *json;
	double share;

	(void)state;
	/* 6 of 7 are 857142.86 ppm, 857142 rounded down: not 0.857143 and not 0.8571419999999999 rounded by a reader */
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_ask(&stream, "www", 0, "......r");
	stream_end(&stream, "complete", 2000);
	json = write_json(&stream);
	share = json_real_value(json_object_get(find(json, "overall"), "availability"));
	assert_true(share == 0.857142);
	json_decref(json);
	stream_fini(&stream);
}

static void a_matrix_has_runs_and_one_verdict(void **state)
{
	struct stream stream;
	json_t *json;
	const json_t *runs;

	(void)state;
	stream_begin(&stream);
	add_run(&stream);
	stream_begin_case(&stream, "resolver=bind");
	add_run(&stream);
	json = write_json(&stream);
	runs = json_object_get(json, "runs");
	assert_string_equal(text(json, "verdict"), "fail");
	assert_int_equal(json_array_size(runs), 2);
	assert_string_equal(text(json_array_get(runs, 1), "case"), "resolver=bind");
	assert_string_equal(text(json_array_get(runs, 1), "verdict"), "fail");
	json_decref(json);
	stream_fini(&stream);
}

static void the_same_record_gives_the_same_bytes(void **state)
{
	struct buf one = {0}, two = {0};
	struct stream stream;

	(void)state;
	stream_begin(&stream);
	add_run(&stream);
	report_json.write(stream.record, stream.results, &one);
	report_json.write(stream.record, stream.results, &two);
	assert_string_equal(one.data, two.data);
	buf_fini(&one);
	buf_fini(&two);
	stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_run_has_its_fields_at_the_top),
		cmocka_unit_test(an_expectation_carries_what_was_measured_and_where_it_is_written),
		cmocka_unit_test(a_fault_carries_its_instants_and_its_proof),
		cmocka_unit_test(a_measurement_has_the_fields_of_the_design),
		cmocka_unit_test(every_availability_in_ppm_is_said_exactly),
		cmocka_unit_test(a_matrix_has_runs_and_one_verdict),
		cmocka_unit_test(the_same_record_gives_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
