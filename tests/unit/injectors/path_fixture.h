/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of faults of the path share: a lab of a server and two clients with both families, a fault with parameters parsed as from a plan, and packets that
 * really go from one to the other.
 */
#pragma once
#include "harness/plan/node.h"
#include "harness/plan/parse.h"
#include "tests/unit/lab/fixture.h"
#include <poll.h>

#define SERVER4 "192.0.2.1"
#define SERVER6 "2001:db8:1::1"
#define CLIENT4 "198.19.100.1"
#define CLIENT6 "2001:db8:100::1"
#define OTHER4 "198.19.100.2"

extern const struct injector_ops blackhole_ops, reject_ops;

static inline void path_fixture(struct fixture *fixture)
{
	*fixture = (struct fixture){0};
	fixture_add_host(fixture, "server", HOST_NAMESERVER, SERVER4, SERVER6);
	fixture_add_host(fixture, "client", HOST_CLIENT, CLIENT4, CLIENT6);
	fixture_add_host(fixture, "other", HOST_CLIENT, OTHER4, NULL);
}

static inline struct addresses path_addresses(struct arena *arena, const char *a, const char *b)
{
	const char *texts[] = {a, b};
	struct addresses list = {.v = ARENA_ARRAY(arena, struct address, 2)};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i] && !address_parse(texts[i], &list.v[list.count]))
			list.count++;
	}
	return list;
}

/* keys: pairs of key and value, up to NULL. Aims at the server, from anybody. */
static inline struct injector *path_fault(struct arena *arena, const struct injector_ops *ops, int64_t id,
					  const char *const *keys, struct errs *errs)
{
	struct injector *fault = arena_alloc(arena, ops->size);
	struct node *map = ARENA_NEW(arena, struct node);

	map->type = NODE_MAP;
	map->pairs = ARENA_ARRAY(arena, struct node_pair, 16);
	for (; keys && *keys; keys += 2) {
		struct node *value = ARENA_NEW(arena, struct node);

		value->scalar = keys[1];
		map->pairs[map->count++] = (struct node_pair){.key = keys[0], .value = value};
	}
	parse_mapping(arena, map, &ops->params, 1, fault, "step", errs);
	fault->ops = ops;
	fault->id = id;
	fault->name.value = "test fault";
	fault->target_addresses = path_addresses(arena, SERVER4, SERVER6);
	return fault;
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { REACHED = 0, SILENCE = 1 }; /* or the negative errno the sender was told */

/* Whether a datagram or connection from one host arrives at the other's address, port. */
static inline int path_try(struct lab *lab, const char *from, const char *to, const char *address, uint16_t port,
			   int type)
{
	struct address parsed = {0};
	struct sockaddr_storage sa;
	int answer = SILENCE, sent, error = 0;
	socklen_t len, error_len = sizeof(error);

	address_parse(address, &parsed);
	len = address_to_sockaddr(&parsed, port, &sa);
	int listener CLEANUP_CLOSE = host_socket(lab_host_named(lab, to), parsed.family, type, 0);
	int sender CLEANUP_CLOSE = host_socket(lab_host_named(lab, from), parsed.family, type, 0);
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
	    bind(listener, (struct sockaddr *)&sa, len) || (type == SOCK_STREAM && listen(listener, 1)))
		return -errno;
	if (connect(sender, (struct sockaddr *)&sa, len) && errno != EINPROGRESS)
		return -errno;
	sent = type == SOCK_DGRAM ? (int)send(sender, "x", 1, 0) : 0;
	if (sent < 0)
		return -errno;
	struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = sender, .events = 0}};
	/* What is let through takes microseconds. An ICMP error that comes while connect(2) still holds the socket is dropped by Linux
	 * (LockDroppedIcmps): only the next SYN, a second later, is told. */
	if (poll(fds, 2, type == SOCK_STREAM ? 2500 : 500) > 0) {
		if (fds[0].revents & POLLIN)
			answer = REACHED;
		else if (!getsockopt(sender, SOL_SOCKET, SO_ERROR, &error, &error_len) && error)
			answer = -error;
	}
	return answer;
}
