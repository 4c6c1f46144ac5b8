/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records that the server did not send, options of EDNS, signatures and proofs, queries changed on their way, ways of sending.
 */
#include "tests/unit/injectors/proxy/drill.h"

static void records_are_added_to_their_sections(void **state)
{
	drill_becomes(
		*state,
		"add: '@ 60 IN A 198.51.100.1', add_authority: 'com. 60 NS x.', add_additional: 'x. 60 A 203.0.113.1'",
		BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS),
		BYTES(HEAD("\x85\0", "\0\1\0\2\0\1\0\2") QUESTION WWW A_REST("\0\0\1\x2c") WWW
		      "\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\1"
		      "\xc0\x18\0\2\0\1\0\0\0\x3c\0\3\1x\0" OPT "\1x\0\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\1"));
}

static void records_are_replaced_by_type_and_only_where_there_are_some(void **state)
{
	drill_becomes(*state, "replace: '@ 60 IN A 198.51.100.1'", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\0") QUESTION WWW "\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\1"));
	drill_rules(*state, "- {do: {replace: '@ 60 IN MX 1 .'}}\n");
	drill_passes(*state, BYTES(QUERY), BYTES(ANSWER));
}

#define CNAME_TO(name) "\0\5\0\1\0\0\1\x2c" name

/* c1.example.com: the label, and a pointer to "example" in the question, at 16. */
static void a_chain_of_cnames_leads_to_the_answer(void **state)
{
	drill_becomes(*state, "cname_chain: 1", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\1\0\2\0\0\0\0") QUESTION WWW CNAME_TO(
			      "\0\x10\2c1\7example\3com\0") "\2c1\xc0\x10" A_REST("\0\0\1\x2c")));
}

/* A name of the chain gets what is left of it. */
static void a_chain_goes_on_where_it_is_asked(void **state)
{
#define C1 "\2c1\7example\3com\0\0\1\0\1"
	static const char query[] = HEAD("\1\0", "\0\1\0\0\0\0\0\0") C1;
	static const char answer[] = HEAD("\x85\0", "\0\1\0\1\0\0\0\0") C1 WWW A_REST("\0\0\1\x2c");

	drill_becomes(*state, "cname_chain: 2", BYTES(query), BYTES(answer),
		      BYTES(HEAD("\x85\0", "\0\1\0\2\0\0\0\0")
				    C1 WWW CNAME_TO("\0\x10\2c2\7example\3com\0") "\2c2\xc0\x0f" A_REST("\0\0\1\x2c")));
	drill_rules(*state, "- {do: {cname_chain: 1}}\n");
	drill_passes(*state, BYTES(query), BYTES(answer));
}

static void a_loop_of_one_cname_points_to_itself(void **state)
{
	drill_becomes(*state, "cname_loop: 1", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\0") QUESTION WWW CNAME_TO("\0\x11" QNAME)));
}

/* The first two of the addresses for documentation; and OPT is still there. */
static void a_huge_answer_is_as_large_as_asked_or_a_record_more(void **state)
{
	drill_becomes(*state, "huge: 80B", BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS),
		      BYTES(HEAD("\x85\0", "\0\1\0\3\0\0\0\1") QUESTION WWW A_REST("\0\0\1\x2c") WWW
			    "\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1" WWW "\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\2" OPT));
}

