/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files made to hurt: each must be refused, with the reason, before it costs anything. CPU time is bounded by the alarm in main().
 */
#include "tests/unit/plan/yaml_text.h"

#include <unistd.h>

#include "harness/base/buf.h"

static void refuses_buf(struct buf *text, const char *said)
{
	assert_false(text->failed);
	yaml_refuses_bytes(text->data, text->len, said);
	buf_fini(text);
}

static void repeat(struct buf *text, const char *part, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_puts(text, part);
}

static void a_hundred_thousand_open_brackets_are_too_deep(void **state)
{
	struct buf text = {0};

	(void)state;
	repeat(&text, "[", 100000);
	/* One level more than allowed: the 65th bracket. */
	refuses_buf(&text, "t.yaml:1:65: error: nested too deeply: more than 64 levels\n");
	repeat(&text, "{a: ", 100000);
	refuses_buf(&text, "t.yaml:1:257: error: nested too deeply: more than 64 levels\n");
	repeat(&text, "- ", 100000);
	refuses_buf(&text, "t.yaml:1:129: error: nested too deeply: more than 64 levels\n");
	repeat(&text, "? ", 100000);
	refuses_buf(&text, "t.yaml:1:129: error: nested too deeply: more than 64 levels\n");
}

static void sixty_four_levels_are_deep_enough_for_anybody(void **state)
{
	struct buf text = {0};
	struct yaml yaml;

	(void)state;
	yaml_begin(&yaml);
	repeat(&text, "[", 64);
	repeat(&text, "]", 64);
	yaml_load(&yaml, text.data);
	buf_fini(&text);
	yaml_end(&yaml);
}

static void an_alias_bomb_is_refused_where_it_grows_too_large(void **state)
{
	struct buf text = {0};

	(void)state;
	/* Each line is ten of the line before: line 5 has 11111 nodes, line 6 111111. */
	buf_puts(&text, "a0: &a0 lol\n");
	for (int i = 1; i < 10; i++) {
		buf_printf(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buf_printf(&text, "%s*a%d", j ? ", " : "", i - 1);
		buf_puts(&text, "]\n");
	}
	refuses_buf(&text, "t.yaml:6:5: error: its aliases expand to more than 100000 values\n");
}

static void a_bomb_of_merge_keys_is_refused_too(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_puts(&text, "a0: &a0 {k: v}\n");
	for (int i = 1; i < 30; i++)
		buf_printf(&text, "a%d: &a%d {<<: [*a%d, *a%d]}\n", i, i, i - 1, i - 1);
	/* Nodes of line n: f(1) = 3, f(n) = 3 + 2 f(n-1), so f(15) = 98301; all lines together pass the limit before one line does. */
	refuses_buf(&text, "t.yaml:1:1: error: its aliases expand to more than 100000 values\n");
}

static void an_alias_of_itself_is_refused(void **state)
{
	(void)state;
	yaml_refuses("a: &a [1, *a]\n", "t.yaml:1:4: error: this value holds an alias of itself; it would never end\n");
	yaml_refuses("&a {*a : 1}\n", "t.yaml:1:1: error: this value holds an alias of itself; it would never end\n");
	yaml_refuses("a: &a {<<: *a}\n",
		     "t.yaml:1:4: error: this value holds an alias of itself; it would never end\n");
}

static void aliases_cannot_nest_deeper_than_brackets(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_puts(&text, "a0: &a0 [x]\n");
	for (int i = 1; i < 200; i++)
		buf_printf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	/* The mapping is the first level, line n the n levels below it: line 64 makes 65. */
	refuses_buf(&text, "t.yaml:64:6: error: its aliases nest more than 64 levels\n");
}

static void a_million_values_are_too_many(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_puts(&text, "[");
	repeat(&text, "x,", 1000000);
	/* The list is the first; value 100000 is the 100001st node. */
	refuses_buf(&text, "t.yaml:1:200000: error: the plan is too large: more than 100000 values\n");
}

static void too_many_anchors_are_refused(void **state)
{
	struct buf text = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "- &a%d x\n", i);
	refuses_buf(&text, "t.yaml:257:3: error: too many anchors: more than 256\n");
}

