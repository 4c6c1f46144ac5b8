/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which messages the newer keys fit, limited rates, and how answers travel: when, from where, over which stream.
 */
#include "tests/unit/injectors/proxy/drill.h"

#include "injectors/proxy/rate.h"

#define REFUSES(yaml, place, text) drill_refuse(*state, yaml, place, text)

static void what_leaves_nothing_for_the_rest_is_refused(void **state)
{
	REFUSES("- {do: {tcp: reset, delay: 1s}}", "1:8", "tcp leaves nothing for other keys");
	REFUSES("- {do: {drop: answer, tcp: reset}}", "1:8", "drop leaves nothing");
	REFUSES("- {do: {cname_chain: 2, cname_loop: 2}}", "1:8", "a loop has no end");
	REFUSES("- {do: {rcode: SERVFAIL, signatures: expired}}", "1:8",
		"leaves no records of the server for signatures");
	REFUSES("- {do: {edns: strip, cookie: wrong}}", "1:8", "no place for cookie");
	REFUSES("- {do: {subnet: missing, subnet_scope: 3}}", "1:8", "leaves nothing for subnet_scope");
	REFUSES("- {do: {slip: 2}}", "1:8", "slip goes with drop: answer");
	REFUSES("- {do: {tc: set, zone: com}}", "1:24", "zone goes with");
	REFUSES("- {do: {tcp_pause: 1s}}", "1:8", "tcp_pause goes with tcp_pieces");
	REFUSES("- {do: {delay: 1s, distribution: pareto}}", "1:8", "add e.g. jitter");
	REFUSES("- {do: {ttl_jitter: 1500ms}}", "1:8", "whole seconds");
	REFUSES("- {do: {tcp_length: 0}}", "1:8", "is the right length");
}

static void what_can_never_act_is_refused(void **state)
{
	REFUSES("- {match: {transport: udp}, do: {tcp: reset}}", "1:3", "tcp is for TCP and DoT");
	REFUSES("- {match: {transport: doh}, do: {tcp_cut: 1B}}", "1:3", "tcp_cut is for TCP");
	REFUSES("- {match: {transport: dot}, do: {source_port: 1}}", "1:3", "source_port is for UDP");
	REFUSES("- {match: {transport: udp}, do: {tcp_cut: 5B}}", "1:3", "tcp_cut is for TCP");
	REFUSES("- {match: {transport: tcp}, do: {source_port: 5}}", "1:3", "source_port is for UDP");
	REFUSES("- {do: {source_port: 5, tcp_cut: 5B}}", "1:8", "no query is both");
	REFUSES("- {match: {qname: a.example}, do: {tcp: refuse}}", "1:11", "before there is a query");
	REFUSES("- {match: {do: false}, do: {ignore_do: true}}", "1:3", "ignore_do takes it");
	REFUSES("- {match: {edns: false}, do: {edns_size: 512B}}", "1:3", "do needs EDNS");
	REFUSES("- {match: {answer: nodata, rcode: REFUSED}, do: {drop: answer}}", "1:11", "is NOERROR");
	REFUSES("- {match: {answer: nodata}, do: {drop: query}}", "1:33", "kind could match");
}

static void invented_records_need_documentation_addresses_or_unsafe(void **state)
{
	REFUSES("- {do: {add: \"@ A 8.8.8.8\"}}", "1:14", "outside the ranges");
	REFUSES("- {do: {replace: [\"@ A 192.0.2.1\", \"@ AAAA 2a00::1\"]}}", "1:36", "replace: @ AAAA 2a00::1");
	REFUSES("- {do: {add: \"@ A\"}}", "1:14", "is no record");
	REFUSES("- {do: {add: \"\"}}", "1:14", "");
	drill_rules(*state, "- {unsafe: true, do: {add: \"@ A 8.8.8.8\"}}\n");
}

static void expect_matched(struct drill *drill, const char *match, struct bytes query, struct bytes answer, bool fits)
{
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "- {match: {%s}, do: {tc: set}}\n", match);
	drill_rules(drill, yaml);
	drill_answer(drill, query, answer);
	assert_int_equal(drill->rules.v[0]->matched, fits);
}

#define ASKED(name) BYTES(HEAD("\1\0", "\0\1\0\0\0\0\0\0") name "\0\1\0\1")

