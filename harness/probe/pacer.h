/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open-loop pacing: calls ask for i = 0, 1, 2 … at the absolute moments that a pace (probe/pace.h) says, never skipping one. A late loop asks all that are
 * due, at once, with the due times they had.
 */
#pragma once
#include "harness/probe/pace.h"
#include <event2/event.h>

struct pacer;

/* All times are CLOCK_MONOTONIC; ask gets due_ns so, too. Stops before the first sample due at or after plan's end. Never asks before it returned.
 * plan is copied, what it points to is borrowed until pacer_cancel. NULL, with errno set, if the timer could not be had. */
struct pacer *pacer_start(struct event_base *base, const struct pace_plan *plan,
			  void (*ask)(void *arg, int64_t i, int64_t due_ns), void *arg);
/* Frees; NULL is fine. May be called from ask, which is then not called again. */
void pacer_cancel(struct pacer *pacer);

/* Whether the last sample has been asked. */
bool pacer_is_over(const struct pacer *pacer);
/* For paces that are not even: see pace_happened and pace_ended. May be called from ask. */
void pacer_happened(struct pacer *pacer);
void pacer_ended(struct pacer *pacer, int64_t i, int64_t due_ns, bool is_good);
