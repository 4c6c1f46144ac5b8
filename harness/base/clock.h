/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one clock of a run: CLOCK_MONOTONIC in nanoseconds.
 */
#pragma once
#include <stdint.h>
#include <time.h>

static inline int64_t clock_of_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static inline int64_t clock_now_ns(void)
{
	return clock_of_ns(CLOCK_MONOTONIC);
}

/* Nanoseconds since 1970, for file names and for tying a capture to the run's clock; never for measuring. */
static inline int64_t clock_wall_ns(void)
{
	return clock_of_ns(CLOCK_REALTIME);
}