static void fifty_thousand_keys_are_checked_for_duplicates_at_once(void **state)
{
	struct buf text = {0};

	(void)state;
	for (int i = 0; i < 45000; i++)
		buf_printf(&text, "k%05d: 1\n", i);
	buf_puts(&text, "k00000: 2\n");
	refuses_buf(&text, "t.yaml:45001:1: error: key \"k00000\" stands twice in this mapping, first in line 1; "
			   "remove one of them\n");
}

static void more_than_four_mebibytes_are_refused(void **state)
{
	size_t len = (4u << 20) + 1;
	char *bytes = calloc(1, len);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, '#', len);
	yaml_refuses_bytes(bytes, len, "t.yaml: error: larger than 4 MiB\n");
	free(bytes);
}

/* A description that long would make a line of the event stream that no reader takes: found out after the drill. */
static void a_text_of_more_than_256_kibibytes_is_refused(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_puts(&text, "a: ");
	repeat(&text, "x", (256u << 10) + 1);
	refuses_buf(&text,
		    "t.yaml:1:4: error: a text of more than 256 KiB; shorten it, or keep it in a file of its own\n");
}

static void nul_and_other_control_characters_are_refused(void **state)
{
	(void)state;
	yaml_refuses_bytes("a: 1\nb\0: 2\n", 11,
			   "t.yaml:2:2: error: NUL byte; a plan is text in UTF-8 (save it as UTF-8, not as UTF-16)\n");
	yaml_refuses("a: \033[31mred\n", "t.yaml:1:4: error: control character U+001B; remove it\n");
	yaml_refuses("a: x\x7f\n", "t.yaml:1:5: error: control character U+007F; remove it\n");
	yaml_refuses("é: \xc2\x9b"
		     "31m\n",
		     "t.yaml:1:4: error: control character U+009B; remove it\n");
	yaml_refuses("a: \xe2\x80\xa8x\n", "t.yaml:1:4: error: control character U+2028; remove it\n");
	yaml_refuses("a: \xef\xbb\xbfx\n", "t.yaml:1:4: error: control character U+FEFF; remove it\n");
}

static void control_characters_are_not_smuggled_in_by_escapes(void **state)
{
	(void)state;
	yaml_refuses("a: \"x\\0y\"\n", "t.yaml:1:4: error: the text holds the control character U+0000; remove it\n");
	yaml_refuses("\"k\\e[2J\": 1\n", "t.yaml:1:1: error: the text holds the control character U+001B; remove it\n");
	yaml_refuses("a: \"\\x9b\"\n", "t.yaml:1:4: error: the text holds the control character U+009B; remove it\n");
	yaml_refuses("a: \"\\x7f\"\n", "t.yaml:1:4: error: the text holds the control character U+007F; remove it\n");
}

static void tabs_and_line_feeds_may_be_escaped(void **state)
{
	struct yaml yaml;

	(void)state;
	yaml_begin(&yaml);
	assert_string_equal(yaml_load(&yaml, "\"a\\tb\\nc é\"")->scalar, "a\tb\nc é");
	yaml_end(&yaml);
}

static void what_is_not_utf8_is_refused_by_its_first_bad_byte(void **state)
{
	(void)state;
	yaml_refuses("a: b\nc: caf\xe9\n", "t.yaml:2:7: error: byte 0xE9 is not UTF-8; save the file as UTF-8\n");
	/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF, no lone continuation. */
	yaml_refuses("\xc0\xaf", "t.yaml:1:1: error: byte 0xC0 is not UTF-8; save the file as UTF-8\n");
	yaml_refuses("\xed\xa0\x80", "t.yaml:1:1: error: byte 0xED is not UTF-8; save the file as UTF-8\n");
	yaml_refuses("\xf4\x90\x80\x80", "t.yaml:1:1: error: byte 0xF4 is not UTF-8; save the file as UTF-8\n");
	yaml_refuses("a\x80", "t.yaml:1:2: error: byte 0x80 is not UTF-8; save the file as UTF-8\n");
	yaml_refuses("\xff", "t.yaml:1:1: error: byte 0xFF is not UTF-8; save the file as UTF-8\n");
	/* Cut off in the middle of a character. */
	yaml_refuses("\xf0\x9f\x98", "t.yaml:1:1: error: byte 0xF0 is not UTF-8; save the file as UTF-8\n");
}

