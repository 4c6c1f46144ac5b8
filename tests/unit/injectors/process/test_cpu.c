/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops cpu_ops;

static void rejects_all_of_the_processor(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};

	bed_fault(arena, &cpu_ops, "r1", &server_unbound, SERVER_RESOLVER, KEYS("share", "100%"), &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "share"));
	errs_fini(&errs);
	arena_free(arena);
}

static void describes_itself(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &cpu_ops, "r1", &server_unbound, SERVER_RESOLVER, KEYS("share", "20%"), &errs);
	struct buf sentence = {0}, apply = {0}, revert = {0};

	cpu_ops.sentence(fault, &sentence);
	cpu_ops.commands(fault, &apply, &revert);
	assert_string_equal(sentence.data, "leaves 20% of the processor's time to r1 (unbound)");
	assert_string_equal(apply.data, "ssh root@r1 systemctl set-property --runtime unbound CPUQuota=20%\n");
	assert_string_equal(revert.data, "ssh root@r1 systemctl set-property --runtime unbound CPUQuota=\n");
	buf_fini(&sentence), buf_fini(&apply), buf_fini(&revert);
	arena_free(arena);
}

static bool is_stopped(void *arg UNUSED)
{
	return !bed_runs();
}

static bool is_running(void *arg UNUSED)
{
	return bed_runs();
}

static int beats(struct trial *trial, struct err *err)
{
	if (bed_apply(err))
		return err->code;
	for (int i = 0; i < 3; i++)
		CHECK(trial_turn(trial, is_stopped, NULL) && trial_turn(trial, is_running, NULL));
	CHECK(bed_effect().took_effect && !strcmp(bed_of->ctx.backend, "duty-cycle"));
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	bed_pass(50 * MSEC);
	for (int i = 0; i < 10; i++) {
		CHECK(bed_runs());
		bed_pass(20 * MSEC);
	}
	CHECK(!bed_effect().took_effect);
	return 0;
}

static void takes_effect_and_leaves_no_trace(void **state UNUSED)
{
	bed_run(&cpu_ops, "alpha.ns1", "knot", KEYS("share", "40%"), beats);
}

static int revert_ends_a_stop(struct trial *trial, struct err *err)
{
	if (bed_apply(err))
		return err->code;
	CHECK(trial_turn(trial, is_stopped, NULL));
	if (bed_revert(err))
		return err->code;
	bed_pass(50 * MSEC);
	CHECK(bed_runs());
	return 0;
}

static void server_runs_on_when_reverted_in_the_middle_of_a_stop(void **state UNUSED)
{
	bed_run(&cpu_ops, "alpha.ns1", "nsd", KEYS("share", "1%"), revert_ends_a_stop);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&cpu_ops, "alpha.ns1", "knot", KEYS("share", "40%"), bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_all_of_the_processor),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_and_leaves_no_trace),
		cmocka_unit_test(server_runs_on_when_reverted_in_the_middle_of_a_stop),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
