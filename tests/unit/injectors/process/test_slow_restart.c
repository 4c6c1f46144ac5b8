/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops slow_restart_ops;

static void rejects_being_down_beyond_the_end(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &slow_restart_ops, "r1", &server_unbound, SERVER_RESOLVER, KEYS("down", "10s"), &errs);

	slow_restart_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "shorten down:"));
	errs_fini(&errs);
	arena_free(arena);
}

static void describes_itself(void **state UNUSED)
{
	bed_describes(&slow_restart_ops, "r1", &server_unbound, KEYS("down", "2s"),
		      "restarts r1 (unbound), each away for 2s",
		      "ssh root@r1 'systemctl stop unbound && sleep 2.000 && systemctl start unbound' &\n",
		      "ssh root@r1 systemctl start unbound\n");
}

static int comes_back_by_itself(struct trial *trial, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());
	int64_t gone_ns;

	if (bed_apply(err))
		return err->code;
	CHECK(trial_turn(trial, bed_is_gone, NULL));
	gone_ns = clock_now_ns();
	CHECK(trial_turn(trial, bed_answers, NULL) && clock_now_ns() - gone_ns >= 400 * MSEC);
	CHECK(bed_effect().took_effect && server_process_pid(bed_server()) != pid);
	pid = server_process_pid(bed_server());
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	bed_pass(100 * MSEC);
	CHECK(server_process_pid(bed_server()) == pid);
	return 0;
}

static void takes_effect_and_comes_back_by_itself(void **state UNUSED)
{
	bed_run(&slow_restart_ops, "r1", "knot", KEYS("down", "500ms"), comes_back_by_itself);
}

static int is_brought_back_early(struct trial *trial, struct err *err)
{
	if (bed_apply(err))
		return err->code;
	CHECK(trial_turn(trial, bed_is_gone, NULL));
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(trial_turn(trial, bed_answers, NULL));
	return 0;
}

static void revert_starts_one_that_is_still_away(void **state UNUSED)
{
	bed_run(&slow_restart_ops, "alpha.ns1", "knot", KEYS("down", "1h"), is_brought_back_early);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&slow_restart_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_being_down_beyond_the_end),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_and_comes_back_by_itself),
		cmocka_unit_test(revert_starts_one_that_is_still_away),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
