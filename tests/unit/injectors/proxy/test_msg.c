/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over messages that were made to lead it astray.
 */
#include "tests/unit/injectors/proxy/drill.h"

/* Each from memory of exactly its size. */
static int parse(struct drill *drill, struct bytes bytes, struct msg *ret)
{
	return msg_parse(ret, drill_copy(drill, 0, bytes), bytes.len);
}

static void header_and_question_are_read(void **state)
{
	struct msg msg;

	assert_int_equal(
		parse(*state, BYTES(HEAD("\x85\3", "\0\1\0\2\0\3\0\4") "\3WWW\7example\3com\0\0\x1c\0\3"), &msg), 0);
	assert_int_equal(msg.id, 0x1234);
	assert_int_equal(msg.flags, 0x8503);
	assert_int_equal(msg.counts[MSG_ARCOUNT], 4);
	assert_int_equal(msg.qtype, 28);
	assert_int_equal(msg.qclass, 3);
	assert_int_equal(msg.qname.len, 17);
	assert_memory_equal(msg.qname.wire, QNAME, 17);
	assert_int_equal(msg.question_end, 33);
}

static void a_message_cut_anywhere_is_malformed(void **state)
{
	struct msg msg;

	for (size_t len = 0; len < sizeof(ANSWER_EDNS) - 1; len++) {
		int r = parse(*state, (struct bytes){ANSWER_EDNS, len}, &msg);

		assert_int_equal(r, len < 33 ? -EBADMSG : 0);
		if (!r)
			assert_false(msg_is_whole(&msg));
	}
	assert_int_equal(parse(*state, BYTES(ANSWER_EDNS), &msg), 0);
	assert_true(msg_is_whole(&msg));
}

static void names_that_lead_round_forward_or_into_the_header_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t len;
	} names[] = {
		{"\xc0\x0c", 2}, /* itself */
		{"\1a\xc0\x0c", 4}, /* its own beginning */
		{"\xc0\x0e\0", 3}, /* forward */
		{"\xc0\0", 2}, /* the header */
		{"\x40"
		 "a",
		 2},
		{"\x80"
		 "a",
		 2}, /* label types that are not assigned */
		{"\xc0", 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char bytes[64] = HEAD("\1\0", "\0\1\0\0\0\0\0\0");
		struct msg msg;

		memcpy(bytes + MSG_HEADER, names[i].name, names[i].len);
		memcpy(bytes + MSG_HEADER + names[i].len, "\0\1\0\1", 4);
		assert_int_equal(parse(*state, (struct bytes){bytes, MSG_HEADER + names[i].len + 4}, &msg), -EBADMSG);
	}
}

/* Four labels: three of 63 and one of n: 3 × 64 + 1 + n + 1 octets; n = 61 makes 255. */
static void a_name_has_255_octets_at_most(void **state)
{
	for (unsigned n = 61; n <= 62; n++) {
		uint8_t bytes[300] = HEAD("\1\0", "\0\1\0\0\0\0\0\0");
		struct msg msg;
		size_t at = MSG_HEADER;

		for (unsigned i = 0; i < 4; i++) {
			bytes[at] = (uint8_t)(i < 3 ? 63 : n);
			memset(bytes + at + 1, 'x', bytes[at]);
			at += 1u + bytes[at];
		}
		assert_int_equal(parse(*state, (struct bytes){bytes, at + 5}, &msg), n == 61 ? 0 : -EBADMSG);
		if (n == 61)
			assert_int_equal(msg.qname.len, 255);
	}
}

static void records_come_section_by_section(void **state)
{
	static const char bytes[] =
		HEAD("\x85\0", "\0\1\0\1\0\0\0\2") QUESTION WWW A_REST("\0\0\1\x2c") WWW A_REST("\0\0\0\1") OPT_WITH_DO;
	struct msg_record record = {0}, opt;
	struct msg msg;

	assert_int_equal(parse(*state, BYTES(bytes), &msg), 0);
	assert_int_equal(msg_next(&msg, &record), 1);
	assert_int_equal(record.section, MSG_ANSWER);
	assert_int_equal(record.ttl, 300);
	assert_int_equal(msg_next(&msg, &record), 1);
	assert_int_equal(record.section, MSG_ADDITIONAL);
	assert_int_equal(record.ttl, 1);
	assert_int_equal(record.rdlen, 4);
	assert_int_equal(msg_next(&msg, &record), 1);
	assert_int_equal(record.type, MSG_OPT);
	assert_int_equal(msg_next(&msg, &record), 0);
	assert_true(msg_opt(&msg, &opt));
	assert_int_equal(opt.klass, 1232);
}

static void names_turn_into_text_and_back(void **state)
{
	static const struct {
		const char *text, *wire, *back;
	} cases[] = {
		{".", "", "."},
		{"Example.COM.", "\7example\3com", "example.com"},
		{"a\\.b.\\032\\\\.x", "\3a.b\2 \\\1x", "a\\.b.\\032\\\\.x"},
	};
	static const char *const bad[] = {"", "..", "a..b", ".a", "\\", "\\25", "\\256"};
	struct msg_name name;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(msg_name_from_text(&name, cases[i].text), 0);
		assert_int_equal(name.len, strlen(cases[i].wire) + 1);
		assert_memory_equal(name.wire, cases[i].wire, name.len);
		msg_name_to_text(&name, text, sizeof(text));
		assert_string_equal(text, cases[i].back);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(msg_name_from_text(&name, bad[i]), -EINVAL);
}

/* Octets that end like the parent, but where no label begins, are not below it. */
static void below_means_at_a_label(void **state)
{
	struct msg_name name, parent;

	(void)state;
	assert_int_equal(msg_name_from_text(&parent, "a.b"), 0);
	assert_int_equal(msg_name_from_text(&name, "x.a.b"), 0);
	assert_true(msg_name_is_below(&name, &parent));
	assert_false(msg_name_is_below(&parent, &parent));
	assert_false(msg_name_is_below(&parent, &name));
	assert_int_equal(msg_name_from_text(&name, "x\\001a.b"), 0); /* one label that holds the octets of "\1a" */
	assert_false(msg_name_is_below(&name, &parent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRILL_TEST(header_and_question_are_read),
		DRILL_TEST(a_message_cut_anywhere_is_malformed),
		DRILL_TEST(names_that_lead_round_forward_or_into_the_header_are_refused),
		DRILL_TEST(a_name_has_255_octets_at_most),
		DRILL_TEST(records_come_section_by_section),
		DRILL_TEST(names_turn_into_text_and_back),
		DRILL_TEST(below_means_at_a_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
