/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_joined_and_terminated(UNUSED void **state)
{
	struct buf buf = {0};

	buf_puts(&buf, "a");
	buf_putc(&buf, 'b');
	buf_printf(&buf, "%d%s", 12, "c");
	buf_add(&buf, "d\0e", 3);
	assert_int_equal(buf.len, 8);
	assert_memory_equal(buf.data, "ab12cd\0e", 9);
	assert_false(buf.failed);
	buf_fini(&buf);
}

static void an_empty_piece_makes_an_empty_string(UNUSED void **state)
{
	struct buf buf = {0};

	buf_puts(&buf, "");
	assert_non_null(buf.data);
	assert_string_equal(buf.data, "");
	buf_add(&buf, NULL, 0);
	buf_printf(&buf, "%s", "");
	assert_int_equal(buf.len, 0);
	buf_fini(&buf);
}

/* Every length across several doublings, so that each border is met by printf. */
static void nothing_is_lost_at_any_length(UNUSED void **state)
{
	struct buf buf = {0};
	size_t expected = 0;

	for (int i = 0; i < 600; i++) {
		buf_printf(&buf, "%*s", i, "x");
		expected += i ? (size_t)i : 1;
		assert_int_equal(buf.len, expected);
		assert_int_equal(buf.data[buf.len - 1], 'x');
		assert_int_equal(strlen(buf.data), buf.len);
	}
	buf_fini(&buf);
}

static void clearing_keeps_the_memory_and_forgets_the_text(UNUSED void **state)
{
	struct buf buf = {0};
	const char *before;

	buf_clear(&buf); /* of nothing is fine */
	buf_puts(&buf, "something");
	before = buf.data;
	buf_clear(&buf);
	assert_string_equal(buf.data, "");
	buf_puts(&buf, "new");
	assert_ptr_equal(buf.data, before);
	assert_string_equal(buf.data, "new");
	buf_fini(&buf);
}

static void a_finished_buffer_can_be_used_again(UNUSED void **state)
{
	struct buf buf = {0};

	buf_puts(&buf, "x");
	buf_fini(&buf);
	assert_null(buf.data);
	buf_puts(&buf, "y");
	assert_string_equal(buf.data, "y");
	buf_fini(&buf);
}

static void a_failure_is_remembered_and_later_pieces_do_nothing(UNUSED void **state)
{
	struct buf buf = {0};

	buf_puts(&buf, "kept");
	buf_add(&buf, "", SIZE_MAX - 3); /* cannot fit any address space; its bytes are never read */
	assert_true(buf.failed);
	buf_puts(&buf, "late");
	buf_printf(&buf, "%d", 1);
	assert_string_equal(buf.data, "kept");
	buf_fini(&buf);
	assert_false(buf.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_joined_and_terminated),
		cmocka_unit_test(an_empty_piece_makes_an_empty_string),
		cmocka_unit_test(nothing_is_lost_at_any_length),
		cmocka_unit_test(clearing_keeps_the_memory_and_forgets_the_text),
		cmocka_unit_test(a_finished_buffer_can_be_used_again),
		cmocka_unit_test(a_failure_is_remembered_and_later_pieces_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
