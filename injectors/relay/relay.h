/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relay: a process in a network namespace of its own that moves frames from one link to another and shapes them on the way (shape.h). What netem does,
 * for kernels without it, and without privileges beyond the lab's.
 *
 * relay_start → make the two links, their ends in relay_netns_fd → relay_attach: frames pass as they are →
 * { relay_begin → relay_set* → relay_counters* → relay_flush }* → relay_stop.
 *
 * Links must not offload: frames are taken and sent as they are, so their checksums must be finished and none may be longer than the MTU.
 * A frame's delay counts from when the kernel received it, not from when the relay came round to it.
 */
#pragma once
#include "harness/base/err.h"
#include "injectors/relay/shape.h"
#include <sys/types.h>

struct relay;

/* What the relay held back or damaged; bytes are of whole frames. */
enum relay_count {
	RELAY_SEEN,
	RELAY_SENT,
	RELAY_LOST,
	RELAY_DELAYED, /* sent later than they came, by decision */
	RELAY_DUPLICATED,
	RELAY_REORDERED, /* went at once, before others that wait */
	RELAY_CORRUPTED,
	RELAY_OVERFLOWED, /* of the rate's queue */
	RELAY_UNWANTED, /* lost although no decision said so: no memory, or the relay or a link could not keep up */
	RELAY_COUNTS
};

struct relay_counters {
	int64_t packets[RELAY_COUNTS], bytes[RELAY_COUNTS];
	int64_t delay_sum_ns,
		delay_count; /* of those of RELAY_DELAYED that have been sent: how much later they really went */
};

/* Forks. NULL with err set where it fails. The process dies with its maker. */
struct relay *relay_start(struct err *err);
/* Of the process's network namespace; the relay's own. */
int relay_netns_fd(const struct relay *relay);
pid_t relay_pid(const struct relay *relay);

/* Moves frames from the link called in to the one called out, both up, from when this returns. */
int relay_attach(struct relay *relay, const char *in, const char *out, struct err *err);
/* From now on: the shape, the seed's choices, counters from 0. */
int relay_begin(struct relay *relay, const struct shape *shape, uint64_t seed, struct err *err);
/* From the next frame on. */
void relay_set(struct relay *relay, const struct shape *shape);
/* -ECHILD if the process has died. */
int relay_counters(struct relay *relay, struct relay_counters *ret, struct err *err);
/* Sends at once and in order all that is held, and lets pass what comes: what was let in comes out, none later than its time. */
int relay_flush(struct relay *relay, struct err *err);
/* Flushes, waits until no more comes, and ends the process. ret_last: NULL, or the final counters. NULL is fine. Frees. -ECHILD if it had died. */
int relay_stop(struct relay *relay, struct relay_counters *ret_last, struct err *err);
