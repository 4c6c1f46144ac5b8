/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MS(n) ((n)*MSEC)

/* The example of docs/metrics.md. */
static void propagation_ends_with_the_last_stale_answer(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 450, "0000000111");

	(void)state;
	assert_int_equal(run->change_count, 1);
	assert_int_equal(run->changes[0].propagation_ns, MS(250));
	assert_false(run->changes[0].censored);
	assert_int_equal(run->measurements[0].stale, 2);
	assert_int_equal(run->measurements[0].stale_window_ns, MS(200));
	assert_int_equal(run->measurements[0].availability_ppm, PPM_ONE);
	assert_int_equal(run->measurements[0].wrong_window_ns, 0);
	stream_fini(&stream);
}

static void stale_answers_are_bad_where_the_probe_says_so(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, true, 450, "0000000111");

	(void)state;
	assert_int_equal(run->measurements[0].availability_ppm, 800000);
	assert_int_equal(run->measurements[0].outage_ns, MS(200));
	assert_int_equal(run->measurements[0].wrong_window_ns, 0);
	stream_fini(&stream);
}

static void a_change_that_never_shows_is_a_lower_bound(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 450, "0000000000");

	(void)state;
	assert_true(run->changes[0].censored);
	assert_int_equal(run->changes[0].propagation_ns, MS(550));
	stream_fini(&stream);
}

/* Asked at 400, before it was accepted, it shows already: the push had not begun, so it was not right then. */
static void a_version_before_its_time_is_wrong(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 450, "0000111111");

	(void)state;
	assert_int_equal(run->measurements[0].outcomes[OUTCOME_WRONG], 1);
	assert_int_equal(run->changes[0].propagation_ns, 0);
	stream_fini(&stream);
}

static void a_change_that_came_to_nothing_replaces_nothing(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 0, "0000000000");

	(void)state;
	assert_int_equal(run->change_count, 0);
	assert_int_equal(run->measurements[0].stale, 0);
	assert_int_equal(run->measurements[0].propagation_ns, MEASURE_NONE);
	stream_fini(&stream);
}

static void silence_is_not_yet_the_new_version(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = stream_push(&stream, false, 450, "00000--111");

	(void)state;
	assert_int_equal(run->changes[0].propagation_ns, MS(250));
	assert_int_equal(run->measurements[0].stale_window_ns, 0);
	stream_fini(&stream);
}

/* Two changes, the first of which fails if first_ok is false, at 200 and 400 ms; of two zones if other_zone; a probe of the zone example.com, which tells what
 * `tells` says. fits as above. */
struct two {
	bool first_ok, second_ok, other_zone, is_update;
	int64_t first_shown_ms, second_shown_ms, tells;
	const char *fits;
};

static void emit_step(struct stream *stream, int64_t id, bool ok, int64_t shown_ms, const char *zone, const char *kind)
{
	struct ev step = {.kind = EV_PLAN_STEP}, host = {.kind = EV_STEP_HOST};
	struct ev started = {.kind = EV_STEP_STARTED, .step_started = {.id = id}};
	struct ev ended = {.kind = EV_STEP_ENDED, .step_ended = {.id = id, .ok = ok}};

	step.plan_step = (struct ev_plan_step){.id = id,
					       .name = id == 1 ? "first" : "second",
					       .kind = kind,
					       .version = id,
					       .zone = zone,
					       .may_fail = true};
	host.step_host = (struct ev_step_host){.id = id, .host = "ns1", .ok = ok, .shown_ns = ok ? MS(shown_ms) : 0};
	stream_emit(stream, step, 0);
	stream_emit(stream, started, 200 * id);
	stream_emit(stream, host, 200 * id + 500);
	stream_emit(stream, ended, 200 * id + 500);
}

