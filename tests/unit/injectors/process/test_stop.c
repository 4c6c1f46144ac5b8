/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops stop_ops;

static void describes_itself(void **state UNUSED)
{
	bed_describes(&stop_ops, "alpha.ns1", &server_nsd, NULL, "stops every process of alpha.ns1 (nsd)",
		      "ssh root@alpha.ns1 pkill -STOP -x nsd\n", "ssh root@alpha.ns1 pkill -CONT -x nsd\n");
}

static int stops_and_continues(struct trial *trial UNUSED, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());
	struct servers_state state;

	CHECK(!bed_effect().took_effect);
	if (bed_apply(err))
		return err->code;
	bed_pass(50 * MSEC);
	CHECK(!servers_state(pid, &state) && state.processes >= 2 && state.stopped == state.processes);
	CHECK(bed_effect().took_effect);
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	bed_pass(50 * MSEC);
	CHECK(bed_runs() && server_process_pid(bed_server()) == pid && !bed_effect().took_effect);
	return 0;
}

static void takes_effect_on_every_process_and_leaves_no_trace(void **state UNUSED)
{
	bed_run(&stop_ops, "alpha.ns1", "nsd", NULL, stops_and_continues);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&stop_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_on_every_process_and_leaves_no_trace),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
