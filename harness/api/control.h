/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers of a running lab, as steps and faults may act on them. Made by the runner; valid while the lab is up.
 */
#pragma once
#include "harness/api/job.h"
#include "harness/api/server_process.h"

struct control {
	struct jobs *jobs;
	void *arg;
	/* The host of that name, or NULL. */
	struct host *(*host)(void *arg, const char *name);
	/* The server that runs on it; NULL: it is a client. */
	struct server_process *(*server)(void *arg, const char *host);
};

/* In a job on the server's host: does what the driver says for the verb (a command, a signal, a line to a socket). 0 or an exit status, with report->text. zone: of the
 * verbs that name one, else NULL. Implemented in run/control_job.c. */
int control_verb(const struct server_process *server, enum server_verb verb, const char *zone,
		 struct job_report *report);
