/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/yaml_text.h"

#include "harness/base/buf.h"

/* The bindings of a case: resolver is a text, extra a mapping, list a list. */
static struct node *substitute(struct yaml *yaml, const char *text)
{
	const struct node_binding bindings[] = {
		{"resolver", "unbound", yaml_load(yaml, "unbound")},
		{"n", "5", yaml_load(yaml, "5")},
		{"dollar", "$", yaml_load(yaml, "$")},
		{"extra", "both", yaml_load(yaml, "{x: 1, y: 2}")},
		{"list", "two", yaml_load(yaml, "[a, b]")},
	};

	return node_substitute(yaml->arena, yaml_load(yaml, text), bindings, ARRAY_LEN(bindings), &yaml->errs);
}

static void becomes(const char *text, const char *expected)
{
	struct yaml yaml;
	struct node *root;

	yaml_begin(&yaml);
	root = substitute(&yaml, text);
	assert_string_equal(yaml_said(&yaml), "");
	assert_string_equal(yaml_flow(&yaml, root), expected);
	yaml_end(&yaml);
}

static void refuses(const char *text, const char *said)
{
	struct yaml yaml;

	yaml_begin(&yaml);
	assert_null(substitute(&yaml, text));
	assert_string_equal(yaml_said(&yaml), said);
	yaml_end(&yaml);
}

static void a_scalar_that_is_just_a_key_becomes_the_value(void **state)
{
	(void)state;
	becomes("{a: \"${resolver}\", b: \"${extra}\", c: [\"${list}\", \"${n}\"]}",
		"{a: unbound, b: {x: 1, y: 2}, c: [[a, b], 5]}");
}

static void a_key_within_a_text_is_replaced(void **state)
{
	(void)state;
	becomes("a: x-${resolver}-${n}ms\nb: '${n}${n}'\n", "{a: x-unbound-5ms, b: \"55\"}");
}

static void keys_are_replaced_too(void **state)
{
	(void)state;
	becomes("${resolver}: 1\nx${n}: 2\n", "{unbound: 1, x5: 2}");
	refuses("unbound: 1\n${resolver}: 2\n", "t.yaml:2:1: error: key \"unbound\" stands twice in this mapping, "
						"first in line 1; remove one of them\n");
}

static void a_doubled_dollar_stands_for_itself(void **state)
{
	(void)state;
	becomes("a: $${resolver} $x $$ {}\nb: $$${n}\n", "{a: ${resolver} $x $$ {}, b: $${n}}");
	/* A dollar that comes out of a value does not escape what follows it. */
	becomes("a: ${dollar}${n}\n", "{a: $5}");
}

static void a_merge_key_merges_a_bound_mapping(void **state)
{
	(void)state;
	becomes("a: {<<: \"${extra}\", y: 3}\n", "{a: {y: 3, x: 1}}");
	becomes("b: &b {z: 1}\na: {<<: [*b, \"${extra}\"]}\n", "{b: {z: 1}, a: {z: 1, x: 1, y: 2}}");
	refuses("a: {<<: \"${resolver}\"}\n",
		"t.yaml:1:1: error: << merges a mapping or a list of mappings, not \"unbound\"\n");
}

static void what_has_no_keys_stays_as_it_is(void **state)
{
	(void)state;
	becomes("a: [1, 'x', {}]\n", "{a: [1, \"x\", {}]}");
}

static void an_unknown_key_names_the_nearest(void **state)
{
	(void)state;
	refuses("a: ${resolvr}\nb: x ${zzzzzzzz} y\n",
		"t.yaml:1:4: error: unknown ${resolvr}; did you mean ${resolver}?\n"
		"t.yaml:2:4: error: unknown ${zzzzzzzz}: the matrix has no such key; write $${ for the text ${\n");
	refuses("a: ${open\n", "t.yaml:1:4: error: ${ is not closed by }; write $${ for the text ${\n");
}

static void without_a_matrix_every_key_is_unknown(void **state)
{
	struct yaml yaml;

	(void)state;
	yaml_begin(&yaml);
	assert_null(node_substitute(yaml.arena, yaml_load(&yaml, "a: ${b}"), NULL, 0, &yaml.errs));
	assert_string_equal(yaml_said(&yaml),
			    "t.yaml:1:4: error: unknown ${b}: the plan has no matrix; write $${ for the text ${\n");
	yaml_end(&yaml);
}

