/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a server answers: over UDP, and with a TLS handshake where it serves encrypted transports, on every address it listens on, every question asked again and again until its right answer comes.
 *
 * ready_start → done once all were answered → ready_cancel. One question per address at a time, in order, asked from the server's own host, so that
 * nothing of it shows on the core's links. No limit of its own: the caller gives up by ready_cancel.
 */
#pragma once
#include "harness/api/host.h"
#include "harness/base/buf.h"
#include <event2/event.h>
#include <stdbool.h>

struct ready;

struct ready_ask {
	struct host *host; /* whose network namespace the questions come from */
	const struct addresses *addresses; /* to ask, port 53 */
	/* Authoritative: the SOA of each name, wanted NOERROR with AA and an SOA in the answer. Otherwise: its NS, with RD, wanted NOERROR with an answer. */
	bool is_authoritative;
	const char *const *names; /* without trailing dot, "." for the root */
	size_t name_count;
	/* By name, or NULL: asked with DO, and an answer without a signature is not yet right: its server is still about to sign the zone. */
	const bool *are_signed;
	/* How often in a row all names must be answered rightly, 20 ms between; 0 is 1. More than once for software that serves old and new data side by
	 * side for a moment after a transfer. */
	int rounds;
	bool takes_anything; /* any DNS response at all to the first name will do: it runs and listens */
	int encrypted; /* set of enum encrypted: wait until these listeners are there, too (ready_tls.h) */
};

/* ask and what it points to are borrowed until ready_cancel. done is called at most once, from the loop. */
struct ready *ready_start(struct event_base *base, const struct ready_ask *ask, void (*done)(void *arg), void *arg,
			  struct err *err);
void ready_cancel(struct ready *ready); /* frees; NULL is fine */

/* Appends the first question still unanswered and what came instead: "example.com SOA at 192.0.2.1: no answer". */
void ready_describe(const struct ready *ready, struct buf *out);
