/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS over UDP: a fresh connected socket for each query, so that the kernel picks a random source port and hands us the ICMP errors for it.
 */
#include "harness/probe/dns.h"
#include <errno.h>
#include <sys/socket.h>

/* True while the asking goes on. */
static bool dns_udp_take(struct dns_ask *ask, size_t len)
{
	struct dns *dns = ask->dns;

	dns_prepare(ask);
	switch (dns_match(&dns->query, dns->message, len)) {
	case DNS_OTHER:
		ask->strangers++;
		return true;
	case DNS_MALFORMED:
		dns_garbled(ask, "malformed answer");
		return false;
	case DNS_MATCH:
		break;
	}
	if (dns_is_truncated(dns->message)) { /* the answer is there, behind TCP: RFC 7766 section 5 */
		dns_disconnect(ask);
		ask->is_retried = true;
		dns_conn_start(ask);
		return false;
	}
	dns_answered(ask, dns->message, len);
	return false;
}

static void dns_udp_readable(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct dns_ask *ask = arg;
	ssize_t len;

	do
		len = recv(fd, ask->dns->message, sizeof(ask->dns->message), 0);
	while (len >= 0 && dns_udp_take(ask, (size_t)len));
	if (len < 0 && errno != EAGAIN && errno != EINTR)
		dns_failed(ask, errno);
}

void dns_udp_start(struct dns_ask *ask)
{
	struct dns *dns = ask->dns;
	int fd = dns_connect(dns, SOCK_DGRAM);

	if (fd < 0) {
		dns_failed(ask, -fd);
		return;
	}
	ask->fd = fd;
	event_assign(&ask->event, dns->ctx.base, ask->fd, EV_READ | EV_PERSIST, dns_udp_readable, ask);
	if (event_add(&ask->event, NULL) < 0) {
		dns_failed(ask, ENOMEM);
		return;
	}
	dns_prepare(ask);
	ask->sent_ns = dns_now(dns);
	if (send(ask->fd, dns->query.wire, dns->query.len, 0) < 0)
		dns_failed(ask, errno);
}
