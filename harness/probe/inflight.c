/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/inflight.h"
#include "harness/base/clock.h"
#include "harness/base/macro.h"
#include <errno.h>
#include <string.h>

#define INFLIGHT_CAP_FIRST 64

static struct flight **inflight_slot(const struct inflight *inflight, int64_t i)
{
	return &inflight->ring[(size_t)i & (inflight->cap - 1)];
}

int64_t inflight_deadline(const struct inflight *inflight, const struct flight *flight)
{
	return flight->due_ns + inflight->timeout_ns;
}

struct flight *inflight_first(const struct inflight *inflight)
{
	return inflight->count > 0 ? *inflight_slot(inflight, inflight->head) : NULL;
}

/* The timer is set for the head it saw; when that one is answered it is left alone, fires once in vain, and is set anew. That is one
 * needless wake-up per timeout instead of one timer operation per sample. */
static void inflight_arm(struct inflight *inflight)
{
	const struct flight *first = inflight_first(inflight);
	int64_t delay_ns;
	struct timeval tv;

	if (!first || evtimer_pending(inflight->timer, NULL))
		return;
	delay_ns = inflight_deadline(inflight, first) - (clock_now_ns() - inflight->epoch_ns);
	if (delay_ns < 0)
		delay_ns = 0;
	delay_ns += NSEC_PER_USEC - 1; /* rounded up: never before the deadline */
	tv = (struct timeval){.tv_sec = delay_ns / SEC, .tv_usec = delay_ns % SEC / NSEC_PER_USEC};
	evtimer_add(inflight->timer, &tv);
}

static void inflight_expire(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct inflight *inflight = arg;
	int64_t now_ns = clock_now_ns() - inflight->epoch_ns;
	struct flight *first;

	while ((first = inflight_first(inflight)) && inflight_deadline(inflight, first) <= now_ns)
		inflight->expire(inflight->arg, first);
	inflight_arm(inflight);
}

int inflight_init(struct inflight *inflight, struct event_base *base, int64_t epoch_ns, int64_t timeout_ns,
		  size_t flight_size, void (*expire)(void *arg, struct flight *flight), void *arg)
{
	*inflight = (struct inflight){.epoch_ns = epoch_ns,
				      .timeout_ns = timeout_ns,
				      .flight_size = flight_size,
				      .cap = INFLIGHT_CAP_FIRST,
				      .expire = expire,
				      .arg = arg};
	inflight->timer = evtimer_new(base, inflight_expire, inflight);
	inflight->ring = calloc(inflight->cap, sizeof(*inflight->ring));
	if (inflight->timer && inflight->ring)
		return 0;
	inflight_fini(inflight);
	return -ENOMEM;
}

void inflight_fini(struct inflight *inflight)
{
	if (inflight->timer)
		event_free(inflight->timer);
	for (size_t i = 0; inflight->ring && i < inflight->cap; i++)
		free(inflight->ring[i]);
	free(inflight->ring);
	while (inflight->free) {
		struct flight *flight = inflight->free;

		inflight->free = flight->next_free;
		free(flight);
	}
	*inflight = (struct inflight){0};
}

static int inflight_grow(struct inflight *inflight, int64_t span)
{
	struct inflight old = *inflight;
	size_t cap = inflight->cap;

	while ((int64_t)cap < span)
		cap *= 2;
	if (cap == inflight->cap)
		return 0;
	inflight->ring = calloc(cap, sizeof(*inflight->ring));
	if (!inflight->ring) {
		inflight->ring = old.ring;
		return -ENOMEM;
	}
	inflight->cap = cap;
	for (int64_t i = old.head; i < old.next; i++)
		*inflight_slot(inflight, i) = *inflight_slot(&old, i);
	free(old.ring);
	return 0;
}

static struct flight *inflight_take(struct inflight *inflight)
{
	struct flight *flight = inflight->free;

	if (!flight)
		return calloc(1, inflight->flight_size);
	inflight->free = flight->next_free;
	memset(flight, 0, inflight->flight_size);
	return flight;
}

struct flight *inflight_add(struct inflight *inflight, int64_t i, int64_t due_ns)
{
	struct flight *flight;

	if (inflight->count == 0)
		inflight->head = i;
	if (inflight_grow(inflight, i + 1 - inflight->head) < 0)
		return NULL;
	flight = inflight_take(inflight);
	if (!flight)
		return NULL;
	flight->i = i;
	flight->due_ns = due_ns;
	*inflight_slot(inflight, i) = flight;
	inflight->next = i + 1;
	inflight->count++;
	inflight_arm(inflight);
	return flight;
}

struct flight *inflight_find(const struct inflight *inflight, int64_t i)
{
	if (inflight->count == 0 || i < inflight->head || i >= inflight->next)
		return NULL;
	return *inflight_slot(inflight, i);
}

void inflight_remove(struct inflight *inflight, struct flight *flight)
{
	*inflight_slot(inflight, flight->i) = NULL;
	flight->next_free = inflight->free;
	inflight->free = flight;
	inflight->count--;
	while (inflight->head < inflight->next && !*inflight_slot(inflight, inflight->head))
		inflight->head++;
}
