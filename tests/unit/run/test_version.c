/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/version.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* First lines as the programs of Debian 12 print them. */
static void version_is_the_first_line(void **state)
{
	char text[80];

	(void)state;
	version_clean("nsd", "NSD version 4.6.1\nWritten by NLnet Labs.\n", text, sizeof(text));
	assert_string_equal(text, "NSD version 4.6.1");
}

static void timestamp_in_front_is_left_out(void **state)
{
	char text[80];

	(void)state;
	version_clean("pdns_recursor", "Nov  1 03:12:23 PowerDNS Recursor 4.8.8 (C)\r\n", text, sizeof(text));
	assert_string_equal(text, "PowerDNS Recursor 4.8.8 (C)");
}

static void bare_number_gets_the_programs_name(void **state)
{
	char text[80];

	(void)state;
	version_clean("unbound", "Version 1.17.1\n\nConfigure line: …", text, sizeof(text));
	assert_string_equal(text, "unbound 1.17.1");
}

static void silence_is_no_version_and_a_long_line_is_cut(void **state)
{
	char text[8];

	(void)state;
	version_clean("x", "", text, sizeof(text));
	assert_string_equal(text, "");
	version_clean("x", "0123456789", text, sizeof(text));
	assert_string_equal(text, "0123456");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_is_the_first_line),
		cmocka_unit_test(timestamp_in_front_is_left_out),
		cmocka_unit_test(bare_number_gets_the_programs_name),
		cmocka_unit_test(silence_is_no_version_and_a_long_line_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
