/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs: work on a host of a lab that takes its time (a command line, a question asked until its answer comes), done by a child process while the harness goes
 * on asking. Implemented in run/jobs.c, which also knows who reaps.
 *
 * job_start → done, exactly once, from the event loop (or from jobs_wait). A job that does not end within its time is killed, with all it started, and that is
 * how it ended. Jobs still under way when the run ends are killed with the lab.
 */
#pragma once
#include "harness/api/host.h"
#include "harness/base/macro.h"
#include <stdbool.h>

struct jobs;

/* What a child sends back; small enough to pass through a pipe at once. */
struct job_report {
	int64_t shown_ns; /* CLOCK_MONOTONIC when what the job was about was first seen to be so; 0: it was not, or there is nothing to see */
	int64_t serial; /* SOA serial seen; -1: none */
	char text[1024]; /* what came of it, or why nothing did, in words */
};

struct job_end {
	bool ok; /* run returned 0 */
	struct job_report report;
};

struct host_job {
	struct host *host; /* whose network and mount namespaces it runs in */
	/* In the child. May block. Returns 0 or an exit status up to 99; report->text says what came of it. */
	int (*run)(void *arg, struct job_report *report);
	void *arg; /* as it was at the fork; borrowed until job_start returns */
	int64_t timeout_ns;
	void (*done)(void *done_arg, const struct job_end *end);
	void *done_arg;
};

/* 0, or a negative errno: then done is not called. */
int job_start(struct jobs *jobs, const struct host_job *job, struct err *err);

/* Blocks until every job has ended, each at the latest by its timeout; done is called as ever. For the end of a run, when nothing is measured any more. */
void jobs_wait(struct jobs *jobs);

/* ---- of use in run ---- */

/* Says something, replacing what was said before. */
void job_say(struct job_report *report, const char *fmt, ...) PRINTF(2, 3);
/* Puts words in front of what was said. */
void job_say_before(struct job_report *report, const char *words);
/* Runs a command in dir to its end. Its output (both streams, the last part of it) without line breaks at the end goes into report->text. Its exit status, or 128 and its
 * signal's number, or 127 if it could not be run. */
int job_exec(const char *const *argv, const char *dir, struct job_report *report);
