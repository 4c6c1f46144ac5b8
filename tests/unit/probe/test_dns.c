/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes of a question: outcomes and their times.
 */
#include "tests/unit/probe/dns_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>

#include <cmocka.h>

static void check_times(const struct seen *seen, int64_t timeout_ns)
{
	assert_true(seen->sent_ns >= seen->due_ns);
	assert_true(seen->done_ns >= seen->sent_ns);
	assert_true(seen->done_ns < seen->due_ns + timeout_ns);
}

static void a_right_answer_over_udp_is_ok(void **state UNUSED)
{
	struct seen seen = ask_once(www(PATIENT, UDP), FAKE_ANSWER);

	assert_int_equal(seen.outcome, OUTCOME_OK);
	assert_string_equal(seen.rcode, "NOERROR");
	assert_string_equal(seen.answer, "192.0.2.8|192.0.2.80"); /* in text order: the server says .80 first */
	assert_string_equal(seen.detail, "");
	check_times(&seen, PATIENT);
}

static void a_right_answer_over_tcp_is_ok(void **state UNUSED)
{
	struct rig *rig = rig_new(www(PATIENT, TCP), FAKE_ANSWER);
	struct seen seen = rig_ask(rig);

	assert_int_equal(seen.outcome, OUTCOME_OK);
	assert_string_equal(seen.answer, "192.0.2.8|192.0.2.80");
	assert_int_equal(rig->fake->tcp_queries, 1);
	assert_int_equal(rig->fake->udp_queries, 0);
	check_times(&seen, PATIENT);
	rig_free(rig);
}

static void a_tcp_answer_in_pieces_behind_a_strangers_is_ok(void **state UNUSED)
{
	assert_int_equal(ask_once(www(PATIENT, TCP), FAKE_DRIBBLES).outcome, OUTCOME_OK);
}

static void a_truncated_answer_is_asked_for_again_over_tcp_within_the_sample(void **state UNUSED)
{
	struct rig *rig = rig_new(www(PATIENT, UDP), FAKE_TRUNCATED);
	struct seen seen = rig_ask(rig);

	assert_int_equal(seen.outcome, OUTCOME_OK);
	assert_string_equal(seen.answer, "192.0.2.8|192.0.2.80");
	assert_int_equal(rig->fake->udp_queries, 1);
	assert_int_equal(rig->fake->tcp_queries, 1);
	rig_free(rig);
}

static void a_truncated_answer_without_tcp_behind_it_times_out_and_says_so(void **state UNUSED)
{
	struct seen seen = ask_once(www(TIMEOUT, UDP), FAKE_TRUNCATED_SILENT);

	assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
	assert_int_equal(seen.done_ns, seen.due_ns + TIMEOUT);
	assert_string_equal(seen.detail, "no answer within 500ms (truncated over UDP, then none over TCP)");
}

static void silence_is_a_timeout_exactly_at_the_deadline(void **state UNUSED)
{
	struct seen seen = ask_once(www(TIMEOUT, UDP), FAKE_SILENT);

	assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
	assert_int_equal(seen.done_ns, seen.due_ns + TIMEOUT);
	assert_string_equal(seen.detail, "no answer within 500ms");
	assert_string_equal(seen.rcode, "");
}

static void a_closed_udp_port_is_no_answer_at_the_moment_of_the_refusal(void **state UNUSED)
{
	struct seen seen = ask_once(www(PATIENT, UDP), -1);

	assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
	assert_string_equal(seen.detail, "refused: port unreachable");
	check_times(&seen, PATIENT);
}

static void a_closed_tcp_port_is_no_answer_at_the_moment_of_the_refusal(void **state UNUSED)
{
	struct seen seen = ask_once(www(PATIENT, TCP), -1);

	assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
	assert_string_equal(seen.detail, "refused: connection refused");
	check_times(&seen, PATIENT);
}

static void a_connection_closed_without_an_answer_says_so(void **state UNUSED)
{
	struct seen seen = ask_once(www(PATIENT, TCP), FAKE_CLOSES);

	assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
	assert_string_equal(seen.detail, "refused: connection closed without an answer");
}

static void no_route_to_the_server_is_no_answer(void **state UNUSED)
{
	struct probe_server away = sandbox_server("r1", "198.51.100.53"); /* the sandbox has lo alone */
	struct sandbox *box = sandbox_new(&away, 1);
	struct dns_probe probe = www(PATIENT, UDP);
	struct err err = {0};
	void *dns;

	assert_int_equal(dns_ops.open(&probe.probe, &box->ctx, &dns, &err), 0);
	dns_ops.ask(dns, 0, sandbox_now(box));
	assert_int_equal(box->count, 1);
	assert_int_equal(box->seen[0].outcome, OUTCOME_TIMEOUT);
	assert_string_equal(box->seen[0].detail, "refused: network unreachable");
	dns_ops.close(dns);
	sandbox_free(box);
}

