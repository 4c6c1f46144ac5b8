/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.html as a reader of its text sees it; how it looks in a browser is tests/scenario/browser. */
#include "harness/api/sink.h"
#include "tests/unit/report/drill.h"

/* Five good samples, three bad ones from t = 0 on, then good ones: failover 300 ms after the instant. */
#define FAILED_OVER ".....xrw............."
#define NEVER_BACK ".....xxxxxxxxxxxxxxxx"

static struct buf write_html(const struct stream *stream)
{
	struct buf out = {0};

	report_html.write(stream->record, stream->results, &out);
	assert_false(out.failed);
	return out;
}

static void verdict_is_said_before_everything_else(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	html = write_html(&stream);
	assert_says(html.data, "<title>PASS: Test plan – dnsdrill</title>");
	const char *verdict = strstr(html.data, "<h2 id=\"verdict\">PASS</h2>");
	const char *worst = strstr(html.data, "Longest time to failover");
	const char *repeat = strstr(html.data, "<span>dnsdrill</span> <span>run</span> <span>test.yaml</span> "
					       "<span>--seed</span> <span>7</span>");
	const char *timeline = strstr(html.data, "<svg class=\"timeline\"");
	assert_true(verdict && worst && repeat && timeline);
	assert_true(verdict < worst && worst < repeat && repeat < timeline);
	buf_fini(&html);
	drill_free(&stream);
}

static void worst_failover_has_its_resolution(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	html = write_html(&stream);
	assert_says(html.data, "<dd class=\"big\">300 ms <small>± 100 ms</small></dd>");
	buf_fini(&html);
	drill_free(&stream);
}

static void failover_that_was_not_reached_is_never_shown_as_exact(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	drill_run(&stream, NULL, NEVER_BACK, 1700); /* R - T = 1.2 s */
	html = write_html(&stream);
	assert_says(html.data, "<dd class=\"big\">&gt; 1.20 s</dd>");
	assert_says(html.data, "not reached before the fault ended");
	assert_says_not(html.data, ">1.20 s ±");
	assert_says_not(html.data, "failover 1.20 s");
	buf_fini(&html);
	drill_free(&stream);
}

static void every_sample_is_a_mark_with_its_story(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	html = write_html(&stream);
	/* 21 samples; the other marks of paths with titles are none. Sample 5 is due at t = 0. */
	assert_int_equal(drill_occurrences(html.data, "\"><title>"), strlen(FAILED_OVER));
	assert_says(html.data, "<title>+0.000 s · timeout · 1.00 s</title>");
	assert_says(html.data, "<title>−0.500 s · ok · 1.00 ms</title>");
	assert_says(html.data, "Point at a mark to read the sample.");
	buf_fini(&html);
	drill_free(&stream);
}

static void bad_samples_are_listed_as_evidence(void **state)
{
	struct stream stream = {0};
	char letters[200];
	struct buf html;
	(void)state;

	memset(letters, 'x', sizeof(letters) - 1);
	letters[sizeof(letters) - 1] = '\0';
	memcpy(letters, ".....", 5);
	drill_run(&stream, NULL, letters, 9000);
	html = write_html(&stream);
	assert_says(html.data, "the first 50 of 194 bad samples; all are in events.ndjson");
	assert_int_equal(drill_occurrences(html.data, "<td>timeout</td>"), 50);
	buf_fini(&html);
	drill_free(&stream);
}

/* count samples, one every microsecond: bad for the tenth after the half. */
static void ask_many(struct stream *stream, int64_t count)
{
	struct err err;

	for (int64_t i = 0; i < count; i++) {
		bool bad = i > count / 2 && i < count / 2 + count / 10;
		struct ev ev = {.kind = EV_SAMPLE};
		ev.sample = (struct ev_sample){.probe = "www",
					       .i = i,
					       .due_ns = i * NSEC_PER_USEC,
					       .sent_ns = i * NSEC_PER_USEC,
					       .done_ns = (i + 300) * NSEC_PER_USEC,
					       .outcome = bad ? OUTCOME_TIMEOUT : OUTCOME_OK};
		assert_int_equal(record_add(stream->record, &ev, &err), 0);
	}
}

