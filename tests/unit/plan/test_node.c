/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/yaml_text.h"

static const char *flow_of(struct yaml *yaml, const char *text)
{
	return yaml_flow(yaml, yaml_load(yaml, text));
}

static void shows(const char *text, const char *expected)
{
	struct yaml yaml;

	yaml_begin(&yaml);
	assert_string_equal(flow_of(&yaml, text), expected);
	yaml_end(&yaml);
}

static void keeps_mappings_in_the_order_of_the_file(void **state)
{
	(void)state;
	shows("z: 1\na: [x, 'y', {k: v}]\nm:\n  - |\n    text\n", "{z: 1, a: [x, \"y\", {k: v}], m: [\"text\n\"]}");
}

static void every_node_knows_its_line_and_column(void **state)
{
	struct yaml yaml;
	const struct node *root, *list;

	(void)state;
	yaml_begin(&yaml);
	root = yaml_load(&yaml, "a: 1\nlist:\n  - x\n  -  é: y\n");
	list = node_get(root, "list");
	assert_int_equal(root->loc.line, 1);
	assert_int_equal(node_get(root, "a")->loc.col, 4);
	assert_int_equal(root->pairs[1].key_loc.line, 2);
	assert_int_equal(root->pairs[1].key_loc.col, 1);
	assert_int_equal(list->items[0]->loc.line, 3);
	assert_int_equal(list->items[0]->loc.col, 5);
	/* Columns count characters, as editors do: é is one. */
	assert_int_equal(list->items[1]->pairs[0].value->loc.col, 9);
	assert_string_equal(root->loc.file, "t.yaml");
	yaml_end(&yaml);
}

static void quotes_and_blocks_make_a_text(void **state)
{
	struct yaml yaml;
	const struct node *root;

	(void)state;
	yaml_begin(&yaml);
	root = yaml_load(&yaml, "[~, '~', null, 'null', '', \"1\", 1]");
	assert_true(node_is_null(root->items[0]));
	assert_false(node_is_null(root->items[1]));
	assert_true(node_is_null(root->items[2]));
	assert_false(node_is_null(root->items[3]));
	assert_false(node_is_null(root->items[4]));
	assert_true(root->items[5]->quoted);
	assert_false(root->items[6]->quoted);
	assert_false(node_is_null(NULL));
	yaml_end(&yaml);
}

static void describes_itself_for_errors(void **state)
{
	struct yaml yaml;
	const struct node *root;
	char buf[128], wide[8 * 40 + 4] = "- ";

	(void)state;
	yaml_begin(&yaml);
	root = yaml_load(&yaml, "[{}, [], a b, ~]");
	assert_string_equal(node_describe(root->items[0], buf, sizeof(buf)), "a mapping");
	assert_string_equal(node_describe(root->items[1], buf, sizeof(buf)), "a list");
	assert_string_equal(node_describe(root->items[2], buf, sizeof(buf)), "\"a b\"");
	assert_string_equal(node_describe(root->items[3], buf, sizeof(buf)), "nothing");
	for (int i = 0; i < 40; i++)
		strcat(wide, "äöü");
	/* 60 bytes hold 30 of these two-byte characters: cut between characters, not inside one. */
	node_describe(yaml_load(&yaml, wide)->items[0], buf, sizeof(buf));
	assert_int_equal(strlen(buf), 1 + 60 + strlen("…") + 1);
	assert_string_equal(buf + 1 + 60, "…\"");
	yaml_end(&yaml);
}

static void aliases_stand_for_what_they_name(void **state)
{
	(void)state;
	shows("a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n",
	      "{a: {k: [1, 2]}, b: {k: [1, 2]}, c: [{k: [1, 2]}, {k: [1, 2]}]}");
	shows("&k key: 1\nother: *k\n", "{key: 1, other: key}");
}

static void merge_keys_give_way_to_own_keys(void **state)
{
	(void)state;
	shows("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3, z: 4}\n", "{base: {x: 1, y: 2}, use: {y: 3, z: 4, x: 1}}");
}

static void of_several_merged_mappings_the_first_wins(void **state)
{
	(void)state;
	shows("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nuse:\n  <<: [*a, *b]\n",
	      "{a: {x: 1}, b: {x: 2, y: 2}, use: {x: 1, y: 2}}");
}

static void merge_keys_reach_through_merged_mappings(void **state)
{
	(void)state;
	shows("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n", "{a: {x: 1}, b: {y: 2, x: 1}, c: {y: 2, x: 1}}");
}

