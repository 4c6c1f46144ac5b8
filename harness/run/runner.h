/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of one plan, inside the engine, as its init: lab up, servers up, timeline and probes, everything undone, lab down. Says what
 * happens as events and nothing else. One thread, one libevent loop.
 *
 *   bringing up ──▶ running ──▶ (timeline over) draining ──▶ stopping ──▶ over
 *
 * SIGTERM or SIGINT: everything is undone at once, samples in flight are dropped, the run ends as "interrupted"; a second one cuts the servers' grace short.
 */
#pragma once
#include "harness/plan/plan.h"

struct runner_options {
	int events_fd; /* NDJSON goes there; append only */
	int logs_dirfd;
	int capture_fd;
	const char *capture_name; /* as events should call it */
	const char *command; /* what repeats this run */
	const char *engine; /* "netns", "vm" */
	bool saves_timers; /* waking up costs more than working: the clock is virtual */
	const struct abilities *abilities; /* of the kernel the lab lives in; NULL: no more than every lab needs */
	const struct cgroup_tree
		*cgroup; /* for servers that a quota of the processor's time may hit; NULL: there is none */
};

enum {
	RUNNER_ENDED = 0, /* run.end was written */
	RUNNER_NO_STREAM = 1, /* the stream could not be written to its end */
};

/* Everything is borrowed. Returns RUNNER_*; *ret_stream_error is set to the negative errno behind RUNNER_NO_STREAM. */
int runner_run(const struct plan *plan, const struct runner_options *options, int *ret_stream_error);
