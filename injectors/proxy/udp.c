/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams, in batches.
 */
#include "injectors/proxy/udp.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SOCKET_BUFFER (4 << 20)

int udp_socket(int family, struct err *err)
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

static bool is_wildcard(const struct proxy_endpoint *endpoint)
{
	union endpoint at;

	memcpy(&at, &endpoint->at, sizeof(at));
	if (at.sa.sa_family == AF_INET)
		return at.in.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&at.in6.sin6_addr);
}

/* Where it is inline, a client may ask from port 53 too: its upstream socket is bound beside the wildcard. */
static void set_options(const struct worker *worker, const struct listener *listener)
{
	int fd = listener->source.fd, family = listener->endpoint->at.ss_family, on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (worker->proxy->options.is_inline)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (listener->is_any && family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	else if (listener->is_any)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
}

static int open_listener(struct worker *worker, struct listener *listener, const struct proxy_endpoint *endpoint,
			 struct err *err)
{
	int fd = udp_socket(endpoint->at.ss_family, err);
	char text[PROXY_ENDPOINT_TEXT];

	if (fd < 0)
		return fd;
	*listener = (struct listener){
		.source = {.kind = SOURCE_LISTEN_UDP, .fd = fd}, .endpoint = endpoint, .is_any = is_wildcard(endpoint)};
	set_options(worker, listener);
	if (bind(fd, (const struct sockaddr *)&endpoint->at, endpoint->len))
		return err_set(err, -errno, LOC_NONE, "listening on UDP, %s: %s", proxy_endpoint_text(endpoint, text),
			       strerror(errno));
	return worker_watch(worker, &listener->source, EPOLLIN);
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
	const struct proxy_options *options = &worker->proxy->options;
	int r = 0;

	point_buffers(worker);
	for (unsigned i = 0; !r && i < options->listen_count; i++) {
		if (options->listen[i].service == PROXY_PLAIN)
			r = open_listener(worker, &worker->udp[i], &options->listen[i], err);
	}
	return r;
}

void udp_close(struct worker *worker)
{
	for (unsigned i = 0; i < PROXY_LISTEN_MAX; i++) {
		if (worker->udp[i].source.fd >= 0)
			close(worker->udp[i].source.fd);
	}
}

int udp_receive(struct worker *worker, int fd, const struct listener *listener)
{
	bool with_local = listener && listener->is_any;
	int count;

	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *header = &worker->in_headers[i].msg_hdr;

		header->msg_name = listener ? &worker->in_from[i] : NULL;
		header->msg_namelen = listener ? sizeof(worker->in_from[i]) : 0;
		header->msg_control = with_local ? worker->in_control[i] : NULL;
		header->msg_controllen = with_local ? sizeof(worker->in_control[i]) : 0;
	}
	count = recvmmsg(fd, worker->in_headers, BATCH, MSG_DONTWAIT, NULL);
	return count < 0 ? -errno : count;
}

/* The address that the client asked, from the packet's control data. */
static void read_local(struct msghdr *header, uint16_t port, union endpoint *ret)
{
	ret->sa.sa_family = AF_UNSPEC;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ret->in = (struct sockaddr_in){
				.sin_family = AF_INET, .sin_addr = info.ipi_addr, .sin_port = port};
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ret->in6 = (struct sockaddr_in6){
				.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr, .sin6_port = port};
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				ret->in6.sin6_scope_id = info.ipi6_ifindex;
		}
	}
}

static uint16_t port_of(const struct proxy_endpoint *endpoint)
{
	union endpoint at;

	memcpy(&at, &endpoint->at, sizeof(at));
	return at.sa.sa_family == AF_INET ? at.in.sin_port : at.in6.sin6_port;
}

static void handle_query(struct worker *worker, const struct listener *listener, unsigned i)
{
	struct origin origin;

	origin.client = worker->in_from[i];
	origin.listener = (uint8_t)(listener - worker->udp);
	origin.conn = NULL;
	memset(&origin.memo, 0, sizeof(origin.memo));
	read_local(&worker->in_headers[i].msg_hdr, port_of(listener->endpoint), &origin.local);
	pass_query(worker, &origin, worker->in_parts[i].iov_base, worker->in_headers[i].msg_len);
}

