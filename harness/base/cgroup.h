/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups, as far as a quota of the processor's time goes: cpu.max of version 2, or cpu.cfs_quota_us of version 1 where that has the controller (cgroups(7); the kernel's
 * admin-guide/cgroup-v2.rst, "CPU").
 *
 *   cgroup_tree_make → { cgroup_leaf_make → enter, limit, usage → cgroup_leaf_close }* → cgroup_tree_remove
 *
 * A tree is one directory `dnsdrill-…` of our own in a hierarchy that is mounted already and that we may write to, with a leaf for each set of processes. Control groups outlive their processes: whoever
 * makes a tree sees to its removal after any end (engine/keeper.h). As long as anybody has it locked (flock(2)) it is in use; cgroup_tree_make removes every tree beside its own whose lock is gone.
 */
#pragma once
#include "harness/base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup_tree {
	int parent_fd, dirfd; /* owned; inherited by children, not over execve(2) */
	bool is_v1;
	bool is_threaded; /* made beside processes that may not be moved: its leaves are threaded cgroups */
	bool has_enabled; /* it was us who handed the controller to parent's children */
	char name[64]; /* in parent */
};

struct cgroup_leaf {
	int dirfd; /* owned */
	bool is_v1;
};

struct cgroup_usage {
	int64_t throttled; /* periods in which the quota was used up, and the leaf held back */
	int64_t throttled_ns; /* for so long, processors added up */
};

/* A negative errno, with what forbids it: no such hierarchy, no controller in it, no permission. *ret is then untouched. */
int cgroup_tree_make(struct cgroup_tree *ret, struct err *err);
/* Removes every leaf and the tree, and takes the controller back where we had handed it out. -EBUSY: a process is left in one of them, go on later. 0 also if it is gone already. */
int cgroup_tree_remove(const struct cgroup_tree *tree);
/* Of a copy with descriptors of its own; the one that was made is locked. Gone with the last descriptor. 0 or a negative errno. */
int cgroup_tree_lock(const struct cgroup_tree *tree);
void cgroup_tree_close(struct cgroup_tree *tree); /* removes nothing */

/* One that exists is taken as it is. */
int cgroup_leaf_make(const struct cgroup_tree *tree, const char *name, struct cgroup_leaf *ret, struct err *err);
void cgroup_leaf_close(struct cgroup_leaf *leaf);
/* Moves the calling process, which has one thread. Its children begin there. 0 or a negative errno; safe after fork(2). */
int cgroup_leaf_enter(const struct cgroup_leaf *leaf);
/* Its processes get run_ns of processors' time in every period_ns, together; run_ns < 0: as much as there is. The kernel's bounds: run_ns from 1 ms, period_ns from 1 ms to 1 s. 0 or a negative errno. */
int cgroup_leaf_limit(const struct cgroup_leaf *leaf, int64_t run_ns, int64_t period_ns);
/* Since the leaf was made. 0 or a negative errno. */
int cgroup_leaf_usage(const struct cgroup_leaf *leaf, struct cgroup_usage *ret);