static void mixed_case_and_few_labels_fit(void **state)
{
	expect_matched(*state, "case: mixed", ASKED("\3wWw\2ab\0"), BYTES(ANSWER), true);
	expect_matched(*state, "case: mixed", ASKED("\3WWW\2ab\0"), BYTES(ANSWER), true);
	expect_matched(*state, "case: mixed", ASKED("\3WWW\2AB\0"), BYTES(ANSWER), false);
	expect_matched(*state, "case: mixed", ASKED("\3www\2a1\0"), BYTES(ANSWER), false);
	expect_matched(*state, "case: uniform", ASKED("\3www\2a1\0"), BYTES(ANSWER), true);
	expect_matched(*state, "max_labels: 2", ASKED("\3www\2ab\0"), BYTES(ANSWER), true);
	expect_matched(*state, "max_labels: 1", ASKED("\3www\2ab\0"), BYTES(ANSWER), false);
	expect_matched(*state, "max_labels: 0", ASKED("\0"), BYTES(ANSWER), true);
}

#define SECTION(flags, counts, record) BYTES(HEAD(flags, counts) QUESTION record)

static void the_kind_of_the_answer_fits(void **state)
{
	const struct bytes nodata = SECTION("\x85\0", "\0\1\0\0\0\0\0\0", "");
	const struct bytes referral = SECTION("\x81\0", "\0\1\0\0\0\1\0\0", WWW "\0\2\0\1\0\0\1\x2c\0\1\0");
	const struct bytes refused = SECTION("\x81\5", "\0\1\0\0\0\0\0\0", "");

	expect_matched(*state, "answer: positive", BYTES(QUERY), BYTES(ANSWER), true);
	expect_matched(*state, "answer: positive", BYTES(QUERY), nodata, false);
	expect_matched(*state, "answer: nodata", BYTES(QUERY), nodata, true);
	expect_matched(*state, "answer: nodata", BYTES(QUERY), referral, false);
	expect_matched(*state, "answer: referral", BYTES(QUERY), referral, true);
	expect_matched(*state, "answer: nodata", BYTES(QUERY), refused, false);
}

static void a_rate_is_counted_per_network_and_second(void **state)
{
	struct rate *rate = calloc(1, sizeof(*rate));
	struct address a, beside, other, v6, v6_beside;

	(void)state;
	address_parse("192.0.2.7", &a);
	address_parse("192.0.2.200", &beside);
	address_parse("192.0.3.7", &other);
	address_parse("2001:db8:0:1::1", &v6);
	address_parse("2001:db8:0:ff::1", &v6_beside);
	assert_false(rate_is_above(rate, &a, 0, 2));
	assert_false(rate_is_above(rate, &beside, SEC - 1, 2));
	assert_true(rate_is_above(rate, &a, SEC - 1, 2));
	assert_false(rate_is_above(rate, &other, SEC - 1, 2));
	assert_false(rate_is_above(rate, &a, SEC, 2)); /* the next second */
	assert_false(rate_is_above(rate, &v6, SEC, 1));
	assert_true(rate_is_above(rate, &v6_beside, SEC, 1));
	free(rate);
}

static void slip_truncates_every_second_of_the_dropped(void **state)
{
	struct drill *drill = *state;
	unsigned counts[4];

	drill_rules(drill, "- {above: 1/s, do: {drop: answer, slip: 2}}\n");
	for (unsigned i = 0; i < 4; i++) {
		drill_answer(drill, BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS));
		counts[i] = drill->out.count;
		if (i == 2)
			drill_expect_bytes(&drill->out.send[0], BYTES(HEAD("\x83\0", "\0\1\0\0\0\0\0\1") QUESTION OPT));
	}
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 0);
	assert_int_equal(counts[2], 1);
	assert_int_equal(counts[3], 0);
	assert_int_equal(drill->rules.v[0]->done, 3);
}

static int64_t draw(struct drill *drill)
{
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	return drill->out.send[0].delay_ns;
}

/* Pareto of shape 3, as netem has it: nothing below 2/3 of a jitter under the mean, and now and then more than two above. */
static void delays_follow_their_distribution(void **state)
{
	struct drill *drill = *state;
	int64_t below = 0, far = 0;

	drill_rules(drill, "- {do: {delay: 100ms, jitter: 10ms, distribution: pareto}}\n");
	for (int i = 0; i < 2000; i++) {
		int64_t delay = draw(drill);

		assert_in_range(delay, 93 * MSEC, 140 * MSEC);
		below += delay < 100 * MSEC;
		far += delay > 120 * MSEC;
	}
	assert_in_range(below, 1300, 1500); /* 1 - 1.5^-3 of them: 1407 */
	assert_in_range(far, 50, 90); /* above 2 jitters: 3^-3 = 3.7 %: 74 */
	drill_rules(drill, "- {do: {delay: 100ms, jitter: 10ms, distribution: normal}}\n");
	far = 0;
	for (int i = 0; i < 2000; i++)
		far += draw(drill) > 110 * MSEC;
	assert_in_range(far, 260, 375); /* 15.87 %: 317 ± 3.5 deviations */
}

