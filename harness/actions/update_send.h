/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending a dynamic update (RFC 2136), signed with TSIG (RFC 8945), and what comes back. Of use inside actions/, in a job: it blocks.
 */
#pragma once
#include "harness/actions/common.h"
#include "harness/actions/update_records.h"

enum update_transport { UPDATE_TCP, UPDATE_UDP };
enum update_tsig { UPDATE_TSIG_RIGHT, UPDATE_TSIG_NONE, UPDATE_TSIG_WRONG_SECRET, UPDATE_TSIG_UNKNOWN_KEY };

struct update_way {
	struct host *from, *own; /* from NULL: the job's own host sends it */
	const struct address *to;
	const struct server_tsig *key; /* as the server knows it */
	int64_t transport, tsig; /* the enums above */
	int64_t retries, try_ns; /* tries beyond the first; how long each waits */
	int64_t until_ns; /* CLOCK_MONOTONIC: nothing is waited for after it */
};

struct update_answer {
	bool came;
	ldns_pkt_rcode rcode;
	bool is_verified; /* it bears the key's signature over the question's */
	char text[200]; /* "no answer within 500 ms (twice), then NOTAUTH (BADSIG), not signed" */
};

/* The same message each time, until one is answered. 0, or a negative errno if it could not be written or sent at all: then text says why. */
int update_send(const char *zone, const struct update_records *records, const struct update_way *way,
		struct update_answer *ret);
