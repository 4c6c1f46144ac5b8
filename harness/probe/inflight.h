/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples on their way: a ring indexed by i, and one timer for the oldest. All samples of a probe have the same timeout, so deadlines grow with i.
 *
 * inflight_init → { inflight_add → (expire →) inflight_remove }* → inflight_fini. Flights are owned here and reused: in a steady state nothing is allocated.
 */
#pragma once
#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

/* What every flight has. A kind's struct embeds this first; the rest is zeroed by inflight_add. */
struct flight {
	int64_t i, due_ns; /* due_ns on the run's clock */
	struct flight *next_free;
};

struct inflight {
	struct event *timer;
	int64_t epoch_ns, timeout_ns;
	size_t flight_size, count;
	struct flight **ring; /* cap entries, a power of two; i lives at i mod cap */
	size_t cap;
	int64_t head, next; /* live ones are within [head, next) */
	struct flight *free;
	void (*expire)(void *arg, struct flight *flight);
	void *arg;
};

/* expire is called once due_ns + timeout_ns has passed and must call inflight_remove. 0 or -ENOMEM. */
int inflight_init(struct inflight *inflight, struct event_base *base, int64_t epoch_ns, int64_t timeout_ns,
		  size_t flight_size, void (*expire)(void *arg, struct flight *flight), void *arg);
/* Frees all flights, live ones too, without expiring them. Fine on a zeroed struct. */
void inflight_fini(struct inflight *inflight);

/* i must be larger than any before. NULL: out of memory. */
struct flight *inflight_add(struct inflight *inflight, int64_t i, int64_t due_ns);
struct flight *inflight_find(const struct inflight *inflight, int64_t i); /* NULL if it is not in flight */
void inflight_remove(struct inflight *inflight, struct flight *flight);
/* The oldest that is in flight, or NULL. For walking at the end. */
struct flight *inflight_first(const struct inflight *inflight);
int64_t inflight_deadline(const struct inflight *inflight, const struct flight *flight); /* on the run's clock */
