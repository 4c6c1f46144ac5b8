/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is_zero(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i])
			return false;
	}
	return true;
}

/* Sizes around every border: one byte, the alignment, a chunk's quarter, whole chunks, many chunks. */
static void objects_are_zeroed_aligned_and_apart(UNUSED void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 16383, 16384, 16385, 65535, 65536, 65537, 300000};
	struct arena *arena = arena_new();
	unsigned char *objects[10 * ARRAY_LEN(sizes)];

	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		size_t size = sizes[i % ARRAY_LEN(sizes)];

		objects[i] = arena_alloc(arena, size);
		assert_true((uintptr_t)objects[i] % alignof(max_align_t) == 0);
		assert_true(is_zero(objects[i], size));
		memset(objects[i], (int)i + 1, size);
	}
	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		for (size_t j = 0; j < sizes[i % ARRAY_LEN(sizes)]; j++)
			assert_int_equal(objects[i][j], i + 1);
	}
	arena_free(arena);
}

static void copies_are_the_arena_s_own(UNUSED void **state)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	char source[] = "hello";
	char *whole = arena_strdup(arena, source), *part = arena_strndup(arena, source, 4);
	char *bytes = arena_memdup(arena, source, sizeof(source)), *empty = arena_strdup(arena, "");

	memset(source, 'x', 5);
	assert_string_equal(whole, "hello");
	assert_string_equal(part, "hell");
	assert_memory_equal(bytes, "hello", 6);
	assert_string_equal(empty, "");
}

static void text_of_any_length_is_printed_whole(UNUSED void **state)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	static const int widths[] = {0, 1, 16383, 16384, 65536, 200000};

	for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
		char *text = arena_printf(arena, "%*s|", widths[i], "");

		assert_int_equal(strlen(text), widths[i] + 1);
		assert_int_equal(text[widths[i]], '|');
	}
}

static void typed_allocation_gives_room_for_every_element(UNUSED void **state)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	int64_t *numbers = ARENA_ARRAY(arena, int64_t, 100000);

	for (int i = 0; i < 100000; i++)
		numbers[i] = i; /* the sanitizer looks over our shoulder */
	assert_true(numbers[99999] == 99999);
	assert_true(*ARENA_NEW(arena, int64_t) == 0);
}

static void freeing_nothing_is_fine(UNUSED void **state)
{
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_zeroed_aligned_and_apart),
		cmocka_unit_test(copies_are_the_arena_s_own),
		cmocka_unit_test(text_of_any_length_is_printed_whole),
		cmocka_unit_test(typed_allocation_gives_room_for_every_element),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
