/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deciding what becomes of a message: pure. (rules, message, addresses, time, random state) → what to send where and when.
 *
 * A query is decided when it comes; the rule that took it is remembered in the memo, which the caller keeps beside the query and hands in again with each of its answers. Rules that look at
 * the answer are asked when it comes. A rule removed, or whose progress is 0, in between does nothing. Answers are changed, not invented: the server is asked in any case, unless the query is dropped
 * or its connection broken.
 *
 * With no rule that acts, send[0].msg == in->msg, of a query too. What does not parse is passed on as it is.
 */
#pragma once
#include "harness/api/ca.h"
#include "harness/base/rng.h"
#include "injectors/proxy/rule.h"

enum decide_direction { DECIDE_QUERY, DECIDE_ANSWER };
enum decide_transport { DECIDE_UDP, DECIDE_TCP, DECIDE_DOT, DECIDE_DOH };

/* Fixed size, copied freely; zeroed before the query is decided. */
struct decide_memo {
	uint32_t rule_id; /* 0: none */
	bool is_done; /* the rule has acted already, on the query */
	/* Of a zone transfer that a rule changes, over all messages so far: */
	bool is_hit; /* something was changed, TSIG aside */
	uint8_t mac_len, mac[32]; /* of the last message signed (RFC 8945 section 5.3.1) */
	uint32_t serial, soas; /* of the first SOA record; how many there were */
	uint64_t bytes;
};

struct decide_in {
	enum decide_direction direction;
	const uint8_t *msg; /* without TCP's length prefix */
	size_t len;
	const uint8_t *query; /* of an answer: the query it answers; NULL: unknown, and then only pass-through */
	size_t query_len;
	const struct address *client,
		*server; /* family and bytes are read. NULL: unknown, fits no client: or server: key */
	enum decide_transport transport;
	int64_t now_ns; /* monotonic */
	struct decide_memo *memo; /* never NULL */
	unsigned thread; /* the caller's, from 0: for speed alone */
};

/* Where an answer over UDP seems to come from. All zero: from where it was asked. */
struct decide_source {
	struct address address; /* family 0: that which was asked */
	uint16_t port; /* 0: that which was asked */
};

/* How an answer over TCP is written. All zero: as it should be. */
struct decide_stream {
	int32_t length_off; /* the length prefix is wrong by so much */
	uint32_t piece_bytes; /* in pieces of so many bytes; 0: at once */
	int64_t pause_ns; /* between them */
};

enum decide_to { DECIDE_TO_CLIENT, DECIDE_TO_SERVER };
enum decide_conn { DECIDE_CONN_KEEP, DECIDE_CONN_CLOSE_AFTER_BYTES, DECIDE_CONN_RST, DECIDE_CONN_STALL };
#define DECIDE_SENDS_MAX 8
#define DECIDE_SCRATCH_SIZE (2 * (size_t)MSG_MAX)

/* How HTTP carries an answer. All zero: as it should be. */
struct decide_http {
	uint16_t status; /* 0: 200; one above 299 has no body, unless it has a content type */
	bool is_truncated; /* the body ends after truncate_bytes, and content-length does not say so */
	size_t truncate_bytes;
	int64_t body_rate_bytes; /* per second; 0: at once */
	enum { DECIDE_HTTP_WHOLE, DECIDE_HTTP_RESET, DECIDE_HTTP_GOAWAY } end; /* instead of an answer */
	char content_type[RULE_CONTENT_TYPE_MAX + 1]; /* "": as it should be */
};

struct decide_send {
	enum decide_to to;
	const uint8_t *msg; /* in->msg, or within scratch: copy it if it is to wait */
	size_t len;
	int64_t delay_ns; /* from now; 0: at once */
	struct decide_source source;
	struct decide_stream stream;
};

struct decide_out {
	uint8_t *scratch; /* in: DECIDE_SCRATCH_SIZE bytes of the caller's */
	size_t scratch_size; /* in: if it is smaller, nothing is changed */
	unsigned count; /* 0: dropped */
	struct decide_send send[DECIDE_SENDS_MAX];
	enum decide_conn conn; /* what becomes of the connection, with the last message or instead of one */
	size_t conn_bytes; /* DECIDE_CONN_CLOSE_AFTER_BYTES: so many of that message, its length prefix included, still go */
	bool has_http;
	struct decide_http http; /* if so; of every message sent */
	const struct rule *rule; /* that acted; NULL: none */
};

/* What becomes of a connection over TLS. */
struct decide_tls {
	enum ca_flaw certificate;
	int64_t handshake, newest; /* rule_handshake, rule_version; PARAM_UNSET: as they should be */
	const struct rule *rule; /* that acted; NULL: none */
};

/* Before the connection says anything; of in, addresses, transport and thread are read. Rules of messages are not asked, and those of connections not about messages. */
void decide_connection(struct rules *rules, const struct decide_in *in, struct rng *rng, struct decide_tls *ret);

void decide(struct rules *rules, const struct decide_in *in, struct rng *rng, struct decide_out *out);

/* Whether a connection that a client has just made is refused; in as above. */
bool decide_refuses(struct rules *rules, const struct decide_in *in, struct rng *rng);
