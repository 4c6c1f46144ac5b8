/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS over TCP (RFC 7766): pipelined queries, answers in whatever order they come.
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

#define ACCEPTS 64 /* in a row, before others have a turn */
#define BACKLOG 4096

#define CONN_OF(source_, side) ((struct conn *)(void *)((char *)(source_)-offsetof(struct conn, side.source)))

static int open_listener(struct worker *worker, struct listener *listener, const struct proxy_endpoint *endpoint,
			 struct err *err)
{
	int family = endpoint->at.ss_family, on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, -errno, LOC_NONE, "opening a TCP socket: %s", strerror(errno));
	*listener = (struct listener){.source = {.kind = SOURCE_LISTEN_TCP, .fd = fd}, .endpoint = endpoint};
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&endpoint->at, endpoint->len) || listen(fd, BACKLOG))
		return err_set(err, -errno, LOC_NONE, "listening on TCP: %s", strerror(errno));
	return worker_watch(worker, &listener->source, EPOLLIN);
}

int tcp_open(struct worker *worker, struct err *err)
{
	const struct proxy_options *options = &worker->proxy->options;
	int r = 0;

	for (unsigned i = 0; !r && i < options->listen_count; i++)
		r = open_listener(worker, &worker->tcp[i], &options->listen[i], err);
	return r;
}

