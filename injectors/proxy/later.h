/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker sends later: messages by the moment they are due; of the same moment, in the order they were put in. What waits takes LATER_BYTES_MAX at most, so that a long
 * delay under load costs answers, and not the machine's memory.
 */
#pragma once
#include "injectors/proxy/flight.h"

#define LATER_BYTES_MAX ((size_t)64 << 20) /* of one worker: 200,000 answers or so */

struct later_item {
	int64_t due_ns;
	uint64_t order;
	struct origin origin;
	struct decide_send send; /* msg points into bytes */
	enum decide_conn fault; /* what becomes of the connection with this message */
	size_t fault_bytes;
	bool has_http;
	struct decide_http http;
	const uint8_t *query; /* that send.msg came from; into bytes */
	size_t query_len;
	bool is_resume; /* no message: origin's connection goes on writing */
	uint8_t bytes[];
};

struct later {
	struct later_item **v;
	size_t count, cap, bytes;
	uint64_t next_order;
};

/* A copy of send's message and of query. NULL: no room, or no memory, and nothing was put in. */
struct later_item *later_put(struct later *later, const struct origin *origin, const struct decide_send *send,
			     const uint8_t *query, size_t query_len, int64_t due_ns);
/* When the first is due; INT64_MAX: there is none. */
int64_t later_due_ns(const struct later *later);
/* The first, handed over to the caller, who frees it; NULL: empty. */
struct later_item *later_take(struct later *later);
void later_fini(struct later *later); /* must be empty */
