/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "harness/base/hash.h"
#include "injectors/proxy/udp.h"

#define BUCKETS 16384
#define FLOWS_MAX 12000 /* a descriptor each */
#define IDLE_NS (2 * SEC) /* how long a server may repeat itself */

struct flow {
	struct source source;
	union endpoint client, server;
	struct flow *next_same; /* in its bucket */
	struct flow *prev, *next; /* of those that wait for nothing */
	int64_t used_ns;
	uint32_t in_flight;
	uint8_t listener;
};

int flow_open(struct worker *worker, struct err *err)
{
	worker->flows.buckets = calloc(BUCKETS, sizeof(struct flow *));
	return worker->flows.buckets ? 0 : err_set(err, -ENOMEM, LOC_NONE, "out of memory");
}

static uint64_t mix_endpoint(uint64_t hash, const union endpoint *endpoint)
{
	if (endpoint->sa.sa_family == AF_INET) {
		hash = hash_bytes(hash, &endpoint->in.sin_port, sizeof(endpoint->in.sin_port));
		return hash_bytes(hash, &endpoint->in.sin_addr, sizeof(endpoint->in.sin_addr));
	}
	hash = hash_bytes(hash, &endpoint->in6.sin6_port, sizeof(endpoint->in6.sin6_port));
	return hash_bytes(hash, &endpoint->in6.sin6_addr, sizeof(endpoint->in6.sin6_addr));
}

static struct flow **bucket(struct flows *flows, const union endpoint *client, const union endpoint *server)
{
	uint64_t hash = mix_endpoint(mix_endpoint(HASH_START, client), server);

	return &flows->buckets[(hash ^ hash >> 32) % BUCKETS];
}

static bool is_same(const union endpoint *a, const union endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	       !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr));
}

static void add_idle(struct flows *flows, struct flow *flow)
{
	flow->prev = flows->last;
	flow->next = NULL;
	if (flow->prev)
		flow->prev->next = flow;
	else
		flows->first = flow;
	flows->last = flow;
}

static void take_idle(struct flows *flows, struct flow *flow)
{
	if (flow->prev)
		flow->prev->next = flow->next;
	else
		flows->first = flow->next;
	if (flow->next)
		flow->next->prev = flow->prev;
	else
		flows->last = flow->prev;
}

/* Nothing waits on it. An event of this round may still point to it. */
static void flow_end(struct flows *flows, struct flow *flow)
{
	struct flow **link = bucket(flows, &flow->client, &flow->server);

	while (*link != flow)
		link = &(*link)->next_same;
	*link = flow->next_same;
	flows->count--;
	close(flow->source.fd);
	flow->source.fd = -1;
	flow->next = flows->dead;
	flows->dead = flow;
}

static void close_first(struct flows *flows)
{
	struct flow *flow = flows->first;

	take_idle(flows, flow);
	flow_end(flows, flow);
}

void flow_flush(struct worker *worker)
{
	struct flow *flow;

	while ((flow = worker->flows.dead)) {
		worker->flows.dead = flow->next;
		free(flow);
	}
}

void flow_close(struct worker *worker)
{
	while (worker->flows.first)
		close_first(&worker->flows);
	flow_flush(worker);
	free(worker->flows.buckets);
}

/* Room for one more: what is written to a socket goes before it is closed. */
static bool make_room(struct worker *worker)
{
	struct flows *flows = &worker->flows;

	while (!flows->first && flight_first(&worker->flight))
		pass_forget(worker, flight_first(&worker->flight)); /* nobody waits for the oldest any more */
	if (!flows->first)
		return false;
	udp_flush(worker);
	close_first(flows);
	return true;
}

/* The server must see the client, and what it answers must come here rather than to the socket that is asked. */
static int open_socket(const struct origin *origin)
{
	int fd = socket(origin->client.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &origin->client.sa, endpoint_len(&origin->client)) ||
	    connect(fd, &origin->local.sa, endpoint_len(&origin->local))) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static struct flow *flow_new(struct worker *worker, const struct origin *origin)
{
	struct flow *flow = malloc(sizeof(*flow)), **link;
	int fd = open_socket(origin);

	if (fd == -EMFILE && make_room(worker))
		fd = open_socket(origin);
	if (flow && fd >= 0) {
		*flow = (struct flow){.source = {.kind = SOURCE_FLOW, .fd = fd},
				      .client = origin->client,
				      .server = origin->local,
				      .used_ns = worker->now_ns,
				      .listener = origin->listener};
		if (!worker_watch(worker, &flow->source, EPOLLIN)) {
			link = bucket(&worker->flows, &flow->client, &flow->server);
			flow->next_same = *link;
			*link = flow;
			worker->flows.count++;
			add_idle(&worker->flows, flow);
			return flow;
		}
	}
	if (fd >= 0)
		close(fd);
	free(flow);
	return NULL;
}

struct flow *flow_get(struct worker *worker, const struct origin *origin)
{
	struct flow *flow = *bucket(&worker->flows, &origin->client, &origin->local);

	while (flow && !(is_same(&flow->client, &origin->client) && is_same(&flow->server, &origin->local)))
		flow = flow->next_same;
	if (flow)
		return flow;
	if (worker->flows.count >= FLOWS_MAX && !make_room(worker))
		return NULL;
	return flow_new(worker, origin);
}

void flow_hold(struct worker *worker, struct flow *flow, struct flight_entry *entry)
{
	if (!flow->in_flight++)
		take_idle(&worker->flows, flow);
	flow->used_ns = worker->now_ns;
	entry->flow = flow;
}

void flow_let_go(struct worker *worker, struct flow *flow)
{
	if (--flow->in_flight)
		return;
	flow->used_ns = worker->now_ns;
	add_idle(&worker->flows, flow);
}

void flow_forward(struct worker *worker, struct flow *flow, const uint8_t *msg, size_t len)
{
	udp_put(worker, &worker->to_upstream, flow->source.fd, NULL, NULL, msg, len);
}

static void handle_answer(struct worker *worker, struct flow *flow, const uint8_t *msg, size_t len)
{
	struct flight_entry *entry = len < 2 ? NULL : flight_find(&worker->flight, flow, msg_u16(msg));
	struct origin origin;

	if (entry) {
		pass_answer(worker, entry, msg, len);
		return;
	}
	memset(&origin, 0, sizeof(origin));
	origin.client = flow->client;
	origin.local = flow->server;
	origin.listener = flow->listener;
	pass_stranger(worker, &origin, msg, len);
}

void flow_read(struct worker *worker, struct source *source)
{
	struct flow *flow = (struct flow *)source;

	for (int round = 0; round < UDP_ROUNDS && source->fd >= 0; round++) {
		int count = udp_receive(worker, source->fd, NULL);

		for (int i = 0; i < count; i++)
			handle_answer(worker, flow, worker->in_parts[i].iov_base, worker->in_headers[i].msg_len);
		udp_flush(worker);
		if (count < BATCH)
			return;
	}
}

void flow_sweep(struct worker *worker)
{
	const struct flow *flow;

	while ((flow = worker->flows.first) && worker->now_ns - flow->used_ns >= IDLE_NS)
		close_first(&worker->flows);
}
