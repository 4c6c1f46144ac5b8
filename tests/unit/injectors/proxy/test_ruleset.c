/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/ruleset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct ruleset *with(struct ruleset *set, const char *text)
{
	struct errs errs = {0}, warnings = {0};
	struct ruleset *new;

	assert_int_equal(ruleset_with(set, "test", text, strlen(text), &new, &errs, &warnings), 0);
	errs_fini(&errs);
	errs_fini(&warnings);
	return new;
}

static void a_list_and_a_single_rule_are_added_behind_what_is_there(void **state)
{
	struct ruleset *none = ruleset_new(), *two, *three;

	(void)state;
	two = with(none, "- {name: a, do: {tc: set}}\n- {name: b, do: {aa: flip}}\n");
	three = with(two, "{name: c, do: {rcode: SERVFAIL}}");
	assert_int_equal(none->rules.count, 0);
	assert_int_equal(two->rules.count, 2);
	assert_int_equal(three->rules.count, 3);
	assert_string_equal(three->rules.v[2]->name.value, "c");
	assert_int_equal(three->rules.v[2]->id, 3);
	ruleset_drop(none);
	ruleset_drop(two);
	ruleset_drop(three);
}

static void a_rule_lives_and_counts_on_in_later_sets(void **state)
{
	struct ruleset *none = ruleset_new(), *one, *two, *rest;

	(void)state;
	one = with(none, "{name: '*.example.com', match: {qname: '/^x/'}, do: {tc: set}}");
	two = with(one, "{name: b, do: {tc: clear}}");
	one->rules.v[0]->matched = 7;
	ruleset_drop(none);
	ruleset_drop(one);
	assert_int_equal(two->rules.v[0]->matched, 7);
	assert_int_equal(ruleset_without(two, 9, &rest), -ENOENT);
	assert_int_equal(ruleset_without(two, 1, &rest), 0);
	assert_int_equal(rest->rules.count, 1);
	assert_string_equal(rest->rules.v[0]->name.value, "b");
	assert_string_equal(two->rules.v[0]->name.value, "*.example.com"); /* a worker may still read it */
	ruleset_drop(two);
	assert_string_equal(rest->rules.v[0]->name.value, "b");
	ruleset_drop(rest);
}

static void every_error_is_said_with_its_place_and_nothing_is_added(void **state)
{
	static const char text[] = "- {do: {tc: set}}\n- {do: {dealy: 1s}}\n- {share: 30, do: {tc: set}}\n";
	struct ruleset *none = ruleset_new(), *new = NULL;
	struct errs errs = {0}, warnings = {0};

	(void)state;
	assert_int_equal(ruleset_with(none, "test", text, strlen(text), &new, &errs, &warnings), -EINVAL);
	assert_null(new);
	assert_true(errs.count >= 2);
	assert_int_equal(errs.v[0].loc.line, 2);
	assert_int_equal(errs.v[errs.count - 1].loc.line, 3);
	errs_fini(&errs);
	errs_fini(&warnings);
	ruleset_drop(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_and_a_single_rule_are_added_behind_what_is_there),
		cmocka_unit_test(a_rule_lives_and_counts_on_in_later_sets),
		cmocka_unit_test(every_error_is_said_with_its_place_and_nothing_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