static void free_dead(struct worker *worker)
{
	while (worker->dead) {
		struct conn *conn = worker->dead;

		worker->dead = conn->next_dead;
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
	for (unsigned i = 0; i < PROXY_LISTEN_MAX; i++) {
		if (worker->tcp[i].source.fd >= 0)
			close(worker->tcp[i].source.fd);
	}
}

static void pause_accepting(struct worker *worker, bool pause)
{
	worker->accept_paused = pause;
	for (unsigned i = 0; i < worker->proxy->options.listen_count; i++) {
		struct source *source = &worker->tcp[i].source;
		struct epoll_event event = {.events = pause ? 0 : EPOLLIN, .data.ptr = source};

		epoll_ctl(worker->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
	}
}

/* Everything asked over this connection fails. */
static void fail_queries(struct conn *conn)
{
	struct flight *flight = &conn->worker->flight;
	struct flight_entry *entry = flight_first(flight), *next;

	for (; conn->in_flight && entry; entry = next) {
		next = flight_next(flight, entry);
		if (entry->origin.conn == conn)
			pass_failed(conn->worker, entry);
	}
}

static void upstream_gone(struct conn *conn)
{
	bool was_there = !conn->upstream.connecting;

	side_close(&conn->upstream);
	if (was_there) {
		conn_forget(conn); /* closed without an answer: so is the client's */
		conn->is_ending = true;
	} else if (conn->worker->proxy->options.is_inline) {
		conn_close(conn, true);
		return;
	} else {
		fail_queries(conn);
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

static bool connect_upstream(struct conn *conn)
{
	struct origin origin = {.local = conn->local};
	union endpoint server = worker_server(conn->worker, &origin);
	struct side *side = &conn->upstream;
	int on = 1, fd = socket(server.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	side->source.fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!bind_upstream(conn, fd) || (connect(fd, &server.sa, endpoint_len(&server)) && errno != EINPROGRESS)) {
		side_close(side);
		return false;
	}
	side->connecting = true;
	if (worker_watch(conn->worker, &side->source, EPOLLIN | EPOLLOUT | EPOLLRDHUP)) {
		side_close(side);
		return false;
	}
	return true;
}

/* Inline, the server is connected to at once: where it refuses, so does the proxy. */
static void begin(struct worker *worker, int fd, const union endpoint *peer)
{
	struct conn *conn = conn_new(worker, fd, peer);
	socklen_t len = sizeof(conn->local);
	bool is_inline = worker->proxy->options.is_inline;

	if (!conn)
		close(fd);
	else if ((is_inline && getsockname(fd, &conn->local.sa, &len)) || pass_refuses(worker, peer, &conn->local) ||
		 (is_inline && !connect_upstream(conn)))
		conn_close(conn, true);
}

void tcp_accept(struct worker *worker, struct listener *listener)
{
	for (int i = 0; i < ACCEPTS; i++) {
		union endpoint peer;
		socklen_t len = sizeof(peer);
		int on = 1, fd = accept4(listener->source.fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			pause_accepting(worker, true); /* until the next sweep */
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		begin(worker, fd, &peer);
	}
}

void tcp_forward(struct worker *worker, struct flight_entry *entry, const uint8_t *msg, size_t len)
{
	struct conn *conn = entry->origin.conn;
	size_t id_len = len < 2 ? len : 2;
	uint8_t head[4];

	if (conn->upstream.source.fd < 0 && !connect_upstream(conn)) {
		pass_failed(worker, entry);
		return;
	}
	msg_put_u16(head, (uint16_t)len);
	msg_put_u16(head + 2, entry->id);
	if (len < 2)
		memcpy(head + 2, msg, len); /* not even an ID: as it is */
	if (!side_append(&conn->upstream, head, 2 + id_len, msg + id_len, len - id_len))
		pass_failed(worker, entry);
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

void tcp_reply(struct worker *worker, struct conn *conn, const uint8_t *msg, size_t len,
	       const struct decide_stream *stream)
{
	uint8_t head[2];
	size_t head_len = conn->allowed < 2 ? conn->allowed : 2;

	(void)worker;
	if (len > MESSAGE_MAX || conn->is_cut)
		return;
	msg_put_u16(head, length_of(len, stream));
	if (stream->piece_bytes) {
		conn->client.piece = stream->piece_bytes;
		conn->pause_ns = stream->pause_ns;
	}
	if (len > conn->allowed - head_len)
		len = conn->allowed - head_len;
	if (conn->allowed != SIZE_MAX)
		conn->allowed -= head_len + len;
	if (!side_append(&conn->client, head, head_len, msg, len))
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
		tcp_reply(conn->worker, conn, msg, len, &(struct decide_stream){0});
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

/* False: the side is at its end. */
static bool read_side(struct conn *conn, struct side *side)
{
	uint8_t *stream = conn->worker->stream;
	size_t have = side->partial_len, used;
	ssize_t n = recv(side->source.fd, stream + have, TCP_STREAM_SIZE - have, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n)
		return false;
	conn->used_ns = conn->worker->now_ns;
	if (have)
		memcpy(stream, side->partial, have);
	have += (size_t)n;
	used = handle_stream(conn, side, stream, have);
	if (side->source.fd >= 0 && (side->partial_len || used < have) && !side_keep(side, stream + used, have - used))
		conn_close(conn, false);
	return true;
}

static void client_event(struct conn *conn, uint32_t events)
{
	struct side *side = &conn->client;
	bool dead = events & (EPOLLERR | EPOLLHUP);

	if (dead || ((events & EPOLLRDHUP) && (conn->is_stalled || conn->is_cut))) {
		conn_close(conn, false);
		return;
	}
	if ((events & (EPOLLIN | EPOLLRDHUP)) && !side->is_eof && !read_side(conn, side)) {
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
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) && !read_side(conn, side))
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

void tcp_resume(struct worker *worker, struct conn *conn)
{
	(void)worker;
	conn->is_pausing = false;
	if (conn_is_open(conn))
		conn_mark(conn);
}

/* Writes what may be written now. False: the connection is broken. */
static bool write_client(struct conn *conn)
{
	if (conn->is_stalled || conn->is_pausing)
		return true;
	if (!side_write(&conn->client))
		return false;
	if (!conn->client.piece || !conn->client.out_len)
		return true;
	conn->is_pausing = pass_resume_later(conn->worker, conn, conn->pause_ns);
	return conn->is_pausing;
}

/* Writes, and closes what has come to its end. */
static void settle(struct conn *conn)
{
	if (!conn_is_open(conn))
		return;
	if (!write_client(conn)) {
		conn_close(conn, false);
		return;
	}
	if (conn->upstream.source.fd >= 0 && !conn->upstream.connecting && !side_write(&conn->upstream))
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
		pause_accepting(worker, false);
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
