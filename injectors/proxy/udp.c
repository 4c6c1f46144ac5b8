/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams, in batches. A batch of queries leaves by one upstream socket, the next batch by the next one.
 */
#include "injectors/proxy/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ROUNDS 8 /* batches in a row from one socket, before the others have a turn */
#define SOCKET_BUFFER (4 << 20)

static int open_socket(int family, struct err *err)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = SOCKET_BUFFER;

	if (fd < 0)
		return err_set(err, -errno, LOC_NONE, "opening a UDP socket: %s", strerror(errno));
	/* as much as the system allows: without privileges the kernel caps it without a word */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

static bool is_wildcard(const struct proxy_options *options)
{
	union endpoint at;

	memcpy(&at, &options->listen, sizeof(at));
	if (at.sa.sa_family == AF_INET)
		return at.in.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&at.in6.sin6_addr);
}

static int open_listener(struct worker *worker, struct err *err)
{
	const struct proxy_options *options = &worker->proxy->options;
	int family = options->listen.ss_family, on = 1, fd = open_socket(family, err);

	if (fd < 0)
		return fd;
	worker->listen_udp = (struct source){.kind = SOURCE_LISTEN_UDP, .fd = fd};
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	worker->is_any = is_wildcard(options);
	if (worker->is_any && family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	else if (worker->is_any)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&options->listen, options->listen_len))
		return err_set(err, -errno, LOC_NONE, "listening on UDP: %s", strerror(errno));
	return worker_watch(worker, &worker->listen_udp, EPOLLIN);
}

static int open_upstream(struct worker *worker, unsigned i, struct err *err)
{
	const struct proxy_options *options = &worker->proxy->options;
	int fd = open_socket(options->upstream.ss_family, err);

	if (fd < 0)
		return fd;
	worker->upstream[i] = (struct source){.kind = SOURCE_UPSTREAM, .fd = fd};
	if (connect(fd, (const struct sockaddr *)&options->upstream, options->upstream_len))
		return err_set(err, -errno, LOC_NONE, "no way to the upstream: %s", strerror(errno));
	return worker_watch(worker, &worker->upstream[i], EPOLLIN);
}

static void point_buffers(struct worker *worker)
{
	for (unsigned i = 0; i < BATCH; i++) {
		worker->in_parts[i] = (struct iovec){worker->in + (size_t)i * MESSAGE_MAX, MESSAGE_MAX};
		worker->in_headers[i].msg_hdr.msg_iov = &worker->in_parts[i];
		worker->in_headers[i].msg_hdr.msg_iovlen = 1;
	}
}

int udp_open(struct worker *worker, struct err *err)
{
	int r = open_listener(worker, err);

	for (unsigned i = 0; !r && i < UPSTREAM_SOCKETS; i++)
		r = open_upstream(worker, i, err);
	point_buffers(worker);
	return r;
}

void udp_close(struct worker *worker)
{
	if (worker->listen_udp.fd >= 0)
		close(worker->listen_udp.fd);
	for (unsigned i = 0; i < UPSTREAM_SOCKETS; i++) {
		if (worker->upstream[i].fd >= 0)
			close(worker->upstream[i].fd);
	}
}

/* How many datagrams came, or a negative errno. with_address: who sent them and to where is wanted. */
static int receive(struct worker *worker, int fd, bool with_address)
{
	int count;

	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *header = &worker->in_headers[i].msg_hdr;

		header->msg_name = with_address ? &worker->in_from[i] : NULL;
		header->msg_namelen = with_address ? sizeof(worker->in_from[i]) : 0;
		header->msg_control = with_address && worker->is_any ? worker->in_control[i] : NULL;
		header->msg_controllen = with_address && worker->is_any ? sizeof(worker->in_control[i]) : 0;
	}
	count = recvmmsg(fd, worker->in_headers, BATCH, MSG_DONTWAIT, NULL);
	return count < 0 ? -errno : count;
}

/* The address that the client asked, from the packet's control data. */
static void read_local(struct msghdr *header, union endpoint *ret)
{
	ret->sa.sa_family = AF_UNSPEC;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ret->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = info.ipi_addr};
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ret->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
							 .sin6_addr = info.ipi6_addr,
							 .sin6_scope_id = info.ipi6_ifindex};
		}
	}
}

static void handle_query(struct worker *worker, unsigned i)
{
	struct origin origin;

	origin.client = worker->in_from[i];
	origin.conn = NULL;
	memset(&origin.memo, 0, sizeof(origin.memo));
	read_local(&worker->in_headers[i].msg_hdr, &origin.local);
	pass_query(worker, &origin, worker->in_parts[i].iov_base, worker->in_headers[i].msg_len);
}

void udp_read_queries(struct worker *worker)
{
	for (int round = 0; round < ROUNDS; round++) {
		int count = receive(worker, worker->listen_udp.fd, true);

		for (int i = 0; i < count; i++)
			handle_query(worker, (unsigned)i);
		udp_flush(worker);
		worker->turn = (worker->turn + 1) % UPSTREAM_SOCKETS;
		if (count < BATCH)
			return;
	}
}

