/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What faults of servers share: going through the servers that a fault hits, holding them, and reading what the kernel and their logs say of them.
 *
 * A server is held from apply until revert: its ends are then evidence (api/server_process.h). One that ended because of the fault is started again by
 * servers_release, as a supervisor would.
 */
#pragma once
#include "harness/api/injector.h"

typedef int servers_do(struct injector *injector, struct server_process *process, struct injector_server *server,
		       struct err *err);

/* Calls act for each server of the fault, up to the first error. An error names the host. */
int servers_each(struct injector *injector, struct injector_ctx *ctx, servers_do *act, struct err *err);
/* The same for undoing: goes on after an error, and returns the first. */
int servers_undo(struct injector *injector, struct injector_ctx *ctx, servers_do *act, struct err *err);

/* Notes in server->mark where its log ends and which process it is, and allows it to end. -ESRCH where none runs. Twice is once. */
int servers_hold(struct injector *injector, struct server_process *process, struct injector_server *server,
		 struct err *err);
/* Starts what ended, and forbids it to end. One that is not held is left alone. */
int servers_release(struct injector *injector, struct server_process *process, struct injector_server *server,
		    struct err *err);

struct server_process *servers_process(const struct injector_ctx *ctx, const struct injector_server *server);

/* What /proc says of a server's processes. */
struct servers_state {
	size_t processes, stopped; /* stopped: state T, proc_pid_stat(5) */
};
/* The processes of a group; at most max of them go to ret. How many there are, or a negative errno. */
ssize_t servers_pids(pid_t group, pid_t *ret, size_t max);
int servers_state(pid_t group, struct servers_state *ret);

/* The first line that the server has written since it was held and that says one of the words (NULL-terminated), letters' case aside. False: none did. */
bool servers_log_says(struct server_process *process, const struct injector_server *server, const char *const *words,
		      char *ret_line, size_t size);

/* Adds one server's part to the proof of a fault; took: it was hit. The whole took effect if each was. */
void servers_prove(struct effect *io, bool took, const char *fmt, ...) PRINTF(3, 4);

/* TCP connections that others have opened to the host of a process so far, whether or not anybody accepted them (PassiveOpens). */
int64_t servers_connections(pid_t pid);

/* Packets that came to the host of a process so far though they were for an address it has not (Ip and Ip6 InAddrErrors, InNoRoutes: RFC 4293). */
int64_t servers_strays(pid_t pid);

/* For faults that show in what the server says: proven for each that has logged one of the words since it was held, or ended. 0. */
int servers_prove_by_log(const struct injector *injector, const struct injector_ctx *ctx, const char *const *words,
			 struct effect *ret);

/* "alpha.ns1 (knotd) and r1 (unbound)". */
void servers_list(const struct injector *injector, struct buf *out);
/* A line for each server: ssh to its host, and there fmt with the program's name for every %s of it (at most two). */
void servers_commands(const struct injector *injector, struct buf *out, const char *fmt);
/* The same, with the name of Debian's systemd unit. */
void servers_units(const struct injector *injector, struct buf *out, const char *fmt);
