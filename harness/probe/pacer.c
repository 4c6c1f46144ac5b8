/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel keeps the pace: a timerfd on absolute moments. It cannot drift, since nothing is ever computed from "now plus an interval", and it does not
 * depend on how precise the loop's own timers are. An even pace sets it once.
 */
#include "harness/probe/pacer.h"
#include "harness/base/clock.h"
#include "harness/base/macro.h"
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct pacer {
	struct event *event;
	int fd;
	struct pace pace;
	int64_t armed_ns; /* when the timer fires next; of a pace that is not even */
	bool is_asking, is_cancelled;
	void (*ask)(void *arg, int64_t i, int64_t due_ns);
	void *arg;
};

static struct timespec pacer_timespec(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / SEC, .tv_nsec = ns % SEC};
}

static void pacer_free(struct pacer *pacer)
{
	if (pacer->event)
		event_free(pacer->event);
	if (pacer->fd >= 0)
		close(pacer->fd);
	pace_fini(&pacer->pace);
	free(pacer);
}

static int pacer_set(const struct pacer *pacer, int64_t at_ns, int64_t again_ns)
{
	/* An all-zero first expiry would disarm the timer; a moment long past fires at once all the same. */
	struct itimerspec when = {.it_value = pacer_timespec(at_ns > 0 ? at_ns : 1),
				  .it_interval = pacer_timespec(again_ns)};

	return timerfd_settime(pacer->fd, TFD_TIMER_ABSTIME, &when, NULL) < 0 ? -errno : 0;
}

/* After anything that may have moved the next sample. The timer exists and the moment is a valid one: setting it cannot fail. */
static void pacer_rearm(struct pacer *pacer)
{
	int64_t due_ns = pace_due(&pacer->pace);

	if (due_ns == INT64_MAX)
		event_del(pacer->event);
	else if (!pace_is_even(&pacer->pace) && due_ns != pacer->armed_ns && !pacer_set(pacer, due_ns, 0))
		pacer->armed_ns = due_ns;
}

static void pacer_tick(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct pacer *pacer = arg;
	uint64_t ticks; /* how many were due is told by the clock, not by this */
	int64_t now, due_ns;

	if (read(fd, &ticks, sizeof(ticks)) < 0)
		return;
	now = clock_now_ns(); /* once: a slow ask must not keep the loop in here for ever */
	pacer->armed_ns = INT64_MIN; /* it has fired */
	pacer->is_asking = true;
	while (!pacer->is_cancelled && (due_ns = pace_due(&pacer->pace)) <= now) {
		int64_t i = pacer->pace.i;

		pace_took(&pacer->pace);
		pacer->ask(pacer->arg, i, due_ns);
	}
	pacer->is_asking = false;
	if (pacer->is_cancelled)
		pacer_free(pacer);
	else
		pacer_rearm(pacer);
}

static int pacer_arm(struct pacer *pacer, struct event_base *base)
{
	const struct pace_plan *plan = &pacer->pace.plan;
	int r;

	pacer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (pacer->fd < 0)
		return -errno;
	r = pacer_set(pacer, plan->start_ns, pace_is_even(&pacer->pace) ? plan->every_ns : 0);
	if (r)
		return r;
	pacer->armed_ns = plan->start_ns;
	pacer->event = event_new(base, pacer->fd, EV_READ | EV_PERSIST, pacer_tick, pacer);
	if (!pacer->event || event_add(pacer->event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

struct pacer *pacer_start(struct event_base *base, const struct pace_plan *plan,
			  void (*ask)(void *arg, int64_t i, int64_t due_ns), void *arg)
{
	struct pacer *pacer = calloc(1, sizeof(*pacer));
	int r;

	if (!pacer)
		return NULL;
	*pacer = (struct pacer){.fd = -1, .ask = ask, .arg = arg};
	pace_init(&pacer->pace, plan);
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

bool pacer_is_over(const struct pacer *pacer)
{
	return pace_due(&pacer->pace) == INT64_MAX;
}

void pacer_happened(struct pacer *pacer)
{
	if (pace_is_even(&pacer->pace))
		return;
	pace_happened(&pacer->pace, clock_now_ns());
	if (!pacer->is_asking)
		pacer_rearm(pacer);
}

void pacer_ended(struct pacer *pacer, int64_t i, int64_t due_ns, bool is_good)
{
	if (pace_is_even(&pacer->pace))
		return;
	pace_ended(&pacer->pace, i, due_ns, is_good, clock_now_ns());
	if (!pacer->is_asking)
		pacer_rearm(pacer);
}
