/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client's connection and the one made upstream for it, when its first query is passed on. Each has its own, so that none waits for another. An idle one
 * owns no buffers: messages are read into the worker's, and only what is left of an unfinished one, or could not be written, is kept.
 */
#pragma once
#include "injectors/proxy/worker.h"

#define TCP_STREAM_SIZE (4 * 65536)
#define TCP_IDLE_NS (120 * SEC) /* RFC 7766 section 6.2.3: idle ones may be closed */
#define TCP_BACKLOG_MAX (1 << 18) /* bytes waiting for one side before the other is read no more */

struct side {
	struct source source; /* fd -1: not connected */
	uint8_t *partial; /* the beginning of a message; owned */
	size_t partial_len;
	uint8_t *out; /* not yet written; owned */
	size_t out_len, out_cap, out_done;
	bool connecting, is_eof;
	size_t piece; /* bytes in one write; 0: all there are */
};

struct conn {
	struct side client, upstream;
	struct worker *worker;
	union endpoint peer, local; /* local: inline, the server that was asked */
	struct conn *prev, *next, *next_dirty, *next_dead;
	int64_t used_ns;
	size_t refs, in_flight;
	size_t allowed; /* bytes that may still go to the client */
	int64_t pause_ns; /* between two pieces for the client */
	bool is_dirty, is_cut /* close once written */, is_ending /* close once nothing waits */, is_stalled,
		is_pausing;
};

/* conn.c */
/* Puts a framed message behind what waits for a side. head is written before bytes. */
bool side_append(struct side *side, const uint8_t *head, size_t head_len, const uint8_t *bytes, size_t len);
/* Writes what it can, or one piece. False: the connection is broken. */
bool side_write(struct side *side);
/* Keeps the beginning of a message. */
bool side_keep(struct side *side, const uint8_t *bytes, size_t len);
void side_close(struct side *side);
void conn_update(struct conn *conn); /* what epoll watches for */
void conn_mark(struct conn *conn); /* to be looked at by tcp_flush */
/* Nobody waits any more for what was asked over this connection. */
void conn_forget(struct conn *conn);
void conn_close(struct conn *conn, bool reset);
struct conn *conn_new(struct worker *worker, int fd, const union endpoint *peer);
