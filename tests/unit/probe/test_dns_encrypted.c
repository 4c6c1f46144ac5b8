/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS over TLS and over HTTPS, and connections that are kept: what comes of a question.
 */
#include "tests/unit/probe/dns_rig.h"
#include "tests/unit/probe/fake_tls.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

struct secure {
	struct fake_tls *fake;
	struct sandbox *box;
	struct probe_server server;
	struct dns_probe probe;
	void *dns;
};

static struct secure *secure_new(struct dns_probe probe, int mode, enum ca_flaw flaw)
{
	struct secure *secure = calloc(1, sizeof(*secure));
	struct err err = {0};

	secure->server = sandbox_server("r1", "127.0.0.1");
	secure->server.tls_name = "r1";
	secure->probe = probe;
	secure->fake = fake_tls_new(probe.transport == DNS_DOT ? DOT_PORT : DOH_PORT, (enum fake_tls_mode)mode, flaw);
	secure->box = sandbox_new(&secure->server, 1);
	secure->box->ctx.ca_file = ca_bundle(secure->fake->ca);
	assert_int_equal(dns_ops.open(&secure->probe.probe, &secure->box->ctx, &secure->dns, &err), 0);
	return secure;
}

static void secure_free(struct secure *secure)
{
	dns_ops.close(secure->dns);
	fake_tls_free(secure->fake);
	sandbox_free(secure->box);
	free(secure);
}

static struct seen secure_ask(struct secure *secure)
{
	size_t i = secure->box->count;

	dns_ops.ask(secure->dns, (int64_t)i, sandbox_now(secure->box));
	sandbox_await(secure->box, i + 1);
	return secure->box->seen[i];
}

static struct seen ask_secure(struct dns_probe probe, int mode, enum ca_flaw flaw)
{
	struct secure *secure = secure_new(probe, mode, flaw);
	struct seen seen = secure_ask(secure);

	secure_free(secure);
	return seen;
}

static struct dns_probe kept(int64_t timeout_ns, int64_t transport)
{
	struct dns_probe probe = www(timeout_ns, transport);

	probe.connection = DNS_CONNECTION_KEEP;
	return probe;
}

static void right_answers_are_ok(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		struct seen seen = ask_secure(www(PATIENT, transport), FAKE_TLS_ANSWERS, CA_SOUND);

		assert_string_equal(seen.detail, "");
		assert_int_equal(seen.outcome, OUTCOME_OK);
		assert_string_equal(seen.answer, "192.0.2.8|192.0.2.80");
		assert_true(seen.sent_ns >= seen.due_ns && seen.done_ns >= seen.sent_ns);
	}
}

static void a_bad_certificate_is_no_answer_and_its_flaw_is_named(void **state UNUSED)
{
	static const struct {
		enum ca_flaw flaw;
		const char *words;
	} cases[] = {
		{CA_EXPIRED, "certificate has expired"},
		{CA_NOT_YET_VALID, "certificate is not yet valid"},
		{CA_SELF_SIGNED, "self-signed certificate"},
		{CA_UNKNOWN_CA, "unable to get local issuer certificate"},
	};

	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct seen seen = ask_secure(www(PATIENT, transport), FAKE_TLS_ANSWERS, cases[i].flaw);

			assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
			assert_ptr_equal(strstr(seen.detail, "refused: TLS handshake failed: "), seen.detail);
			assert_non_null(strstr(seen.detail, cases[i].words));
			assert_true(seen.done_ns < seen.due_ns + PATIENT); /* when it was refused */
		}
	}
}

static void a_certificate_for_another_name_is_no_answer(void **state UNUSED)
{
	struct dns_probe probe = www(PATIENT, DNS_DOT);
	struct seen dot = ask_secure(probe, FAKE_TLS_ANSWERS, CA_WRONG_NAME);
	struct seen doh = ask_secure(www(PATIENT, DNS_DOH), FAKE_TLS_ANSWERS, CA_WRONG_NAME);

	assert_int_equal(dot.outcome, OUTCOME_TIMEOUT);
	assert_string_equal(dot.detail, "refused: TLS handshake failed: hostname mismatch");
	assert_int_equal(doh.outcome, OUTCOME_TIMEOUT);
	assert_non_null(strstr(doh.detail, "TLS handshake failed: "));
	probe.tls_name.value = "wrong.invalid";
	assert_int_equal(ask_secure(probe, FAKE_TLS_ANSWERS, CA_WRONG_NAME).outcome, OUTCOME_OK);
}

