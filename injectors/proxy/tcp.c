/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: DNS over TCP (RFC 7766), and what TLS and HTTPS make of it (secure.c). Pipelined queries, answers in whatever order they come.
 *
 * When the upstream closes a connection, the client's is closed too, once answers that wait have been sent: a client sees what the server does. Only
 * an upstream that cannot be reached, or says nothing, is a failure.
 */
#include "injectors/proxy/tcp_conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CONN_OF(source_, side) ((struct conn *)(void *)((char *)(source_)-offsetof(struct conn, side.source)))

static const char out_of_memory[] = "out of memory";

static void free_dead(struct worker *worker)
{
	while (worker->dead) {
		struct conn *conn = worker->dead;

		worker->dead = conn->next_dead;
		https_free(conn->retired[0]);
		https_free(conn->retired[1]);
		free(conn);
	}
}

void tcp_close(struct worker *worker)
{
	while (worker->conns)
		conn_close(worker->conns, false);
	while (worker->dirty) {
		struct conn *conn = worker->dirty;

		worker->dirty = conn->next_dirty;
		conn->is_dirty = false;
		conn_drop(conn);
	}
	free_dead(worker);
}

/* Everything asked over this connection fails. */
static void fail_queries(struct conn *conn, const char *why)
{
	struct flight *flight = &conn->worker->flight;
	struct flight_entry *entry = flight_first(flight), *next;

	for (; conn->in_flight && entry; entry = next) {
		next = flight_next(flight, entry);
		if (entry->origin.conn == conn)
			pass_failed(conn->worker, entry, why);
	}
}

/* Why the upstream could not be reached, before anything was asked of it. */
static const char *why_unreached(const struct side *side)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (side->connecting) {
		getsockopt(side->source.fd, SOL_SOCKET, SO_ERROR, &error, &len);
		return error ? strerrordesc_np(error) : "the connection was not made";
	}
	if (side->tls->is_up)
		return "it does not speak HTTP/2 (ALPN)";
	return tls_reason(side->tls) ? tls_reason(side->tls) : "it closed the connection within the TLS handshake";
}

static void upstream_gone(struct conn *conn)
{
	bool was_there = !conn->upstream.connecting && !conn->upstream.is_securing;
	const char *why = was_there ? NULL : why_unreached(&conn->upstream);

	side_close(&conn->upstream, NULL);
	if (was_there) {
		conn_forget(conn); /* closed without an answer: so is the client's */
		conn->is_ending = true;
	} else if (conn->worker->proxy->options.is_inline) {
		conn_close(conn, true);
		return;
	} else {
		fail_queries(conn, why);
	}
	conn_mark(conn);
}

/* As the client, where that is what the server must see. */
static bool bind_upstream(const struct conn *conn, int fd)
{
	int on = 1;

	if (!conn->worker->proxy->options.is_inline)
		return true;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return !bind(fd, &conn->peer.sa, endpoint_len(&conn->peer));
}

bool conn_connect(struct conn *conn)
{
	struct origin origin = {.local = conn->local, .conn = conn};
	union endpoint server = worker_server(conn->worker, &origin);
	struct side *side = &conn->upstream;
	int on = 1, fd = socket(server.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	side->source.fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!bind_upstream(conn, fd) || (connect(fd, &server.sa, endpoint_len(&server)) && errno != EINPROGRESS) ||
	    !secure_connect(conn)) {
		side_close(side, NULL);
		return false;
	}
	side->connecting = true;
	if (worker_watch(conn->worker, &side->source, EPOLLIN | EPOLLOUT | EPOLLRDHUP)) {
		side_close(side, NULL);
		return false;
	}
	return true;
}

void tcp_forward(struct worker *worker, struct flight_entry *entry, const uint8_t *msg, size_t len)
{
	struct conn *conn = entry->origin.conn;
	size_t id_len = len < 2 ? len : 2;
	uint8_t head[4];

	if (conn->upstream.source.fd < 0 && !conn_connect(conn)) {
		pass_failed(worker, entry, "no socket for a connection to it");
		return;
	}
	if (conn->upstream.https) {
		if (!secure_ask(conn, entry, msg, len))
			pass_failed(worker, entry, out_of_memory);
		conn_mark(conn);
		return;
	}
	msg_put_u16(head, (uint16_t)len);
	msg_put_u16(head + 2, entry->id);
	if (len < 2)
		memcpy(head + 2, msg, len); /* not even an ID: as it is */
	if (!side_append(&conn->upstream, head, 2 + id_len, msg + id_len, len - id_len))
		pass_failed(worker, entry, out_of_memory);
	conn_mark(conn);
}

void tcp_cut(struct worker *worker, struct conn *conn, size_t bytes)
{
	(void)worker;
	conn->allowed = bytes;
}

/* A length that is wrong stays within what two octets can say. */
static uint16_t length_of(size_t len, const struct decide_stream *stream)
{
	int64_t length = (int64_t)len + stream->length_off;

	return length < 0 ? 0 : length > UINT16_MAX ? UINT16_MAX : (uint16_t)length;
}