static void a_huge_answer_that_the_client_cannot_take_is_truncated_over_udp_alone(void **state)
{
	struct drill *drill = *state;

	drill_becomes(drill, "huge: 600B", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x87\0", "\0\1\0\0\0\0\0\0") QUESTION));
	drill->transport = DECIDE_TCP;
	drill_rules(drill, "- {do: {huge: 65535B}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_true(drill->out.send[0].len > 65000);
	assert_false(drill->out.send[0].msg[2] & 2);
}

static void glue_is_taken_out_or_leads_nowhere(void **state)
{
#define REFERRAL(counts, glue) BYTES(HEAD("\x81\0", counts) QUESTION "\xc0\x10\0\2\0\1\0\0\1\x2c\0\5\2ns\xc0\x10" glue)
#define GLUE(address) "\xc0\x2d\0\1\0\1\0\0\1\x2c\0\4" address /* its owner is in the NS record's data, at 45 */
	drill_becomes(*state, "glue: wrong", BYTES(QUERY), REFERRAL("\0\1\0\0\0\1\0\1", GLUE("\xc0\0\2\1")),
		      REFERRAL("\0\1\0\0\0\1\0\1", GLUE("\xcb\0\x71\xfe")));
	drill_becomes(*state, "glue: missing", BYTES(QUERY), REFERRAL("\0\1\0\0\0\1\0\1", GLUE("\xc0\0\2\1")),
		      BYTES(HEAD("\x81\0", "\0\1\0\0\0\1\0\0") QUESTION "\xc0\x10\0\2\0\1\0\0\1\x2c\0\5\2ns\xc0\x10"));
	drill_rules(*state, "- {do: {glue: missing}}\n");
	drill_passes(*state, BYTES(QUERY), BYTES(ANSWER));
}

/* An RRSIG over A: algorithm, labels, original TTL, expiration, inception, tag, the signer "ns.", three octets of signature. */
#define SIGNED(alg, labels, expiration, inception, tag, signer)                                        \
	BYTES(HEAD("\x85\0", "\0\1\0\2\0\0\0\1") QUESTION WWW A_REST("\0\0\1\x2c") WWW                 \
	      "\0\x2e\0\1\0\0\1\x2c\0\x19\0\1" alg labels "\0\0\1\x2c" expiration inception tag signer \
	      "sig" OPT_WITH_DO)

static void signatures_are_wrong_in_the_one_field_that_was_asked_for(void **state)
{
	static const char *const soon = "signatures: ";
	const struct bytes sound = SIGNED("\xd", "\3", "\x6f\0\0\0", "\x6e\0\0\0", "\0\x2a", "\2ns\0");
	const struct {
		const char *how;
		struct bytes want;
	} cases[] = {
		{"wrong-algorithm", SIGNED("\x8", "\3", "\x6f\0\0\0", "\x6e\0\0\0", "\0\x2a", "\2ns\0")},
		{"wrong-labels", SIGNED("\xd", "\4", "\x6f\0\0\0", "\x6e\0\0\0", "\0\x2a", "\2ns\0")},
		{"wrong-key-tag", SIGNED("\xd", "\3", "\x6f\0\0\0", "\x6e\0\0\0", "\0\x2b", "\2ns\0")},
		{"wrong-signer", SIGNED("\xd", "\3", "\x6f\0\0\0", "\x6e\0\0\0", "\0\x2a", "\2os\0")},
		/* 2001-02-01 and 2001-01-01, 2060-02-01 and 2060-01-01 */
		{"expired", SIGNED("\xd", "\3", "\x3a\x78\xa7\x00", "\x3a\x4f\xc8\x80", "\0\x2a", "\2ns\0")},
		{"not-yet-valid", SIGNED("\xd", "\3", "\xa9\x71\xfa\x80", "\xa9\x49\x1c\x00", "\0\x2a", "\2ns\0")},
	};
	char todo[64];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(todo, sizeof(todo), "%s%s", soon, cases[i].how);
		drill_becomes(*state, todo, BYTES(QUERY_DO), sound, cases[i].want);
	}
}

/* The proof that www.example.com has MX and no A: next name "z.example.com", one window of two octets. */
#define NSEC(owner, next, types) \
	BYTES(HEAD("\x85\0", "\0\1\0\0\0\1\0\0") QUESTION owner "\0\x2f\0\1\0\0\1\x2c\0\7" next "\0\0\2" types)
/* RFC 5155: SHA-1, no flags, no iterations, no salt, a hash of two octets. */
#define NSEC3(next, types)                                                                                  \
	BYTES(HEAD("\x85\0", "\0\1\0\0\0\1\0\0") QUESTION "\2ab\xc0\x10\0\x32\0\1\0\0\1\x2c\0\xb\1\0\0\0\0" \
							  "\2" next "\0\2" types "\0")

static void proofs_claim_another_next_name_or_other_types(void **state)
{
	drill_becomes(*state, "denial: wrong-next", BYTES(QUERY), NSEC(WWW, "\1z", "\0\1"), NSEC(WWW, "\1a", "\0\1"));
	drill_becomes(*state, "denial: wrong-types", BYTES(QUERY), NSEC(WWW, "\1z", "\0\1"),
		      NSEC(WWW, "\1z", "\x40\1"));
	drill_becomes(*state, "denial: wrong-next", BYTES(QUERY), NSEC3("\1\2", "\0\1"), NSEC3("\x81\2", "\0\1"));
	drill_becomes(*state, "denial: wrong-types", BYTES(QUERY), NSEC3("\1\2", "\0\1"), NSEC3("\1\2", "\x40\1"));
	drill_becomes(*state, "denial: other-name", BYTES(QUERY), NSEC(WWW, "\1z", "\0\1"),
		      NSEC("\3xww\xc0\x10", "\1z", "\0\1"));
}

#undef NSEC
#undef NSEC3

#define OPT_OF(flags, len, options) "\0\0\x29\x04\xd0\0\0" flags len options
#define ASKS(len, options) BYTES(HEAD("\1\0", "\0\1\0\0\0\0\0\1") QUESTION OPT_OF("\0\0", len, options))
#define SAYS(len, options) \
	BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\1") QUESTION WWW A_REST("\0\0\1\x2c") OPT_OF("\0\0", len, options))
#define COOKIE        \
	"\0\x0a\0\x8" \
	"abcdefgh"
#define COOKIES(client)                 \
	"\0\x0a\0\x10" client "bcdefgh" \
	"serverXY"
#define SUBNET(scope, first) "\0\x8\0\x7\0\1\x18" scope first "\x33\x64" /* 198.51.100.0/24: RFC 7871 section 6 */

static void cookies_are_wrong_gone_or_bad(void **state)
{
	drill_becomes(*state, "cookie: wrong", ASKS("\0\xc", COOKIE), SAYS("\0\x14", COOKIES("a")),
		      SAYS("\0\x14", COOKIES("\x9e")));
	drill_becomes(*state, "cookie: missing", ASKS("\0\xc", COOKIE), SAYS("\0\x14", COOKIES("a")), SAYS("\0\0", ""));
	/* RCODE 23: 1 in OPT, 7 in the header */
	drill_becomes(*state, "cookie: badcookie", ASKS("\0\xc", COOKIE), SAYS("\0\x14", COOKIES("a")),
		      BYTES(HEAD("\x81\7", "\0\1\0\0\0\0\0\1") QUESTION "\0\0\x29\x04\xd0\1\0\0\0\0\x14" COOKIES("a")));
	drill_rules(*state, "- {do: {cookie: badcookie}}\n");
	drill_passes(*state, BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS));
}

