/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/keeper.h"

#include <errno.h>
#include <unistd.h>

#include "harness/base/fd.h"
#include "tests/unit/base/cgroup_bed.h"

/* A run: its keeper, and a lab that runs until its maker is gone. */
static _Noreturn void make(int report_fd)
{
	struct keeper keeper;
	struct cgroup_leaf leaf;
	struct err err = {0};

	keeper_start(&keeper);
	if (!keeper_tree(&keeper) || cgroup_leaf_make(&keeper.tree, "host", &leaf, &err) || cgroup_leaf_enter(&leaf) ||
	    fd_write_all(report_fd, &keeper, sizeof(keeper)))
		_exit(1);
	for (;;)
		pause();
}

struct made {
	int parent_fd;
	struct keeper keeper; /* the maker's */
};

static bool is_gone(void *arg)
{
	const struct made *made = arg;

	return !cgroup_bed_exists(made->parent_fd, made->keeper.tree.name);
}

static void groups_of_a_maker_that_was_killed_are_removed(void **state UNUSED)
{
	struct cgroup_tree beside = cgroup_bed_tree();
	struct made made = {.parent_fd = beside.parent_fd};
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (!pid)
		make(fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &made.keeper, sizeof(made.keeper)), sizeof(made.keeper));
	assert_false(is_gone(&made));
	kill(made.keeper.pid, SIGTERM); /* which it does not hear */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(cgroup_bed_until(is_gone, &made));
	close(fds[0]);
	assert_int_equal(cgroup_tree_remove(&beside), 0);
	cgroup_tree_close(&beside);
}

static void groups_are_gone_when_the_keeper_has_stopped_even_if_it_was_killed(void **state UNUSED)
{
	struct cgroup_tree beside = cgroup_bed_tree();

	for (int is_killed = 0; is_killed < 2; is_killed++) {
		struct made made = {.parent_fd = beside.parent_fd};
		struct keeper keeper;

		keeper_start(&keeper);
		assert_non_null(keeper_tree(&keeper));
		made.keeper = keeper;
		assert_false(is_gone(&made));
		if (is_killed)
			kill(keeper.pid, SIGKILL);
		keeper_stop(&keeper);
		assert_true(is_gone(&made));
		assert_null(keeper_tree(&keeper));
		keeper_stop(&keeper);
	}
	assert_int_equal(cgroup_tree_remove(&beside), 0);
	cgroup_tree_close(&beside);
}

static void keeper_that_was_not_started_can_be_stopped(void **state UNUSED)
{
	struct keeper keeper = {0};

	assert_null(keeper_tree(&keeper));
	keeper_stop(&keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_of_a_maker_that_was_killed_are_removed),
		cmocka_unit_test(groups_are_gone_when_the_keeper_has_stopped_even_if_it_was_killed),
		cmocka_unit_test(keeper_that_was_not_started_can_be_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
