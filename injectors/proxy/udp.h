/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams of a worker: what its listeners, its way upstream and its flows have in common.
 */
#pragma once
#include "injectors/proxy/worker.h"

#define UDP_ROUNDS 8 /* batches in a row from one socket, before the others have a turn */

/* Not bound yet, with large buffers. A descriptor or a negative errno. */
int udp_socket(int family, struct err *err);
/* How many datagrams came, into the worker's in_parts, or a negative errno. listener: who sent them and to where is wanted; NULL: it is not. */
int udp_receive(struct worker *worker, int fd, const struct listener *listener);
/* Puts a datagram, which stays valid until udp_flush, behind those that wait. to NULL: the socket is connected. id, where not NULL, goes in place of the message's. */
struct msghdr *udp_put(struct worker *worker, struct out *out, int fd, const union endpoint *to, const uint16_t *id,
		       const uint8_t *msg, size_t len);