static const struct run_results *watch_two(struct stream *stream, const struct two *two)
{
	struct ev probe = {.kind = EV_PLAN_PROBE};
	const char *kind = two->is_update ? "update" : "push";

	probe.plan_probe = (struct ev_plan_probe){
		.probe = "www", .every_ns = MS(100), .timeout_ns = MS(1000), .tells = two->tells};
	stream_begin(stream);
	stream_emit(stream, probe, 0);
	emit_step(stream, 1, two->first_ok, two->first_shown_ms, two->other_zone ? "example.org" : "example.com", kind);
	emit_step(stream, 2, two->second_ok, two->second_shown_ms, "example.com", kind);
	for (int64_t i = 0; two->fits[i]; i++) {
		struct ev sample = {.kind = EV_SAMPLE};

		sample.sample = (struct ev_sample){
			.probe = "www",
			.i = i,
			.due_ns = MS(100 * i),
			.sent_ns = MS(100 * i),
			.done_ns = MS(100 * i + 1),
			.outcome = OUTCOME_OK,
			.fits = two->other_zone && two->fits[i] == '0' ? 3 : 1 << (two->fits[i] - '0'),
		};
		stream_emit(stream, sample, 100 * i + 1000);
	}
	stream_end(stream, "complete", 5000);
	return stream_run(stream);
}

/* The other zone's change is still on its way until 650, this one's is there at 450: what is old after that is stale. */
static void a_slow_change_of_another_zone_makes_no_stale_answer_right(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = watch_two(&stream, &(struct two){.first_ok = true,
									 .second_ok = true,
									 .other_zone = true,
									 .first_shown_ms = 650,
									 .second_shown_ms = 450,
									 .tells = 4,
									 .fits = "0000020222"});

	(void)state;
	assert_int_equal(run->measurements[0].stale, 1);
	assert_int_equal(run->change_count, 1);
	assert_int_equal(run->changes[0].propagation_ns, MS(250));
	assert_int_equal(run->verdict, VERDICT_PASS);
	stream_fini(&stream);
}

static void a_later_change_counts_once_the_earlier_one_does(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = watch_two(&stream, &(struct two){.first_ok = true,
									 .second_ok = true,
									 .first_shown_ms = 650,
									 .second_shown_ms = 450,
									 .tells = 6,
									 .fits = "0000020122"});

	(void)state;
	assert_int_equal(run->measurements[0].stale, 1); /* at 700 */
	assert_int_equal(run->changes[run->change_count - 1].accepted_ns, MS(650));
	assert_int_equal(run->changes[run->change_count - 1].propagation_ns, MS(150));
	stream_fini(&stream);
}

static void answers_from_a_change_that_failed_leave_the_run_undecided(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = watch_two(
		&stream, &(struct two){.second_ok = true, .second_shown_ms = 850, .tells = 6, .fits = "0000001022"});

	(void)state;
	assert_int_equal(run->verdict, VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(run->reason, "\"first\" failed, but there were answers"));
	stream_fini(&stream);
}

static void what_a_failed_change_would_have_made_is_never_stale(void **state)
{
	struct stream stream = {0};
	const struct run_results *run = watch_two(
		&stream, &(struct two){.second_ok = true, .second_shown_ms = 450, .tells = 6, .fits = "0000022122"});

	(void)state;
	assert_int_equal(run->measurements[0].stale, 0);
	assert_int_equal(run->measurements[0].outcomes[OUTCOME_WRONG], 1);
	stream_fini(&stream);
}

static void an_update_of_what_was_never_made_leaves_the_run_undecided_and_a_push_does_not(void **state)
{
	struct stream stream = {0}, other = {0};
	struct two two = {
		.second_ok = true, .second_shown_ms = 450, .tells = 4, .is_update = true, .fits = "0000022222"};
	const struct run_results *run = watch_two(&stream, &two);

	(void)state;
	assert_int_equal(run->verdict, VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(run->reason, "what the zone held after it is unknown"));
	two.is_update = false;
	assert_int_equal(watch_two(&other, &two)->verdict, VERDICT_PASS);
	stream_fini(&stream);
	stream_fini(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(propagation_ends_with_the_last_stale_answer),
		cmocka_unit_test(stale_answers_are_bad_where_the_probe_says_so),
		cmocka_unit_test(a_change_that_never_shows_is_a_lower_bound),
		cmocka_unit_test(a_version_before_its_time_is_wrong),
		cmocka_unit_test(a_change_that_came_to_nothing_replaces_nothing),
		cmocka_unit_test(silence_is_not_yet_the_new_version),
		cmocka_unit_test(a_slow_change_of_another_zone_makes_no_stale_answer_right),
		cmocka_unit_test(a_later_change_counts_once_the_earlier_one_does),
		cmocka_unit_test(answers_from_a_change_that_failed_leave_the_run_undecided),
		cmocka_unit_test(what_a_failed_change_would_have_made_is_never_stale),
		cmocka_unit_test(an_update_of_what_was_never_made_leaves_the_run_undecided_and_a_push_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
