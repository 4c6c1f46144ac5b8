/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection of HTTP/2 (RFC 9113) that carries DNS (RFC 8484), the server's or the client's end of it: bytes in, bytes out. No sockets, no clock.
 *
 * https_new → { https_feed, https_reply or https_ask, https_next }… → https_free. Not to be freed from within an event.
 *
 * Memory is bounded: HTTPS_STREAMS_MAX streams that a peer may open, each with at most DOH_HEADER_MAX bytes of fields and one message. An answer that is too large is none.
 */
#pragma once
#include "injectors/proxy/decide.h"
#include "injectors/proxy/doh.h"

#include <sys/types.h>

#define HTTPS_STREAMS_MAX 100 /* RFC 9113 section 6.5.2 recommends no fewer */

struct https;

/* What came of a request. */
struct https_answer {
	uint64_t token; /* that https_ask was given */
	unsigned status; /* 0: the stream ended without an answer */
	const struct doh_head *head; /* status, content type, cache-control; never NULL */
	const uint8_t *body;
	size_t len;
};

struct https_events {
	void *user;
	/* The server's end: a query came whole; msg is borrowed. It is answered with https_reply, at any time. */
	void (*query)(void *user, int32_t stream, uint8_t *msg, size_t len);
	/* The client's end: exactly once for each https_ask, unless https_free comes first. */
	void (*answer)(void *user, const struct https_answer *answer);
	/* The server's end: the body of a slow answer goes on when https_resume is called, in so many nanoseconds. */
	void (*pace)(void *user, int32_t stream, int64_t delay_ns);
};

struct https *https_new(bool is_server, const struct https_events *events);
void https_free(struct https *https); /* NULL is fine */

/* Takes bytes of the peer. 0, or -EPROTO: the connection cannot go on; what https_next still has is to be written first. */
int https_feed(struct https *https, const uint8_t *bytes, size_t len);
/* The next bytes to be written, valid until the next call of anything here; 0: none now. -ENOMEM. */
ssize_t https_next(struct https *https, const uint8_t **ret);
/* Both ends have said that it is over, and nothing is left to be written. */
bool https_is_over(struct https *https);
/* How many streams are open. */
size_t https_open_streams(const struct https *https);

/* What answers a query. */
struct https_reply {
	const uint8_t *msg; /* copied */
	size_t len;
	const struct decide_http *fault; /* NULL: none */
};

/* A stream that is gone: nothing happens. */
void https_reply(struct https *https, int32_t stream, const struct https_reply *reply);
/* Nothing but a status; 0: the stream is reset. */
void https_refuse(struct https *https, int32_t stream, unsigned status);
/* The cache-control field of the answer that will come to that stream. Else it is made from TTLs. "": none at all. */
void https_set_cache_control(struct https *https, int32_t stream, const char *value);
void https_resume(struct https *https, int32_t stream);
/* No new streams: GOAWAY, and those there are end as they would. */
void https_shut(struct https *https);
/* The request that a query came with; NULL: the stream is gone. Borrowed until the next call of anything here. */
const struct doh_head *https_request(struct https *https, int32_t stream);

struct https_ask {
	enum doh_method method; /* DOH_GET, DOH_POST */
	const char *authority, *path; /* copied */
	const uint8_t *msg; /* copied */
	size_t len;
	uint64_t token;
};
/* 0, or -ENOMEM, -EPIPE: the connection takes no more; the answer event will not come. */
int https_ask(struct https *https, const struct https_ask *ask);
