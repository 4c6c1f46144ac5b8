/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server of a host as a process: what injectors and the steps of a timeline may do with it. Implemented in run/server_process.c; lives as long as the
 * lab. One thread; everything returns at once, and what takes time goes on in the event loop.
 *
 * A server that ends by itself spoils a run. Whoever is about to end one, or to do something that may, says so first (server_process_allow_exit) and
 * takes that back once the server is to live again: exits in between are in the stream as evidence (server.exit, with the cause) and no error.
 */
#pragma once
#include "harness/api/host.h"
#include "harness/api/server.h"
#include "harness/api/server_clock.h"
#include "harness/base/cgroup.h"

struct server_process;

struct host *server_process_host(const struct server_process *process);
const struct server_ops *server_process_software(const struct server_process *process);
/* As the plan has it; server_process_configure does not change it. Its dir holds the configuration. */
const struct server_spec *server_process_spec(const struct server_process *process);

/* The process that was started, also the id of its process group: it and all its children. -ESRCH: none runs. */
pid_t server_process_pid(const struct server_process *process);
/* Whether it has answered since it was last started. */
bool server_process_has_answered(const struct server_process *process);
/* How often it has ended without having been sent a signal that ends it. */
int64_t server_process_crashes(const struct server_process *process);
/* What it writes to standard output and error, appended; readable, borrowed. What was written since a moment begins at the file's size of that moment. */
int server_process_log_fd(const struct server_process *process);

/* What is added to the time of day it reads, as long as the lab stands; 0 at first. NULL: no fault of the plan demanded it. */
struct server_clock *server_process_clock(const struct server_process *process);
/* The control group in which it runs, with all its children, and whatever is started in its place. Borrowed. NULL: no fault of the plan demanded one, or this machine has no place for it. */
const struct cgroup_leaf *server_process_cgroup(const struct server_process *process);

/* Counted. cause (borrowed until the next call): who or what it is, as reports say it: "kill ns1". */
void server_process_allow_exit(struct server_process *process, const char *cause);
void server_process_forbid_exit(struct server_process *process);

/* Sends a signal to all of its processes. 0 also if none is left; they may take their time to end, and that one end stays allowed. */
int server_process_signal(struct server_process *process, int signal, struct err *err);

/* Writes its configuration anew, from another spec of the same dir; NULL: from its own, as at the lab's start. Takes effect when it is started or reloaded. */
int server_process_configure(struct server_process *process, const struct server_spec *spec, struct err *err);

struct server_start {
	int64_t delay_ns; /* from when it is gone; if it is gone already, from now */
	int64_t patience_ns; /* a process that still runs after that (from now) is killed; 0: 10 s */
	/* Once: err NULL when it answers again (whatever it answers: a DNS response), else it has ended, or did not answer within 30 s. borrowed during the call. NULL:
	 * a failure is an error of the run. Not called after server_process_cancel_start, nor once the run stops. */
	void (*done)(void *arg, const struct err *err);
	void *arg;
};

/* Starts it with the command it was first started with. Replaces a start that has not come about yet. One that runs must have been told to end before (server_process_signal),
 * or done only reports that it answers. */
int server_process_start(struct server_process *process, const struct server_start *start, struct err *err);
/* Forgets a start that has not come about. */
void server_process_cancel_start(struct server_process *process);
