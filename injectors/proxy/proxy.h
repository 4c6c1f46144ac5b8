/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy as a part of a process: proxy_start → proxy_run → proxy_swap… → proxy_stop.
 *
 * Threads: one worker per core, each with listening sockets of its own (SO_REUSEPORT), upstream sockets, queries in flight and delayed messages; workers share
 * nothing but the pointer to the rules. Rules are never changed where workers read them: proxy_swap puts a new set in their place, which a worker takes between two wake-ups, and the last one
 * to let go of the old set frees it. Queries in flight are no part of it, so none is lost. All functions here are for one controlling thread.
 */
#pragma once
#include "harness/base/address.h"
#include "injectors/proxy/ruleset.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct tls_service;
struct tls_trust;

enum proxy_failure { PROXY_SERVFAIL, PROXY_SILENCE };

enum proxy_service { PROXY_PLAIN /* UDP and TCP */, PROXY_DOT, PROXY_DOH };

struct proxy_endpoint {
	struct sockaddr_storage at;
	socklen_t len; /* 0: none */
	enum proxy_service service; /* that clients get there */
};

/* "192.0.2.1:53", "[2001:db8::1]:53"; returns text. */
#define PROXY_ENDPOINT_TEXT 64
const char *proxy_endpoint_text(const struct proxy_endpoint *endpoint, char text[PROXY_ENDPOINT_TEXT]);

/* Of TLS; borrowed for as long as the proxy runs. */
struct proxy_tls {
	const struct tls_service *service; /* what clients are shown; NULL: none */
	const struct proxy_host { /* instead, where they asked this address */
		struct address address;
		const struct tls_service *service;
	} * hosts;
	size_t host_count;
	const struct tls_trust *trust; /* whom the upstream must convince; needed where it speaks TLS */
};

/* What should have been sent and could not be: no room to keep it; from an address or port that is not the proxy's to use; inline, no socket to be had. Counted from any thread. */
struct proxy_losses {
	_Atomic uint64_t later, source, sockets;
};

/* Queries that the upstream failed. why: of the last one, a text that lives for ever; NULL: there was none. Counted from any thread. */
struct proxy_failures {
	_Atomic uint64_t count;
	const char *_Atomic why;
};

#define PROXY_LISTEN_MAX 6

/*
 * Inline, the proxy sits unseen on the path between clients and servers: it is asked in the name of every server (it listens on wildcard addresses, where its namespace takes every
 * address for its own), and asks each server in the name of the client: from its address and port, with its message ID.
 */
struct proxy_options {
	struct proxy_endpoint listen[PROXY_LISTEN_MAX];
	unsigned listen_count;
	bool is_inline;
	/* Inline, not looked at: each is asked as the client asked. Else what came over DoT or DoH goes to that upstream, or, if there is none, over TCP to the plain one. */
	struct proxy_endpoint upstream, upstream_dot, upstream_doh;
	struct proxy_tls tls;
	unsigned workers; /* 0: one per core */
	enum proxy_failure on_failure; /* what the client gets when the upstream does not answer */
	int64_t timeout_ns; /* how long to wait for it */
	uint64_t seed;
	struct proxy_losses *losses; /* where they are counted, borrowed; NULL: in the proxy */
};

struct proxy;

/* Takes over a reference to rules, on success only. The sockets are bound when this returns. */
int proxy_start(const struct proxy_options *options, struct ruleset *rules, struct proxy **ret, struct err *err);
/* Starts the threads: from then on it serves. Privileges given up before are given up by them too. */
int proxy_run(struct proxy *proxy, struct err *err);

/* From now on these rules, of which a reference is taken over. */
void proxy_swap(struct proxy *proxy, struct ruleset *rules);

/* Borrowed. */
const struct proxy_losses *proxy_losses(const struct proxy *proxy);
const struct proxy_failures *proxy_failures(const struct proxy *proxy);

/* No new queries: those in flight are answered, delayed messages sent, at most for limit_ns. */
void proxy_drain(struct proxy *proxy, int64_t limit_ns);
/* Readable once every worker has ended. Borrowed. */
int proxy_done_fd(const struct proxy *proxy);
/* Ends the workers now, waits for them and frees everything. NULL is fine. */
void proxy_stop(struct proxy *proxy);
