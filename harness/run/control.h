/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Behind api/control.h: the hosts and servers of the lab, by name.
 */
#pragma once
#include "harness/api/control.h"
#include "harness/run/bringup.h"

struct control_lab { /* all borrowed */
	struct lab *lab;
	struct bringup *bringup; /* NULL: no server was started yet */
};

/* lab and jobs are borrowed as long as the control is used. */
struct control control_of(struct control_lab *lab, struct jobs *jobs);
/* Also as injector_ctx.server: arg is a struct control_lab. */
struct server_process *control_find_server(void *arg, const char *host);