static void two_hundred_thousand_samples_stay_under_five_mebibytes(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_applied(&stream, 1, 100);
	stream_reverted(&stream, 1, 150, true);
	ask_many(&stream, 200000);
	stream_end(&stream, "complete", 9999);
	html = write_html(&stream);
	assert_in_range(html.len, 1, 5 * 1024 * 1024);
	assert_says(html.data, "stands for up to ");
	assert_says(html.data, "All samples are in events.ndjson.");
	buf_fini(&html);
	drill_free(&stream);
}

/* Each in a lane of its own, drawn in full as far as the ration of marks goes. */
static void many_lanes_of_few_samples_stay_under_five_mebibytes(void **state)
{
	struct stream stream = {0};
	char letters[101], name[16];
	struct buf html;
	(void)state;

	memset(letters, 'w', 100);
	letters[100] = '\0';
	stream_begin(&stream);
	for (int p = 0; p < 400; p++) {
		snprintf(name, sizeof(name), "probe%d", p);
		stream_probe(&stream, name);
	}
	for (int p = 0; p < 400; p++) {
		snprintf(name, sizeof(name), "probe%d", p);
		stream_ask(&stream, name, 0, letters);
	}
	stream_end(&stream, "complete", 99999);
	html = write_html(&stream);
	assert_in_range(html.len, 1, 5 * 1024 * 1024);
	buf_fini(&html);
	drill_free(&stream);
}

static void cases_of_a_matrix_stand_side_by_side_first(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	drill_run(&stream, "resolver=bind", NEVER_BACK, 1700);
	html = write_html(&stream);
	const char *table = strstr(html.data, "<table class=\"matrix\">");
	assert_non_null(table);
	assert_true(table < strstr(html.data, "<svg class=\"timeline\""));
	assert_says(table, "<a href=\"#run-1\">resolver=bind</a>");
	assert_says(html.data, "id=\"run-1\"");
	assert_int_equal(drill_occurrences(html.data, "<svg class=\"timeline\""), 2);
	assert_says(html.data, "1 of 2 cases passed. resolver=bind:");
	assert_says(html.data, "<h2 id=\"verdict\">FAIL</h2>");
	buf_fini(&html);
	drill_free(&stream);
}

static void nothing_is_loaded_and_nothing_runs(void **state)
{
	static const char *const forbidden[] = {
		"<script", "javascript:", "http://", "https://", "src=", "@import", "url(", "onclick", "onload"};
	struct stream stream = {0};
	struct buf html;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	html = write_html(&stream);
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
		assert_says_not(html.data, forbidden[i]);
	assert_says(html.data, "default-src 'none'");
	buf_fini(&html);
	drill_free(&stream);
}

static void hostile(struct stream *stream)
{
	static const char *const text = "</title></svg><script>x</script>\" onload=\"y";
	struct ev ev = {.kind = EV_SAMPLE};

	stream_begin(stream);
	stream_probe(stream, text);
	stream_fault(stream, 1, text);
	stream_expect(stream, text, text, "outage", "<=", SEC);
	stream_applied(stream, 1, 50);
	ev.sample = (struct ev_sample){.probe = text,
				       .outcome = OUTCOME_WRONG,
				       .rcode = text,
				       .detail = text,
				       .name = text,
				       .answer = {.v = &text, .count = 1}};
	stream_emit(stream, ev, 60);
	ev = (struct ev){.kind = EV_LAB_HOST};
	ev.lab_host = (struct ev_lab_host){
		.host = text, .role = text, .server = text, .version = text, .addresses = {.v = &text, .count = 1}};
	stream_emit(stream, ev, 61);
	ev = (struct ev){.kind = EV_FAULT_FAILED};
	ev.fault_failed = (struct ev_fault_failed){.id = 1, .stage = text, .message = text};
	stream_emit(stream, ev, 62);
	ev = (struct ev){.kind = EV_SERVER_EXIT};
	ev.server_exit = (struct ev_server_exit){.host = text, .server = text, .status = text, .log_tail = text};
	stream_emit(stream, ev, 63);
	ev = (struct ev){.kind = EV_ERROR};
	ev.error = (struct ev_error){.message = text, .host = text, .file = text};
	stream_emit(stream, ev, 64);
	ev = (struct ev){.kind = EV_NOTE};
	ev.note = (struct ev_note){.level = text, .text = text};
	stream_emit(stream, ev, 65);
	stream_end(stream, text, 99);
}

