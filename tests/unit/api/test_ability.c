/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/ability.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LOC ((struct loc){.file = "plan.yaml", .line = 3, .col = 5})

static void what_is_there_is_no_error(void **state UNUSED)
{
	struct abilities abilities = {.has[ABILITY_NETEM] = true};
	struct err err = {0};

	assert_int_equal(ability_demand(&abilities, ABILITY_NETEM, LOC, "latency", NULL, &err), 0);
	assert_int_equal(err.code, 0);
}

static void what_is_missing_is_named_with_its_place_and_the_ways_out(void **state UNUSED)
{
	struct abilities abilities = {.why[ABILITY_NETEM] = "it does not know this qdisc"};
	struct err err = {0};

	assert_int_equal(
		ability_demand(&abilities, ABILITY_NETEM, LOC, "'slow' with backend: netem", "backend: auto", &err),
		-EOPNOTSUPP);
	assert_string_equal(err.loc.file, "plan.yaml");
	assert_int_equal(err.loc.line, 3);
	assert_non_null(strstr(err.text, "'slow' with backend: netem needs netem ("));
	assert_non_null(strstr(err.text, "which this kernel has not: it does not know this qdisc. Ways out: "));
	assert_non_null(strstr(err.text, "sudo modprobe sch_netem"));
	assert_non_null(strstr(err.text, "; or backend: auto"));
}

/* Tests and tools that ask no kernel get what every lab has, and nothing more. */
static void nothing_known_is_nothing_there(void **state UNUSED)
{
	struct err err = {0};

	assert_false(ability_has(NULL, ABILITY_RELAY));
	assert_int_equal(ability_demand(NULL, ABILITY_RELAY, LOC, "latency", NULL, &err), -EOPNOTSUPP);
}

static void each_has_words_and_a_name_of_its_own(void **state UNUSED)
{
	for (int i = 0; i < ABILITY_COUNT; i++) {
		const struct ability_info *info = &ability_infos[i];

		assert_true(*info->name && *info->what && *info->lost && *info->how);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(info->name, ability_infos[j].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_no_error),
		cmocka_unit_test(what_is_missing_is_named_with_its_place_and_the_ways_out),
		cmocka_unit_test(nothing_known_is_nothing_there),
		cmocka_unit_test(each_has_words_and_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
