/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client's connection, over TCP, TLS or HTTPS, and the one made upstream for it, when its first query is passed on. Each has its own, so that none waits for another. An idle one
 * owns no buffers: messages are read into the worker's, and only what is left of an unfinished one, or could not be written, is kept.
 */
#pragma once
#include "injectors/proxy/https.h"
#include "injectors/proxy/tls.h"
#include "injectors/proxy/worker.h"

#define TCP_STREAM_SIZE (4 * 65536)
#define TCP_IDLE_NS (120 * SEC) /* RFC 7766 section 6.2.3: idle ones may be closed */
#define TCP_BACKLOG_MAX (1 << 18) /* bytes waiting for one side before the other is read no more */

struct side {
	struct source source; /* fd -1: not connected */
	struct tls *tls; /* NULL: none */
	struct https *https; /* NULL: messages are framed by their length (RFC 1035 section 4.2.2) */
	uint8_t *partial; /* the beginning of a message; owned */
	size_t partial_len;
	uint8_t *out; /* not yet written; owned */
	size_t out_len, out_cap, out_done;
	bool connecting, is_eof;
	bool is_securing; /* TLS is not up yet */
	size_t piece; /* bytes in one write; 0: all there are */
};

struct conn {
	struct side client, upstream;
	struct worker *worker;
	enum decide_transport transport; /* of the client */
	union endpoint peer, local; /* local: inline, the server that was asked */
	struct conn *prev, *next, *next_dirty, *next_dead;
	int64_t used_ns;
	size_t refs, in_flight;
	struct https *retired[2]; /* of closed sides, to be freed with it: this may be within their events */
	size_t allowed; /* bytes that may still go to the client */
	int64_t pause_ns; /* between two pieces for the client */
	bool is_dirty, is_cut /* close once written */, is_ending /* close once nothing waits */, is_stalled,
		is_pausing;
};

/* conn.c */
/* Puts a framed message behind what waits for a side. head is written before bytes. */
bool side_append(struct side *side, const uint8_t *head, size_t head_len, const uint8_t *bytes, size_t len);
/* Reads what there is. > 0: so many bytes; 0: the end; -EAGAIN: nothing now; another: the connection is broken. */
ssize_t side_read(struct side *side, uint8_t *buf, size_t size);
/* Writes what it can, or one piece. False: the connection is broken. */
bool side_write(struct side *side);
/* Keeps the beginning of a message. */
bool side_keep(struct side *side, const uint8_t *bytes, size_t len);
/* ret_https: what is to be freed later; NULL: at once. */
void side_close(struct side *side, struct https **ret_https);
void conn_update(struct conn *conn); /* what epoll watches for */
void conn_mark(struct conn *conn); /* to be looked at by tcp_flush */
/* Nobody waits any more for what was asked over this connection. */
void conn_forget(struct conn *conn);
void conn_close(struct conn *conn, bool reset);
struct conn *conn_new(struct worker *worker, int fd, const union endpoint *peer, enum decide_transport transport);

/* tcp.c: to whoever answers what is asked over this connection. */
bool conn_connect(struct conn *conn);

/* secure.c: TLS and HTTPS on both sides of a connection */
/* The client's connection is there. False: close it, with a reset. */
bool secure_accept(struct conn *conn);
/* The upstream's is being made. False: no memory. */
bool secure_connect(struct conn *conn);
/* TLS of a side has moved on, perhaps to its end. False: close the side. */
bool secure_advance(struct conn *conn, struct side *side);
/* HTTP of a side has read so much. False: close the side once what it has to say is written. */
bool secure_feed(struct conn *conn, struct side *side, const uint8_t *bytes, size_t len);
/* What HTTP of a side has to say goes behind what waits; *ret_len: so many bytes. False: it is over, or broken. */
bool secure_pull(struct conn *conn, struct side *side, size_t *ret_len);
/* A query over HTTPS. */
bool secure_ask(struct conn *conn, const struct flight_entry *entry, const uint8_t *msg, size_t len);
