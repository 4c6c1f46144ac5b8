/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/loop.h"

#include "harness/base/clock.h"
#include "harness/base/macro.h"

struct event_base *loop_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	/* Without the cache a timer counts from now, not from when the loop last woke. */
	if (config && !event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME))
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

int loop_arm(struct event *timer, int64_t at_ns)
{
	int64_t left_ns = at_ns - clock_now_ns();
	struct timeval tv = {0};

	if (left_ns > 0) { /* rounded up: a timer never fires before its moment */
		int64_t us = (left_ns + NSEC_PER_USEC - 1) / NSEC_PER_USEC;

		tv = (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
	}
	return evtimer_add(timer, &tv);
}
