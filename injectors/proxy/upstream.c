/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams to one upstream and back. A batch of queries leaves by one socket, the next batch by the next one; IDs tell their answers apart.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "injectors/proxy/udp.h"

static int open_one(struct worker *worker, struct source *upstream, struct err *err)
{
	const struct proxy_endpoint *to = &worker->proxy->options.upstream;
	int fd = udp_socket(to->at.ss_family, err);
	char text[PROXY_ENDPOINT_TEXT];

	if (fd < 0)
		return fd;
	*upstream = (struct source){.kind = SOURCE_UPSTREAM, .fd = fd};
	if (connect(fd, (const struct sockaddr *)&to->at, to->len))
		return err_set(err, -errno, LOC_NONE, "no way to the upstream, %s: %s", proxy_endpoint_text(to, text),
			       strerror(errno));
	return worker_watch(worker, upstream, EPOLLIN);
}

int upstream_open(struct worker *worker, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; !r && i < UPSTREAM_SOCKETS; i++)
		r = open_one(worker, &worker->upstream[i], err);
	return r;
}

void upstream_close(struct worker *worker)
{
	for (unsigned i = 0; i < UPSTREAM_SOCKETS; i++) {
		if (worker->upstream[i].fd >= 0)
			close(worker->upstream[i].fd);
	}
}

/* The kernel was told that nobody is there: what went out by this socket will not be answered. */
static void refused(struct worker *worker, const struct source *upstream, int error)
{
	uint8_t socket = (uint8_t)(upstream - worker->upstream);
	struct flight_entry *entry = flight_first(&worker->flight), *next;

	for (; entry; entry = next) {
		next = flight_next(&worker->flight, entry);
		if (!entry->origin.conn && entry->socket == socket)
			pass_failed(worker, entry, strerrordesc_np(error));
	}
}

static void handle_answer(struct worker *worker, const struct source *upstream, uint8_t *msg, size_t len)
{
	struct flight_entry *entry = len < 2 ? NULL : flight_find(&worker->flight, NULL, msg_u16(msg));

	if (!entry || entry->origin.conn || &worker->upstream[entry->socket] != upstream)
		return; /* too late, or not asked for */
	memcpy(msg, entry->query, entry->query_len < 2 ? 0 : 2);
	pass_answer(worker, entry, msg, len);
}

void upstream_read(struct worker *worker, struct source *upstream)
{
	for (int round = 0; round < UDP_ROUNDS; round++) {
		int count = udp_receive(worker, upstream->fd, NULL);

		if (count == -ECONNREFUSED || count == -EHOSTUNREACH || count == -ENETUNREACH)
			refused(worker, upstream, -count);
		for (int i = 0; i < count; i++)
			handle_answer(worker, upstream, worker->in_parts[i].iov_base, worker->in_headers[i].msg_len);
		udp_flush(worker);
		if (count < BATCH)
			return;
	}
}

void upstream_forward(struct worker *worker, struct flight_entry *entry, const uint8_t *msg, size_t len)
{
	uint16_t id = htons(entry->id);

	entry->socket = (uint8_t)worker->turn;
	udp_put(worker, &worker->to_upstream, worker->upstream[worker->turn].fd, NULL, &id, msg, len);
}
