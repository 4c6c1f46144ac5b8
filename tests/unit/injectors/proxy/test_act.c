/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header, question, error answers, EDNS and bytes: what an answer becomes, octet by octet. Expected values follow RFC 1035 section 4.1 by hand.
 */
#include "tests/unit/injectors/proxy/drill.h"

#define EMPTY(flags) BYTES(HEAD(flags, "\0\1\0\0\0\0\0\0") QUESTION)
#define EMPTY_EDNS(flags, opt) BYTES(HEAD(flags, "\0\1\0\0\0\0\0\1") QUESTION opt)

/* AA (0x0400) goes: who cannot answer has no authority. The question stays. */
static void an_rcode_leaves_the_question_and_no_records(void **state)
{
	drill_becomes(*state, "rcode: SERVFAIL", BYTES(QUERY), BYTES(ANSWER), EMPTY("\x81\2"));
	drill_becomes(*state, "rcode: refused", BYTES(QUERY), BYTES(ANSWER), EMPTY("\x81\5"));
	drill_becomes(*state, "rcode: 4", BYTES(QUERY), BYTES(ANSWER), EMPTY("\x81\4"));
	drill_becomes(*state, "rcode: SERVFAIL", BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS), EMPTY_EDNS("\x81\2", OPT));
}

/* 23 is 0x17: 1 in the OPT record's first TTL octet, 7 in the header. */
static void an_extended_rcode_is_split_between_header_and_opt(void **state)
{
	drill_becomes(*state, "rcode: BADCOOKIE", BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS),
		      EMPTY_EDNS("\x81\7", "\0\0\x29\x04\xd0\1\0\0\0\0\0"));
	/* the server's answer has no OPT: a new one, and the query's DO flag in it */
	drill_becomes(*state, "rcode: RCODE4095", BYTES(QUERY_DO), BYTES(ANSWER),
		      EMPTY_EDNS("\x81\xf", "\0\0\x29\x04\xd0\xff\0\x80\0\0\0"));
}

static void what_needs_edns_leaves_other_queries_alone(void **state)
{
	static const char *const todos[] = {"rcode: BADVERS", "ede: 22",       "edns: strip",
					    "edns: formerr",  "edns: silence", "edns: badvers"};

	for (size_t i = 0; i < ARRAY_LEN(todos); i++) {
		char yaml[64];

		snprintf(yaml, sizeof(yaml), "- {do: {%s}}\n", todos[i]);
		drill_rules(*state, yaml);
		drill_passes(*state, BYTES(QUERY), BYTES(ANSWER));
	}
}

static void edns_can_be_stripped_refused_or_of_a_bad_version(void **state)
{
	struct decide_memo memo;

	drill_becomes(*state, "edns: strip", BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS), BYTES(ANSWER));
	drill_becomes(*state, "edns: formerr", BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS), EMPTY("\x81\1"));
	drill_becomes(*state, "edns: badvers", BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS),
		      EMPTY_EDNS("\x81\0", "\0\0\x29\x04\xd0\1\0\0\0\0\0"));
	drill_rules(*state, "- {do: {edns: silence}}\n");
	assert_false(drill_query(*state, BYTES(QUERY_EDNS), &memo));
	assert_true(drill_query(*state, BYTES(QUERY), &memo));
}

/* RFC 8914 section 2: option 15, its length, the code, the text. */
#define OPT_EDE "\0\0\x29\x04\xd0\0\0\0\0\0\x9\0\xf\0\5\0\x16hey"

static void an_extended_error_is_set_and_stripped(void **state)
{
	drill_becomes(*state, "rcode: SERVFAIL, ede: 22, ede_text: hey", BYTES(QUERY_EDNS), BYTES(ANSWER_EDNS),
		      EMPTY_EDNS("\x81\2", OPT_EDE));
	drill_becomes(*state, "ede_strip: true", BYTES(QUERY_EDNS), EMPTY_EDNS("\x81\2", OPT_EDE),
		      EMPTY_EDNS("\x81\2", OPT));
}

static void stripping_extended_errors_keeps_other_options(void **state)
{
	drill_becomes(*state, "ede_strip: true", BYTES(QUERY_EDNS),
		      EMPTY_EDNS("\x81\2", "\0\0\x29\x04\xd0\0\0\0\0\0\x10\xfd\xe9\0\0\0\xf\0\2\0\1\0\3\0\2id"),
		      EMPTY_EDNS("\x81\2", "\0\0\x29\x04\xd0\0\0\0\0\0\xa\xfd\xe9\0\0\0\3\0\2id"));
}

/* The zone of www.example.com is taken to be example.com, at 16 (12 and 4 for "www"). An SOA's data here: the name twice, and five numbers. */
#define NUMBERS "\0\0\0\1\0\0\xe\x10\0\0\2\x58\0\1\x51\x80\0\0\1\x2c"
#define ZONE "\7example\3com\0"
#define SOA "\xc0\x10\0\6\0\1\0\0\1\x2c\0\x2e" ZONE ZONE NUMBERS
#define WRONG_ZONE "\5wrong\7invalid\0"
#define WRONG_SOA WRONG_ZONE "\0\6\0\1\0\0\1\x2c\0\x32" WRONG_ZONE WRONG_ZONE NUMBERS

