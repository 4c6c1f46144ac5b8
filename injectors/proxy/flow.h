/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams of an inline proxy: each client (address and port) has an upstream socket of its own for each server it asks, bound to the client's address and port, so that
 * the server sees nobody else. A flow is such a socket. It lives while queries wait on it and for a while after; of those with nothing to wait for, the oldest
 * makes room when there are too many. One worker's alone.
 */
#pragma once
#include "harness/base/err.h"
#include "injectors/proxy/source.h"

struct flow;
struct worker;

struct flows {
	struct flow **buckets; /* NULL: not inline */
	struct flow *first, *last; /* those that wait for nothing, by when they were used */
	struct flow *dead; /* closed, to be freed after this round of events */
	size_t count;
};

int flow_open(struct worker *worker, struct err *err);
void flow_close(struct worker *worker); /* no query may be in flight */

/* The one that a query of this origin leaves by. NULL: none is to be had. */
struct flow *flow_get(struct worker *worker, const struct origin *origin);
/* entry waits on the flow from now on. */
void flow_hold(struct worker *worker, struct flow *flow, struct flight_entry *entry);
/* msg stays valid until udp_flush. */
void flow_forward(struct worker *worker, struct flow *flow, const uint8_t *msg, size_t len);
void flow_read(struct worker *worker, struct source *source);
/* One entry less waits on it. */
void flow_let_go(struct worker *worker, struct flow *flow);
/* After each round of events: frees what was closed. */
void flow_flush(struct worker *worker);
/* Closes those that were not used for a while. */
void flow_sweep(struct worker *worker);
