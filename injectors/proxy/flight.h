/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queries a worker has in flight, by their message ID upstream. One worker's alone: no locks.
 *
 * Either the worker deals IDs of its own, so that all its queries can share a socket, or each query keeps the client's, and whose upstream socket it left by
 * (its way) tells it from others with the same ID. Entries live in one block that is reused, most recently freed first, so that few of them are ever touched; no memory is taken per query unless a
 * query is larger than FLIGHT_INLINE. IDs are dealt from a shuffled ring in which a freed ID goes last: a late answer meets a
 * stranger's query only after every other free ID has been used.
 */
#pragma once
#include "harness/base/rng.h"
#include "injectors/proxy/decide.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define FLIGHT_MAX 65535 /* one ID is never dealt, so that the ring is never full */
#define FLIGHT_INLINE 320

union endpoint {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct conn;

struct flow;

/* Where a query came from, and what its answer needs on the way back. */
struct origin {
	union endpoint client;
	union endpoint local; /* the address the client asked; AF_UNSPEC: whatever the socket is bound to */
	uint8_t listener; /* UDP: which of the worker's took it */
	struct conn *conn; /* of a query over TCP, TLS or HTTPS; NULL: UDP */
	int32_t stream; /* HTTPS: which of the connection's */
	struct decide_memo memo;
};

struct flight_entry {
	struct origin origin;
	int64_t due_ns; /* when waiting ends */
	uint8_t *query; /* as the client sent it; points to inlined or is owned */
	size_t query_len;
	uint32_t prev, next, next_same;
	uint64_t serial; /* 0: not in use; no two entries have the same */
	const void *way; /* NULL: the ID was dealt */
	struct flow *flow; /* UDP, where each client has an upstream socket of its own; NULL: none */
	uint16_t id; /* upstream */
	uint8_t socket; /* which of the worker's upstream sockets; UDP */
	bool many; /* a zone transfer: more than one message answers it */
	bool answered;
	uint8_t inlined[FLIGHT_INLINE];
};

struct flight {
	struct flight_entry *entries;
	uint32_t *free_slots, free_count, touched; /* slots below touched have been used */
	uint16_t *ids; /* the ring */
	uint32_t ids_first, dealt, count;
	uint32_t *buckets; /* by ID and way, linked by next_same, newest first; FLIGHT_NONE */
	uint64_t last_serial;
	uint32_t first, last; /* by due_ns: entries wait equally long */
};
#define FLIGHT_NONE UINT32_MAX

int flight_init(struct flight *flight, struct rng *rng);
void flight_fini(struct flight *flight); /* entries must have been removed */

/* A new entry with a copy of query, waiting until due_ns, which is not before that of any entry here. way NULL: it is dealt an ID; else, the query keeps its own (0 if
 * it is too short for one). NULL: FLIGHT_MAX are in flight, or no memory. */
struct flight_entry *flight_add(struct flight *flight, const void *way, const uint8_t *query, size_t len,
				int64_t due_ns);
/* Of several with the same ID on the same way (a query sent again), the one that has waited longest. NULL: there is none. */
struct flight_entry *flight_find(const struct flight *flight, const void *way, uint16_t id);
/* What names this entry and no other, also after it is gone. */
uint64_t flight_token(const struct flight *flight, const struct flight_entry *entry);
/* NULL: gone. */
struct flight_entry *flight_by_token(const struct flight *flight, uint64_t token);
/* The one that has waited longest; NULL: none. */
struct flight_entry *flight_first(const struct flight *flight);
struct flight_entry *flight_next(const struct flight *flight, const struct flight_entry *entry);
/* Waits on, until due_ns, as if just added. */
void flight_renew(struct flight *flight, struct flight_entry *entry, int64_t due_ns);
/* The caller has let go of what origin holds. */
void flight_remove(struct flight *flight, struct flight_entry *entry);
