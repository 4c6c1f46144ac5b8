/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of a message as a whole: passed, dropped, late, twice; which rule has it; what is counted.
 */
#include "tests/unit/injectors/proxy/drill.h"

static void without_rules_the_very_same_bytes_go_on(void **state)
{
	drill_passes(*state, BYTES(QUERY), BYTES(ANSWER));
}

/* Compression to odd places, mixed case, an option nobody knows (65001), bytes after the end. */
static void what_no_rule_takes_is_not_encoded_again(void **state)
{
	static const char query[] = HEAD("\1\0", "\0\1\0\0\0\0\0\1") "\3wWw\7eXaMpLe\3cOm\0\0\1\0\1"
								     "\0\0\x29\x10\0\0\0\x80\0\0\7\xfd\xe9\0\3abc";
	static const char answer[] = HEAD("\x85\0", "\0\1\0\2\0\0\0\1") "\3wWw\7eXaMpLe\3cOm\0\0\1\0\1"
									"\1a\xc0\x10\0\5\0\1\0\0\0\1\0\2\xc0\x14"
									"\xc0\x21\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"
									"\0\0\x29\x10\0\0\0\x80\0\0\7\xfd\xe9\0\3abc"
									"trailing";
	struct drill *drill = *state;

	drill_rules(drill, "- {match: {qname: other.example}, do: {rcode: SERVFAIL}}\n"
			   "- {match: {rcode: REFUSED}, do: {delay: 1s}}\n"
			   "- {do: {remove: AAAA, ttl_cap: 1000s}}\n");
	drill_passes(drill, BYTES(query), BYTES(answer));
}