/* The kernel was told that nobody is there: what went out by this socket will not be answered. */
static void refused(struct worker *worker, const struct source *upstream)
{
	uint8_t socket = (uint8_t)(upstream - worker->upstream);
	struct flight_entry *entry = flight_first(&worker->flight), *next;

	for (; entry; entry = next) {
		next = flight_next(&worker->flight, entry);
		if (!entry->origin.conn && entry->socket == socket)
			pass_failed(worker, entry);
	}
}

static void handle_answer(struct worker *worker, const struct source *upstream, uint8_t *msg, size_t len)
{
	struct flight_entry *entry = len < 2 ? NULL : flight_find(&worker->flight, msg_u16(msg));

	if (!entry || entry->origin.conn || &worker->upstream[entry->socket] != upstream)
		return; /* too late, or not asked for */
	memcpy(msg, entry->query, entry->query_len < 2 ? 0 : 2);
	pass_answer(worker, entry, msg, len);
}

void udp_read_answers(struct worker *worker, struct source *upstream)
{
	for (int round = 0; round < ROUNDS; round++) {
		int count = receive(worker, upstream->fd, false);

		if (count == -ECONNREFUSED || count == -EHOSTUNREACH || count == -ENETUNREACH)
			refused(worker, upstream);
		for (int i = 0; i < count; i++)
			handle_answer(worker, upstream, worker->in_parts[i].iov_base, worker->in_headers[i].msg_len);
		udp_flush(worker);
		if (count < BATCH)
			return;
	}
}

/* A slot for one more datagram. */
static unsigned next_slot(struct worker *worker, struct out *out)
{
	if (out->count == OUT_MAX)
		udp_flush(worker);
	memset(&out->headers[out->count], 0, sizeof(out->headers[0]));
	out->headers[out->count].msg_hdr.msg_iov = out->parts[out->count];
	return out->count++;
}

void udp_forward(struct worker *worker, struct flight_entry *entry, const uint8_t *msg, size_t len)
{
	struct out *out = &worker->to_upstream;
	unsigned i = next_slot(worker, out);
	size_t id_len = len < 2 ? len : 2;

	entry->socket = (uint8_t)worker->turn;
	out->fd = worker->upstream[worker->turn].fd;
	msg_put_u16((uint8_t *)&out->ids[i], entry->id);
	if (len < 2)
		memcpy(&out->ids[i], msg, len); /* not even an ID: as it is */
	out->parts[i][0] = (struct iovec){&out->ids[i], id_len};
	out->parts[i][1].iov_base = (void *)(uintptr_t)(msg + id_len);
	out->parts[i][1].iov_len = len - id_len;
	out->headers[i].msg_hdr.msg_iovlen = 2;
}

static void write_local(struct msghdr *header, char *control, const union endpoint *local)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;

	header->msg_control = control;
	if (local->sa.sa_family == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = local->in.sin_addr};

		header->msg_controllen = CMSG_SPACE(sizeof(info));
		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IP};
		c->cmsg_type = IP_PKTINFO;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_addr = local->in6.sin6_addr, .ipi6_ifindex = local->in6.sin6_scope_id};

		header->msg_controllen = CMSG_SPACE(sizeof(info));
		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IPV6};
		c->cmsg_type = IPV6_PKTINFO;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
}

void udp_reply(struct worker *worker, const struct origin *origin, const uint8_t *msg, size_t len)
{
	struct out *out = &worker->to_clients;
	unsigned i = next_slot(worker, out);
	struct msghdr *header = &out->headers[i].msg_hdr;

	out->fd = worker->listen_udp.fd;
	out->to[i] = origin->client;
	header->msg_name = &out->to[i];
	header->msg_namelen =
		origin->client.sa.sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	out->parts[i][0].iov_base = (void *)(uintptr_t)msg;
	out->parts[i][0].iov_len = len;
	header->msg_iovlen = 1;
	if (origin->local.sa.sa_family != AF_UNSPEC)
		write_local(header, out->control[i], &origin->local);
}

static void send_all(struct out *out)
{
	unsigned done = 0;
	bool again = false;

	while (done < out->count) {
		int r = sendmmsg(out->fd, out->headers + done, out->count - done, MSG_DONTWAIT);

		if (r > 0) {
			done += (unsigned)r;
			again = false;
		} else if (errno == ECONNREFUSED && !again) {
			again = true; /* that was the answer to an earlier datagram; this one was not sent */
		} else if (errno != EINTR) {
			done++; /* cannot be sent: lost, as on any path */
		}
	}
	out->count = 0;
}

void udp_flush(struct worker *worker)
{
	if (worker->to_upstream.count)
		send_all(&worker->to_upstream);
	if (worker->to_clients.count)
		send_all(&worker->to_clients);
	worker->copies_used = 0;
}