static void client_subnets_have_another_scope_or_network(void **state)
{
	drill_becomes(*state, "subnet_scope: 16", ASKS("\0\xb", SUBNET("\0", "\xc6")), SAYS("\0\0", ""),
		      SAYS("\0\xb", SUBNET("\x10", "\xc6")));
	drill_becomes(*state, "subnet: other-network", ASKS("\0\xb", SUBNET("\0", "\xc6")),
		      SAYS("\0\xb", SUBNET("\x18", "\xc6")), SAYS("\0\xb", SUBNET("\x18", "\x86")));
	drill_becomes(*state, "subnet: missing", ASKS("\0\xb", SUBNET("\0", "\xc6")),
		      SAYS("\0\xb", SUBNET("\x18", "\xc6")), SAYS("\0\0", ""));
}

static void options_that_the_server_did_not_answer_are_echoed(void **state)
{
	drill_becomes(*state, "edns_echo: true", ASKS("\0\xf", "\xfd\xe9\0\3abc\0\3\0\0\xfd\xea\0\0"),
		      SAYS("\0\6", "\0\3\0\2us"), SAYS("\0\x11", "\0\3\0\2us\xfd\xe9\0\3abc\xfd\xea\0\0"));
	drill_becomes(*state, "nsid: wrong", ASKS("\0\4", "\0\3\0\0"), SAYS("\0\6", "\0\3\0\2us"),
		      SAYS("\0\x9", "\0\3\0\5wrong"));
	drill_becomes(*state, "nsid: missing", ASKS("\0\4", "\0\3\0\0"), SAYS("\0\6", "\0\3\0\2us"), SAYS("\0\0", ""));
}

/* A query that a rule changes, as the server gets it. */
static void expect_query(struct drill *drill, struct bytes query, struct bytes want)
{
	struct decide_memo memo = {0};
	struct decide_in in = {.direction = DECIDE_QUERY, .len = query.len, .memo = &memo};

	in.msg = drill_copy(drill, 0, query);
	drill_decide(drill, &in);
	assert_int_equal(drill->out.count, 1);
	assert_int_equal(drill->out.send[0].to, DECIDE_TO_SERVER);
	assert_int_equal(drill->out.send[0].len, want.len);
	assert_memory_equal(drill->out.send[0].msg, want.v, want.len);
}

static void the_server_is_told_another_size_and_not_of_do(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {edns_size: 512B, ignore_do: true}}\n");
	expect_query(drill, BYTES(QUERY_DO),
		     BYTES(HEAD("\1\0", "\0\1\0\0\0\0\0\1") QUESTION "\0\0\x29\2\0\0\0\0\0\0\0"));
	assert_int_equal(drill->rules.v[0]->done, 1);
	drill_passes(drill, BYTES(QUERY), BYTES(ANSWER)); /* no EDNS: not for this rule */
	assert_int_equal(drill->rules.v[0]->matched, 1);
}