static void a_mapping_within_a_text_is_refused(void **state)
{
	(void)state;
	refuses("a: x${extra}\nb: ${list}${n}\n",
		"t.yaml:1:4: error: ${extra} is a mapping; within a text it must be a text\n"
		"t.yaml:2:4: error: ${list} is a list; within a text it must be a text\n");
}

static void the_template_is_not_changed(void **state)
{
	struct yaml yaml;
	struct node *root;
	struct node_binding binding = {"n", "1", NULL};

	(void)state;
	yaml_begin(&yaml);
	root = yaml_load(&yaml, "{a: \"x${n}\", b: [\"${n}\"]}");
	for (int i = 1; i <= 2; i++) {
		const char *value = i == 1 ? "1" : "2";

		binding.value = yaml_load(&yaml, value);
		assert_string_equal(yaml_flow(&yaml, node_substitute(yaml.arena, root, &binding, 1, &yaml.errs)),
				    i == 1 ? "{a: \"x1\", b: [1]}" : "{a: \"x2\", b: [2]}");
	}
	yaml_end(&yaml);
}

static void values_cannot_multiply_without_end(void **state)
{
	struct buf list = {0}, plan = {0};
	struct node_binding binding = {"n", "many", NULL};
	struct yaml yaml;

	(void)state;
	yaml_begin(&yaml);
	buf_puts(&list, "[");
	buf_puts(&plan, "[");
	for (int i = 0; i < 1000; i++) {
		buf_puts(&list, "x,");
		buf_puts(&plan, "\"${n}\",");
	}
	buf_puts(&list, "]");
	buf_puts(&plan, "]");
	binding.value = yaml_load(&yaml, list.data);
	/* The list is 1, each of its items 1001: item 100 passes 100000. Items are 7 columns apart, the first in column 2. */
	assert_null(node_substitute(yaml.arena, yaml_load(&yaml, plan.data), &binding, 1, &yaml.errs));
	assert_string_equal(yaml_said(&yaml),
			    "t.yaml:1:695: error: with the matrix, the plan is too large: more than 100000 values\n");
	buf_fini(&list);
	buf_fini(&plan);
	yaml_end(&yaml);
}

static void texts_cannot_grow_without_end(void **state)
{
	struct node_binding binding = {"n", "long", NULL};
	struct buf value = {0}, plan = {0};
	struct yaml yaml;

	(void)state;
	yaml_begin(&yaml);
	for (int i = 0; i < 100000; i++)
		buf_puts(&value, "x");
	for (int i = 0; i < 50000; i++)
		buf_puts(&plan, "${n}");
	binding.value = yaml_load(&yaml, value.data);
	assert_null(node_substitute(yaml.arena, yaml_load(&yaml, plan.data), &binding, 1, &yaml.errs));
	assert_string_equal(yaml_said(&yaml), "t.yaml:1:1: error: the text grows above 256 KiB\n");
	buf_clear(&plan);
	errs_fini(&yaml.errs);
	yaml.errs = (struct errs){0};
	for (int i = 0; i < 1000; i++)
		buf_puts(&plan, "- x${n}\n");
	/* 16 MiB hold 167 texts of 100001 bytes; the 168th is over. */
	assert_null(node_substitute(yaml.arena, yaml_load(&yaml, plan.data), &binding, 1, &yaml.errs));
	assert_string_equal(yaml_said(&yaml), "t.yaml:168:3: error: the plan's texts grow above 16 MiB\n");
	buf_fini(&value);
	buf_fini(&plan);
	yaml_end(&yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scalar_that_is_just_a_key_becomes_the_value),
		cmocka_unit_test(a_key_within_a_text_is_replaced),
		cmocka_unit_test(keys_are_replaced_too),
		cmocka_unit_test(a_doubled_dollar_stands_for_itself),
		cmocka_unit_test(a_merge_key_merges_a_bound_mapping),
		cmocka_unit_test(what_has_no_keys_stays_as_it_is),
		cmocka_unit_test(an_unknown_key_names_the_nearest),
		cmocka_unit_test(without_a_matrix_every_key_is_unknown),
		cmocka_unit_test(a_mapping_within_a_text_is_refused),
		cmocka_unit_test(the_template_is_not_changed),
		cmocka_unit_test(values_cannot_multiply_without_end),
		cmocka_unit_test(texts_cannot_grow_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
