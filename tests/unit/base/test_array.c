/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/array.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/base/macro.h"

static void elements_survive_growing(UNUSED void **state)
{
	int64_t *v = NULL;
	size_t cap = 0;

	for (size_t i = 0; i < 100000; i++) {
		assert_int_equal(array_reserve((void **)&v, &cap, i + 1, sizeof(*v)), 0);
		assert_true(cap > i);
		v[i] = (int64_t)i;
	}
	for (size_t i = 0; i < 100000; i++)
		assert_true(v[i] == (int64_t)i);
	free(v);
}

/* Doubling: a million appends must not copy a million times. */
static void growing_is_rare(UNUSED void **state)
{
	char *v = NULL;
	size_t cap = 0, grown = 0;

	for (size_t i = 0; i < 1000000; i++) {
		size_t before = cap;

		assert_int_equal(array_reserve((void **)&v, &cap, i + 1, 1), 0);
		grown += cap != before;
	}
	assert_true(grown <= 20);
	free(v);
}

static void room_that_is_there_moves_nothing(UNUSED void **state)
{
	int *v = NULL, *before;
	size_t cap = 0;

	assert_int_equal(array_reserve((void **)&v, &cap, 5, sizeof(*v)), 0);
	before = v;
	assert_int_equal(array_reserve((void **)&v, &cap, cap, sizeof(*v)), 0);
	assert_int_equal(array_reserve((void **)&v, &cap, 0, sizeof(*v)), 0);
	assert_ptr_equal(v, before);
	free(v);
}

/* count × size overflows size_t, or is more than any machine has. */
static void impossible_sizes_leave_the_array_as_it_was(UNUSED void **state)
{
	static const size_t needs[] = {SIZE_MAX, SIZE_MAX / 2 + 2, SIZE_MAX / 8 + 1, SIZE_MAX / 16};
	int64_t *v = NULL, *before;
	size_t cap = 0, cap_before;

	assert_int_equal(array_reserve((void **)&v, &cap, 3, sizeof(*v)), 0);
	v[2] = 42;
	before = v;
	cap_before = cap;
	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		assert_int_equal(array_reserve((void **)&v, &cap, needs[i], sizeof(*v)), -ENOMEM);
		assert_ptr_equal(v, before);
		assert_true(cap == cap_before && v[2] == 42);
	}
	free(v);
}

/* AddressSanitizer would end the program at an impossible realloc that the last case wants refused. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_survive_growing),
		cmocka_unit_test(growing_is_rare),
		cmocka_unit_test(room_that_is_there_moves_nothing),
		cmocka_unit_test(impossible_sizes_leave_the_array_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