static void what_does_not_match_the_question_is_ignored(void **state UNUSED)
{
	assert_int_equal(ask_once(www(PATIENT, UDP), FAKE_STRANGERS).outcome, OUTCOME_OK);
}

static void what_does_not_match_the_question_does_not_end_the_wait(void **state UNUSED)
{
	struct seen seen = ask_once(www(TIMEOUT, UDP), FAKE_ONLY_STRANGERS);

	assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
	assert_string_equal(seen.detail, "no answer within 500ms; 4 messages did not match the question");
}

static void a_malformed_answer_is_wrong(void **state UNUSED)
{
	for (int transport = UDP; transport <= TCP; transport++) {
		struct seen cut = ask_once(www(PATIENT, transport), FAKE_GARBAGE);
		struct seen brief = ask_once(www(PATIENT, transport), FAKE_SHORT);

		assert_int_equal(cut.outcome, OUTCOME_WRONG);
		assert_string_equal(cut.detail, "malformed answer");
		assert_int_equal(brief.outcome, OUTCOME_WRONG);
		assert_string_equal(brief.detail, "malformed answer");
	}
}

static void error_answers_bear_their_name_and_reason(void **state UNUSED)
{
	struct seen servfail = ask_once(www(PATIENT, UDP), FAKE_SERVFAIL);
	struct seen badvers = ask_once(www(PATIENT, UDP), FAKE_BADVERS);
	struct seen formerr = ask_once(www(PATIENT, UDP), FAKE_FORMERR_BARE);

	assert_int_equal(servfail.outcome, OUTCOME_RCODE);
	assert_string_equal(servfail.rcode, "SERVFAIL");
	assert_string_equal(servfail.detail, "SERVFAIL; EDE 22 No Reachable Authority: at delegation example.com.");
	assert_int_equal(badvers.outcome, OUTCOME_RCODE);
	assert_string_equal(badvers.rcode, "BADVERS");
	assert_int_equal(formerr.outcome, OUTCOME_RCODE);
	assert_string_equal(formerr.rcode, "FORMERR");
}

static void nxdomain_and_nodata_for_a_name_that_exists_are_wrong(void **state UNUSED)
{
	struct seen nxdomain = ask_once(www(PATIENT, UDP), FAKE_NXDOMAIN);
	struct seen nodata = ask_once(www(PATIENT, UDP), FAKE_NODATA);

	assert_int_equal(nxdomain.outcome, OUTCOME_WRONG);
	assert_string_equal(nxdomain.detail, "NXDOMAIN, expected NOERROR");
	assert_int_equal(nodata.outcome, OUTCOME_WRONG);
	assert_string_equal(nodata.detail, "got no record, expected {192.0.2.8, 192.0.2.80}");
}

/* The chain's end counts; a record of another name in the answer section does not. Case of names does not matter. */
static void the_answer_is_what_stands_at_the_end_of_the_cname_chain(void **state UNUSED)
{
	struct seen seen = ask_once(www(PATIENT, UDP), FAKE_CNAME);

	assert_int_equal(seen.outcome, OUTCOME_WRONG);
	assert_string_equal(seen.answer, "192.0.2.80");
}

static void a_cname_itself_can_be_asked_for_in_any_spelling(void **state UNUSED)
{
	struct text target = {.value = "Web.example.NET."};
	struct dns_probe probe = www(PATIENT, UDP);

	probe.probe.qtype = 5;
	probe.probe.good.answer = (struct texts){.v = &target, .count = 1};
	assert_int_equal(ask_once(probe, FAKE_CNAME).outcome, OUTCOME_OK);
}

static void ttl_and_aa_of_the_answer_are_judged(void **state UNUSED)
{
	struct dns_probe probe = www(PATIENT, UDP);
	struct seen seen;

	probe.probe.good.max_ttl = 59; /* the fake server says 60 */
	seen = ask_once(probe, FAKE_ANSWER);
	assert_string_equal(seen.detail, "TTL 60, expected at most 59");
	probe.probe.good.max_ttl = 60;
	probe.probe.good.aa = TRISTATE_TRUE;
	assert_int_equal(ask_once(probe, FAKE_ANSWER).outcome, OUTCOME_OK);
	probe.probe.good.ad = TRISTATE_TRUE;
	assert_string_equal(ask_once(probe, FAKE_ANSWER).detail, "AD is not set, expected set");
}

static void thousands_in_flight_each_time_out_at_their_own_deadline(void **state UNUSED)
{
	enum { COUNT = 2500 };
	struct rlimit files = {0};
	struct rig *rig;
	int64_t due_ns;

	fd_raise_limit();
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < COUNT + 100)
		skip();
	rig = rig_new(www(SEC, UDP), FAKE_SILENT);
	due_ns = sandbox_now(rig->box);
	for (int i = 0; i < COUNT; i++)
		dns_ops.ask(rig->dns, i, due_ns + i);
	sandbox_await(rig->box, COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(rig->box->seen[i].i, i);
		assert_int_equal(rig->box->seen[i].outcome, OUTCOME_TIMEOUT);
		assert_int_equal(rig->box->seen[i].done_ns, due_ns + i + SEC);
	}
	rig_free(rig);
}