static void nobody_at_the_port_is_a_refused_connection(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		struct secure *secure = secure_new(www(PATIENT, transport), FAKE_TLS_ANSWERS, CA_SOUND);
		struct seen seen;

		kill(secure->fake->pid, SIGKILL);
		waitpid(secure->fake->pid, NULL, 0);
		seen = secure_ask(secure);
		assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
		assert_string_equal(seen.detail, "refused: connection refused");
		secure_free(secure);
	}
}

static void a_timeout_says_how_far_it_came(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		struct seen mute = ask_secure(www(SEC, transport), FAKE_TLS_MUTE, CA_SOUND);
		struct seen silent = ask_secure(www(SEC, transport), FAKE_TLS_SILENT, CA_SOUND);

		assert_int_equal(mute.outcome, OUTCOME_TIMEOUT);
		assert_string_equal(mute.detail, "no answer within 1s: the TLS handshake did not end");
		assert_int_equal(mute.done_ns, mute.due_ns + SEC);
		assert_int_equal(silent.outcome, OUTCOME_TIMEOUT);
		assert_string_equal(silent.detail, "no answer within 1s");
	}
}

static void a_connection_closed_without_an_answer_says_so(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		struct seen seen = ask_secure(www(PATIENT, transport), FAKE_TLS_CLOSES, CA_SOUND);

		assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
		assert_ptr_equal(strstr(seen.detail, "refused: "), seen.detail);
	}
}

static void http_without_a_dns_answer_is_no_answer_and_says_what_came(void **state UNUSED)
{
	struct seen status = ask_secure(www(PATIENT, DNS_DOH), FAKE_TLS_503, CA_SOUND);
	struct seen page = ask_secure(www(PATIENT, DNS_DOH), FAKE_TLS_HTML, CA_SOUND);

	assert_int_equal(status.outcome, OUTCOME_TIMEOUT);
	assert_string_equal(status.detail, "refused: HTTP status 503");
	assert_int_equal(page.outcome, OUTCOME_TIMEOUT);
	assert_string_equal(page.detail,
			    "refused: HTTP content type text/html; charset=utf-8, not application/dns-message");
}

static void http_with_another_or_a_broken_message_is_wrong(void **state UNUSED)
{
	struct seen other = ask_secure(www(PATIENT, DNS_DOH), FAKE_TLS_OTHER_QUESTION, CA_SOUND);
	struct seen cut = ask_secure(www(PATIENT, DNS_DOH), FAKE_TLS_CUT, CA_SOUND);
	struct seen endless = ask_secure(www(PATIENT, DNS_DOH), FAKE_TLS_ENDLESS, CA_SOUND);

	assert_int_equal(other.outcome, OUTCOME_WRONG);
	assert_string_equal(other.detail, "the answer is not to this question");
	assert_int_equal(cut.outcome, OUTCOME_WRONG);
	assert_string_equal(cut.detail, "malformed answer");
	assert_int_equal(endless.outcome, OUTCOME_WRONG);
	assert_string_equal(endless.detail, "malformed answer: longer than a DNS message can be");
}

static void a_connection_of_its_own_for_each_question_or_one_for_all(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		struct secure *each = secure_new(www(PATIENT, transport), FAKE_TLS_ANSWERS, CA_SOUND);
		struct secure *all;

		for (int i = 0; i < 3; i++)
			assert_int_equal(secure_ask(each).outcome, OUTCOME_OK);
		assert_int_equal(*each->fake->connections, 3);
		secure_free(each);
		all = secure_new(kept(PATIENT, transport), FAKE_TLS_ANSWERS, CA_SOUND);
		for (int i = 0; i < 3; i++)
			assert_int_equal(secure_ask(all).outcome, OUTCOME_OK);
		assert_int_equal(*all->fake->connections, 1);
		secure_free(all);
	}
}

