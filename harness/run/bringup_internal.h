/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bringup.c (starting, waiting, stopping) and bringup_prepare.c (what has to be there before) share.
 */
#pragma once
#include "harness/api/server_process.h"
#include "harness/run/bringup.h"
#include "harness/run/ready.h"
#include "harness/run/server_clock.h"
#include "harness/run/server_spec.h"
#include "harness/run/version.h"

enum state { STATE_NONE, STATE_WAITING, STATE_STARTED, STATE_READY, STATE_GONE };

/* of one host; STATE_NONE: a client. What is said of it while the lab stands: api/server_process.h. */
struct server_process {
	struct bringup *bringup;
	const struct topo_host *topo;
	struct host *host;
	const struct server_spec *spec;
	struct server_command command;
	const char *path;
	const char *const *env; /* of its process, beyond ours; NULL: nothing */
	struct server_clock *clock; /* NULL: the plan does not shift it */
	bool has_cgroup;
	struct cgroup_leaf cgroup; /* if it has one */
	enum state state;
	pid_t pid;
	int log_fd;
	struct ready *ready;
	struct ready_ask ask;
	/* server_process.c's */
	int exits_allowed;
	const char *cause; /* of the exits allowed last; borrowed */
	bool is_ending; /* was told to */
	int64_t crashes; /* ends it was not told to */
	pid_t old_group; /* of the last one: its children may outlive it */
	enum again {
		AGAIN_NO,
		AGAIN_WANTED /* when it is gone, and delay_ns later */,
		AGAIN_WATCHED /* runs, has not answered */
	} again;
	struct server_start start;
	struct event *later; /* when the wanted start is due */
	struct event *patience; /* when it is killed because it does not go, or given up because it does not answer */
	int64_t started_ns;
};

struct software { /* one driver in use */
	const struct server_ops *ops;
	struct version *version;
};

struct bringup {
	struct event_base *base;
	struct lab *lab;
	const struct topology *topology;
	struct bringup_options options;
	struct arena *arena;
	const char *trust_anchor;
	struct server_process *servers; /* by index of topology->hosts */
	struct software *software;
	size_t software_count;
	struct event *limit, *finish, *grace;
	bool is_finishing, has_failed, is_done, is_stopping;
	struct err err;
	int64_t start_ns, took_ns;
	void (*stopped)(void *arg);
	void *stopped_arg;
};

/* Writes zones, configurations and empty logs; every server is then STATE_WAITING. */
int bringup_prepare(struct bringup *bringup, struct err *err);

/* bringup.c: starts the process; it is then STATE_STARTED, and its ask is filled. 0 or a negative errno. */
int bringup_launch(struct server_process *server, struct err *err);

/* bringup_prepare.c: the driver's configuration from spec, and what runs it. */
int bringup_configure(struct server_process *server, const struct server_spec *spec, struct err *err);

/* server_process.c. The process was reaped while the lab stands; status in words (in the bringup's arena). */
void server_process_ended(struct server_process *server, const char *status);
/* The run stops, or is over: nothing is started any more, nobody is told. */
void server_process_forget(struct server_process *server);

#define TAIL_LINES 10
#define TAIL_BYTES 900 /* of an error's text */