static void utf16_is_named_as_what_it_is(void **state)
{
	(void)state;
	yaml_refuses_bytes("\xff\xfe"
			   "a\0:\0",
			   6, "t.yaml:1:1: error: the file is in UTF-16; save it as UTF-8\n");
	yaml_refuses_bytes("\xfe\xff\0a\0:", 6, "t.yaml:1:1: error: the file is in UTF-16; save it as UTF-8\n");
}

static void a_byte_order_mark_of_utf8_is_fine(void **state)
{
	struct yaml yaml;
	struct node *root;

	(void)state;
	yaml_begin(&yaml);
	root = yaml_load(&yaml, "\xef\xbb\xbf"
				"a: 1\nb: 2\n");
	assert_string_equal(node_get(root, "a")->scalar, "1");
	assert_string_equal(node_get(root, "b")->scalar,
			    "2"); /* the mark takes no column: both keys stand in the first */
	assert_int_equal(root->pairs[0].key_loc.col, 1);
	yaml_end(&yaml);
}

static void windows_line_ends_are_fine(void **state)
{
	struct yaml yaml;
	const struct node *root;

	(void)state;
	yaml_begin(&yaml);
	root = yaml_load(&yaml, "a: 1\r\nb: |\r\n  x\r\n  y\r\n");
	assert_string_equal(node_get(root, "b")->scalar, "x\ny\n");
	assert_int_equal(root->pairs[1].key_loc.line, 2);
	yaml_end(&yaml);
}

static void nothing_at_all_is_an_empty_file(void **state)
{
	(void)state;
	yaml_refuses("", "t.yaml: error: the file is empty\n");
	yaml_refuses_bytes(NULL, 0, "t.yaml: error: the file is empty\n");
	yaml_refuses("# only a comment\n", "t.yaml: error: the file is empty\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_thousand_open_brackets_are_too_deep),
		cmocka_unit_test(sixty_four_levels_are_deep_enough_for_anybody),
		cmocka_unit_test(an_alias_bomb_is_refused_where_it_grows_too_large),
		cmocka_unit_test(a_bomb_of_merge_keys_is_refused_too),
		cmocka_unit_test(an_alias_of_itself_is_refused),
		cmocka_unit_test(aliases_cannot_nest_deeper_than_brackets),
		cmocka_unit_test(a_million_values_are_too_many),
		cmocka_unit_test(too_many_anchors_are_refused),
		cmocka_unit_test(fifty_thousand_keys_are_checked_for_duplicates_at_once),
		cmocka_unit_test(more_than_four_mebibytes_are_refused),
		cmocka_unit_test(a_text_of_more_than_256_kibibytes_is_refused),
		cmocka_unit_test(nul_and_other_control_characters_are_refused),
		cmocka_unit_test(control_characters_are_not_smuggled_in_by_escapes),
		cmocka_unit_test(tabs_and_line_feeds_may_be_escaped),
		cmocka_unit_test(what_is_not_utf8_is_refused_by_its_first_bad_byte),
		cmocka_unit_test(utf16_is_named_as_what_it_is),
		cmocka_unit_test(a_byte_order_mark_of_utf8_is_fine),
		cmocka_unit_test(windows_line_ends_are_fine),
		cmocka_unit_test(nothing_at_all_is_an_empty_file),
	};

	alarm(60); /* a limit that does not work shows itself by taking for ever */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
