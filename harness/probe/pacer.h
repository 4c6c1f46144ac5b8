/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open-loop pacing: calls ask for i = 0, 1, 2 … at the absolute moments start + i × every, never skipping one. A late loop asks all that are due, at once,
 * with the due times they had.
 */
#pragma once
#include <event2/event.h>
#include <stdint.h>

struct pacer;

/* start_ns, every_ns > 0: CLOCK_MONOTONIC. ask gets due_ns as CLOCK_MONOTONIC. Stops before the first sample due at or after end_ns.
 * Never asks before it returned. NULL, with errno set, if the timer could not be had. */
struct pacer *pacer_start(struct event_base *base, int64_t start_ns, int64_t every_ns, int64_t end_ns,
			  void (*ask)(void *arg, int64_t i, int64_t due_ns), void *arg);
/* Frees; NULL is fine. May be called from ask, which is then not called again. */
void pacer_cancel(struct pacer *pacer);
