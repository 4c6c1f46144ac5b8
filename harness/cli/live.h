/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live line of a run: one line on a terminal that says where the drill is, how long it goes on, which faults stand and how each probe does.
 * Nothing at all where standard error is not a terminal. live_init → live_take… (a session's watch) → live_fini, which clears it.
 */
#pragma once
#include "harness/event/event.h"
#include "harness/plan/plan.h"
#include <stdbool.h>

#define LIVE_FAULTS_MAX 8

struct live {
	const struct plan *plan;
	bool on, colour;
	bool is_virtual; /* time passes in the events alone */
	int64_t began_ns; /* CLOCK_MONOTONIC of the timeline's start */
	const char *stage; /* before the timeline */
	int64_t zero_ns; /* t_ns of the timeline's start; 0: not yet */
	int64_t now_ns; /* of the last event or tick */
	int64_t tick_ns; /* CLOCK_MONOTONIC when now_ns was set */
	int64_t good, bad;
	int64_t standing[LIVE_FAULTS_MAX]; /* ids; 0: free */
};

/* quiet: stay silent on a terminal too. plan is borrowed until live_fini. */
void live_init(struct live *live, const struct plan *plan, bool is_virtual, bool quiet);
void live_take(void *live, const struct ev *ev); /* ev NULL: time has passed */
void live_fini(struct live *live);
