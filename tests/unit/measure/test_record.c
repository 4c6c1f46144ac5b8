/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/measure/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define START                                                                                                 \
	"{\"seq\":0,\"t_ns\":0,\"event\":\"run.start\",\"schema\":1,\"plan\":\"P\",\"seed\":1,\"wall_ns\":0," \
	"\"recovery_ns\":0,\"end_ns\":0,\"stable\":5,\"baseline_ppm\":1000000}\n"
#define PROBE "{\"seq\":1,\"t_ns\":0,\"event\":\"plan.probe\",\"probe\":\"www\",\"every_ns\":100,\"timeout_ns\":1000}\n"
#define END(seq) "{\"seq\":" seq ",\"t_ns\":9,\"event\":\"run.end\",\"reason\":\"complete\"}\n"

/* Reads text as a file; NULL with err on failure. */
static struct record *read_text(const char *text, struct err *err)
{
	char dir[] = "/tmp/dnsdrill-record-XXXXXX", path[64];
	struct record *record;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(fd_write_file(AT_FDCWD, path, text, strlen(text), 0600), 0);
	record = record_read(path, err);
	unlink(path);
	rmdir(dir);
	return record;
}

static void check_refused(const char *text, unsigned line, const char *message)
{
	struct err err = {0};

	assert_null(read_text(text, &err));
	assert_int_equal(err.code, -EINVAL);
	assert_int_equal(err.loc.line, line);
	assert_string_equal(err.text, message);
}

static void add(struct record *record, const struct ev *ev)
{
	struct err err;

	if (record_add(record, ev, &err))
		fail_msg("%s", err.text);
}

static struct record *with_probe(void)
{
	struct record *record = record_new();
	struct ev ev = {.kind = EV_RUN_START};

	ev.run_start.plan = "P";
	add(record, &ev);
	ev = (struct ev){.kind = EV_PLAN_PROBE};
	ev.plan_probe.probe = "www";
	add(record, &ev);
	return record;
}

static struct ev sample(int64_t i)
{
	struct ev ev = {.kind = EV_SAMPLE};

	ev.sample = (struct ev_sample){.probe = "www", .i = i, .due_ns = i * 100, .done_ns = i * 100 + 1};
	return ev;
}

static int add_refused(struct record *record, const struct ev *ev, struct err *err)
{
	int r = record_add(record, ev, err);

	record_free(record);
	return r;
}

static void a_stream_with_a_hole_is_refused(void **state)
{
	(void)state;
	check_refused(START PROBE END("3"), 3, "event with seq 3 where 2 was expected: the stream is not whole");
}

static void a_stream_without_events_is_refused(void **state)
{
	(void)state;
	check_refused("", 0, "there is no event in it");
}

static void anything_before_run_start_is_refused(void **state)
{
	(void)state;
	check_refused("{\"seq\":0,\"t_ns\":0,\"event\":\"run.end\",\"reason\":\"complete\"}\n", 1,
		      "run.end: a stream begins with run.start");
}

