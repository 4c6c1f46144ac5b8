/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one clock of a run: CLOCK_MONOTONIC in nanoseconds.
 */
#pragma once
#include <errno.h>
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

/* For processes of their own that pace something; never to wait for an event. Signals do not shorten it. */
static inline void clock_sleep_ns(int64_t ns)
{
	struct timespec left = {ns > 0 ? ns / INT64_C(1000000000) : 0, ns > 0 ? ns % INT64_C(1000000000) : 0};

	while (nanosleep(&left, &left) && errno == EINTR)
		continue;
}

/* Nanoseconds since 1970, for file names and for tying a capture to the run's clock; never for measuring. */
static inline int64_t clock_wall_ns(void)
{
	return clock_of_ns(CLOCK_REALTIME);
}
