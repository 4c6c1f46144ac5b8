/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel keeps the pace: a timerfd on the absolute grid start + i × every. It cannot drift, since nothing is ever computed from "now plus an
 * interval", and it does not depend on how precise the loop's own timers are.
 */
#include "harness/probe/pacer.h"
#include "harness/base/clock.h"
#include "harness/base/macro.h"
#include <errno.h>
#include <stdbool.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct pacer {
	struct event *event;
	int fd;
	int64_t start_ns, every_ns, end_ns;
	int64_t next; /* i of the next sample */
	bool is_asking, is_cancelled;
	void (*ask)(void *arg, int64_t i, int64_t due_ns);
	void *arg;
};

static struct timespec pacer_timespec(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / SEC, .tv_nsec = ns % SEC};
}

static int64_t pacer_due(const struct pacer *pacer)
{
	return pacer->start_ns + pacer->next * pacer->every_ns;
}

static void pacer_free(struct pacer *pacer)
{
	if (pacer->event)
		event_free(pacer->event);
	if (pacer->fd >= 0)
		close(pacer->fd);
	free(pacer);
}

static void pacer_tick(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct pacer *pacer = arg;
	uint64_t ticks; /* how many were due is told by the clock, not by this */
	int64_t now;

	if (read(fd, &ticks, sizeof(ticks)) < 0)
		return;
	now = clock_now_ns(); /* once: a slow ask must not keep the loop in here for ever */
	pacer->is_asking = true;
	while (!pacer->is_cancelled && pacer_due(pacer) <= now && pacer_due(pacer) < pacer->end_ns) {
		int64_t due_ns = pacer_due(pacer);

		pacer->ask(pacer->arg, pacer->next++, due_ns);
	}
	pacer->is_asking = false;
	if (pacer->is_cancelled)
		pacer_free(pacer);
	else if (pacer_due(pacer) >= pacer->end_ns)
		event_del(pacer->event);
}

static int pacer_arm(struct pacer *pacer, struct event_base *base)
{
	/* An all-zero first expiry would disarm the timer; a moment long past fires at once all the same. */
	struct itimerspec when = {.it_value = pacer_timespec(pacer->start_ns > 0 ? pacer->start_ns : 1),
				  .it_interval = pacer_timespec(pacer->every_ns)};

	pacer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (pacer->fd < 0 || timerfd_settime(pacer->fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return -errno;
	pacer->event = event_new(base, pacer->fd, EV_READ | EV_PERSIST, pacer_tick, pacer);
	if (!pacer->event || event_add(pacer->event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

struct pacer *pacer_start(struct event_base *base, int64_t start_ns, int64_t every_ns, int64_t end_ns,
			  void (*ask)(void *arg, int64_t i, int64_t due_ns), void *arg)
{
	struct pacer *pacer = calloc(1, sizeof(*pacer));
	int r;

	if (!pacer)
		return NULL;
	*pacer = (struct pacer){
		.fd = -1, .start_ns = start_ns, .every_ns = every_ns, .end_ns = end_ns, .ask = ask, .arg = arg};
	r = pacer_arm(pacer, base);
	if (r < 0) {
		pacer_free(pacer);
		errno = -r;
		return NULL;
	}
	return pacer;
}

void pacer_cancel(struct pacer *pacer)
{
	if (!pacer)
		return;
	if (pacer->is_asking) {
		pacer->is_cancelled = true; /* pacer_tick frees it */
		return;
	}
	pacer_free(pacer);
}