/* Over HTTPS a message has no length in front; what may still leave of it is its body. */
static void reply_https(struct conn *conn, int32_t stream, const struct decide_send *send,
			const struct decide_http *http)
{
	struct decide_http cut = http ? *http : (struct decide_http){0};

	if (conn->allowed != SIZE_MAX) {
		cut.is_truncated = true;
		cut.truncate_bytes = conn->allowed < 2 ? 0 : conn->allowed - 2;
		http = &cut;
	}
	https_reply(conn->client.https, stream,
		    &(struct https_reply){.msg = send->msg, .len = send->len, .fault = http});
	conn_mark(conn);
}

void tcp_reply(struct worker *worker, const struct origin *origin, const struct decide_send *send,
	       const struct decide_http *http)
{
	struct conn *conn = origin->conn;
	size_t len = send->len;
	uint8_t head[2];
	size_t head_len = conn->allowed < 2 ? conn->allowed : 2;

	(void)worker;
	if (len > MESSAGE_MAX || conn->is_cut)
		return;
	if (send->stream.piece_bytes) {
		conn->client.piece = send->stream.piece_bytes;
		conn->pause_ns = send->stream.pause_ns;
	}
	if (conn->client.https) {
		reply_https(conn, origin->stream, send, http);
		return;
	}
	msg_put_u16(head, length_of(len, &send->stream));
	if (len > conn->allowed - head_len)
		len = conn->allowed - head_len;
	if (conn->allowed != SIZE_MAX)
		conn->allowed -= head_len + len;
	if (!side_append(&conn->client, head, head_len, send->msg, len))
		conn->is_cut = true;
	conn_mark(conn);
}

void tcp_fault(struct worker *worker, struct conn *conn, enum decide_conn fault)
{
	(void)worker;
	switch (fault) {
	case DECIDE_CONN_KEEP:
		return;
	case DECIDE_CONN_CLOSE_AFTER_BYTES:
		conn->is_cut = true;
		break;
	case DECIDE_CONN_RST:
		side_write(&conn->client);
		conn_close(conn, true);
		return;
	case DECIDE_CONN_STALL:
		conn->is_stalled = true;
		break;
	}
	conn_mark(conn);
}

static void handle_query(struct conn *conn, uint8_t *msg, size_t len)
{
	struct origin origin;

	memset(&origin, 0, sizeof(origin));
	origin.client = conn->peer;
	origin.local = conn->local;
	origin.conn = conn;
	pass_query(conn->worker, &origin, msg, len);
}

static void handle_answer(struct conn *conn, uint8_t *msg, size_t len)
{
	bool is_inline = conn->worker->proxy->options.is_inline;
	struct flight_entry *entry =
		len < 2 ? NULL : flight_find(&conn->worker->flight, is_inline ? conn : NULL, msg_u16(msg));

	if (entry && entry->origin.conn == conn) {
		memcpy(msg, entry->query, entry->query_len < 2 ? 0 : 2);
		pass_answer(conn->worker, entry, msg, len);
	} else if (is_inline) {
		tcp_reply(conn->worker, &(struct origin){.conn = conn}, &(struct decide_send){.msg = msg, .len = len},
			  NULL);
	}
}

/* Handles every whole message of the stream. Returns how many bytes that were. */
static size_t handle_stream(struct conn *conn, struct side *side, uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (len - at >= 2 && len - at - 2 >= msg_u16(bytes + at)) {
		size_t msg_len = msg_u16(bytes + at);

		if (side == &conn->client)
			handle_query(conn, bytes + at + 2, msg_len);
		else
			handle_answer(conn, bytes + at + 2, msg_len);
		at += 2 + msg_len;
		if (side->source.fd < 0 || conn->is_stalled || conn->is_cut)
			return len;
	}
	return at;
}

/* False: the upstream's side is at its end. The client's may have to be told why. */
static bool feed_https(struct conn *conn, struct side *side, const uint8_t *bytes, size_t len)
{
	if (secure_feed(conn, side, bytes, len) || !conn_is_open(conn))
		return true;
	if (side == &conn->upstream)
		return false;
	conn->is_cut = true;
	return true;
}

/* False: the side is at its end. */
static bool read_side(struct conn *conn, struct side *side)
{
	uint8_t *stream = conn->worker->stream;
	size_t have = side->partial_len, used;
	ssize_t n = side_read(side, stream + have, TCP_STREAM_SIZE - have);

	if (side->tls) {
		conn_mark(conn); /* it may want to write now, or no more */
		if (!secure_advance(conn, side))
			return false;
	}
	if (n <= 0)
		return n == -EAGAIN;
	conn->used_ns = conn->worker->now_ns;
	if (side->https)
		return feed_https(conn, side, stream, (size_t)n);
	if (have)
		memcpy(stream, side->partial, have);
	have += (size_t)n;
	used = handle_stream(conn, side, stream, have);
	if (side->source.fd >= 0 && (side->partial_len || used < have) && !side_keep(side, stream + used, have - used))
		conn_close(conn, false);
	return true;
}

