/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/guest_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "harness/api/action.h"
#include "tests/unit/run/small_plan.h"

static bool has(const struct pack *pack, const char *name)
{
	for (size_t i = 0; i < pack->program_count; i++) {
		const char *slash = strrchr(pack->programs[i], '/');

		if (slash && !strcmp(slash + 1, name))
			return true;
	}
	return false;
}

static void takes(struct small_plan *small, struct pack *ret)
{
	struct plan *plans[] = {&small->plan};
	struct plan_set set = {.plans = plans, .count = 1};

	small->plan.topology = small_topology(small);
	guest_parts(&set, small->arena, ret);
}

static void run_two(const struct action *action UNUSED, void (*add)(void *arg, const char *program), void *arg)
{
	add(arg, "cat");
	add(arg, "/opt/deploy");
}

static void takes_what_servers_and_commands_run_and_nothing_else(void **state UNUSED)
{
	const struct action_ops ops = {.kind = "two", .programs = run_two}, none = {.kind = "none"};
	struct action two = {.ops = &ops}, other = {.ops = &none}, *actions[] = {&other, &two};
	struct small_plan small;
	struct pack pack;

	small_demo(&small, "nsd", "nsd");
	takes(&small, &pack);
	assert_true(has(&pack, "nsd"));
	assert_false(has(&pack, "cat"));
	assert_false(has(&pack, "named"));
	small.plan.actions = actions;
	small.plan.action_count = ARRAY_LEN(actions);
	takes(&small, &pack);
	assert_true(has(&pack, "cat"));
	assert_true(has(&pack, "deploy"));
	small_plan_fini(&small);
}

static void a_cache_that_is_allocated_whole_and_servers_beyond_a_dozen_take_more_memory(void **state UNUSED)
{
	struct small_plan small;
	struct pack pack;
	char name[8], address[24];

	small_demo(&small, "nsd", "nsd");
	takes(&small, &pack);
	assert_int_equal(pack.memory_mib, 0);
	small_resolver(&small, "r1", "203.0.113.53", "knot-resolver", NULL);
	takes(&small, &pack);
	assert_int_equal(pack.memory_mib, 100);
	for (int i = 2; i < 8; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		snprintf(address, sizeof(address), "203.0.113.%d", 52 + i);
		small_resolver(&small, arena_strdup(small.arena, name), address, "unbound", NULL);
	}
	takes(&small, &pack); /* 4 nameservers, 7 resolvers, the root, com, net and org */
	assert_int_equal(pack.memory_mib, 100 + 3 * 32);
	small_plan_fini(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_servers_and_commands_run_and_nothing_else),
		cmocka_unit_test(a_cache_that_is_allocated_whole_and_servers_beyond_a_dozen_take_more_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
