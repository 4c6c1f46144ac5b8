/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void serials_go_round(void **state)
{
	(void)state;
	assert_true(serial_is_higher(8, 7));
	assert_false(serial_is_higher(7, 8));
	assert_false(serial_is_higher(7, 7));
	assert_true(serial_is_higher(0, UINT32_MAX));
	assert_true(serial_is_higher(100, UINT32_C(4294967290)));
	assert_true(serial_is_higher(UINT32_C(0x7fffffff), 0));
}

static void half_of_the_circle_apart_neither_is_higher(void **state)
{
	(void)state;
	assert_true(serial_is_undefined(SERIAL_HALF, 0));
	assert_false(serial_is_higher(SERIAL_HALF, 0));
	assert_false(serial_is_higher(0, SERIAL_HALF));
	assert_false(serial_is_undefined(SERIAL_HALF - 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serials_go_round),
		cmocka_unit_test(half_of_the_circle_apart_neither_is_higher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
