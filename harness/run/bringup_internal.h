/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bringup.c (starting, waiting, stopping) and bringup_prepare.c (what has to be there before) share.
 */
#pragma once
#include "harness/run/bringup.h"
#include "harness/run/ready.h"
#include "harness/run/server_spec.h"
#include "harness/run/version.h"

enum state { STATE_NONE, STATE_WAITING, STATE_STARTED, STATE_READY, STATE_GONE };

struct server { /* of one host; STATE_NONE: a client */
	struct bringup *bringup;
	const struct topo_host *topo;
	struct host *host;
	const struct server_spec *spec;
	struct server_command command;
	const char *path;
	enum state state;
	pid_t pid;
	int log_fd;
	struct ready *ready;
	struct ready_ask ask;
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
	struct server *servers; /* by index of topology->hosts */
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