static void a_stream_of_a_newer_dnsdrill_is_refused(void **state)
{
	struct record *record = record_new();
	struct ev ev = {.kind = EV_RUN_START};
	struct err err;

	(void)state;
	ev.run_start.schema = EV_SCHEMA + 1;
	assert_int_equal(add_refused(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text,
			    "run.start: the stream was written by a newer dnsdrill (schema 2, this one reads 1)");
}

static void a_sample_of_an_unknown_probe_is_refused(void **state)
{
	struct ev ev = sample(0);
	struct err err;

	(void)state;
	ev.sample.probe = "mail";
	assert_int_equal(add_refused(with_probe(), &ev, &err), -EINVAL);
	assert_string_equal(err.text, "sample: no plan.probe before it named the probe \"mail\"");
}

static void a_sample_done_before_it_was_due_is_refused(void **state)
{
	struct ev ev = sample(3);
	struct err err;

	(void)state;
	ev.sample.done_ns = 299;
	assert_int_equal(add_refused(with_probe(), &ev, &err), -EINVAL);
	assert_string_equal(err.text, "sample: sample 3 of probe \"www\" was done before it was due");
}

static void a_sample_there_twice_is_refused_at_the_end(void **state)
{
	struct record *record = with_probe();
	struct ev ev = {.kind = EV_RUN_END, .run_end = {.reason = "complete"}};
	struct err err;

	(void)state;
	for (int64_t i = 0; i < 3; i++)
		add(record, &(struct ev){.kind = EV_SAMPLE, .sample = sample(i).sample});
	add(record, &(struct ev){.kind = EV_SAMPLE, .sample = sample(1).sample});
	assert_int_equal(add_refused(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "run.end: probe \"www\": sample 1 is there twice");
}

static void a_sample_after_the_end_is_refused(void **state)
{
	struct record *record = with_probe();
	struct ev ev = {.kind = EV_RUN_END, .run_end = {.reason = "complete"}};
	struct err err;

	(void)state;
	add(record, &ev);
	ev = sample(0);
	assert_int_equal(add_refused(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "sample: a sample after run.end");
}

static void faults_must_be_planned_and_happen_once(void **state)
{
	struct record *record = with_probe();
	struct ev ev = {.kind = EV_FAULT_APPLIED, .fault_applied = {.id = 1}, .t_ns = 50};
	struct err err;

	(void)state;
	assert_int_equal(record_add(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "fault.applied: no plan.fault before it has the id 1");
	ev.kind = EV_PLAN_FAULT;
	ev.plan_fault = (struct ev_plan_fault){.id = 1, .name = "dark"};
	add(record, &ev);
	ev = (struct ev){.kind = EV_FAULT_APPLIED, .fault_applied = {.id = 1}, .t_ns = 50};
	add(record, &ev);
	assert_int_equal(record_add(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "fault.applied: fault \"dark\" was applied already");
	ev = (struct ev){.kind = EV_FAULT_REVERTED, .fault_reverted = {.id = 1}, .t_ns = 49};
	assert_int_equal(add_refused(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "fault.reverted: fault \"dark\" was reverted before it was applied");
}

static struct ev switched(bool on, int64_t t_ns)
{
	return (struct ev){.kind = EV_FAULT_SWITCHED, .fault_switched = {.id = 1, .on = on}, .t_ns = t_ns};
}

static struct record *with_standing_fault(int64_t applied_ns)
{
	struct record *record = with_probe();
	struct ev ev = {.kind = EV_PLAN_FAULT};

	ev.plan_fault = (struct ev_plan_fault){.id = 1, .name = "dark"};
	add(record, &ev);
	ev = (struct ev){.kind = EV_FAULT_APPLIED, .fault_applied = {.id = 1}, .t_ns = applied_ns};
	add(record, &ev);
	return record;
}

static void a_flap_leaves_the_spans_it_stood(void **state)
{
	struct record *record = with_standing_fault(50);
	const struct fault_record *fault = &record->runs[0].faults[0];
	const int64_t times[] = {70, 90, 100};
	struct ev ev;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		ev = switched(i == 1, times[i]);
		add(record, &ev);
	}
	ev = (struct ev){.kind = EV_FAULT_REVERTED, .fault_reverted = {.id = 1}, .t_ns = 120};
	add(record, &ev);
	assert_int_equal(fault->span_count, 2);
	assert_int_equal(fault->spans[0].from_ns, 50);
	assert_int_equal(fault->spans[0].to_ns, 70);
	assert_int_equal(fault->spans[1].from_ns, 90);
	assert_int_equal(fault->spans[1].to_ns, 100);
	assert_int_equal(fault->reverted_ns, 120);
	record_free(record);
}

/* R of a fault that was never reverted is the end of the run, and so is the end of its last span. */
static void a_span_that_was_never_ended_ends_with_the_run(void **state)
{
	struct record *record = with_standing_fault(50);
	struct ev ev = {.kind = EV_RUN_END, .run_end = {.reason = "interrupted"}, .t_ns = 300};

	(void)state;
	add(record, &ev);
	assert_int_equal(record->runs[0].faults[0].span_count, 1);
	assert_int_equal(record->runs[0].faults[0].spans[0].to_ns, 300);
	record_free(record);
}

static void switches_that_cannot_be_are_refused(void **state)
{
	struct record *record = with_standing_fault(50);
	struct ev ev = switched(true, 60);
	struct err err;

	(void)state;
	assert_int_equal(record_add(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "fault.switched: fault \"dark\" was switched on, and it was already");
	ev = switched(false, 40);
	assert_int_equal(record_add(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "fault.switched: fault \"dark\" was switched before it was last time");
	ev = switched(false, 80);
	add(record, &ev);
	ev = (struct ev){.kind = EV_FAULT_REVERTED, .fault_reverted = {.id = 1}, .t_ns = 70};
	assert_int_equal(record_add(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "fault.reverted: fault \"dark\" was reverted before it was last switched");
	ev.t_ns = 90;
	add(record, &ev);
	ev = switched(true, 95);
	assert_int_equal(record_add(record, &ev, &err), -EINVAL);
	assert_string_equal(err.text, "fault.switched: fault \"dark\" was switched while it was not applied");
	record_free(record);
}

static void samples_come_out_in_the_order_of_their_number(void **state)
{
	static const int64_t order[] = {2, 0, 4, 1};
	struct record *record = with_probe();
	struct probe_record *probe = &record->runs[0].probes[0];
	struct err err;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(order); k++) {
		struct ev ev = sample(order[k]);

		add(record, &ev);
	}
	assert_int_equal(record_finish(record, &err), 0);
	assert_int_equal(probe->samples[0].i, 0);
	assert_int_equal(probe->samples[1].i, 1);
	assert_int_equal(probe->samples[2].i, 2);
	assert_int_equal(probe->samples[3].i, 4);
	/* 3 was never heard of */
	assert_int_equal(probe->missing, 1);
	record_free(record);
}

static void texts_are_copied_joined_and_mended(void **state)
{
	char rcode[] = "NOERROR", address[] = "192.0.2.80";
	const char *answer[] = {address, "bad \xff byte"};
	struct record *record = with_probe();
	struct ev ev = sample(0);
	const struct sample *kept;

	(void)state;
	ev.sample.rcode = rcode;
	ev.sample.answer = (struct ev_strings){answer, 2};
	add(record, &ev);
	memset(rcode, 'x', 4);
	memset(address, 'x', 4);
	kept = &record->runs[0].probes[0].samples[0];
	assert_string_equal(kept->rcode, "NOERROR");
	assert_string_equal(kept->answer, "192.0.2.80, bad \xef\xbf\xbd byte");
	assert_null(kept->detail);
	record_free(record);
}

static void equal_texts_are_kept_once(void **state)
{
	struct record *record = with_probe();
	char rcode[] = "NOERROR";
	struct ev ev = sample(0);
	const struct sample *samples;

	(void)state;
	ev.sample.rcode = "NOERROR";
	add(record, &ev);
	ev = sample(1);
	ev.sample.rcode = rcode;
	add(record, &ev);
	samples = record->runs[0].probes[0].samples;
	assert_ptr_equal(samples[0].rcode, samples[1].rcode);
	record_free(record);
}

static void many_different_texts_stay_apart(void **state)
{
	struct record *record = with_probe();
	char name[32];

	(void)state;
	for (int64_t i = 0; i < 5000; i++) {
		struct ev ev = sample(i);

		snprintf(name, sizeof(name), "q%d.example.com", (int)i);
		ev.sample.name = name;
		add(record, &ev);
	}
	for (int64_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "q%d.example.com", (int)i);
		assert_string_equal(record->runs[0].probes[0].samples[i].name, name);
	}
	record_free(record);
}

static void a_line_cut_in_the_middle_is_marked_and_the_rest_kept(void **state)
{
	struct err err;
	struct record *record = read_text(START PROBE "{\"seq\":2,\"t_ns\":5,\"eve", &err);

	(void)state;
	assert_non_null(record);
	assert_true(record->cut);
	assert_int_equal(record->runs[0].probe_count, 1);
	assert_null(record->runs[0].reason);
	record_free(record);
}

static void runs_of_a_matrix_may_each_count_from_zero(void **state)
{
	struct err err;
	struct record *record = read_text(START PROBE END("2") START PROBE END("2"), &err);

	(void)state;
	assert_non_null(record);
	assert_int_equal(record->count, 2);
	assert_string_equal(record->runs[1].reason, "complete");
	record_free(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_with_a_hole_is_refused),
		cmocka_unit_test(a_stream_without_events_is_refused),
		cmocka_unit_test(anything_before_run_start_is_refused),
		cmocka_unit_test(a_stream_of_a_newer_dnsdrill_is_refused),
		cmocka_unit_test(a_sample_of_an_unknown_probe_is_refused),
		cmocka_unit_test(a_sample_done_before_it_was_due_is_refused),
		cmocka_unit_test(a_sample_there_twice_is_refused_at_the_end),
		cmocka_unit_test(a_sample_after_the_end_is_refused),
		cmocka_unit_test(faults_must_be_planned_and_happen_once),
		cmocka_unit_test(a_flap_leaves_the_spans_it_stood),
		cmocka_unit_test(a_span_that_was_never_ended_ends_with_the_run),
		cmocka_unit_test(switches_that_cannot_be_are_refused),
		cmocka_unit_test(samples_come_out_in_the_order_of_their_number),
		cmocka_unit_test(texts_are_copied_joined_and_mended),
		cmocka_unit_test(equal_texts_are_kept_once),
		cmocka_unit_test(many_different_texts_stay_apart),
		cmocka_unit_test(a_line_cut_in_the_middle_is_marked_and_the_rest_kept),
		cmocka_unit_test(runs_of_a_matrix_may_each_count_from_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
