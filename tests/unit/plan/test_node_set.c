/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/yaml_text.h"

#include <errno.h>

/* text with the assignments made, one after the other, as flow YAML. */
static void sets(const char *text, const char *assignment, const char *expected)
{
	struct err err = {0};
	struct yaml yaml;
	struct node *root;

	yaml_begin(&yaml);
	root = yaml_load(&yaml, text);
	assert_int_equal(node_set(yaml.arena, root, assignment, &err), 0);
	assert_int_equal(err.code, 0);
	assert_string_equal(yaml_flow(&yaml, root), expected);
	yaml_end(&yaml);
}

static void refuses(const char *text, const char *assignment, const char *said)
{
	struct err err = {0};
	struct yaml yaml;
	struct node *root;
	const char *before;

	yaml_begin(&yaml);
	root = yaml_load(&yaml, text);
	before = yaml_flow(&yaml, root);
	assert_int_not_equal(node_set(yaml.arena, root, assignment, &err), 0);
	errs_add_err(&yaml.errs, &err);
	assert_string_equal(yaml_said(&yaml), said);
	assert_string_equal(yaml_flow(&yaml, root), before);
	yaml_end(&yaml);
}

static void a_value_is_replaced_or_added(void **state)
{
	(void)state;
	sets("a: {b: 1}", "a.b=2", "{a: {b: 2}}");
	sets("a: {b: 1}", "a.c=2", "{a: {b: 1, c: 2}}");
	sets("a: {b: 1}", "a=2", "{a: 2}");
}

static void missing_mappings_are_made(void **state)
{
	(void)state;
	sets("a: 1", "x.y.z=2", "{a: 1, x: {y: {z: 2}}}");
	sets("a: ~", "a.b=2", "{a: {b: 2}}");
}

static void the_value_is_yaml(void **state)
{
	(void)state;
	sets("a: 1", "a=[x, 'y', {k: v}]", "{a: [x, \"y\", {k: v}]}");
	sets("a: 1", "a='5'", "{a: \"5\"}");
	sets("a: 1", "a=b=c", "{a: b=c}");
	sets("a: 1", "a=''", "{a: \"\"}");
}

static void lists_are_stepped_into_by_index(void **state)
{
	(void)state;
	sets("t: [{x: 1}, {x: 2}]", "t.1.x=3", "{t: [{x: 1}, {x: 3}]}");
	sets("t: [a, b]", "t.0=c", "{t: [c, b]}");
	refuses("t: [a, b]", "t.2=c",
		"--set:1:1: error: t.2=c: \"2\" is not an item of a list of 2; items count from 0\n");
	refuses("t: [a, b]", "t.-1=c",
		"--set:1:1: error: t.-1=c: \"-1\" is not an item of a list of 2; items count from 0\n");
	refuses("t: [a]", "t.99999999999999999999=c",
		"--set:1:1: error: t.99999999999999999999=c: \"99999999999999999999\" is not an item of a list of 1; "
		"items count from 0\n");
}

static void keys_with_dots_are_found_if_they_are_there(void **state)
{
	(void)state;
	sets("z: {example.com: {file: a}}", "z.example.com.file=b", "{z: {example.com: {file: b}}}");
	/* The longest key that fits is meant. */
	sets("z: {example: {com: 1}, example.com: 2}", "z.example.com=3", "{z: {example: {com: 1}, example.com: 3}}");
	sets("z: {}", "z.\"example.org\".file=b", "{z: {example.org: {file: b}}}");
	sets("z: {a=b: 1}", "z.\"a=b\"=2", "{z: {a=b: 2}}");
}

static void other_uses_of_an_alias_keep_their_value(void **state)
{
	(void)state;
	sets("a: &x {l: [{k: 1}]}\nb: *x\n", "b.l.0.k=2", "{a: {l: [{k: 1}]}, b: {l: [{k: 2}]}}");
}

static void the_place_of_a_value_is_the_command_line(void **state)
{
	struct err err = {0};
	struct yaml yaml;
	struct node *root;

	(void)state;
	yaml_begin(&yaml);
	root = yaml_load(&yaml, "a: {}");
	assert_int_equal(node_set(yaml.arena, root, "a.b=c", &err), 0);
	root = node_get(root, "a");
	assert_string_equal(node_get(root, "b")->loc.file, "--set");
	assert_int_equal(node_get(root, "b")->loc.line, 1);
	assert_int_equal(node_get(root, "b")->loc.col, 1);
	assert_string_equal(root->pairs[0].key_loc.file, "--set");
	/* The mapping itself is still where the plan says it. */
	assert_string_equal(root->loc.file, "t.yaml");
	yaml_end(&yaml);
}

static void what_is_no_assignment_is_refused(void **state)
{
	(void)state;
	refuses("a: 1", "a", "--set:1:1: error: a: write path=value, such as lab.resolvers.r1.server=bind\n");
	refuses("a: 1", "=x", "--set:1:1: error: =x: write path=value, such as lab.resolvers.r1.server=bind\n");
	refuses("a: 1", "", "--set:1:1: error: : write path=value, such as lab.resolvers.r1.server=bind\n");
	refuses("a: 1", "a=", "--set:1:1: error: a=: there is no value after =; write '' for an empty text\n");
	refuses("a: 1", "a..b=1", "--set:1:1: error: a..b=1: \".b\" steps into \"1\", which is not a mapping\n");
	refuses("a: {}", "a..b=1",
		"--set:1:1: error: a..b=1: a step of the path is empty; write path=value, such as "
		"lab.resolvers.r1.server=bind\n");
	refuses("a: {}", "a.=1",
		"--set:1:1: error: a.=1: a step of the path is empty; write path=value, such as "
		"lab.resolvers.r1.server=bind\n");
	refuses("a: {}", "\"a=1", "--set:1:1: error: \"a=1: write path=value, such as lab.resolvers.r1.server=bind\n");
}

static void a_step_into_a_text_is_refused(void **state)
{
	(void)state;
	refuses("a: {b: text}", "a.b.c=1",
		"--set:1:1: error: a.b.c=1: \"c\" steps into \"text\", which is not a mapping\n");
}

static void a_value_that_is_not_yaml_is_refused(void **state)
{
	(void)state;
	refuses("a: 1", "a=[1",
		"--set:1:1: error: a=[1: not YAML: did not find expected ',' or ']'; "
		"close the bracket, or quote the text\n");
	refuses("a: 1", "a=\"\\0\"",
		"--set:1:1: error: a=\"\\0\": the text holds the control character U+0000; remove it\n");
}

static void a_path_has_an_end(void **state)
{
	char assignment[2 * 100 + 4] = "";

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(assignment, i ? ".x" : "x");
	strcat(assignment, "=1");
	refuses("a: 1", assignment, "--set:1:1: error: the path has more than 64 steps\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_replaced_or_added),
		cmocka_unit_test(missing_mappings_are_made),
		cmocka_unit_test(the_value_is_yaml),
		cmocka_unit_test(lists_are_stepped_into_by_index),
		cmocka_unit_test(keys_with_dots_are_found_if_they_are_there),
		cmocka_unit_test(other_uses_of_an_alias_keep_their_value),
		cmocka_unit_test(the_place_of_a_value_is_the_command_line),
		cmocka_unit_test(what_is_no_assignment_is_refused),
		cmocka_unit_test(a_step_into_a_text_is_refused),
		cmocka_unit_test(a_value_that_is_not_yaml_is_refused),
		cmocka_unit_test(a_path_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
