/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/plan_text.h"

#include "harness/event/metric.h"

#define EXPECT_HEAD                                                                                     \
	PLAN_HEAD "probes: {www: {from: office, query: www.example.com A}}\n"                           \
		  "timeline: [{at: 5s, for: 10s, fault: blackhole, target: alpha, name: alpha dark}]\n" \
		  "expect:\n"

static int setup(void **state)
{
	int r = plan_text_setup(state);

	write_text("example.com.zone", PLAN_ZONE);
	return r;
}

static void one_item_with_several_bounds_becomes_several_expectations(void **state)
{
	struct plan_set *set =
		load_good(EXPECT_HEAD
			  "  - {probe: www, during: alpha dark, time_to_failover: '<= 1500ms', availability: '>=95%'}\n"
			  "  - {probe: www, outage: '== 0s'}\n");
	const struct expect_spec *v = set->plans[0]->expects;

	(void)state;
	assert_int_equal(set->plans[0]->expect_count, 3);
	assert_int_equal(v[0].metric, METRIC_TIME_TO_FAILOVER);
	assert_int_equal(v[0].bound, 1500 * MSEC);
	assert_string_equal(v[0].op, "<=");
	assert_string_equal(v[0].text, "www: time_to_failover <= 1.5s during alpha dark");
	assert_string_equal(v[0].during, "alpha dark");
	assert_ptr_equal(v[0].probe, set->plans[0]->probes[0]);
	assert_int_equal(v[0].loc.line, 19);
	assert_int_equal(v[1].bound, 950000);
	assert_string_equal(v[1].text, "www: availability >= 95% during alpha dark");
	assert_string_equal(v[2].op, "=");
	assert_int_equal(v[2].bound, 0);
	assert_null(v[2].during);
	assert_string_equal(v[2].text, "www: outage = 0s");
	plan_set_free(set);
}

static void never_is_a_bound_of_failover_and_recovery(void **state)
{
	struct plan_set *set = load_good(
		EXPECT_HEAD "  - {probe: www, during: alpha dark, time_to_failover: never, time_to_recover: never}\n");

	(void)state;
	assert_int_equal(set->plans[0]->expect_count, 2);
	assert_string_equal(set->plans[0]->expects[0].op, "never");
	assert_string_equal(set->plans[0]->expects[0].text, "www: time_to_failover never during alpha dark");
	plan_set_free(set);
	assert_refused(EXPECT_HEAD "  - {probe: www, during: alpha dark, time_to_impact: never}\n",
		       "only time_to_failover and time_to_recover can be never");
}

static void every_comparison_is_understood(void **state)
{
	static const char *const spellings[][2] = {{"<=", "<="}, {"<", "<"}, {">=", ">="},
						   {">", ">"},   {"=", "="}, {"==", "="}};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		struct plan_set *set = load_good(
			arena_printf(arena, EXPECT_HEAD "  - {probe: www, latency_p95: '%s 2s'}\n", spellings[i][0]));

		assert_string_equal(set->plans[0]->expects[0].op, spellings[i][1]);
		assert_int_equal(set->plans[0]->expects[0].bound, 2 * SEC);
		plan_set_free(set);
	}
	arena_free(arena);
}

static void a_wrong_unit_shows_the_right_spelling(void **state)
{
	(void)state;
	assert_refused(EXPECT_HEAD "  - {probe: www, availability: '>= 3s'}\n",
		       "plan.yaml:19:32: error: availability: it is a share, not a duration; write such as \">= 95%\"");
	assert_refused(EXPECT_HEAD "  - {probe: www, latency_p50: '<= 30%'}\n",
		       "latency_p50: it is a duration, not a share; write such as \"<= 3s\"");
	assert_refused(EXPECT_HEAD "  - {probe: www, outage: '< 3'}\n", "outage: 3 has no unit; write \"< 3s\"");
	assert_refused(EXPECT_HEAD "  - {probe: www, outage: 3s}\n",
		       "outage: '3s' says no comparison; write \"<= 3s\"");
	assert_refused(EXPECT_HEAD "  - {probe: www, availability: '>= 101%'}\n", "101% is more than 100%");
	assert_refused(EXPECT_HEAD "  - {probe: www, outage: '=< 3s'}\n", "outage: '< 3s' is not a duration");
}

static void a_bound_on_failover_belongs_to_a_fault(void **state)
{
	(void)state;
	assert_refused(EXPECT_HEAD "  - {probe: www, time_to_failover: '<= 3s'}\n",
		       "time_to_failover: it belongs to one fault; write during: alpha dark beside it");
	assert_refused(EXPECT_HEAD "  - {probe: www, during: recovery, time_to_impact: '<= 3s'}\n",
		       "time_to_impact: it belongs to one fault");
	plan_set_free(load_good(EXPECT_HEAD "  - {probe: www, during: recovery, availability: '= 100%'}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_item_with_several_bounds_becomes_several_expectations),
		cmocka_unit_test(never_is_a_bound_of_failover_and_recovery),
		cmocka_unit_test(every_comparison_is_understood),
		cmocka_unit_test(a_wrong_unit_shows_the_right_spelling),
		cmocka_unit_test(a_bound_on_failover_belongs_to_a_fault),
	};

	return cmocka_run_group_tests(tests, setup, plan_text_teardown);
}
