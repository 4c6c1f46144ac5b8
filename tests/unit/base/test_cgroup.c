/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/base/cgroup_bed.h"

#include <errno.h>
#include <unistd.h>

struct busy {
	struct cgroup_tree tree;
	struct cgroup_leaf leaf;
	pid_t pid; /* uses all the time it gets */
};

static struct busy start_busy(void)
{
	struct busy busy = {.tree = cgroup_bed_tree()};
	struct err err = {0};

	assert_int_equal(cgroup_leaf_make(&busy.tree, "busy", &busy.leaf, &err), 0);
	assert_int_equal(cgroup_leaf_make(&busy.tree, "busy", &busy.leaf, &err), 0); /* as it is */
	busy.pid = fork();
	if (!busy.pid) {
		if (cgroup_leaf_enter(&busy.leaf))
			_exit(1);
		for (;;)
			;
	}
	return busy;
}

static void end_busy(struct busy *busy)
{
	kill(busy->pid, SIGKILL);
	waitpid(busy->pid, NULL, 0);
	assert_int_equal(cgroup_tree_remove(&busy->tree), 0);
	assert_false(cgroup_bed_exists(busy->tree.parent_fd, busy->tree.name));
	assert_int_equal(cgroup_tree_remove(&busy->tree), 0); /* twice is once */
	cgroup_leaf_close(&busy->leaf);
	cgroup_tree_close(&busy->tree);
}

static bool was_held_back(void *arg)
{
	struct busy *busy = arg;
	struct cgroup_usage usage;

	return !cgroup_leaf_usage(&busy->leaf, &usage) && usage.throttled > 0 && usage.throttled_ns > 0;
}

static void who_uses_its_quota_up_is_held_back_until_there_is_none(void **state UNUSED)
{
	struct busy busy = start_busy();
	struct cgroup_usage before, after;
	const struct timespec while_free = {.tv_nsec = 300 * MSEC};

	assert_int_equal(cgroup_leaf_limit(&busy.leaf, MSEC, 100 * MSEC), 0);
	assert_true(cgroup_bed_until(was_held_back, &busy));
	assert_int_equal(cgroup_leaf_limit(&busy.leaf, -1, 100 * MSEC), 0);
	assert_int_equal(cgroup_leaf_usage(&busy.leaf, &before), 0);
	nanosleep(&while_free, NULL);
	assert_int_equal(cgroup_leaf_usage(&busy.leaf, &after), 0);
	assert_in_range(after.throttled, before.throttled, before.throttled + 1); /* the last period's end */
	end_busy(&busy);
}

static void tree_with_a_process_in_it_stays(void **state UNUSED)
{
	struct busy busy = start_busy();

	assert_int_equal(cgroup_leaf_limit(&busy.leaf, MSEC, 100 * MSEC), 0);
	assert_true(cgroup_bed_until(was_held_back, &busy)); /* so it is in there */
	assert_int_equal(cgroup_tree_remove(&busy.tree), -EBUSY);
	end_busy(&busy);
}

static void deserted_tree_is_removed_by_the_next_and_one_in_use_is_not(void **state UNUSED)
{
	struct cgroup_tree deserted = cgroup_bed_tree(), used = cgroup_bed_tree(), next;
	struct cgroup_leaf leaf;
	struct err err = {0};

	assert_int_equal(cgroup_leaf_make(&deserted, "leaf", &leaf, &err), 0);
	cgroup_leaf_close(&leaf);
	assert_true(cgroup_bed_exists(used.parent_fd, deserted.name));
	cgroup_tree_close(&deserted);
	next = cgroup_bed_tree();
	assert_false(cgroup_bed_exists(used.parent_fd, deserted.name));
	assert_true(cgroup_bed_exists(used.parent_fd, used.name));
	assert_int_equal(cgroup_tree_remove(&used), 0);
	assert_int_equal(cgroup_tree_remove(&next), 0);
	cgroup_tree_close(&used);
	cgroup_tree_close(&next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_uses_its_quota_up_is_held_back_until_there_is_none),
		cmocka_unit_test(tree_with_a_process_in_it_stays),
		cmocka_unit_test(deserted_tree_is_removed_by_the_next_and_one_in_use_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
