/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper of a lab's control groups: a process outside the lab, in a session of its own, which removes them once the maker and the lab are gone, however they went (SIGKILL included). Were it killed
 * too, the next tree that is made in that place removes what is left (base/cgroup.h).
 *
 * keeper_start → the lab starts, with its copy of the tree's descriptors → the lab has ended → keeper_stop.
 */
#pragma once
#include "harness/base/cgroup.h"

struct keeper {
	pid_t pid; /* 0: there is none */
	int alive_fd; /* closed by the last of maker and lab: the keeper's sign */
	struct cgroup_tree tree;
};

/* Made for labs of which a fault could use a quota. Where none can be had, tree is NULL afterwards in what keeper_tree says, and that is no error. */
void keeper_start(struct keeper *ret);
const struct cgroup_tree *keeper_tree(
	const struct keeper *keeper); /* NULL: this machine has no place for one, or no process to look after it */
/* Once the lab's processes are gone: comes back when their control groups are. keeper may be zero. */
void keeper_stop(struct keeper *keeper);
