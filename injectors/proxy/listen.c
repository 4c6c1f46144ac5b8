/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where connections come from.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "injectors/proxy/tcp_conn.h"

#define ACCEPTS 64 /* in a row, before others have a turn */
#define BACKLOG 4096

static int open_listener(struct worker *worker, struct listener *listener, const struct proxy_endpoint *endpoint,
			 struct err *err)
{
	int family = endpoint->at.ss_family, on = 1;
	char text[PROXY_ENDPOINT_TEXT];
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, -errno, LOC_NONE, "opening a TCP socket: %s", strerror(errno));
	*listener = (struct listener){.source = {.kind = SOURCE_LISTEN_TCP, .fd = fd}, .endpoint = endpoint};
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&endpoint->at, endpoint->len) || listen(fd, BACKLOG))
		return err_set(err, -errno, LOC_NONE, "listening on TCP, %s: %s", proxy_endpoint_text(endpoint, text),
			       strerror(errno));
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

void tcp_unlisten(struct worker *worker)
{
	for (unsigned i = 0; i < PROXY_LISTEN_MAX; i++) {
		if (worker->tcp[i].source.fd >= 0)
			close(worker->tcp[i].source.fd);
	}
}

void tcp_pause_accepting(struct worker *worker, bool pause)
{
	worker->accept_paused = pause;
	for (unsigned i = 0; i < worker->proxy->options.listen_count; i++) {
		struct source *source = &worker->tcp[i].source;
		struct epoll_event event = {.events = pause ? 0 : EPOLLIN, .data.ptr = source};

		epoll_ctl(worker->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
	}
}

/* Inline, the server is connected to at once: where it refuses, so does the proxy. */
static bool begin_conn(struct conn *conn, const struct origin *origin)
{
	conn->local = origin->local;
	return (!conn->worker->proxy->options.is_inline || conn_connect(conn)) && secure_accept(conn);
}

static void begin(struct worker *worker, const struct listener *listener, int fd, const union endpoint *peer)
{
	static const enum decide_transport transports[] = {
		[PROXY_PLAIN] = DECIDE_TCP, [PROXY_DOT] = DECIDE_DOT, [PROXY_DOH] = DECIDE_DOH};
	struct conn *conn = conn_new(worker, fd, peer, transports[listener->endpoint->service]);
	struct origin origin = {.client = *peer, .conn = conn};
	socklen_t len = sizeof(origin.local);
	bool is_inline = worker->proxy->options.is_inline;

	if (!conn)
		close(fd);
	else if ((is_inline && getsockname(fd, &origin.local.sa, &len)) || pass_refuses(worker, &origin) ||
		 !begin_conn(conn, &origin))
		conn_close(conn, true);
}

void tcp_accept(struct worker *worker, struct listener *listener)
{
	for (int i = 0; i < ACCEPTS; i++) {
		union endpoint peer;
		socklen_t len = sizeof(peer);
		int on = 1, fd = accept4(listener->source.fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			tcp_pause_accepting(worker, true); /* until the next sweep */
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		begin(worker, listener, fd, &peer);
	}
}
