/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses of both families, as values.
 */
#pragma once
#include "harness/base/err.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct address {
	int family; /* AF_INET or AF_INET6 */
	unsigned char bytes[16]; /* network order; 4 or 16 used */
	char text[INET6_ADDRSTRLEN]; /* canonical, RFC 5952 */
	struct loc loc; /* where the plan says it, if it does */
};

struct addresses {
	struct address *v; /* owned by whoever made the list (usually a plan's arena) */
	size_t count;
};

/* From text; 0 or -EINVAL. loc is left alone. */
int address_parse(const char *text, struct address *ret);
bool address_is_equal(const struct address *a, const struct address *b);
/* Fills ret and returns its length. */
socklen_t address_to_sockaddr(const struct address *address, uint16_t port, struct sockaddr_storage *ret);
/* First of the list in that family, or NULL. AF_UNSPEC: the first. */
const struct address *addresses_first(const struct addresses *list, int family);
