/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const faults[] = {"blackhole", "reject", "latency", "loss", "rate"};

static const char *nearest(const char *word)
{
	return text_nearest(word, faults, ARRAY_LEN(faults));
}

static void a_slip_of_the_finger_finds_its_word(UNUSED void **state)
{
	assert_string_equal(nearest("blakchole"), "blackhole"); /* two letters swapped */
	assert_string_equal(nearest("blckhole"), "blackhole"); /* one missing */
	assert_string_equal(nearest("blackholes"), "blackhole"); /* one too many */
	assert_string_equal(nearest("rejekt"), "reject"); /* one other */
	assert_string_equal(nearest("LATENCY"), "latency");
	assert_string_equal(nearest("loss"), "loss");
}

static void a_different_word_finds_nothing(UNUSED void **state)
{
	assert_null(nearest("xyzzy"));
	assert_null(nearest(""));
	assert_null(text_nearest("loss", faults, 0));
}

/* At most a third of the word's length, rounded up: 2 of 4 letters is too much, 2 of 6 is not. */
static void the_distance_allowed_grows_with_the_word(UNUSED void **state)
{
	static const char *const words[] = {"abcd"}, *const longer[] = {"abcdef"};

	assert_string_equal(text_nearest("abxy", words, 1), "abcd");
	assert_null(text_nearest("axyz", words, 1));
	assert_string_equal(text_nearest("abcdxy", longer, 1), "abcdef");
	assert_null(text_nearest("abcxyz", longer, 1));
}

static void the_nearest_wins_and_ties_go_to_the_first(UNUSED void **state)
{
	static const char *const words[] = {"rates", "rats", "rate"}, *const tied[] = {"cat", "bat"};

	assert_string_equal(text_nearest("rate", words, 3), "rate");
	assert_string_equal(text_nearest("hat", tied, 2), "cat");
}

static void words_of_absurd_length_are_only_passed_over(UNUSED void **state)
{
	char longest[5000];
	const char *const words[] = {longest, "ok"};

	memset(longest, 'o', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(text_nearest(longest, words, 2));
	assert_string_equal(text_nearest("ok", words, 2), "ok");
}

static void check_printable(const char *text, const char *expected)
{
	struct buf buf = {0};

	text_add_printable(&buf, text);
	assert_string_equal(buf.data ? buf.data : "", expected);
	buf_fini(&buf);
}

static void ordinary_text_is_left_alone(UNUSED void **state)
{
	check_printable("plain ~ text", "plain ~ text");
	check_printable("z\xc3\xbcrich \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8c\x8d",
			"z\xc3\xbcrich \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8c\x8d");
	check_printable("", "");
}

static void control_characters_are_shown_as_bytes(UNUSED void **state)
{
	check_printable("a\033[31mb\x07\n\t\x7f", "a\\x1B[31mb\\x07\\x0A\\x09\\x7F");
	check_printable("\xc2\x9b"
			"31m",
			"\\xC2\\x9B31m"); /* CSI as one C1 character */
}

/* U+202E turns the rest of the line around: "gpj.exe" reads as "exe.jpg". */
static void characters_that_turn_text_around_are_shown_as_bytes(UNUSED void **state)
{
	check_printable("\xe2\x80\xae", "\\xE2\\x80\\xAE");
	check_printable("\xe2\x81\xa6", "\\xE2\\x81\\xA6");
}

/* RFC 3629 section 3 and 4: stray and missing continuation bytes, overlong forms, surrogates, past U+10FFFF. */
static void bytes_that_are_not_utf8_are_shown_as_bytes(UNUSED void **state)
{
	check_printable("\x80|\xbf", "\\x80|\\xBF");
	check_printable("\xc3|\xe6\x97|", "\\xC3|\\xE6\\x97|");
	check_printable("\xc0\xaf", "\\xC0\\xAF");
	check_printable("\xe0\x80\xaf", "\\xE0\\x80\\xAF");
	check_printable("\xed\xa0\x80", "\\xED\\xA0\\x80");
	check_printable("\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80");
	check_printable("\xf0\x9f\x8c", "\\xF0\\x9F\\x8C"); /* cut by the end */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_of_the_finger_finds_its_word),
		cmocka_unit_test(a_different_word_finds_nothing),
		cmocka_unit_test(the_distance_allowed_grows_with_the_word),
		cmocka_unit_test(the_nearest_wins_and_ties_go_to_the_first),
		cmocka_unit_test(words_of_absurd_length_are_only_passed_over),
		cmocka_unit_test(ordinary_text_is_left_alone),
		cmocka_unit_test(control_characters_are_shown_as_bytes),
		cmocka_unit_test(characters_that_turn_text_around_are_shown_as_bytes),
		cmocka_unit_test(bytes_that_are_not_utf8_are_shown_as_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
