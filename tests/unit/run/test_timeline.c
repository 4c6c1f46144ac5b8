/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct moment *moments_of(struct arena *arena, struct injector *faults, size_t count, size_t *ret_count)
{
	struct plan plan = {.faults = ARENA_ARRAY(arena, struct injector *, count), .fault_count = count};

	for (size_t i = 0; i < count; i++) {
		faults[i].id = (int64_t)i + 1;
		plan.faults[i] = &faults[i];
	}
	return timeline_moments(&plan, arena, ret_count);
}

static void orders_moments_by_time_not_by_the_plan(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = 9 * SEC, .for_ns = SEC}, {.at_ns = 2 * SEC, .for_ns = 3 * SEC}};
	size_t count;
	struct moment *moments = moments_of(arena, faults, 2, &count);

	assert_int_equal(count, 4);
	assert_int_equal(moments[0].at_ns, 2 * SEC);
	assert_int_equal(moments[1].at_ns, 5 * SEC);
	assert_int_equal(moments[1].what, MOMENT_REVERT);
	assert_ptr_equal(moments[2].fault, &faults[0]);
	assert_int_equal(moments[3].at_ns, 10 * SEC);
}

/* One fault hands over to the next: there must be no instant at which both stand. */
static void ends_come_before_beginnings_at_the_same_moment(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = 5 * SEC, .for_ns = SEC}, {.at_ns = SEC, .for_ns = 4 * SEC}};
	size_t count;
	struct moment *moments = moments_of(arena, faults, 2, &count);

	assert_int_equal(moments[1].at_ns, 5 * SEC);
	assert_int_equal(moments[1].what, MOMENT_REVERT);
	assert_ptr_equal(moments[1].fault, &faults[1]);
	assert_int_equal(moments[2].what, MOMENT_APPLY);
	assert_ptr_equal(moments[2].fault, &faults[0]);
}

static void beginnings_at_the_same_moment_keep_the_order_of_the_plan(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {
		{.at_ns = SEC, .for_ns = SEC}, {.at_ns = SEC, .for_ns = SEC}, {.at_ns = SEC, .for_ns = SEC}};
	size_t count;
	struct moment *moments = moments_of(arena, faults, 3, &count);

	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(moments[i].fault, &faults[i]);
}

static void a_fault_without_an_end_has_no_revert_moment(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = SEC, .for_ns = PARAM_UNSET}};
	size_t count;
	struct moment *moments = moments_of(arena, faults, 1, &count);

	assert_int_equal(count, 1);
	assert_int_equal(moments[0].what, MOMENT_APPLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_moments_by_time_not_by_the_plan),
		cmocka_unit_test(ends_come_before_beginnings_at_the_same_moment),
		cmocka_unit_test(beginnings_at_the_same_moment_keep_the_order_of_the_plan),
		cmocka_unit_test(a_fault_without_an_end_has_no_revert_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
