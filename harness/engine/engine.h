/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines: where a lab lives. `netns`: in namespaces of this kernel, in real time.
 *
 * engine_netns_start runs inside() as init (pid 1) of new user, PID, network, mount, UTS and IPC namespaces. When that process ends, however it ends, the
 * kernel kills every process of the lab and drops every link, rule and mount. It ends at once when its maker dies (parent-death signal, and a pipe
 * that closes), SIGKILL included.
 *
 * Inside: uid 0 with all capabilities over those namespaces; `lo` up; private mounts; a fresh /proc where the kernel allows it; an empty tmpfs on /run, which
 * hides the machine's own resolver sockets. Descriptors are inherited; signals are at their defaults, but for SIGIO, which init needs to learn that
 * alive_fd was closed: inside must leave it alone.
 */
#pragma once
#include "harness/api/ability.h"
#include "harness/base/err.h"
#include <stdbool.h>
#include <sys/types.h>

struct engine_proc {
	pid_t pid; /* reaped by the caller */
	int alive_fd; /* owned by the caller; closing it ends the lab */
};

enum engine_way { ENGINE_WAY_USERNS, ENGINE_WAY_ROOT }; /* by a user namespace, or with root's own capabilities */

/* inside's return value becomes the exit status, by _exit(2): what it printed with stdio it must flush. A maker that starts a second lab hands it the first one's
 * alive_fd too: closing that then ends nothing while the second lives (the maker's death ends both). keep_tty: stay in the caller's session, for a shell. */
int engine_netns_start(int (*inside)(void *arg), void *arg, bool keep_tty, struct engine_proc *ret, struct err *err);

/* Whether this machine can hold a lab, tried out for real and undone. *ret_way on success; else a negative errno with
 * what forbids it and how to mend it (sysctls, Ubuntu's AppArmor restriction, containers). */
int engine_netns_check(enum engine_way *ret_way, struct err *err);

/* What the kernel of this machine can do, each tried for real in a namespace that is thrown away. Only a lab that cannot be held here is an error, the same as
 * engine_netns_check's. */
int engine_netns_abilities(struct abilities *ret, struct err *err);