static void questions_in_flight_at_once_share_a_kept_connection(void **state UNUSED)
{
	struct secure *secure = secure_new(kept(PATIENT, DNS_DOT), FAKE_TLS_ANSWERS, CA_SOUND);

	for (int i = 0; i < 20; i++)
		dns_ops.ask(secure->dns, i, sandbox_now(secure->box));
	sandbox_await(secure->box, 20);
	for (int i = 0; i < 20; i++)
		assert_int_equal(secure->box->seen[i].outcome, OUTCOME_OK);
	assert_int_equal(*secure->fake->connections, 1);
	secure_free(secure);
}

static void a_kept_connection_that_the_server_closed_is_replaced_without_a_lost_sample(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		struct secure *secure = secure_new(kept(PATIENT, transport), FAKE_TLS_ANSWERS_ONCE, CA_SOUND);

		for (int i = 0; i < 3; i++)
			assert_int_equal(secure_ask(secure).outcome, OUTCOME_OK);
		assert_int_equal(*secure->fake->connections, 3);
		secure_free(secure);
	}
}

static void a_kept_connection_that_says_nothing_is_given_up_with_the_question(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		struct secure *secure = secure_new(kept(SEC, transport), FAKE_TLS_SILENT, CA_SOUND);

		for (int i = 0; i < 2; i++)
			assert_int_equal(secure_ask(secure).outcome, OUTCOME_TIMEOUT);
		assert_int_equal(*secure->fake->connections, 2);
		secure_free(secure);
	}
}

static void running_out_of_descriptors_is_the_harness_s_error(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		struct secure *secure = secure_new(www(PATIENT, transport), FAKE_TLS_ANSWERS, CA_SOUND);
		struct seen seen;

		secure->box->host.fail_with = EMFILE;
		seen = secure_ask(secure);
		assert_int_equal(seen.outcome, OUTCOME_ERROR);
		assert_non_null(strstr(seen.detail, "too many open files"));
		secure_free(secure);
	}
}

static void closing_gives_up_what_is_in_flight_without_a_word(void **state UNUSED)
{
	for (int transport = DNS_DOT; transport <= DNS_DOH; transport++) {
		for (int keep = 0; keep < 2; keep++) {
			struct dns_probe probe = keep ? kept(PATIENT, transport) : www(PATIENT, transport);
			struct secure *secure = secure_new(probe, FAKE_TLS_SILENT, CA_SOUND);

			for (int i = 0; i < 10; i++)
				dns_ops.ask(secure->dns, i, sandbox_now(secure->box));
			event_base_loop(secure->box->base, EVLOOP_ONCE);
			assert_int_equal(secure->box->count, 0);
			secure_free(secure);
		}
	}
}

static int set_up(void **state)
{
	signal(SIGPIPE, SIG_IGN); /* as main() does */
	return sandbox_enter(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_answers_are_ok),
		cmocka_unit_test(a_bad_certificate_is_no_answer_and_its_flaw_is_named),
		cmocka_unit_test(a_certificate_for_another_name_is_no_answer),
		cmocka_unit_test(nobody_at_the_port_is_a_refused_connection),
		cmocka_unit_test(a_timeout_says_how_far_it_came),
		cmocka_unit_test(a_connection_closed_without_an_answer_says_so),
		cmocka_unit_test(http_without_a_dns_answer_is_no_answer_and_says_what_came),
		cmocka_unit_test(http_with_another_or_a_broken_message_is_wrong),
		cmocka_unit_test(a_connection_of_its_own_for_each_question_or_one_for_all),
		cmocka_unit_test(questions_in_flight_at_once_share_a_kept_connection),
		cmocka_unit_test(a_kept_connection_that_the_server_closed_is_replaced_without_a_lost_sample),
		cmocka_unit_test(a_kept_connection_that_says_nothing_is_given_up_with_the_question),
		cmocka_unit_test(running_out_of_descriptors_is_the_harness_s_error),
		cmocka_unit_test(closing_gives_up_what_is_in_flight_without_a_word),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
