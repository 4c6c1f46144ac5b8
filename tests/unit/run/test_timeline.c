/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SHOWN_MAX 64

/* Moments as text, "<ms> <what><id>[@<share of the ramp in %>] ", at most SHOWN_MAX of them; ends with "…" if there are more. */
static const char *moments_of(struct arena *arena, struct injector *faults, size_t count)
{
	static const char *const whats[] = {[MOMENT_REVERT] = "end",
					    [MOMENT_OFF] = "off",
					    [MOMENT_APPLY] = "begin",
					    [MOMENT_ON] = "on",
					    [MOMENT_ADJUST] = "step"};
	struct plan plan = {.faults = ARENA_ARRAY(arena, struct injector *, count), .fault_count = count};
	struct timeline *timeline;
	const struct moment *moment;
	const char *text = "";

	for (size_t i = 0; i < count; i++) {
		faults[i].id = (int64_t)i + 1;
		plan.faults[i] = &faults[i];
	}
	timeline = timeline_new(&plan, arena);
	for (size_t i = 0; (moment = timeline_peek(timeline)) && i < SHOWN_MAX; i++) {
		text = arena_printf(arena, "%s%d %s%d", text, (int)(moment->at_ns / MSEC), whats[moment->what],
				    (int)moment->fault->id);
		if (moment->progress_ppm != PPM_ONE)
			text = arena_printf(arena, "%s@%d%%", text, (int)(moment->progress_ppm / 10000));
		text = arena_printf(arena, "%s ", text);
		timeline_drop(timeline);
	}
	return timeline_peek(timeline) ? arena_printf(arena, "%s…", text) : text;
}

static void orders_moments_by_time_not_by_the_plan(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = 9 * SEC, .for_ns = SEC}, {.at_ns = 2 * SEC, .for_ns = 3 * SEC}};

	assert_string_equal(moments_of(arena, faults, 2), "2000 begin2 5000 end2 9000 begin1 10000 end1 ");
}

/* One fault hands over to the next: there must be no instant at which both stand. */
static void ends_come_before_beginnings_at_the_same_moment(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = 5 * SEC, .for_ns = SEC}, {.at_ns = SEC, .for_ns = 4 * SEC}};

	assert_string_equal(moments_of(arena, faults, 2), "1000 begin2 5000 end2 5000 begin1 6000 end1 ");
}

static void beginnings_at_the_same_moment_keep_the_order_of_the_plan(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {
		{.at_ns = SEC, .for_ns = SEC}, {.at_ns = SEC, .for_ns = SEC}, {.at_ns = SEC, .for_ns = SEC}};

	assert_string_equal(moments_of(arena, faults, 3),
			    "1000 begin1 1000 begin2 1000 begin3 2000 end1 2000 end2 2000 end3 ");
}

static void a_fault_without_an_end_has_no_revert_moment(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = SEC,
				     .for_ns = PARAM_UNSET,
				     .ramp_ns = PARAM_UNSET,
				     .flap = {.on_ns = PARAM_UNSET, .off_ns = PARAM_UNSET}}};

	assert_string_equal(moments_of(arena, faults, 1), "1000 begin1 ");
}

static void a_flap_switches_off_first_and_ends_when_the_fault_does(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = SEC, .for_ns = 8 * SEC, .flap = {.on_ns = 2 * SEC, .off_ns = 3 * SEC}}};

	assert_string_equal(moments_of(arena, faults, 1), "1000 begin1 3000 off1 6000 on1 8000 off1 9000 end1 ");
}

/* On at the very end would be on for no time at all. */
static void an_end_wins_over_a_switch_at_the_same_moment(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = 0, .for_ns = 5 * SEC, .flap = {.on_ns = 2 * SEC, .off_ns = 3 * SEC}}};

	assert_string_equal(moments_of(arena, faults, 1), "0 begin1 2000 off1 5000 end1 ");
}

static void a_flap_without_an_end_goes_on(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {
		{.at_ns = 0, .for_ns = PARAM_UNSET, .flap = {.on_ns = 365 * 86400 * SEC, .off_ns = SEC}}};
	const char *text = moments_of(arena, faults, 1);

	assert_non_null(strstr(text, "…"));
}

/* Steps of 100 ms from nothing to full: a third, two thirds, and full when the ramp ends, not a step later. */
static void a_ramp_goes_up_in_steps_and_is_full_at_its_end(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector even[] = {{.at_ns = SEC, .for_ns = SEC, .ramp_ns = 300 * MSEC}};
	struct injector odd[] = {{.at_ns = SEC, .for_ns = SEC, .ramp_ns = 250 * MSEC}};

	assert_string_equal(moments_of(arena, even, 1),
			    "1000 begin1@0% 1100 step1@33% 1200 step1@66% 1300 step1 2000 end1 ");
	assert_string_equal(moments_of(arena, odd, 1),
			    "1000 begin1@0% 1100 step1@40% 1200 step1@80% 1250 step1 2000 end1 ");
}

/* The ramp goes on underneath: what comes back has grown meanwhile. */
static void a_ramp_that_flaps_takes_no_steps_while_off(void **state UNUSED)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct injector faults[] = {{.at_ns = 0,
				     .for_ns = SEC,
				     .ramp_ns = 500 * MSEC,
				     .flap = {.on_ns = 150 * MSEC, .off_ns = 200 * MSEC}}};

	assert_string_equal(
		moments_of(arena, faults, 1),
		"0 begin1@0% 100 step1@20% 150 off1@30% 350 on1@70% 400 step1@80% 500 off1 700 on1 850 off1 "
		"1000 end1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_moments_by_time_not_by_the_plan),
		cmocka_unit_test(ends_come_before_beginnings_at_the_same_moment),
		cmocka_unit_test(beginnings_at_the_same_moment_keep_the_order_of_the_plan),
		cmocka_unit_test(a_fault_without_an_end_has_no_revert_moment),
		cmocka_unit_test(a_flap_switches_off_first_and_ends_when_the_fault_does),
		cmocka_unit_test(an_end_wins_over_a_switch_at_the_same_moment),
		cmocka_unit_test(a_flap_without_an_end_goes_on),
		cmocka_unit_test(a_ramp_goes_up_in_steps_and_is_full_at_its_end),
		cmocka_unit_test(a_ramp_that_flaps_takes_no_steps_while_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
