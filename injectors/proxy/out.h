/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams that leave one socket together: put in by udp_put, sent and forgotten by out_send. Their bytes are borrowed until then.
 *
 * What goes to a server over a connected socket, one datagram after another of the same length, passes the kernel's stack as one and is cut apart
 * at its end (udp(7), UDP_SEGMENT): on the wire and in captures of a real interface they are what they would be anyway.
 */
#pragma once
#include "injectors/proxy/flight.h"

#include <sys/socket.h>

#define OUT_MAX 64
#define CONTROL_SPACE 64 /* for one struct in6_pktinfo and its header */

struct out {
	int fd;
	unsigned count;
	bool is_single; /* this kernel, or the way to the server, takes no segments */
	struct mmsghdr headers[OUT_MAX];
	struct iovec parts[OUT_MAX][2];
	union endpoint to[OUT_MAX];
	uint16_t ids[OUT_MAX]; /* network order; the first part of a query that goes upstream */
	_Alignas(struct cmsghdr) char control[OUT_MAX][CONTROL_SPACE];
	struct mmsghdr runs[OUT_MAX]; /* as they are sent, each of one or more of headers */
	uint8_t lengths[OUT_MAX]; /* of runs, in datagrams */
};

/* Sends all. What cannot be sent is lost, as on any path. */
void out_send(struct out *out);
