/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks in processes of their own, several at once. They are begun in order and settled in order, so that what comes of them does not depend on which ended first.
 *
 * A task's process is in a process group of its own: what a terminal sends at Ctrl-C comes to the maker, which passes it on, once. It dies with its maker, SIGKILL included.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Written by the task, shown by the pool; in shared memory. */
struct pool_progress {
	int64_t done_ns, end_ns; /* of the time that it plays; end_ns 0: it is not that far */
};

struct pool_task {
	const char *name; /* for people; borrowed */
	/* In the maker, right before it starts. Other than 0: it does not start, and is settled with that status. */
	int (*begin)(void *arg);
	/* In its own process; returns the exit status, 128 + N if signal N ended it early: then no other task is begun. */
	int (*run)(void *arg, struct pool_progress *progress);
	/* In the maker, once it and all before it have ended. A process that died has status 3, after saying so. Not called for tasks that were never begun. */
	void (*settle)(void *arg, int status);
	void *arg;
};

/* Runs all. SIGINT, SIGTERM and SIGHUP (unless ignored) are passed on to every task that runs, and no more are begun. Until the first of them is settled, nothing is printed but
 * the line that shows how far all are, on a terminal and unless quiet. */
void pool_run(const struct pool_task *tasks, size_t count, size_t at_once, bool is_quiet);