static void a_merge_key_needs_mappings(void **state)
{
	(void)state;
	yaml_refuses("a:\n  <<: [{x: 1}, y]\n",
		     "t.yaml:2:16: error: << merges a mapping or a list of mappings, not \"y\"\n");
	yaml_refuses("a: {<<: text}\n", "t.yaml:1:9: error: << merges a mapping or a list of mappings, not \"text\"\n");
}

static void every_duplicate_key_is_named_with_its_first_place(void **state)
{
	(void)state;
	yaml_refuses(
		"a: 1\nb: {c: 1, c: 2}\na: 3\n",
		"t.yaml:2:11: error: key \"c\" stands twice in this mapping, first in line 2; remove one of them\n"
		"t.yaml:3:1: error: key \"a\" stands twice in this mapping, first in line 1; remove one of them\n");
}

static void a_second_merge_key_says_how_to_merge_several(void **state)
{
	(void)state;
	yaml_refuses("a: &a {}\nb:\n  <<: *a\n  <<: *a\n",
		     "t.yaml:4:3: error: key \"<<\" stands twice in this mapping, first in line 3; "
		     "merge several with <<: [*a, *b]\n");
}

static void keys_are_texts(void **state)
{
	(void)state;
	yaml_refuses("? [a, b]\n: 1\n",
		     "t.yaml:1:3: error: a key is a text, not a list; quote it if a text was meant\n");
	yaml_refuses("x: {{ name }}\n",
		     "t.yaml:1:5: error: a key is a text, not a mapping; quote it if a text was meant\n");
	yaml_refuses("?\n: 1\n", "t.yaml:1:2: error: the key before ':' is empty; name it\n");
	yaml_refuses("'': 1\n", "t.yaml:1:1: error: the key before ':' is empty; name it\n");
}

static void tags_are_refused(void **state)
{
	(void)state;
	yaml_refuses("a: !!int 5\n",
		     "t.yaml:1:4: error: plans have no tags; remove tag:yaml.org,2002:int (quotes make a text)\n");
	yaml_refuses("%TAG ! tag:x,2000:\n---\na: 1\n",
		     "t.yaml:1:1: error: plans have no %TAG directives; remove it\n");
}

static void a_file_holds_one_document(void **state)
{
	(void)state;
	shows("---\na: 1\n...\n", "{a: 1}");
	yaml_refuses("a: 1\n---\nb: 2\n", "t.yaml:2:1: error: a second document begins here; a file holds one plan\n");
}

static void syntax_errors_say_what_to_do(void **state)
{
	(void)state;
	yaml_refuses("a:\n\tb: 1\n", "t.yaml:2:1: error: not YAML: found character that cannot start any token; "
				     "indent with spaces, not tabs, and quote a text that begins with one of % @ `\n");
	yaml_refuses("a: b: c\n", "t.yaml:1:5: error: not YAML: mapping values are not allowed in this context; "
				  "quote a text that holds \": \", or mend the indentation\n");
	yaml_refuses("a: [1, 2\nb: 3\n", "t.yaml:2:2: error: not YAML: did not find expected ',' or ']'; "
					 "close the bracket, or quote the text\n");
	yaml_refuses("a: *nobody\n", "t.yaml:1:4: error: not YAML: found undefined alias; define it before with &\n");
	yaml_refuses("a: \"open\n", "t.yaml:2:1: error: not YAML: found unexpected end of stream; close the quotes\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_mappings_in_the_order_of_the_file),
		cmocka_unit_test(every_node_knows_its_line_and_column),
		cmocka_unit_test(quotes_and_blocks_make_a_text),
		cmocka_unit_test(describes_itself_for_errors),
		cmocka_unit_test(aliases_stand_for_what_they_name),
		cmocka_unit_test(merge_keys_give_way_to_own_keys),
		cmocka_unit_test(of_several_merged_mappings_the_first_wins),
		cmocka_unit_test(merge_keys_reach_through_merged_mappings),
		cmocka_unit_test(a_merge_key_needs_mappings),
		cmocka_unit_test(every_duplicate_key_is_named_with_its_first_place),
		cmocka_unit_test(a_second_merge_key_says_how_to_merge_several),
		cmocka_unit_test(keys_are_texts),
		cmocka_unit_test(tags_are_refused),
		cmocka_unit_test(a_file_holds_one_document),
		cmocka_unit_test(syntax_errors_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