static void no_text_of_a_stream_becomes_markup(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	hostile(&stream);
	html = write_html(&stream);
	assert_says_not(html.data, "<script");
	assert_says_not(html.data, "\" onload=");
	/* Closed exactly as often as opened: none of the stream's own end tags came through. */
	assert_int_equal(drill_occurrences(html.data, "<svg"), drill_occurrences(html.data, "</svg>"));
	assert_int_equal(drill_occurrences(html.data, "<title"), drill_occurrences(html.data, "</title>"));
	buf_fini(&html);
	drill_free(&stream);
}

static void fault_without_effect_and_server_exit_are_said_aloud(void **state)
{
	struct ev ev = {.kind = EV_SERVER_EXIT};
	struct stream stream = {0};
	struct buf html;
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_fault(&stream, 1, "dark");
	stream_applied(&stream, 1, 500);
	ev.server_exit = (struct ev_server_exit){
		.host = "alpha.ns1", .server = "bind", .status = "exited with status 1", .log_tail = "no such zone"};
	stream_emit(&stream, ev, 600);
	stream_reverted(&stream, 1, 1000, false);
	stream_ask(&stream, "www", 0, "............");
	stream_end(&stream, "complete", 9999);
	html = write_html(&stream);
	assert_says(html.data, "WITHOUT EFFECT");
	assert_says(html.data, "none proven");
	assert_says(html.data, "bind on alpha.ns1, exited with status 1");
	assert_says(html.data, "no such zone");
	buf_fini(&html);
	drill_free(&stream);
}

static void stream_without_faults_samples_or_end_still_reads(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_end(&stream, NULL, 0);
	html = write_html(&stream);
	assert_says(html.data, "not measured");
	assert_says(html.data, "no samples");
	assert_says(html.data, "the stream was cut off");
	assert_says(html.data, "</html>");
	buf_fini(&html);
	drill_free(&stream);
}

static void same_record_gives_the_same_bytes(void **state)
{
	struct stream stream = {0};
	struct buf once, again;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	once = write_html(&stream);
	again = write_html(&stream);
	assert_int_equal(once.len, again.len);
	assert_memory_equal(once.data, again.data, once.len);
	buf_fini(&once);
	buf_fini(&again);
	drill_free(&stream);
}

/* 2 s of run on 970 units: the fault stands 500…700, 1,000…1,200 and 1,500…1,600 ms. */
static void a_flap_is_drawn_while_it_was_on(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_shaped_fault(&stream, 1, "flaps", 0, 200, 300);
	stream_applied(&stream, 1, 500);
	for (int t_ms = 700; t_ms <= 1500; t_ms += 500) {
		stream_switched(&stream, 1, t_ms, false);
		if (t_ms + 300 <= 1500)
			stream_switched(&stream, 1, t_ms + 300, true);
	}
	stream_reverted(&stream, 1, 1600, true);
	stream_ask(&stream, "www", 0, ".....xx...xx........");
	stream_end(&stream, "complete", 9999);
	html = write_html(&stream);
	assert_says(html.data, "flaps: latency alpha, on 200 ms and off 300 ms, 1.10 s");
	assert_int_equal(drill_occurrences(html.data, "<rect class=\"applied\""), 3 + 1 /* of the legend */);
	assert_int_equal(drill_occurrences(html.data, "<rect class=\"band\""), 3);
	buf_fini(&html);
	drill_free(&stream);
}

/* A day of flapping must not make a page of a million rectangles: what is closer than a unit is one. */
static void a_flap_faster_than_the_picture_is_drawn_as_one(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_shaped_fault(&stream, 1, "flaps", 0, 1, 1);
	stream_applied(&stream, 1, 500);
	for (int t_ms = 501; t_ms < 1500; t_ms++)
		stream_switched(&stream, 1, t_ms, t_ms % 2 == 0);
	stream_reverted(&stream, 1, 1600, true);
	stream_ask(&stream, "www", 0, ".....xx...xx........");
	stream_end(&stream, "complete", 9999);
	html = write_html(&stream);
	assert_int_equal(drill_occurrences(html.data, "<rect class=\"band\""), 1);
	buf_fini(&html);
	drill_free(&stream);
}

