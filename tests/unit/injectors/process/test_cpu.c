/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/base/cgroup_bed.h"
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
	bed_describes(&cpu_ops, "r1", &server_unbound, KEYS("share", "20%"),
		      "leaves 20% of a processor's time to r1 (unbound)",
		      "ssh root@r1 systemctl set-property --runtime unbound CPUQuota=20%\n",
		      "ssh root@r1 systemctl set-property --runtime unbound CPUQuota=\n");
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

static void is_not_done_by_a_quota_where_there_is_none(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct err err = {0};
	struct injector *fault = bed_fault(arena, &cpu_ops, "r1", &server_unbound, SERVER_RESOLVER,
					   KEYS("share", "20%", "backend", "cgroup"), &errs);

	assert_int_equal(errs.count, 0);
	assert_int_equal(cpu_ops.available(fault, NULL, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "say backend: duty-cycle, or auto"));
	arena_free(arena);
}

/* What the kernel has of the quota, in µs of each period; -1: it has none. */
static long long quota_us(void)
{
	const struct cgroup_leaf *leaf = server_process_cgroup(bed_server());
	int fd = openat(leaf->dirfd, leaf->is_v1 ? "cpu.cfs_quota_us" : "cpu.max", O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -2;
	close(fd);
	return strncmp(text, "max", 3) ? strtoll(text, NULL, 10) : -1;
}

static bool was_held_back(void *arg UNUSED)
{
	struct err err = {0};

	(void)server_process_signal(bed_server(), SIGHUP, &err); /* it reads its zones again */
	return bed_effect().took_effect;
}

static int limits(struct trial *trial, struct err *err)
{
	CHECK(quota_us() == -1);
	if (bed_apply(err))
		return err->code;
	CHECK(!strcmp(bed_of->ctx.backend, "cgroup") && quota_us() == 1000 && !bed_effect().took_effect);
	CHECK(trial_turn(trial, was_held_back, NULL));
	if (bed_of->fault->ops->adjust(bed_of->fault, &bed_of->ctx, 0, err))
		return err->code;
	CHECK(quota_us() == 100000);
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(quota_us() == -1 && bed_runs());
	return 0;
}

static void by_quota(const char *const *keys, int (*body)(struct trial *trial, struct err *err))
{
	struct cgroup_tree tree = cgroup_bed_tree();

	bed_cgroup = &tree;
	bed_run(&cpu_ops, "alpha.ns1", "bind", keys, body);
	bed_cgroup = NULL;
	assert_int_equal(cgroup_tree_remove(&tree), 0); /* no process is left in it */
	cgroup_tree_close(&tree);
}

static void quota_holds_back_a_busy_server_and_goes(void **state UNUSED)
{
	by_quota(KEYS("share", "1%"), limits);
}

/* Whatever is started in the server's place is limited as it was. */
static int starts_again(struct trial *trial, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());
	static const struct server_start start = {0};

	if (bed_apply(err))
		return err->code;
	server_process_allow_exit(bed_server(), "test");
	if (server_process_signal(bed_server(), SIGKILL, err) || server_process_start(bed_server(), &start, err))
		return err->code;
	CHECK(trial_turn(trial, bed_answers, NULL) && server_process_pid(bed_server()) != pid);
	CHECK(bed_effect().took_effect); /* starting takes more than it is left */
	return bed_revert(err);
}

static void quota_outlives_the_process(void **state UNUSED)
{
	by_quota(KEYS("share", "10%"), starts_again);
}

/* A second fault, looser than the one that stands, changes nothing; when the tighter one goes, it is felt. */
static int tightest_counts(struct trial *trial UNUSED, struct err *err)
{
	struct errs errs = {0};
	struct injector *tight = bed_of->fault;
	struct injector *loose = bed_fault(bed_of->small.arena, &cpu_ops, "alpha.ns1", &server_bind,
					   SERVER_AUTHORITATIVE, KEYS("share", "50%"), &errs);
	struct injector *faults[] = {tight, loose};

	bed_of->ctx.faults = faults;
	bed_of->ctx.fault_count = 2;
	if (bed_apply(err) || cpu_ops.apply(loose, &bed_of->ctx, err))
		return err->code;
	CHECK(quota_us() == 5000);
	if (bed_revert(err))
		return err->code;
	CHECK(quota_us() == 50000);
	if (cpu_ops.revert(loose, &bed_of->ctx, err))
		return err->code;
	CHECK(quota_us() == -1);
	return 0;
}

static void tightest_of_two_quotas_counts(void **state UNUSED)
{
	by_quota(KEYS("share", "5%"), tightest_counts);
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
		cmocka_unit_test(is_not_done_by_a_quota_where_there_is_none),
		cmocka_unit_test(quota_holds_back_a_busy_server_and_goes),
		cmocka_unit_test(quota_outlives_the_process),
		cmocka_unit_test(tightest_of_two_quotas_counts),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
