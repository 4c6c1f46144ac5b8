/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/needed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void a_child_is_needed_until_its_fault_says_otherwise(void **state UNUSED)
{
	struct needed needed = {0};
	struct injector late = {.id = 1}, lossy = {.id = 2};

	needed_tell(&needed, &late, 101, true);
	needed_tell(&needed, &lossy, 102, true);
	needed_tell(&needed, &late, 101, false);
	assert_null(needed_take(&needed, 101));
	assert_ptr_equal(needed_take(&needed, 102), &lossy);
	assert_null(needed_take(&needed, 102)); /* its death is told once */
	needed_fini(&needed);
}

static void a_stranger_is_nobodys(void **state UNUSED)
{
	struct needed needed = {0};

	assert_null(needed_take(&needed, 4711));
	needed_tell(&needed, &(struct injector){.id = 1}, 4711, false);
	assert_null(needed_take(&needed, 4711));
	needed_fini(&needed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_is_needed_until_its_fault_says_otherwise),
		cmocka_unit_test(a_stranger_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
