/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS over TCP: one connection per query, messages behind two octets of length (RFC 1035 section 4.2.2).
 */
#include "harness/probe/dns.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void dns_tcp_readable(evutil_socket_t fd, short what, void *arg);

static bool dns_tcp_stream(struct dns_ask *ask, size_t size)
{
	uint8_t *bytes = realloc(ask->stream.bytes, size);

	if (!bytes) {
		dns_failed(ask, ENOMEM);
		return false;
	}
	ask->stream.bytes = bytes;
	ask->stream.want = size;
	return true;
}

static bool dns_tcp_await(struct dns_ask *ask, short what, event_callback_fn call)
{
	event_del(&ask->event);
	event_assign(&ask->event, ask->dns->ctx.base, ask->fd, (short)(what | EV_PERSIST), call, ask);
	if (event_add(&ask->event, NULL) == 0)
		return true;
	dns_failed(ask, ENOMEM);
	return false;
}

static void dns_tcp_writable(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct dns_ask *ask = arg;
	ssize_t n = send(fd, ask->stream.bytes + ask->stream.done, ask->stream.want - ask->stream.done, MSG_NOSIGNAL);

	if (n < 0) { /* a connection that failed shows here, too */
		if (errno != EAGAIN && errno != EINTR)
			dns_failed(ask, errno);
		return;
	}
	ask->stream.done += (size_t)n;
	if (ask->stream.done < ask->stream.want)
		return;
	ask->stream.done = 0;
	ask->stream.want = 2;
	dns_tcp_await(ask, EV_READ, dns_tcp_readable);
}

/* A whole message is there. True: it was none of ours, wait for the next. */
static bool dns_tcp_take(struct dns_ask *ask)
{
	const uint8_t *wire = ask->stream.bytes + 2;
	size_t len = ask->stream.want - 2;

	dns_prepare(ask);
	switch (dns_match(&ask->dns->query, wire, len)) {
	case DNS_OTHER:
		ask->strangers++;
		ask->stream.done = 0;
		ask->stream.want = 2;
		return true;
	case DNS_MALFORMED:
		dns_garbled(ask);
		return false;
	case DNS_MATCH:
		break;
	}
	dns_answered(ask, wire, len);
	return false;
}

/* Goes on from `want` octets that are there. False: the asking is over. */
static bool dns_tcp_advance(struct dns_ask *ask)
{
	size_t len = (size_t)ask->stream.bytes[0] << 8 | ask->stream.bytes[1];

	if (ask->stream.want == 2 && len > 0)
		return dns_tcp_stream(ask, 2 + len);
	return dns_tcp_take(ask);
}

static void dns_tcp_readable(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct dns_ask *ask = arg;
	ssize_t n;

	do {
		n = recv(fd, ask->stream.bytes + ask->stream.done, ask->stream.want - ask->stream.done, 0);
		if (n > 0)
			ask->stream.done += (size_t)n;
		if (n > 0 && ask->stream.done == ask->stream.want && !dns_tcp_advance(ask))
			return;
	} while (n > 0);
	if (n == 0)
		dns_failed(ask, ECONNRESET); /* closed without an answer */
	else if (errno != EAGAIN && errno != EINTR)
		dns_failed(ask, errno);
}

void dns_tcp_start(struct dns_ask *ask)
{
	struct dns *dns = ask->dns;
	int r = dns_connect(ask, SOCK_STREAM);

	if (r < 0) {
		dns_failed(ask, -r);
		return;
	}
	if (!dns_tcp_stream(ask, 2 + dns->query.len))
		return;
	dns_prepare(ask);
	ask->stream.bytes[0] = (uint8_t)(dns->query.len >> 8);
	ask->stream.bytes[1] = (uint8_t)dns->query.len;
	memcpy(ask->stream.bytes + 2, dns->query.wire, dns->query.len);
	ask->stream.done = 0;
	if (!ask->sent_ns) /* a retry after truncation keeps the time of the first query */
		ask->sent_ns = dns_now(dns);
	event_assign(&ask->event, dns->ctx.base, ask->fd, EV_WRITE | EV_PERSIST, dns_tcp_writable, ask);
	if (event_add(&ask->event, NULL) < 0)
		dns_failed(ask, ENOMEM);
}