static void answers_leave_from_the_address_of_the_clients_family(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {source: [\"2001:db8::1\", 192.0.2.9], source_port: 99}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(drill->out.send[0].source.address.family, AF_INET);
	assert_int_equal(drill->out.send[0].source.address.bytes[3], 9);
	assert_int_equal(drill->out.send[0].source.port, 99);
	assert_int_equal(drill->rules.v[0]->done, 1);
	drill->transport = DECIDE_TCP;
	drill_passes(drill, BYTES(QUERY), BYTES(ANSWER));
}

/* Whether the query reaches the server; what becomes of the connection is in drill->out. */
static bool ask(struct drill *drill, const char *yaml)
{
	struct decide_memo memo;

	drill_rules(drill, yaml);
	drill->transport = DECIDE_TCP;
	return drill_query(drill, BYTES(QUERY), &memo);
}

static void connections_end_when_the_query_comes(void **state)
{
	struct drill *drill = *state;

	assert_false(ask(drill, "- {do: {tcp: reset}}\n"));
	assert_int_equal(drill->out.conn, DECIDE_CONN_RST);
	assert_false(ask(drill, "- {do: {tcp: stall}}\n"));
	assert_int_equal(drill->out.conn, DECIDE_CONN_STALL);
	assert_false(ask(drill, "- {do: {tcp: close}}\n"));
	assert_int_equal(drill->out.conn, DECIDE_CONN_CLOSE_AFTER_BYTES);
	assert_int_equal(drill->out.conn_bytes, 0);
	assert_true(ask(drill, "- {do: {tcp: refuse}}\n"));
	assert_int_equal(drill->rules.v[0]->seen[0].count, 0);
	drill->transport = DECIDE_UDP;
	drill_passes(drill, BYTES(QUERY), BYTES(ANSWER));
}

static bool is_refused(struct drill *drill, const struct address *client)
{
	struct decide_in in = {.client = client, .server = &drill->server, .transport = DECIDE_TCP};

	return decide_refuses(&drill->rules, &in, &drill->rng);
}

static void connections_are_refused_by_who_makes_them(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {match: {client: 192.0.2.0/24}, every: 2, do: {tcp: refuse}}\n");
	assert_true(is_refused(drill, &drill->client));
	assert_false(is_refused(drill, &drill->client));
	assert_false(is_refused(drill, &drill->server));
	assert_int_equal(drill->rules.v[0]->matched, 2);
	assert_int_equal(drill->rules.v[0]->done, 1);
}

static void answers_over_tcp_are_cut_misframed_and_in_pieces(void **state)
{
	struct drill *drill = *state;

	drill->transport = DECIDE_TCP;
	drill_rules(drill, "- {do: {tcp_cut: 7B, tcp_length: -3, tcp_pieces: 2B, tcp_pause: 5ms}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(drill->out.conn, DECIDE_CONN_CLOSE_AFTER_BYTES);
	assert_int_equal(drill->out.conn_bytes, 7);
	assert_int_equal(drill->out.send[0].stream.length_off, -3);
	assert_int_equal(drill->out.send[0].stream.piece_bytes, 2);
	assert_int_equal(drill->out.send[0].stream.pause_ns, 5 * MSEC);
	drill_expect_bytes(&drill->out.send[0], BYTES(ANSWER));
	assert_int_equal(drill->rules.v[0]->done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRILL_TEST(what_leaves_nothing_for_the_rest_is_refused),
		DRILL_TEST(what_can_never_act_is_refused),
		DRILL_TEST(invented_records_need_documentation_addresses_or_unsafe),
		DRILL_TEST(mixed_case_and_few_labels_fit),
		DRILL_TEST(the_kind_of_the_answer_fits),
		DRILL_TEST(a_rate_is_counted_per_network_and_second),
		DRILL_TEST(slip_truncates_every_second_of_the_dropped),
		DRILL_TEST(delays_follow_their_distribution),
		DRILL_TEST(answers_leave_from_the_address_of_the_clients_family),
		DRILL_TEST(connections_end_when_the_query_comes),
		DRILL_TEST(connections_are_refused_by_who_makes_them),
		DRILL_TEST(answers_over_tcp_are_cut_misframed_and_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
