/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops stop_ops;

static void describes_itself(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &stop_ops, "alpha.ns1", &server_nsd, SERVER_AUTHORITATIVE, NULL, &errs);
	struct buf sentence = {0}, apply = {0}, revert = {0};

	stop_ops.sentence(fault, &sentence);
	stop_ops.commands(fault, &apply, &revert);
	assert_string_equal(sentence.data, "stops every process of alpha.ns1 (nsd)");
	assert_string_equal(apply.data, "ssh root@alpha.ns1 pkill -STOP -x nsd\n");
	assert_string_equal(revert.data, "ssh root@alpha.ns1 pkill -CONT -x nsd\n");
	buf_fini(&sentence), buf_fini(&apply), buf_fini(&revert);
	arena_free(arena);
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
