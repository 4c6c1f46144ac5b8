/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of control groups share: a tree where this machine has a place for one, else the test is skipped, and says why.
 */
#pragma once
#include "harness/base/cgroup.h"
#include "harness/base/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

static inline struct cgroup_tree cgroup_bed_tree(void)
{
	struct cgroup_tree tree = {.dirfd = -1, .parent_fd = -1};
	struct err err = {0};

	if (cgroup_tree_make(&tree, &err)) {
		print_message("no quota can be had here: %s\n", err.text);
		skip();
	}
	return tree;
}

static inline bool cgroup_bed_exists(int parent_fd, const char *name)
{
	return !faccessat(parent_fd, name, F_OK, 0);
}

/* Whether it comes to be so within 10 s. */
static inline bool cgroup_bed_until(bool (*is_so)(void *arg), void *arg)
{
	const struct timespec pause = {.tv_nsec = 5 * MSEC};
	int64_t end_ns = clock_now_ns() + 10 * SEC;

	while (!is_so(arg)) {
		if (clock_now_ns() > end_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}