static void running_out_of_descriptors_is_the_harness_s_error(void **state UNUSED)
{
	struct rig *rig = rig_new(www(PATIENT, UDP), FAKE_ANSWER);
	struct seen seen;

	rig->box->host.fail_with = EMFILE;
	seen = rig_ask(rig);
	assert_int_equal(seen.outcome, OUTCOME_ERROR);
	assert_string_equal(seen.detail, "could not ask: too many open files: raise `ulimit -n`, or ask less often");
	rig->box->host.fail_with = 0;
	assert_int_equal(rig_ask(rig).outcome, OUTCOME_OK); /* and it goes on */
	rig_free(rig);
}

static void a_sample_whose_time_was_over_before_it_could_be_sent_is_the_harness_s_error(void **state UNUSED)
{
	struct rig *rig = rig_new(www(TIMEOUT, UDP), FAKE_ANSWER);

	dns_ops.ask(rig->dns, 0, sandbox_now(rig->box) - TIMEOUT);
	assert_int_equal(rig->box->count, 1);
	assert_int_equal(rig->box->seen[0].outcome, OUTCOME_ERROR);
	rig_free(rig);
}

/* The answer is in the socket in time, but the loop comes to it too late: it did not help anybody. */
static void an_answer_read_after_the_deadline_is_a_timeout(void **state UNUSED)
{
	struct rig *rig = rig_new(www(TIMEOUT, UDP), FAKE_ANSWER);
	int64_t due_ns = sandbox_now(rig->box);

	dns_ops.ask(rig->dns, 0, due_ns);
	while (sandbox_now(rig->box) < due_ns + TIMEOUT)
		;
	sandbox_await(rig->box, 1);
	assert_int_equal(rig->box->seen[0].outcome, OUTCOME_TIMEOUT);
	assert_int_equal(rig->box->seen[0].done_ns, due_ns + TIMEOUT);
	rig_free(rig);
}

static void closing_gives_up_what_is_in_flight_without_a_word(void **state UNUSED)
{
	for (int transport = UDP; transport <= TCP; transport++) {
		struct rig *rig = rig_new(www(PATIENT, transport), FAKE_SILENT);

		for (int i = 0; i < 10; i++)
			dns_ops.ask(rig->dns, i, sandbox_now(rig->box));
		event_base_loop(rig->box->base, EVLOOP_ONCE);
		assert_int_equal(rig->box->count, 0);
		rig_free(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_answer_over_udp_is_ok),
		cmocka_unit_test(a_right_answer_over_tcp_is_ok),
		cmocka_unit_test(a_tcp_answer_in_pieces_behind_a_strangers_is_ok),
		cmocka_unit_test(a_truncated_answer_is_asked_for_again_over_tcp_within_the_sample),
		cmocka_unit_test(a_truncated_answer_without_tcp_behind_it_times_out_and_says_so),
		cmocka_unit_test(silence_is_a_timeout_exactly_at_the_deadline),
		cmocka_unit_test(a_closed_udp_port_is_no_answer_at_the_moment_of_the_refusal),
		cmocka_unit_test(a_closed_tcp_port_is_no_answer_at_the_moment_of_the_refusal),
		cmocka_unit_test(a_connection_closed_without_an_answer_says_so),
		cmocka_unit_test(no_route_to_the_server_is_no_answer),
		cmocka_unit_test(what_does_not_match_the_question_is_ignored),
		cmocka_unit_test(what_does_not_match_the_question_does_not_end_the_wait),
		cmocka_unit_test(a_malformed_answer_is_wrong),
		cmocka_unit_test(error_answers_bear_their_name_and_reason),
		cmocka_unit_test(nxdomain_and_nodata_for_a_name_that_exists_are_wrong),
		cmocka_unit_test(the_answer_is_what_stands_at_the_end_of_the_cname_chain),
		cmocka_unit_test(a_cname_itself_can_be_asked_for_in_any_spelling),
		cmocka_unit_test(ttl_and_aa_of_the_answer_are_judged),
		cmocka_unit_test(thousands_in_flight_each_time_out_at_their_own_deadline),
		cmocka_unit_test(running_out_of_descriptors_is_the_harness_s_error),
		cmocka_unit_test(a_sample_whose_time_was_over_before_it_could_be_sent_is_the_harness_s_error),
		cmocka_unit_test(an_answer_read_after_the_deadline_is_a_timeout),
		cmocka_unit_test(closing_gives_up_what_is_in_flight_without_a_word),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
