/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops kill_ops, stop_ops, slow_restart_ops;

static void rejects_a_start_after_the_end(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault = bed_fault(arena, &kill_ops, "alpha.ns1", &server_knot, SERVER_AUTHORITATIVE,
					   KEYS("start_after", "11s"), &errs);

	kill_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "shorten start_after:"));
	errs_fini(&errs);
	arena_free(arena);
}

static void describes_itself(void **state UNUSED)
{
	bed_describes(&kill_ops, "alpha.ns1", &server_bind, KEYS("signal", "TERM", "start_after", "2s"),
		      "ends alpha.ns1 (named) with SIGTERM; it is started again 2s later",
		      "ssh root@alpha.ns1 pkill -TERM -x named\n", "ssh root@alpha.ns1 systemctl start named\n");
}

/* nsd has children: all of them go, and come back as others. */
static int ends_it_and_brings_it_back(struct trial *trial, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());

	CHECK(!bed_effect().took_effect);
	if (bed_apply(err))
		return err->code;
	CHECK(trial_turn(trial, bed_is_gone, NULL));
	CHECK(kill(-pid, 0) && errno == ESRCH);
	CHECK(bed_effect().took_effect && trial->report.excused == 1);
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(trial_turn(trial, bed_answers, NULL));
	CHECK(server_process_pid(bed_server()) != pid && bed_runs());
	return 0;
}

static void killed_server_is_gone_until_reverted(void **state UNUSED)
{
	bed_run(&kill_ops, "alpha.ns1", "nsd", NULL, ends_it_and_brings_it_back);
}

static int supervisor_is_quick(struct trial *trial, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());

	if (bed_apply(err))
		return err->code;
	CHECK(trial_turn(trial, bed_is_gone, NULL) && trial_turn(trial, bed_answers, NULL));
	CHECK(server_process_pid(bed_server()) != pid && bed_effect().took_effect);
	pid = server_process_pid(bed_server());
	if (bed_revert(err))
		return err->code;
	bed_pass(100 * MSEC);
	CHECK(server_process_pid(bed_server()) == pid);
	return 0;
}

static void supervised_server_is_back_before_the_end(void **state UNUSED)
{
	bed_run(&kill_ops, "alpha.ns1", "knot", KEYS("start_after", "100ms"), supervisor_is_quick);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&kill_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
}

/* Whoever dies of something else while nothing allows it is still an error. */
static int dies_of_something_else(struct trial *trial, struct err *err)
{
	if (bed_apply(err) || !trial_turn(trial, bed_is_gone, NULL) || bed_revert(err) ||
	    !trial_turn(trial, bed_answers, NULL))
		return err->code ? err->code : err_set(err, -EIO, LOC_NONE, "not back");
	kill(server_process_pid(bed_server()), SIGKILL);
	CHECK(trial_turn(trial, bed_is_gone, NULL));
	CHECK(trial->report.excused == 1 && !strcmp(trial->report.exited, "alpha.ns1"));
	return 0;
}

static void exit_after_the_fault_is_not_excused(void **state UNUSED)
{
	bed_run(&kill_ops, "alpha.ns1", "knot", NULL, dies_of_something_else);
}

static bool is_lost(void *arg)
{
	return ((const struct trial *)arg)->report.lost[0] != '\0';
}

/* Its configuration has gone bad while it was away: the fault could not be undone, and the run hears of it. */
static int does_not_come_back(struct trial *trial, struct err *err)
{
	char path[512];
	FILE *conf;

	if (bed_apply(err))
		return err->code;
	CHECK(trial_turn(trial, bed_is_gone, NULL));
	snprintf(path, sizeof(path), "%s/knot.conf", server_process_spec(bed_server())->dir);
	conf = fopen(path, "ae");
	CHECK(conf && fputs("nonsense\n", conf) >= 0 && !fclose(conf));
	if (bed_revert(err))
		return err->code;
	CHECK(trial_turn(trial, is_lost, trial));
	CHECK(strstr(trial->report.lost,
		     "alpha.ns1 (knot) was started again and exited with status 1 before it answered"));
	CHECK(bringup_is_settled(trial->bringup));
	return 0;
}

static void server_that_does_not_come_back_is_an_error(void **state UNUSED)
{
	bed_run(&kill_ops, "alpha.ns1", "knot", NULL, does_not_come_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_a_start_after_the_end),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(killed_server_is_gone_until_reverted),
		cmocka_unit_test(supervised_server_is_back_before_the_end),
		cmocka_unit_test(revert_without_apply),
		cmocka_unit_test(exit_after_the_fault_is_not_excused),
		cmocka_unit_test(server_that_does_not_come_back_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
