/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that a stranger wrote, into each kind of report. */
#include "report/escape.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void gives(void (*escape)(struct buf *, const char *), const char *text, const char *want)
{
	struct buf out = {0};

	buf_puts(&out, "");
	escape(&out, text);
	assert_false(out.failed);
	assert_string_equal(out.data, want);
	buf_fini(&out);
}

static void html_turns_markup_into_references(void **state)
{
	(void)state;
	gives(escape_html, "<a href=\"x\" title='y'>&amp;", "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;");
	gives(escape_html, "ordinary text, ünïcode 日本 \t\n", "ordinary text, ünïcode 日本 \t\n");
	gives(escape_html, NULL, "");
}

static void html_shows_control_characters_as_replacement(void **state)
{
	(void)state;
	/* C0, DEL and C1 (U+0085) have no meaning in HTML text, and U+0085 would be a parse error. */
	gives(escape_html, "a\x01\x1b[2J\x7f\xc2\x85z", "a\uFFFD\uFFFD[2J\uFFFD\uFFFDz");
}

static void html_shows_what_turns_the_direction_of_writing(void **state)
{
	(void)state;
	gives(escape_html, "gpj.\u202Eexe", "gpj.\\u202eexe");
	gives(escape_html, "\u2066x\u2069", "\\u2066x\\u2069");
}

static void html_replaces_bytes_that_are_no_utf8(void **state)
{
	(void)state;
	gives(escape_html, "a\xff\x80z", "a\uFFFD\uFFFDz");
	gives(escape_html, "\xc0\xbc", "\uFFFD\uFFFD"); /* an overlong '<' must not become one later */
	gives(escape_html, "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"); /* a surrogate */
	gives(escape_html, "\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"); /* past U+10FFFF */
	gives(escape_html, "cut \xe2\x82", "cut \uFFFD\uFFFD"); /* the end within a character */
	gives(escape_html, "\xe2<b>", "\uFFFD&lt;b&gt;"); /* a broken sequence must not swallow the bracket */
}

static void xml_drops_what_xml_forbids(void **state)
{
	(void)state;
	gives(escape_xml,
	      "a\x01"
	      "b\x1f\uFFFE\uFFFFc",
	      "abc");
	gives(escape_xml, "<x y=\"1\">&'", "&lt;x y=&quot;1&quot;&gt;&amp;&#39;");
	gives(escape_xml, "a\xffz", "a\uFFFDz");
}

static void xml_keeps_line_ends_in_attributes(void **state)
{
	(void)state;
	/* A parser turns a bare newline in an attribute into a space (XML 1.0 section 3.3.3). */
	gives(escape_xml, "a\nb\tc\r", "a&#10;b&#9;c&#13;");
}

static void markdown_cell_stays_in_its_cell_and_line(void **state)
{
	(void)state;
	gives(escape_markdown_cell, "a|b\nc\\", "a\\|b c\\\\");
	gives(escape_markdown_cell, "`x` *y* _z_ [l](u) ~~s~~", "\\`x\\` \\*y\\* \\_z\\_ \\[l\\](u) \\~\\~s\\~\\~");
	gives(escape_markdown_cell, "<img src=x>", "&lt;img src=x&gt;");
}

static void markdown_cell_makes_no_links_and_calls_nobody(void **state)
{
	(void)state;
	gives(escape_markdown_cell, "https://evil.example", "https&#58;//evil.example");
	gives(escape_markdown_cell, "www.evil.example", "www&#46;evil.example");
	gives(escape_markdown_cell, "@octocat fixes #12", "@&#8203;octocat fixes \\#12");
	gives(escape_markdown_cell, "r1: 192.0.2.1", "r1: 192.0.2.1");
}

static void terminal_cannot_be_driven(void **state)
{
	struct buf out = {0};
	(void)state;

	escape_terminal(&out, "\x1b]0;owned\x07 \x9b"
			      "2J \xc2\x9b"
			      "2J \u202E \r\n");
	for (size_t i = 0; i < out.len; i++)
		assert_in_range((unsigned char)out.data[i], 0x20, 0x7E);
	buf_fini(&out);
	gives(escape_terminal, "✓ zufrieden", "✓ zufrieden");
}

static void cut_keeps_characters_whole(void **state)
{
	struct buf out = {0};
	(void)state;

	escape_cut(&out, "abc", 3);
	assert_string_equal(out.data, "abc");
	buf_clear(&out);
	escape_cut(&out, "aä日", 5); /* 1 + 2 + 3 bytes */
	assert_string_equal(out.data, "aä…");
	buf_clear(&out);
	escape_cut(&out, NULL, 5);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_turns_markup_into_references),
		cmocka_unit_test(html_shows_control_characters_as_replacement),
		cmocka_unit_test(html_shows_what_turns_the_direction_of_writing),
		cmocka_unit_test(html_replaces_bytes_that_are_no_utf8),
		cmocka_unit_test(xml_drops_what_xml_forbids),
		cmocka_unit_test(xml_keeps_line_ends_in_attributes),
		cmocka_unit_test(markdown_cell_stays_in_its_cell_and_line),
		cmocka_unit_test(markdown_cell_makes_no_links_and_calls_nobody),
		cmocka_unit_test(terminal_cannot_be_driven),
		cmocka_unit_test(cut_keeps_characters_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