/* A handshake goes on by reading, also where it waited for room to write. */
static uint32_t readable(const struct side *side)
{
	return EPOLLIN | EPOLLRDHUP | (side->is_securing ? EPOLLOUT : 0);
}

static void client_event(struct conn *conn, uint32_t events)
{
	struct side *side = &conn->client;
	bool dead = events & (EPOLLERR | EPOLLHUP);

	if (dead || ((events & EPOLLRDHUP) && (conn->is_stalled || conn->is_cut))) {
		conn_close(conn, false);
		return;
	}
	if ((events & readable(side)) && !side->is_eof && !read_side(conn, side)) {
		side->is_eof = conn->is_ending = true; /* it may still be waiting for answers */
		conn_mark(conn);
	}
	if (conn_is_open(conn) && (events & EPOLLOUT))
		conn_mark(conn);
}

static void upstream_event(struct conn *conn, uint32_t events)
{
	struct side *side = &conn->upstream;

	if (side->connecting && (events & (EPOLLERR | EPOLLHUP))) {
		upstream_gone(conn);
		return;
	}
	if (side->connecting && (events & EPOLLOUT))
		side->connecting = false;
	if (conn->is_stalled)
		return;
	if ((events & (readable(side) | EPOLLERR | EPOLLHUP)) && !read_side(conn, side))
		upstream_gone(conn);
	if (conn_is_open(conn))
		conn_mark(conn);
}

void tcp_event(struct worker *worker, struct source *source, uint32_t events)
{
	(void)worker;
	if (source->fd < 0)
		return; /* closed earlier in this round */
	if (source->kind == SOURCE_CLIENT_CONN)
		client_event(CONN_OF(source, client), events);
	else
		upstream_event(CONN_OF(source, upstream), events);
}

void tcp_resume(struct worker *worker, const struct origin *origin)
{
	struct conn *conn = origin->conn;

	(void)worker;
	if (!origin->stream)
		conn->is_pausing = false;
	if (!conn_is_open(conn))
		return;
	if (origin->stream)
		https_resume(conn->client.https, origin->stream);
	conn_mark(conn);
}

/* Writes what it can, or a piece; *ret_over: HTTP has no more to say. False: the connection is broken. */
static bool write_side(struct conn *conn, struct side *side, bool *ret_over)
{
	size_t pulled = 0;

	*ret_over = false;
	if (side->connecting || (side == &conn->upstream && side->is_securing))
		return true;
	do {
		if (side->https)
			*ret_over = !secure_pull(conn, side, &pulled);
		if (!side_write(side))
			return false;
	} while (pulled && !side->out_len && !*ret_over);
	return true;
}

/* The same for the client, but for what rules make slow. */
static bool write_client(struct conn *conn)
{
	bool is_over = false;

	if (conn->is_stalled || conn->is_pausing)
		return true;
	if (!write_side(conn, &conn->client, &is_over))
		return false;
	conn->is_cut |= is_over;
	if (!conn->client.piece || !conn->client.out_len)
		return true;
	conn->is_pausing = pass_resume_later(conn->worker, &(struct origin){.conn = conn}, conn->pause_ns);
	return conn->is_pausing;
}

/* Writes, and closes what has come to its end. */
static void settle(struct conn *conn)
{
	bool is_over = false;

	if (!conn_is_open(conn))
		return;
	if (!write_client(conn)) {
		conn_close(conn, false);
		return;
	}
	if (conn->upstream.source.fd >= 0 && (!write_side(conn, &conn->upstream, &is_over) || is_over))
		upstream_gone(conn);
	if (!conn->is_stalled && !conn->client.out_len &&
	    (conn->is_cut || (conn->is_ending && !conn->in_flight && conn->refs == 1))) {
		conn_close(conn, false);
		return;
	}
	conn_update(conn);
}

void tcp_flush(struct worker *worker)
{
	while (worker->dirty) {
		struct conn *conn = worker->dirty;

		worker->dirty = conn->next_dirty;
		conn->is_dirty = false;
		conn->refs--; /* the list's; conn_close may drop the last */
		if (!conn->refs)
			conn->refs = 1, conn_drop(conn);
		else
			settle(conn);
	}
	free_dead(worker);
}

void tcp_sweep(struct worker *worker)
{
	struct conn *next;

	if (worker->accept_paused && !worker->draining)
		tcp_pause_accepting(worker, false);
	for (struct conn *conn = worker->conns; conn; conn = next) {
		next = conn->next;
		if (!worker->proxy->options.is_inline && !conn->in_flight &&
		    worker->now_ns - conn->used_ns >= TCP_IDLE_NS)
			conn_close(conn, false);
	}
}

bool tcp_is_quiet(const struct worker *worker)
{
	for (const struct conn *conn = worker->conns; conn; conn = conn->next) {
		if (!conn->is_stalled && (conn->client.out_len || conn->in_flight))
			return false;
	}
	return true;
}
