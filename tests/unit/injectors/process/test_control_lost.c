/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"
#include <unistd.h>

extern const struct injector_ops control_lost_ops;

static void rejects_a_server_without_a_control_channel(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &control_lost_ops, "r1", &server_dnsmasq, SERVER_FORWARDER, NULL, &errs);

	control_lost_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "dnsmasq of r1 has no control channel to lose; take a server that has"));
	errs_fini(&errs);
	arena_free(arena);
}

static void describes_itself(void **state UNUSED)
{
	bed_describes(&control_lost_ops, "alpha.ns1", &server_knot, NULL,
		      "takes the control channel from alpha.ns1 (knotd)",
		      "ssh root@alpha.ns1 'p=$(find /run -type s -name knot.sock) && mv \"$p\" \"$p.lost\"'\n",
		      "ssh root@alpha.ns1 'p=$(find /run -type s -name knot.sock.lost) && mv \"$p\" \"${p%.lost}\"'\n");
}

/* What the server's own tool says, asked on its host. */
struct asked {
	bool is_done;
	struct job_end end;
};

static int ask_status(void *arg, struct job_report *report)
{
	return control_verb(arg, SERVER_STATUS, NULL, report);
}

static void note(void *arg, const struct job_end *end)
{
	struct asked *asked = arg;

	*asked = (struct asked){.is_done = true, .end = *end};
}

static bool is_done(void *arg)
{
	return ((const struct asked *)arg)->is_done;
}

static bool can_be_told(struct trial *trial)
{
	struct asked asked = {0};
	struct err err = {0};
	const struct host_job job = {
		.host = server_process_host(bed_server()),
		.run = ask_status,
		.arg = bed_server(),
		.timeout_ns = 10 * SEC,
		.done = note,
		.done_arg = &asked,
	};

	return !job_start(trial->jobs, &job, &err) && trial_turn(trial, is_done, &asked) && asked.end.ok;
}

static bool has_effect(void *arg UNUSED)
{
	return bed_effect().took_effect;
}

static int loses_and_regains(struct trial *trial, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());

	CHECK(can_be_told(trial) && !bed_effect().took_effect);
	if (bed_apply(err))
		return err->code;
	CHECK(!bed_effect().took_effect); /* nobody has asked yet */
	CHECK(trial_turn(trial, has_effect, NULL) && !can_be_told(trial));
	CHECK(server_process_pid(bed_server()) == pid && bed_runs());
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(can_be_told(trial) && !bed_effect().took_effect && !bed_of->failed[0]);
	return 0;
}

static void socket_is_lost_and_comes_back(void **state UNUSED)
{
	bed_run(&control_lost_ops, "alpha.ns1", "knot", NULL, loses_and_regains);
}

static void port_is_lost_and_comes_back(void **state UNUSED)
{
	bed_run(&control_lost_ops, "alpha.ns1", "bind", NULL, loses_and_regains);
}

/* The socket of one that was started again meanwhile is the right one. */
static int is_started_again(struct trial *trial, struct err *err)
{
	static const struct server_start start = {0};

	if (bed_apply(err))
		return err->code;
	server_process_allow_exit(bed_server(), "test");
	if (server_process_signal(bed_server(), SIGKILL, err) || server_process_start(bed_server(), &start, err))
		return err->code;
	CHECK(trial_turn(trial, bed_answers, NULL));
	if (bed_revert(err))
		return err->code;
	CHECK(can_be_told(trial));
	return 0;
}

static void socket_of_a_new_process_is_kept(void **state UNUSED)
{
	bed_run(&control_lost_ops, "alpha.ns1", "knot", NULL, is_started_again);
}

static bool has_failed(void *arg UNUSED)
{
	return bed_of->failed[0] != '\0';
}

static int does_not_come_back(struct trial *trial, struct err *err)
{
	char away[512];

	if (bed_apply(err))
		return err->code;
	snprintf(away, sizeof(away), "%s/.knot.sock.lost", server_process_spec(bed_server())->dir);
	CHECK(trial_turn(trial, has_effect, NULL) && !unlink(away));
	if (bed_revert(err))
		return err->code;
	CHECK(trial_turn(trial, has_failed, NULL));
	CHECK(strstr(bed_of->failed, "revert: alpha.ns1 cannot be told anything again: "));
	return 0;
}

static void channel_that_does_not_come_back_is_said(void **state UNUSED)
{
	bed_run(&control_lost_ops, "alpha.ns1", "knot", NULL, does_not_come_back);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&control_lost_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_a_server_without_a_control_channel),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(socket_is_lost_and_comes_back),
		cmocka_unit_test(port_is_lost_and_comes_back),
		cmocka_unit_test(socket_of_a_new_process_is_kept),
		cmocka_unit_test(channel_that_does_not_come_back_is_said),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
