/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/tcp_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define KEPT_MAX 1024 /* a drained buffer larger than this is given back */

static bool make_room(struct side *side, size_t more)
{
	size_t cap = side->out_cap ? side->out_cap : 512;
	uint8_t *out;

	if (side->out_len + more <= side->out_cap)
		return true;
	while (cap < side->out_len + more)
		cap *= 2;
	out = realloc(side->out, cap);
	if (!out)
		return false;
	side->out = out;
	side->out_cap = cap;
	return true;
}

bool side_append(struct side *side, const uint8_t *head, size_t head_len, const uint8_t *bytes, size_t len)
{
	if (!make_room(side, head_len + len))
		return false;
	if (head_len)
		memcpy(side->out + side->out_len, head, head_len);
	if (len)
		memcpy(side->out + side->out_len + head_len, bytes, len);
	side->out_len += head_len + len;
	return true;
}

ssize_t side_read(struct side *side, uint8_t *buf, size_t size)
{
	ssize_t n;

	if (side->tls)
		return tls_read(side->tls, buf, size);
	n = recv(side->source.fd, buf, size, MSG_DONTWAIT);
	return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t write_some(struct side *side, const uint8_t *bytes, size_t len)
{
	ssize_t n;

	if (side->tls)
		return tls_write(side->tls, bytes, len);
	do {
		n = send(side->source.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

bool side_write(struct side *side)
{
	while (side->out_done < side->out_len) {
		size_t left = side->out_len - side->out_done;
		ssize_t n = write_some(side, side->out + side->out_done,
				       side->piece && side->piece < left ? side->piece : left);

		if (n < 0)
			return n == -EAGAIN;
		side->out_done += (size_t)n;
		if (side->piece && side->out_done < side->out_len)
			return true;
	}
	side->out_len = side->out_done = side->piece = 0;
	if (side->out_cap > KEPT_MAX) {
		free(side->out);
		side->out = NULL;
		side->out_cap = 0;
	}
	return true;
}

bool side_keep(struct side *side, const uint8_t *bytes, size_t len)
{
	uint8_t *partial = len ? malloc(len) : NULL;

	if (len && !partial)
		return false;
	if (len)
		memcpy(partial, bytes, len);
	free(side->partial);
	side->partial = partial;
	side->partial_len = len;
	return true;
}

void side_close(struct side *side, struct https **ret_https)
{
	tls_free(side->tls);
	if (ret_https)
		*ret_https = side->https;
	else
		https_free(side->https);
	if (side->source.fd >= 0)
		close(side->source.fd);
	free(side->partial);
	free(side->out);
	*side = (struct side){.source = {.kind = side->source.kind, .fd = -1}};
}

static bool wants_out(const struct side *side)
{
	/* TLS knows whether it waits for the one or the other */
	return side->connecting || (side->tls ? side->tls->wants_write : side->out_len > 0);
}

static void watch(struct conn *conn, struct side *side, const struct side *other)
{
	struct epoll_event event = {.data.ptr = &side->source};

	if (side->source.fd < 0)
		return;
	if (!conn->is_stalled && !conn->is_cut && !side->is_eof && other->out_len < TCP_BACKLOG_MAX)
		event.events = EPOLLIN;
	if (!conn->is_stalled && wants_out(side) && !(conn->is_pausing && side == &conn->client))
		event.events |= EPOLLOUT;
	if (!side->is_eof)
		event.events |= EPOLLRDHUP; /* seen even while nothing is read */
	if (event.events == side->source.interest)
		return;
	epoll_ctl(conn->worker->epoll_fd, EPOLL_CTL_MOD, side->source.fd, &event);
	side->source.interest = event.events;
}

void conn_update(struct conn *conn)
{
	watch(conn, &conn->client, &conn->upstream);
	watch(conn, &conn->upstream, &conn->client);
}

void conn_mark(struct conn *conn)
{
	if (conn->is_dirty)
		return;
	conn->is_dirty = true;
	conn->next_dirty = conn->worker->dirty;
	conn->worker->dirty = conn;
	conn_take(conn);
}

void conn_take(struct conn *conn)
{
	conn->refs++;
}

void conn_drop(struct conn *conn)
{
	if (--conn->refs) {
		if (conn->refs == 1 && conn->is_ending && !conn->is_dirty)
			conn_mark(conn); /* the last message that waited is out */
		return;
	}
	conn->next_dead = conn->worker->dead;
	conn->worker->dead = conn;
}

bool conn_is_open(const struct conn *conn)
{
	return conn->client.source.fd >= 0;
}

enum decide_transport conn_transport(const struct conn *conn)
{
	return conn->transport;
}

void conn_count(struct conn *conn, int change)
{
	conn->in_flight += (size_t)change;
	if (!conn->in_flight && conn_is_open(conn))
		conn_mark(conn);
}

void conn_forget(struct conn *conn)
{
	struct flight *flight = &conn->worker->flight;
	struct flight_entry *entry = flight_first(flight), *next;

	for (; conn->in_flight && entry; entry = next) {
		next = flight_next(flight, entry);
		if (entry->origin.conn == conn)
			pass_forget(conn->worker, entry);
	}
}

void conn_close(struct conn *conn, bool reset)
{
	struct worker *worker = conn->worker;

	if (!conn_is_open(conn))
		return;
	if (reset && conn->client.tls)
		conn->client.tls->is_broken = true; /* says no goodbye */
	if (reset)
		setsockopt(conn->client.source.fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			   sizeof(struct linger));
	side_close(&conn->client, &conn->retired[0]);
	side_close(&conn->upstream, &conn->retired[1]);
	conn_forget(conn);
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		worker->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	worker->conn_count--;
	conn_drop(conn);
}

struct conn *conn_new(struct worker *worker, int fd, const union endpoint *peer, enum decide_transport transport)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	*conn = (struct conn){
		.worker = worker, .transport = transport, .peer = *peer, .used_ns = worker->now_ns, .refs = 1};
	conn->allowed = SIZE_MAX;
	conn->client.source = (struct source){.kind = SOURCE_CLIENT_CONN, .fd = fd};
	conn->upstream.source = (struct source){.kind = SOURCE_UPSTREAM_CONN, .fd = -1};
	if (worker_watch(worker, &conn->client.source, EPOLLIN | EPOLLRDHUP)) {
		free(conn);
		return NULL;
	}
	conn->next = worker->conns;
	if (conn->next)
		conn->next->prev = conn;
	worker->conns = conn;
	worker->conn_count++;
	return conn;
}
