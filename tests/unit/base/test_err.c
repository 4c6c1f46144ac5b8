/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct loc place = {"plan.yaml", 14, 9};

/* What print shows, to be freed. */
static char *shown(const struct err *err, struct errs *errs)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (err)
		err_print(err, out);
	else
		errs_print(errs, out);
	fclose(out);
	return text;
}

static void check_shown(const struct err *err, struct errs *errs, const char *expected)
{
	char *text CLEANUP_FREE = shown(err, errs);

	assert_string_equal(text, expected);
}

static void an_error_says_where_and_what(UNUSED void **state)
{
	struct err err = {0};

	assert_int_equal(err_set(&err, -ERANGE, place, "%s is larger than %s", "jitter", "delay"), -ERANGE);
	assert_int_equal(err.code, -ERANGE);
	check_shown(&err, NULL, "plan.yaml:14:9: error: jitter is larger than delay\n");
}

static void unknown_parts_of_a_place_are_left_out(UNUSED void **state)
{
	struct err err = {0};

	err_set(&err, -EINVAL, LOC_NONE, "no place");
	check_shown(&err, NULL, "dnsdrill: error: no place\n");
	err_set(&err, -EINVAL, (struct loc){.file = "f"}, "a file");
	check_shown(&err, NULL, "f: error: a file\n");
	err_set(&err, -EINVAL, (struct loc){.file = "f", .line = 3}, "a line");
	check_shown(&err, NULL, "f:3: error: a line\n");
}

static void context_goes_in_front_and_the_place_stays(UNUSED void **state)
{
	struct err err = {0};

	err_set(&err, -EIO, place, "cause");
	assert_int_equal(err_wrap(&err, "host %s", "r1"), -EIO);
	err_wrap(&err, "lab");
	check_shown(&err, NULL, "plan.yaml:14:9: error: lab: host r1: cause\n");
}

static void a_place_is_given_only_to_an_error_without_one(UNUSED void **state)
{
	struct err err = {0};

	err_set(&err, -EIO, LOC_NONE, "x");
	assert_int_equal(err_at(&err, place), -EIO);
	err_at(&err, (struct loc){"other", 1, 1});
	check_shown(&err, NULL, "plan.yaml:14:9: error: x\n");
}

static void a_long_text_is_cut_and_wrapping_keeps_what_was_added(UNUSED void **state)
{
	struct err err = {0};
	char longest[2 * sizeof(err.text)];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	err_set(&err, -EIO, LOC_NONE, "%s", longest);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "why");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "why: aaa", 8);
	err_wrap(&err, "%s", longest);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void a_hostile_text_cannot_drive_the_terminal(UNUSED void **state)
{
	struct err err = {0};

	err_set(&err, -EINVAL, (struct loc){"\033[2J.yaml", 1, 2}, "key \"\033]0;x\a\" \x7f \xff caf\xc3\xa9");
	check_shown(&err, NULL, "\\x1B[2J.yaml:1:2: error: key \"\\x1B]0;x\\x07\" \\x7F \\xFF caf\xc3\xa9\n");
}

static void quoted_log_lines_stay_lines(UNUSED void **state)
{
	struct err err = {0};

	err_set(&err, -EIO, LOC_NONE, "named ended:\n  loading zone\n  fa\riled");
	check_shown(&err, NULL, "dnsdrill: error: named ended:\n  loading zone\n  fa\\x0Diled\n");
}

static void a_list_is_shown_in_the_order_of_the_file_each_once(UNUSED void **state)
{
	struct errs errs = {0};

	errs_add(&errs, (struct loc){"b.yaml", 1, 1}, "other file");
	errs_add(&errs, (struct loc){"a.yaml", 10, 1}, "tenth");
	errs_add(&errs, (struct loc){"a.yaml", 9, 5}, "ninth");
	errs_add(&errs, (struct loc){"a.yaml", 9, 4}, "ninth, before");
	errs_add(&errs, (struct loc){"a.yaml", 9, 5}, "same place, other text");
	errs_add(&errs, (struct loc){"a.yaml", 9, 5}, "ninth");
	check_shown(NULL, &errs,
		    "a.yaml:9:4: error: ninth, before\n"
		    "a.yaml:9:5: error: ninth\n"
		    "a.yaml:9:5: error: same place, other text\n"
		    "a.yaml:10:1: error: tenth\n"
		    "b.yaml:1:1: error: other file\n");
	errs_fini(&errs);
}

static void the_same_text_at_two_places_is_two_errors(UNUSED void **state)
{
	struct errs errs = {0};

	errs_add(&errs, (struct loc){"a.yaml", 1, 1}, "same");
	errs_add(&errs, (struct loc){"b.yaml", 1, 1}, "same");
	check_shown(NULL, &errs, "a.yaml:1:1: error: same\nb.yaml:1:1: error: same\n");
	errs_fini(&errs);
}

static void a_list_keeps_an_error_made_elsewhere_whole(UNUSED void **state)
{
	struct errs errs = {0};
	struct err err = {0};
	char file[] = "gone.yaml";

	err_set(&err, -ENOENT, (struct loc){file, 2, 3}, "from below");
	errs_add_err(&errs, &err);
	memset(file, 'x', sizeof(file) - 1); /* the list must not depend on whose string it was */
	check_shown(NULL, &errs, "gone.yaml:2:3: error: from below\n");
	assert_int_equal(errs.v[0].code, -ENOENT);
	errs_fini(&errs);
}

static void errors_past_the_limit_are_counted(UNUSED void **state)
{
	struct errs errs = {0};
	char *text;

	for (unsigned i = 0; i < ERRS_MAX + 23; i++)
		errs_add(&errs, (struct loc){"a.yaml", i + 1, 1}, "e");
	assert_int_equal(errs.count, ERRS_MAX);
	text = shown(NULL, &errs);
	assert_non_null(strstr(text, "a.yaml:100:1: error: e\n"));
	assert_null(strstr(text, "a.yaml:101:1"));
	assert_non_null(strstr(text, "23 more errors\n"));
	free(text);
	errs_fini(&errs);
	assert_int_equal(errs.count, 0);
}

static void an_empty_list_shows_nothing(UNUSED void **state)
{
	struct errs errs = {0};

	check_shown(NULL, &errs, "");
	errs_fini(&errs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_says_where_and_what),
		cmocka_unit_test(unknown_parts_of_a_place_are_left_out),
		cmocka_unit_test(context_goes_in_front_and_the_place_stays),
		cmocka_unit_test(a_place_is_given_only_to_an_error_without_one),
		cmocka_unit_test(a_long_text_is_cut_and_wrapping_keeps_what_was_added),
		cmocka_unit_test(a_hostile_text_cannot_drive_the_terminal),
		cmocka_unit_test(quoted_log_lines_stay_lines),
		cmocka_unit_test(a_list_is_shown_in_the_order_of_the_file_each_once),
		cmocka_unit_test(the_same_text_at_two_places_is_two_errors),
		cmocka_unit_test(a_list_keeps_an_error_made_elsewhere_whole),
		cmocka_unit_test(errors_past_the_limit_are_counted),
		cmocka_unit_test(an_empty_list_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