static void malformed_messages_go_on_as_they_are(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {rcode: SERVFAIL}}\n");
	drill_passes(drill, BYTES(""), BYTES(""));
	drill_passes(drill, BYTES("\x12\x34\1"), BYTES(ANSWER)); /* a query that cannot be read */
	drill_passes(drill, BYTES(QUERY), BYTES("\x12\x34\x85\0\0\1"));
	/* an answer whose record is cut, and one whose CNAME points beyond its end */
	drill_passes(drill, BYTES(QUERY), BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\0") QUESTION WWW "\0\1\0\1"));
	drill_passes(drill, BYTES(QUERY),
		     BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\0") QUESTION WWW "\0\5\0\1\0\0\0\1\0\2\xc0\xff"));
	assert_int_equal(drill->rules.v[0]->done, 0);
}

static void a_dropped_query_goes_nowhere(void **state)
{
	struct drill *drill = *state;
	struct decide_memo memo;

	drill_rules(drill, "- {do: {drop: query}}\n");
	assert_false(drill_query(drill, BYTES(QUERY), &memo));
	assert_int_equal(drill->rules.v[0]->done, 1);
}

static void a_dropped_answer_was_asked_for(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {drop: answer}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(drill->out.count, 0);
	assert_int_equal(drill->rules.v[0]->done, 1);
}

static void a_delay_and_an_rcode_compose(void **state)
{
	struct drill *drill = *state;

	drill_becomes(drill, "delay: 50ms, rcode: SERVFAIL", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x81\2", "\0\1\0\0\0\0\0\0") QUESTION));
	assert_int_equal(drill->out.send[0].delay_ns, 50 * MSEC);
}

static void a_delayed_answer_is_not_changed(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {delay: 50ms}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_ptr_equal(drill->out.send[0].msg, drill->copies[1]);
	assert_int_equal(drill->out.send[0].delay_ns, 50 * MSEC);
}

/* 1,000 draws from ±10 ms: the chance that none is below 41 ms, or above 59 ms, is 0.95^1000, about 10^-23. */
static void jitter_spreads_the_delay_to_both_sides_and_no_further(void **state)
{
	struct drill *drill = *state;
	int64_t least = INT64_MAX, most = 0;

	drill_rules(drill, "- {do: {delay: 50ms, jitter: 10ms}}\n");
	for (unsigned i = 0; i < 1000; i++) {
		drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
		least = drill->out.send[0].delay_ns < least ? drill->out.send[0].delay_ns : least;
		most = drill->out.send[0].delay_ns > most ? drill->out.send[0].delay_ns : most;
	}
	assert_in_range(least, 40 * MSEC, 41 * MSEC);
	assert_in_range(most, 59 * MSEC, 60 * MSEC);
}

static void an_answer_can_come_twice(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {twice: true}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(drill->out.count, 2);
	drill_expect_bytes(&drill->out.send[0], BYTES(ANSWER));
	drill_expect_bytes(&drill->out.send[1], BYTES(ANSWER));
	assert_int_equal(drill->out.send[1].delay_ns, 0);
}

static void a_late_second_answer_follows_the_good_one(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {delay: 1s, again: 300ms, rcode: NXDOMAIN}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(drill->out.count, 2);
	drill_expect_bytes(&drill->out.send[0], BYTES(ANSWER));
	drill_expect_bytes(&drill->out.send[1], BYTES(HEAD("\x81\3", "\0\1\0\0\0\0\0\0") QUESTION));
	assert_int_equal(drill->out.send[0].delay_ns, SEC);
	assert_int_equal(drill->out.send[1].delay_ns, SEC + 300 * MSEC);
}

static void the_first_rule_that_fits_has_the_message(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {match: {qtype: AAAA}, do: {rcode: NOTIMP}}\n"
			   "- {match: {qtype: A}, do: {rcode: REFUSED}}\n"
			   "- {match: {qname: .example.com}, do: {rcode: SERVFAIL}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(drill->out.send[0].msg[3] & 0xf, 5);
	assert_ptr_equal(drill->out.rule, drill->rules.v[1]);
	assert_int_equal(rule_seen(drill->rules.v[0]), 1);
	assert_int_equal(drill->rules.v[0]->matched, 0);
	assert_int_equal(drill->rules.v[1]->matched, 1);
	assert_int_equal(rule_seen(drill->rules.v[2]), 0);
}

static void a_rule_on_the_rcode_waits_for_the_answer(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {match: {rcode: NXDOMAIN}, do: {rcode: SERVFAIL}}\n");
	drill_passes(drill, BYTES(QUERY), BYTES(ANSWER));
	drill_answer(drill, BYTES(QUERY), BYTES(HEAD("\x85\3", "\0\1\0\0\0\0\0\0") QUESTION));
	drill_expect_bytes(&drill->out.send[0], BYTES(HEAD("\x81\2", "\0\1\0\0\0\0\0\0") QUESTION));
	assert_int_equal(rule_seen(drill->rules.v[0]), 2);
	assert_int_equal(drill->rules.v[0]->matched, 1);
}

/* RCODE 16 is 1 in the OPT record and 0 in the header (RFC 6891 section 6.1.3). */
static void the_rcode_of_an_answer_is_the_full_one(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {match: {rcode: BADVERS}, do: {drop: answer}}\n");
	drill_passes(drill, BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS));
	drill_answer(drill, BYTES(QUERY_EDNS),
		     BYTES(HEAD("\x81\0", "\0\1\0\0\0\0\0\1") QUESTION "\0\0\x29\x04\xd0\1\0\0\0\0\0"));
	assert_int_equal(drill->out.count, 0);
}

static void a_rule_removed_meanwhile_leaves_the_answer_alone(void **state)
{
	struct drill *drill = *state;
	struct decide_memo memo;
	struct decide_in in = {.direction = DECIDE_ANSWER, .memo = &memo};
	struct rule *rule;

	drill_rules(drill, "- {do: {rcode: SERVFAIL}}\n");
	assert_true(drill_query(drill, BYTES(QUERY), &memo));
	assert_int_equal(memo.rule_id, 1);
	rule = rules_remove(&drill->rules, 1);
	assert_non_null(rule);
	assert_null(rules_remove(&drill->rules, 1));
	in.query = drill->copies[0];
	in.query_len = sizeof(QUERY) - 1;
	in.msg = drill_copy(drill, 1, BYTES(ANSWER));
	in.len = sizeof(ANSWER) - 1;
	drill_decide(drill, &in);
	assert_ptr_equal(drill->out.send[0].msg, in.msg);
	rule_fini(rule);
}

static void expect_pattern(struct drill *drill, const char *yaml, const char *pattern)
{
	struct decide_memo memo;

	drill_rules(drill, yaml);
	for (; *pattern; pattern++)
		assert_int_equal(drill_query(drill, BYTES(QUERY), &memo), *pattern == '.');
}

static void counts_choose_among_what_matches(void **state)
{
	struct drill *drill = *state;

	expect_pattern(drill, "- {do: {drop: query}, every: 3}", "x..x..x.");
	expect_pattern(drill, "- {do: {drop: query}, first: 2}", "xx.....");
	expect_pattern(drill, "- {do: {drop: query}, after: 2}", "..xxxxx");
	expect_pattern(drill, "- {do: {drop: query}, after: 1, first: 4, every: 2}", ".x.x....");
	assert_int_equal(drill->rules.v[0]->matched, 8);
	assert_int_equal(drill->rules.v[0]->done, 2);
}

/* 30 % of 10,000: the standard deviation is 46, so 250 away is more than five of them. The same seed chooses the same. */
static void a_share_is_met_and_a_seed_repeats_it(void **state)
{
	struct drill *drill = *state;
	struct decide_memo memo;
	uint64_t hash[2] = {0, 0};

	for (unsigned run = 0; run < 2; run++) {
		unsigned dropped = 0;

		drill_rules(drill, "- {do: {drop: query}, share: 30%}");
		drill->rng = rng_stream(7, "proxy");
		for (unsigned i = 0; i < 10000; i++) {
			bool is_dropped = !drill_query(drill, BYTES(QUERY), &memo);

			dropped += is_dropped;
			hash[run] = hash[run] * 31 + is_dropped;
		}
		assert_in_range(dropped, 2750, 3250);
	}
	assert_true(hash[0] == hash[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRILL_TEST(without_rules_the_very_same_bytes_go_on),
		DRILL_TEST(what_no_rule_takes_is_not_encoded_again),
		DRILL_TEST(malformed_messages_go_on_as_they_are),
		DRILL_TEST(a_dropped_query_goes_nowhere),
		DRILL_TEST(a_dropped_answer_was_asked_for),
		DRILL_TEST(a_delay_and_an_rcode_compose),
		DRILL_TEST(a_delayed_answer_is_not_changed),
		DRILL_TEST(jitter_spreads_the_delay_to_both_sides_and_no_further),
		DRILL_TEST(an_answer_can_come_twice),
		DRILL_TEST(a_late_second_answer_follows_the_good_one),
		DRILL_TEST(the_first_rule_that_fits_has_the_message),
		DRILL_TEST(a_rule_on_the_rcode_waits_for_the_answer),
		DRILL_TEST(the_rcode_of_an_answer_is_the_full_one),
		DRILL_TEST(a_rule_removed_meanwhile_leaves_the_answer_alone),
		DRILL_TEST(counts_choose_among_what_matches),
		DRILL_TEST(a_share_is_met_and_a_seed_repeats_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
