/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process in which a stub probe's lookups happen, and what is said between it and the harness.
 *
 * The harness writes requests (int64_t: i asks for sample i, ~i gives it up) into a pipe and reads results, one per message, from a SOCK_SEQPACKET socket. The agent
 * says STUB_READY once, and for each request to ask: STUB_ANSWERED, unless the lookup was given up or died, and in the end one message with is_gone set.
 * When the pipe closes, the agent kills its children and exits.
 */
#pragma once
#include "harness/probe/unique.h"
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define STUB_ADDRESSES_MAX 2048

enum stub_what {
	STUB_READY,
	STUB_ANSWERED, /* getaddrinfo returned */
	STUB_GONE, /* nothing more to say */
	STUB_FAILED /* there was no process or thread to do it: error is an errno */
};

struct stub_address {
	uint8_t family; /* 4 or 6 */
	uint8_t bytes[16]; /* network order */
};

struct stub_result {
	int64_t i;
	int64_t start_ns, end_ns; /* of the call, CLOCK_MONOTONIC */
	int32_t what; /* enum stub_what */
	int32_t eai, error; /* getaddrinfo's return value; errno after it */
	int32_t signal; /* that ended the lookup's process; 0: none */
	int32_t retrans_s; /* resolv.conf's timeout as the resolver used it; 0: unknown */
	bool is_gone; /* this lookup holds no process or thread any more */
	bool is_cut; /* there were more than STUB_ADDRESSES_MAX addresses */
	uint32_t count;
	struct stub_address addresses[STUB_ADDRESSES_MAX];
};

struct stub_agent {
	int requests_fd, results_fd; /* blocking, close-on-exec; owned by the process */
	const char *name; /* as the plan writes it */
	int family; /* AF_UNSPEC, AF_INET or AF_INET6 */
	bool is_unique;
	struct unique unique;
};

/* The agent's whole life; for a freshly forked process. Closes every descriptor but its two. */
_Noreturn void stub_agent_fresh(struct stub_agent *agent); /* a child for each lookup */
_Noreturn void stub_agent_kept(
	struct stub_agent *agent); /* one process; long-lived threads, as many as are busy at once */

/* Looks up sample i in the calling thread and fills result but for what and is_gone. */
void stub_agent_lookup(const struct stub_agent *agent, int64_t i, struct stub_result *result);
/* Sends what is used of result. The harness being gone is the end of the process. */
void stub_agent_send(const struct stub_agent *agent, const struct stub_result *result);
/* Keeps the two descriptors, nothing else, and says STUB_READY. */
void stub_agent_begin(struct stub_agent *agent);