void udp_read_queries(struct worker *worker, struct listener *listener)
{
	for (int round = 0; round < UDP_ROUNDS; round++) {
		int count = udp_receive(worker, listener->source.fd, listener);

		for (int i = 0; i < count; i++)
			handle_query(worker, listener, (unsigned)i);
		udp_flush(worker);
		worker->turn = (worker->turn + 1) % UPSTREAM_SOCKETS;
		if (count < BATCH)
			return;
	}
}

struct msghdr *udp_put(struct worker *worker, struct out *out, int fd, const union endpoint *to, const uint16_t *id,
		       const uint8_t *msg, size_t len)
{
	size_t id_len = !id ? 0 : len < 2 ? len : 2;
	struct msghdr *header;
	unsigned i;

	if (out->count == OUT_MAX)
		udp_flush(worker);
	else if (out->count && out->fd != fd)
		out_send(out);
	i = out->count++;
	out->fd = fd;
	memset(&out->headers[i], 0, sizeof(out->headers[i]));
	header = &out->headers[i].msg_hdr;
	header->msg_iov = &out->parts[i][id ? 0 : 1];
	header->msg_iovlen = id ? 2 : 1;
	if (id)
		memcpy(&out->ids[i], len < 2 ? (const void *)msg : id, id_len); /* not even an ID: as it is */
	out->parts[i][0] = (struct iovec){&out->ids[i], id_len};
	out->parts[i][1].iov_base = (void *)(uintptr_t)(msg + id_len);
	out->parts[i][1].iov_len = len - id_len;
	if (to) {
		out->to[i] = *to;
		header->msg_name = &out->to[i];
		header->msg_namelen = endpoint_len(to);
	}
	return header;
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
	struct msghdr *header =
		udp_put(worker, out, worker->udp[origin->listener].source.fd, &origin->client, NULL, msg, len);

	if (origin->local.sa.sa_family != AF_UNSPEC)
		write_local(header, out->control[out->count - 1], &origin->local);
}

/* source's address and port, and for what it leaves open, those that were asked. */
static union endpoint local_of(const struct worker *worker, const struct origin *origin,
			       const struct decide_source *source)
{
	const union endpoint *asked = &origin->local;
	union endpoint local;

	memcpy(&local, &worker->udp[origin->listener].endpoint->at, sizeof(local));
	if (local.sa.sa_family == AF_INET) {
		if (source->address.family == AF_INET)
			memcpy(&local.in.sin_addr, source->address.bytes, 4);
		else if (asked->sa.sa_family == AF_INET)
			local.in.sin_addr = asked->in.sin_addr;
		local.in.sin_port = source->port ? htons(source->port) : local.in.sin_port;
		return local;
	}
	if (source->address.family == AF_INET6)
		memcpy(&local.in6.sin6_addr, source->address.bytes, 16);
	else if (asked->sa.sa_family == AF_INET6)
		local.in6.sin6_addr = asked->in6.sin6_addr;
	local.in6.sin6_port = source->port ? htons(source->port) : local.in6.sin6_port;
	return local;
}

/* By a socket for this one answer: one that stayed would be asked in the listening one's place. */
static bool send_once(const union endpoint *from, const union endpoint *to, const uint8_t *msg, size_t len)
{
	int on = 1, fd = socket(from->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool is_sent;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	is_sent = !bind(fd, &from->sa, endpoint_len(from)) &&
		  sendto(fd, msg, len, 0, &to->sa, endpoint_len(to)) == (ssize_t)len;
	close(fd);
	return is_sent;
}

bool udp_reply_from(struct worker *worker, const struct origin *origin, const struct decide_source *source,
		    const uint8_t *msg, size_t len)
{
	union endpoint local = local_of(worker, origin, source);
	struct origin other = *origin;

	if (!worker->udp[origin->listener].is_any || source->port)
		return send_once(&local, &origin->client, msg, len);
	other.local = local; /* a wildcard socket may send from any */
	udp_reply(worker, &other, msg, len);
	return true;
}

void udp_flush(struct worker *worker)
{
	if (worker->to_upstream.count)
		out_send(&worker->to_upstream);
	if (worker->to_clients.count)
		out_send(&worker->to_clients);
	worker->copies_used = 0;
}
