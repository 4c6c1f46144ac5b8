/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting one program of a lab, and reading what it left behind. For run/bringup.c.
 */
#pragma once
#include "harness/api/host.h"
#include "harness/api/server.h"
#include "harness/base/cgroup.h"

struct launch {
	struct host *host; /* NULL: where we are */
	const char *path; /* what is executed; argv[0] may say otherwise */
	const char *const *argv;
	const char *const *env; /* NAME=value, added to the environment; ends with NULL; NULL: nothing */
	const char *dir; /* working directory */
	const struct cgroup_leaf *cgroup; /* control group it begins in; NULL: ours */
	int out_fd; /* standard output and error, borrowed; standard input is /dev/null */
};

/* The pid, or a negative errno. What goes wrong in the child it says on out_fd, and exits with 125 to 127. */
pid_t launch_start(const struct launch *launch, struct err *err);

/*
 * Where to execute a server's program from. AppArmor ties its profiles to paths: Debian's for named and others forbid the lab's directories. Where it is
 * enabled (or always, if is_forced), programs of the system's own directories are copied into bindir once. In arena.
 */
const char *launch_unconfined(const char *program, const char *bindir, bool is_forced, struct arena *arena);

/* "exited with status 1", "was killed by signal 9 (Killed)". In arena. */
const char *launch_status(int status, struct arena *arena);

/* The last max_lines lines of a file, at most max_bytes bytes of them. In arena; "" where there are none. */
const char *launch_log_tail(int fd, size_t max_lines, size_t max_bytes, struct arena *arena);
