/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question to many nameservers at once, over UDP: what the kinds `serial` and `parity` share.
 *
 * An asking ends when every server has answered, or at its deadline. Each server's part becomes a `sample.part`, then the kind makes the sample of them.
 */
#pragma once
#include "harness/probe/dns_wire.h"
#include "harness/probe/inflight.h"

struct fanout_part { /* what came of one server of one asking */
	bool is_over, is_cut; /* cut: truncated, outcome error */
	enum outcome outcome;
	int64_t done_ns, serial, fits; /* serial -1: no SOA in the answer */
	int64_t min_ttl, max_ttl; /* as in struct answer, with aa and ad */
	int aa, ad;
	const char *rcode, *detail;
	struct ev_strings answer;
	struct arena *arena; /* of the strings; NULL: there are none */
};

struct fanout_server {
	struct fanout *fanout;
	const struct probe_server *server;
	struct event *readable;
	int fd; /* connected; -1: could not be opened */
};

struct fanout {
	const struct probe *probe;
	struct probe_ctx ctx;
	struct dns_query query;
	struct inflight inflight;
	struct fanout_server *servers;
	size_t count;
	int64_t last_i;
	uint16_t secret; /* an asking's ID is its number, mixed with this */
	/* Fills outcome, fits, detail of a part whose rcode, answer and serial are known. */
	void (*judge)(const struct fanout *fanout, struct fanout_part *part, struct arena *arena);
	/* Makes the sample of the parts of all servers: outcome, rcode, answer, detail (appended), fits, differs. */
	void (*combine)(const struct fanout *fanout, const struct fanout_part *parts, struct ev_sample *sample,
			struct buf *detail);
};

int fanout_open(const struct probe *probe, const struct probe_ctx *ctx, struct fanout **ret, struct err *err);
void fanout_ask(void *state, int64_t i, int64_t due_ns);
void fanout_close(void *state);

void fanout_describe(const struct probe *probe, const struct probe_ctx *ctx, struct buf *out);
const char *fanout_transport(const struct probe *probe); /* "udp" */

/* The worst of the parts, a silent server being worst, and what it said. */
const struct fanout_part *fanout_worst(const struct fanout *fanout, const struct fanout_part *parts, size_t *ret_index);
/* "alpha.ns1 (192.0.2.1)" */
void fanout_add_server(const struct fanout *fanout, size_t i, struct buf *out);
