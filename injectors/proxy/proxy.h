/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy as a part of a process: proxy_start → proxy_swap… → proxy_stop.
 *
 * Threads: one worker per core, each with listening sockets of its own (SO_REUSEPORT), upstream sockets, queries in flight and delayed messages; workers share
 * nothing but the pointer to the rules. Rules are never changed where workers read them: proxy_swap puts a new set in their place, which a worker takes between two wake-ups, and the last one
 * to let go of the old set frees it. Queries in flight are no part of it, so none is lost. All functions here are for one controlling thread.
 */
#pragma once
#include "harness/base/err.h"
#include "injectors/proxy/ruleset.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum proxy_failure { PROXY_SERVFAIL, PROXY_SILENCE };

struct proxy_options {
	struct sockaddr_storage listen, upstream;
	socklen_t listen_len, upstream_len;
	unsigned workers; /* 0: one per core */
	enum proxy_failure on_failure; /* what the client gets when the upstream does not answer */
	int64_t timeout_ns; /* how long to wait for it */
	uint64_t seed;
};

struct proxy;

/* Takes over a reference to rules, on success only. The sockets are bound when this returns. */
int proxy_start(const struct proxy_options *options, struct ruleset *rules, struct proxy **ret, struct err *err);

/* From now on these rules, of which a reference is taken over. */
void proxy_swap(struct proxy *proxy, struct ruleset *rules);

/* No new queries: those in flight are answered, delayed messages sent, at most for limit_ns. */
void proxy_drain(struct proxy *proxy, int64_t limit_ns);
/* Readable once every worker has ended. Borrowed. */
int proxy_done_fd(const struct proxy *proxy);
/* Ends the workers now, waits for them and frees everything. NULL is fine. */
void proxy_stop(struct proxy *proxy);