/* Full after 500 of its 1,000 ms: from nothing (bottom) up to the knee (top) half-way, then level. */
static void a_ramp_is_drawn_as_a_slope(void **state)
{
	struct stream stream = {0};
	struct buf html;
	const char *area;
	double x[4], y[4];
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_shaped_fault(&stream, 1, "grows", 500, 0, 0);
	stream_applied(&stream, 1, 500);
	stream_reverted(&stream, 1, 1500, true);
	stream_ask(&stream, "www", 0, ".....xx...xx........");
	stream_end(&stream, "complete", 9999);
	html = write_html(&stream);
	assert_says(html.data, "grows: latency alpha, growing over 500 ms, 1.00 s");
	area = strstr(html.data, "<path class=\"applied\"");
	assert_non_null(area);
	area = strstr(area, "d=\"M");
	assert_non_null(area);
	assert_int_equal(sscanf(area, "d=\"M%lf %lfL%lf %lfL%lf %lfL%lf %lf", &x[0], &y[0], &x[1], &y[1], &x[2], &y[2],
				&x[3], &y[3]),
			 8);
	assert_true(x[0] == x[1] && y[0] == y[1]); /* nothing at first */
	assert_true(y[2] == y[0] - 6 && y[3] == y[2]);
	assert_float_equal(x[2] - x[1], x[3] - x[2], 0.11);
	buf_fini(&html);
	drill_free(&stream);
}

static void steps_and_stale_answers_are_drawn_and_said(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	stream_push(&stream, false, 450, "0000000111");
	html = write_html(&stream);
	assert_says(html.data, "stale: of a version that had been replaced");
	assert_int_equal(drill_occurrences(html.data, "class=\"change\" stroke"), 2); /* in the legend, and at 450 ms */
	assert_int_equal(drill_occurrences(html.data, " · stale · "), 2);
	assert_says(html.data, "Longest propagation</dt><dd class=\"big\">250 ms <small>± 100 ms</small></dd>");
	assert_says(html.data, "<th scope=\"row\">push</th>");
	assert_says(html.data, "<td class=\"num\">250 ms</td>");
	buf_fini(&html);
	drill_free(&stream);
}

static void runs_without_steps_do_not_speak_of_them(void **state)
{
	struct stream stream = {0};
	struct buf html;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	html = write_html(&stream);
	assert_says_not(html.data, "stale: of");
	assert_says_not(html.data, "Steps");
	assert_says_not(html.data, "propagation");
	buf_fini(&html);
	drill_free(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flap_is_drawn_while_it_was_on),
		cmocka_unit_test(a_flap_faster_than_the_picture_is_drawn_as_one),
		cmocka_unit_test(a_ramp_is_drawn_as_a_slope),
		cmocka_unit_test(verdict_is_said_before_everything_else),
		cmocka_unit_test(worst_failover_has_its_resolution),
		cmocka_unit_test(failover_that_was_not_reached_is_never_shown_as_exact),
		cmocka_unit_test(every_sample_is_a_mark_with_its_story),
		cmocka_unit_test(bad_samples_are_listed_as_evidence),
		cmocka_unit_test(two_hundred_thousand_samples_stay_under_five_mebibytes),
		cmocka_unit_test(many_lanes_of_few_samples_stay_under_five_mebibytes),
		cmocka_unit_test(cases_of_a_matrix_stand_side_by_side_first),
		cmocka_unit_test(nothing_is_loaded_and_nothing_runs),
		cmocka_unit_test(no_text_of_a_stream_becomes_markup),
		cmocka_unit_test(fault_without_effect_and_server_exit_are_said_aloud),
		cmocka_unit_test(stream_without_faults_samples_or_end_still_reads),
		cmocka_unit_test(same_record_gives_the_same_bytes),
		cmocka_unit_test(steps_and_stale_answers_are_drawn_and_said),
		cmocka_unit_test(runs_without_steps_do_not_speak_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