static void a_query_and_its_answer_are_done_once(void **state)
{
	struct drill *drill = *state;
	struct decide_memo memo = {0};
	struct decide_in in = {.direction = DECIDE_QUERY, .memo = &memo, .len = sizeof(QUERY_DO) - 1};

	drill_rules(drill, "- {do: {edns_size: 512B, tc: set}}\n");
	in.msg = drill_copy(drill, 0, BYTES(QUERY_DO));
	drill_decide(drill, &in);
	in = (struct decide_in){.direction = DECIDE_ANSWER, .memo = &memo, .len = sizeof(ANSWER_EDNS) - 1};
	in.query = drill->copies[0];
	in.query_len = sizeof(QUERY_DO) - 1;
	in.msg = drill_copy(drill, 1, BYTES(ANSWER_EDNS));
	drill_decide(drill, &in);
	assert_true(drill->out.send[0].msg[2] & 2);
	assert_int_equal(drill->rules.v[0]->done, 1);
}

static void referrals_lead_to_the_zone_itself_or_in_circles(void **state)
{
	drill_becomes(*state, "lame: self-referral, zone: com", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x81\0", "\0\1\0\0\0\1\0\1") QUESTION
			    "\xc0\x18\0\2\0\1\0\0\1\x2c\0\x8\2ns\3com\0\2ns\xc0\x18\0\1\0\1\0\0\1\x2c\0"
			    "\4\xc6\x33\x64\1"));
	drill_becomes(*state, "lame: referral-loop, zone: com", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x81\0", "\0\1\0\0\0\1\0\0") QUESTION
			    "\xc0\x10\0\2\0\1\0\0\1\x2c\0\xf\2ns\6loop-a\3com\0"));
}

static void an_invented_soa_is_of_the_zone_that_is_given(void **state)
{
	drill_becomes(*state, "nodata: right-soa, zone: com", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\1\0\0\0\1\0\0") QUESTION
			    "\xc0\x18\0\6\0\1\0\0\1\x2c\0\x1e\3com\0\3com\0\0\0\0\1\0\0\xe\x10\0\0\2\x58\0\1"
			    "\x51\x80\0\0\1\x2c"));
}

static void ttls_move_by_no_more_than_the_jitter(void **state)
{
	struct drill *drill = *state;
	bool has_less = false, has_more = false;

	drill_rules(drill, "- {do: {ttl_jitter: 100s}}\n");
	for (int i = 0; i < 100; i++) {
		uint32_t ttl;

		drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
		ttl = msg_u32(drill->out.send[0].msg + sizeof(ANSWER) - 1 - 10);
		assert_in_range(ttl, 200, 400);
		has_less |= ttl < 250;
		has_more |= ttl > 350;
	}
	assert_true(has_less && has_more);
}

static void a_question_becomes_lower_case_and_its_answer_with_it(void **state)
{
	drill_becomes(*state, "question: lower-case",
		      BYTES(HEAD("\1\0", "\0\1\0\0\0\0\0\0") "\3wWw\7eXample\3com\0\0\1\0\1"),
		      BYTES(HEAD("\x85\0", "\0\1\0\0\0\0\0\0") "\3wWw\7eXample\3com\0\0\1\0\1"),
		      BYTES(HEAD("\x85\0", "\0\1\0\0\0\0\0\0") QUESTION));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRILL_TEST(records_are_added_to_their_sections),
		DRILL_TEST(records_are_replaced_by_type_and_only_where_there_are_some),
		DRILL_TEST(a_chain_of_cnames_leads_to_the_answer),
		DRILL_TEST(a_chain_goes_on_where_it_is_asked),
		DRILL_TEST(a_loop_of_one_cname_points_to_itself),
		DRILL_TEST(a_huge_answer_is_as_large_as_asked_or_a_record_more),
		DRILL_TEST(a_huge_answer_that_the_client_cannot_take_is_truncated_over_udp_alone),
		DRILL_TEST(glue_is_taken_out_or_leads_nowhere),
		DRILL_TEST(signatures_are_wrong_in_the_one_field_that_was_asked_for),
		DRILL_TEST(proofs_claim_another_next_name_or_other_types),
		DRILL_TEST(cookies_are_wrong_gone_or_bad),
		DRILL_TEST(client_subnets_have_another_scope_or_network),
		DRILL_TEST(options_that_the_server_did_not_answer_are_echoed),
		DRILL_TEST(the_server_is_told_another_size_and_not_of_do),
		DRILL_TEST(a_query_and_its_answer_are_done_once),
		DRILL_TEST(referrals_lead_to_the_zone_itself_or_in_circles),
		DRILL_TEST(an_invented_soa_is_of_the_zone_that_is_given),
		DRILL_TEST(ttls_move_by_no_more_than_the_jitter),
		DRILL_TEST(a_question_becomes_lower_case_and_its_answer_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
