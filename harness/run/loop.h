/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop of a run: libevent with timers of microsecond precision.
 */
#pragma once
#include <event2/event.h>
#include <stdint.h>

/* NULL if out of memory or descriptors. Free with event_base_free. */
struct event_base *loop_new(void);

/* Arms a timer event for an absolute moment of CLOCK_MONOTONIC; a moment that is past fires at once. 0 or -1. */
int loop_arm(struct event *timer, int64_t at_ns);