static void negative_answers_come_with_the_soa_without_or_with_a_wrong_one(void **state)
{
	drill_becomes(*state, "nodata: right-soa", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\1\0\0\0\1\0\0") QUESTION SOA));
	drill_becomes(*state, "nodata: no-soa", BYTES(QUERY), BYTES(ANSWER), EMPTY("\x85\0"));
	drill_becomes(*state, "nodata: wrong-soa", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\1\0\0\0\1\0\0") QUESTION WRONG_SOA));
	drill_becomes(*state, "nxdomain: right-soa", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\3", "\0\1\0\0\0\1\0\0") QUESTION SOA));
	drill_becomes(*state, "nxdomain: no-soa", BYTES(QUERY), BYTES(ANSWER), EMPTY("\x85\3"));
	drill_becomes(*state, "nxdomain: wrong-soa", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\3", "\0\1\0\0\0\1\0\0") QUESTION WRONG_SOA));
}

static void the_soa_the_server_sent_is_the_right_one(void **state)
{
#define OWN_SOA "\xc0\x10\0\6\0\1\0\0\0\x3c\0\x18\xc0\x10\xc0\x10\0\0\0\7\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"
	drill_becomes(*state, "nxdomain: right-soa", BYTES(QUERY),
		      BYTES(HEAD("\x85\0", "\0\1\0\0\0\1\0\0") QUESTION OWN_SOA),
		      BYTES(HEAD("\x85\3", "\0\1\0\0\0\1\0\0") QUESTION OWN_SOA));
}

static void an_answer_can_be_empty_or_lame(void **state)
{
	drill_becomes(*state, "empty: true", BYTES(QUERY), BYTES(ANSWER), EMPTY("\x85\0"));
	drill_becomes(*state, "lame: not-aa", BYTES(QUERY), BYTES(ANSWER), EMPTY("\x81\0"));
	/* . 518400 IN NS a.root-servers.net. */
	drill_becomes(*state, "lame: upward-referral", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x81\0", "\0\1\0\0\0\1\0\0") QUESTION
			    "\0\0\2\0\1\0\7\xe9\0\0\x14\1a\xcroot-servers\3net\0"));
}

#define REST QUESTION WWW A_REST("\0\0\1\x2c")
#define COUNTS "\0\1\0\1\0\0\0\0"

static void flags_are_set_cleared_and_flipped(void **state)
{
	static const struct {
		const char *todo, *flags;
	} cases[] = {
		{"qr: clear", "\x05\0"},  {"aa: flip", "\x81\0"},
		{"tc: set", "\x87\0"},    {"ra: set", "\x85\x80"},
		{"ad: flip", "\x85\x20"}, {"cd: set", "\x85\x10"},
		{"opcode: 5", "\xad\0"},  {"opcode: 15, aa: clear, tc: flip", "\xfb\0"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char want[] = ANSWER;

		memcpy(want + 2, cases[i].flags, 2);
		drill_becomes(*state, cases[i].todo, BYTES(QUERY), BYTES(ANSWER),
			      (struct bytes){want, sizeof(want) - 1});
	}
}

static void a_flag_that_is_set_already_is_nothing_done(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {aa: set}}\n");
	drill_passes(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(drill->rules.v[0]->matched, 1);
	assert_int_equal(drill->rules.v[0]->done, 0);
}

static void counts_can_claim_anything(void **state)
{
	drill_becomes(*state, "qdcount: 0, ancount: 65535, nscount: 1, arcount: 258", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\0\xff\xff\0\1\1\2") REST));
}

static void a_wrong_id_is_never_the_right_one(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {wrong_id: true}}\n");
	for (unsigned i = 0; i < 1000; i++) {
		drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
		assert_int_not_equal(msg_u16(drill->out.send[0].msg), 0x1234);
		assert_memory_equal(drill->out.send[0].msg + 2, &ANSWER[2], sizeof(ANSWER) - 3);
	}
}

static void the_question_can_be_missing_twice_or_different(void **state)
{
	/* without a question there is nothing the record's name could point to */
	drill_becomes(*state, "question: missing", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\0\0\1\0\0\0\0") QNAME A_REST("\0\0\1\x2c")));
	drill_becomes(*state, "question: twice", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\2\0\1\0\0\0\0") QUESTION "\xc0\x0c\0\1\0\1" WWW A_REST("\0\0\1\x2c")));
	drill_becomes(*state, "question: other-name", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", COUNTS) "\3xww\7example\3com\0\0\1\0\1" WWW A_REST("\0\0\1\x2c")));
	drill_becomes(*state, "question: other-case", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", COUNTS) "\3WWW\7EXAMPLE\3COM\0\0\1\0\1" WWW A_REST("\0\0\1\x2c")));
}

static void bytes_are_cut_and_appended(void **state)
{
	drill_becomes(*state, "truncate: 20B", BYTES(QUERY), BYTES(ANSWER), (struct bytes){ANSWER, 20});
	drill_becomes(*state, "truncate: 0B", BYTES(QUERY), BYTES(ANSWER), BYTES(""));
	drill_becomes(*state, "append: 3B", BYTES(QUERY), BYTES(ANSWER), BYTES(ANSWER "\0\0\0"));
	drill_becomes(*state, "truncate: 12B, append: 1B", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", COUNTS) "\0"));
}

static void exactly_so_many_bits_are_flipped_and_none_of_the_id(void **state)
{
	struct drill *drill = *state;

	for (unsigned bits = 1; bits <= 64; bits *= 4) {
		char yaml[64];
		unsigned flipped = 0;

		snprintf(yaml, sizeof(yaml), "- {do: {flip_bits: %u}}\n", bits);
		drill_rules(drill, yaml);
		drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
		assert_int_equal(drill->out.send[0].len, sizeof(ANSWER) - 1);
		assert_memory_equal(drill->out.send[0].msg, ANSWER, 2);
		for (size_t i = 0; i < sizeof(ANSWER) - 1; i++)
			flipped += (unsigned)__builtin_popcount(drill->out.send[0].msg[i] ^ (uint8_t)ANSWER[i]);
		assert_int_equal(flipped, bits);
	}
}

/* 47 random bytes: the chance that they equal the answer's is 2^-376. */
static void garbage_keeps_length_and_id(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {garbage: true}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(drill->out.send[0].len, sizeof(ANSWER) - 1);
	assert_memory_equal(drill->out.send[0].msg, ANSWER, 2);
	assert_memory_not_equal(drill->out.send[0].msg + 2, &ANSWER[2], sizeof(ANSWER) - 3);
}

/* The record begins at 33 (12 and 21). The forward pointer leads 16 bytes further, to the second record's name. */
#define DATA "\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1"
#define A16 "aaaaaaaaaaaaaaaa"
#define A63 A16 A16 A16 "aaaaaaaaaaaaaaa"

static void names_loop_point_forward_or_are_too_long(void **state)
{
	drill_becomes(*state, "bad_name: loop", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", COUNTS) QUESTION "\xc0\x21" DATA));
	drill_becomes(*state, "bad_name: forward", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", "\0\1\0\2\0\0\0\0") QUESTION "\xc0\x31" DATA "\7forward\7invalid\0" DATA));
	drill_becomes(*state, "bad_name: long-label", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", COUNTS) QUESTION "\x40" A16 A16 A16 A16 "\0" DATA));
	drill_becomes(*state, "bad_name: long-name", BYTES(QUERY), BYTES(ANSWER),
		      BYTES(HEAD("\x85\0", COUNTS) QUESTION "\x3f" A63 "\x3f" A63 "\x3f" A63 "\x3f" A63 "\0" DATA));
}

/* A reader that follows the RFC must refuse them all. */
static void bad_names_do_not_parse(void **state)
{
	static const char *const kinds[] = {"loop", "forward", "long-label", "long-name"};
	struct drill *drill = *state;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct msg msg;
		char yaml[64];

		snprintf(yaml, sizeof(yaml), "- {do: {bad_name: %s}}\n", kinds[i]);
		drill_rules(drill, yaml);
		drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
		assert_int_equal(msg_parse(&msg, drill->out.send[0].msg, drill->out.send[0].len), 0);
		assert_false(msg_is_whole(&msg));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRILL_TEST(an_rcode_leaves_the_question_and_no_records),
		DRILL_TEST(an_extended_rcode_is_split_between_header_and_opt),
		DRILL_TEST(what_needs_edns_leaves_other_queries_alone),
		DRILL_TEST(edns_can_be_stripped_refused_or_of_a_bad_version),
		DRILL_TEST(an_extended_error_is_set_and_stripped),
		DRILL_TEST(stripping_extended_errors_keeps_other_options),
		DRILL_TEST(negative_answers_come_with_the_soa_without_or_with_a_wrong_one),
		DRILL_TEST(the_soa_the_server_sent_is_the_right_one),
		DRILL_TEST(an_answer_can_be_empty_or_lame),
		DRILL_TEST(flags_are_set_cleared_and_flipped),
		DRILL_TEST(a_flag_that_is_set_already_is_nothing_done),
		DRILL_TEST(counts_can_claim_anything),
		DRILL_TEST(a_wrong_id_is_never_the_right_one),
		DRILL_TEST(the_question_can_be_missing_twice_or_different),
		DRILL_TEST(bytes_are_cut_and_appended),
		DRILL_TEST(exactly_so_many_bits_are_flipped_and_none_of_the_id),
		DRILL_TEST(garbage_keeps_length_and_id),
		DRILL_TEST(names_loop_point_forward_or_are_too_long),
		DRILL_TEST(bad_names_do_not_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
