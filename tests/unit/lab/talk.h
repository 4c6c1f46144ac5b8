/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP between hosts of a lab under test.
 */
#pragma once
#include "tests/unit/lab/fixture.h"
#include <poll.h>

#define TALK_PORT 53
#define TALK_WITHIN_MSEC 5000 /* what comes, comes in microseconds; only a hang is longer */

static inline int talk_bind(struct host *host, const struct address *address, struct err *err)
{
	struct sockaddr_storage name;
	socklen_t len = address_to_sockaddr(address, TALK_PORT, &name);
	int fd = host_socket(host, address->family, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&name, len))
		return err_set(err, -EBADMSG, LOC_NONE, "%s cannot bind %s: %s", host_name(host), address->text,
			       strerror(fd < 0 ? -fd : errno));
	return fd;
}

static inline int talk_connect(struct host *host, int type, const struct address *to, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t len = address_to_sockaddr(to, port, &name);
	int fd = host_socket(host, to->family, type, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&name, len) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline bool talk_wait(int fd, short events, int msec)
{
	struct pollfd ready = {.fd = fd, .events = events};

	return poll(&ready, 1, msec) == 1;
}

/* A datagram from one connected socket reaches the other, whose answer comes back. */
static inline int talk_there_and_back(int from, int to, struct err *err)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	char text[16] = "";

	CHECK(send(from, "ping", 4, 0) == 4);
	CHECK(talk_wait(to, POLLIN, TALK_WITHIN_MSEC));
	CHECK(recvfrom(to, text, sizeof(text), 0, (struct sockaddr *)&peer, &len) == 4);
	CHECK(sendto(to, "pong", 4, 0, (struct sockaddr *)&peer, len) == 4);
	CHECK(talk_wait(from, POLLIN, TALK_WITHIN_MSEC));
	CHECK(recv(from, text, sizeof(text), 0) == 4 && !memcmp(text, "pong", 4));
	return 0;
}
