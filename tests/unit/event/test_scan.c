/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scanner against jansson: what one takes the other takes, and as the same text or number. */
#include "harness/event/scan.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const values[] = {
	"\"\"",
	"\"abc\"",
	"\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\"",
	"\"\\u0041\\u00e9\\u20ac\"",
	"\"\\ud83d\\ude00\"",
	"\"\\ud83d\"",
	"\"\\ude00\"",
	"\"\\ud83d\\u0041\"",
	"\"\\ud83dx\"",
	"\"\\u12\"",
	"\"\\u12g4\"",
	"\"\\x\"",
	"\"\\",
	"\"\\\"",
	"\"abc",
	"\"a\nb\"",
	"\"\x01\"",
	"\"\x7f\"",
	"\"\xc3\xa9\"",
	"\"\xc3\"",
	"\"\xc3\"\"",
	"\"\xff\"",
	"\"\xed\xa0\x80\"",
	"\"\xf4\x90\x80\x80\"",
	"\"\xe2\x80\xa8\"",
	"\"\\u0000\"",
	"\"\\uFFFF\"",
	"\"\xf0\x9f\x98\x80\"",
	"0",
	"-0",
	"1",
	"-1",
	"01",
	"-01",
	"00",
	"1.",
	"1.5",
	"-1.5e10",
	"1e",
	"1e+",
	"1E+5",
	"1e-5",
	".5",
	"+1",
	"-",
	"--1",
	"9223372036854775807",
	"-9223372036854775808",
	"true",
	"false",
	"null",
	"tru",
	"nul",
	"True",
	"",
	" ",
	"{}",
	"[]",
	"{\"a\":1}",
	"{\"a\":1,}",
	"{\"a\"}",
	"{a:1}",
	"{\"a\":}",
	"{,}",
	"[1,2]",
	"[1,]",
	"[,1]",
	"[1 2]",
	"[",
	"]",
	"{",
	"}",
	"[[[[]]]]",
	"[{\"a\":[null,true,{\"b\":\"\\n\"}]}]",
	"[\"\\ud800\"]",
	"{\"\xff\":1}",
	"1 2",
	"\"a\" \"b\"",
	"[] ]",
	" \t[ 1 , 2 ] \r",
	"{ \"a\" : [ ] }",
	"nulll",
	"truefalse",
	"[true false]",
	"'a'",
	"\"a\"b",
	"0x10",
	"1_0",
	"NaN",
	"Infinity",
	"-Infinity",
	"[1e5,-0.0,0.1]",
	"{\"a\":{\"b\":{\"c\":{}}}}",
};

static json_t *by_jansson(const char *text)
{
	return json_loadb(text, strlen(text), JSON_DECODE_ANY, NULL);
}

static struct scan begin(const char *text, struct arena *arena)
{
	return (struct scan){.at = text, .end = text + strlen(text), .arena = arena};
}

static void what_is_json_and_what_not_is_as_jansson_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct arena *arena = arena_new();
		struct scan scan = begin(values[i], arena);
		json_t *json = by_jansson(values[i]);
		bool taken = scan_skip(&scan) && scan_is_end(&scan);

		if (taken != (json != NULL))
			fail_msg("<%s>: jansson %s it", values[i], json ? "takes" : "refuses");
		json_decref(json);
		arena_free(arena);
	}
}

static void texts_and_numbers_are_those_of_jansson(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct arena *arena = arena_new();
		struct scan scan = begin(values[i], arena);
		json_t *json = by_jansson(values[i]);
		const char *text;
		int64_t number;
		size_t len;

		if (json_is_string(json)) {
			assert_true(scan_string(&scan, &text, &len));
			assert_int_equal(len, json_string_length(json));
			assert_memory_equal(text, json_string_value(json), len + 1);
		} else {
			assert_false(scan_string(&scan, &text, &len) && scan_is_end(&scan));
		}
		scan = begin(values[i], arena);
		if (json_is_integer(json)) {
			assert_true(scan_int(&scan, &number));
			assert_int_equal(number, json_integer_value(json));
		}
		json_decref(json);
		arena_free(arena);
	}
}

static void a_number_too_large_is_refused_not_cut(void **state)
{
	static const char *const numbers[] = {"9223372036854775808", "-9223372036854775809", "99999999999999999999999"};
	int64_t number;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct scan scan = begin(numbers[i], NULL);

		assert_false(scan_int(&scan, &number));
	}
}

static void deep_nesting_is_refused(void **state)
{
	struct arena *arena = arena_new();
	static char text[200001];
	struct scan scan;

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	scan = begin(text, arena);
	assert_false(scan_skip(&scan));
	assert_string_equal(scan.problem, "values nested too deep");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_json_and_what_not_is_as_jansson_says),
		cmocka_unit_test(texts_and_numbers_are_those_of_jansson),
		cmocka_unit_test(a_number_too_large_is_refused_not_cut),
		cmocka_unit_test(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
