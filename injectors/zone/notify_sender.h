/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Says NOTIFY (RFC 1996) from a host of the lab, so many a second, and counts what is answered. A process of its own does it, so that a storm holds up no probe; it dies with its maker.
 *
 * notify_sender_start → notify_sender_counts* → notify_sender_end. Over UDP.
 */
#pragma once
#include "harness/api/host.h"
#include "harness/api/server.h"

struct notify_sender;

#define NOTIFY_RCODES 16

struct notify_to {
	const struct address *address; /* borrowed until notify_sender_start returns */
	const struct server_tsig *key; /* signed with it (RFC 8945); NULL: not at all. borrowed likewise */
	size_t first, count; /* of words->to: the addresses of its server, this one among them, which take turns */
};

struct notify_words {
	const char *zone; /* borrowed until notify_sender_start returns */
	uint32_t serial; /* of the SOA record that goes with it */
	int64_t rate; /* a second, to each server */
	const struct notify_to *to; /* borrowed likewise */
	size_t count;
};

struct notify_counts { /* of one address */
	int64_t sent, answered[NOTIFY_RCODES]; /* by RCODE */
};

/* 0 once the process is there, or a negative errno: then there is nothing to end. */
int notify_sender_start(struct host *host, const struct notify_words *words, struct notify_sender **ret,
			struct err *err);
pid_t notify_sender_pid(const struct notify_sender *sender);
/* Of words->to[i], until now. */
struct notify_counts notify_sender_counts(const struct notify_sender *sender, size_t i);
/* Ends the process, reaps it and frees; NULL is fine. */
void notify_sender_end(struct notify_sender *sender);
