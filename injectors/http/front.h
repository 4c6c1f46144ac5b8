/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front: a process before a server's HTTP API, at the server's first address (the API itself is then at 127.0.0.1). It passes on what no rule means.
 *
 * front_open → { front_set on → front_set off }* → front_close, by each user; the process lives from the first to the last. Rules and counters are shared memory:
 * setting one takes no time. Of the rules that stand, the first in the order of front_open that means a request acts on it.
 */
#pragma once
#include "harness/api/host.h"
#include <stdatomic.h>

#define FRONT_RULES_MAX 32

enum front_what {
	FRONT_STATUS, /* an error status at once; the server hears nothing */
	FRONT_TIMEOUT, /* accepted and never answered; the server hears nothing */
	FRONT_PARTIAL, /* a PATCH: the first half of its record sets is passed on, then the status is answered */
	FRONT_NOT_APPLIED, /* a success; the server hears nothing */
	FRONT_STALE, /* a GET: the oldest answer that passed, where today's is another */
	FRONT_LATE, /* passed on after delay_ns, even if its client has gone by then */
	FRONT_BODY, /* the status with body and type at once; the server hears nothing */
};

#define FRONT_BODY_MAX 2048

enum front_method { FRONT_GET, FRONT_PATCH, FRONT_PUT, FRONT_POST, FRONT_DELETE, FRONT_METHODS };

struct front_rule {
	enum front_what what;
	int status;
	int64_t retry_after_s; /* 0: not said */
	unsigned methods; /* set of 1 << enum front_method */
	int64_t first; /* it acts on so many requests each time it is set on; 0: all */
	int64_t delay_ns;
	char body[FRONT_BODY_MAX], type[64];
};

struct front_counts {
	int64_t matched, acted;
};

struct front; /* shared by its users */

/* A rule of one's own, off at first. before: a front of the same host, to be shared; NULL: a new one, on address. */
int front_open(struct host *host, const struct address *address, struct front *before, const struct front_rule *rule,
	       struct front **ret, int *ret_rule, struct err *err);
/* What runs it; the same for all users. */
pid_t front_pid(const struct front *front);
void front_set(struct front *front, int rule, bool on);
struct front_counts front_counts(const struct front *front, int rule);
/* Whether this was the last user: front_end then must follow. */
bool front_close(struct front *front);
/* Ends the process and frees it. */
void front_end(struct front *front);
