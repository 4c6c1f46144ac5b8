/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside a worker: one thread, one epoll loop. Nothing here is touched by another thread except through `wake_fd` and proxy's atomics.
 */
#pragma once
#include "injectors/proxy/flow.h"
#include "injectors/proxy/later.h"
#include "injectors/proxy/out.h"
#include "injectors/proxy/proxy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* A worker's: an upstream with SO_REUSEPORT spreads queries over its threads by socket, but more sockets make smaller batches. */
#define UPSTREAM_SOCKETS 2
#define BATCH 32 /* messages in one recvmmsg */
#define MESSAGE_MAX 65535
#define COPIES_MAX (8 * 65536u)

struct listener {
	struct source source;
	const struct proxy_endpoint *endpoint;
	bool is_any; /* the wildcard address: answers must leave from the address that was asked */
};

struct worker {
	struct proxy *proxy;
	unsigned index;
	pthread_t thread;
	bool started;
	int epoll_fd;
	struct source timer, wake, upstream[UPSTREAM_SOCKETS];
	struct listener udp[PROXY_LISTEN_MAX], tcp[PROXY_LISTEN_MAX]; /* of the proxy's options, in their order */
	struct flows flows; /* inline */
	bool accept_paused; /* out of descriptors */
	bool draining;
	int64_t drain_until_ns, now_ns, armed_ns, last_sweep_ns;
	unsigned seen_generation, turn; /* turn: the upstream socket of this batch */
	struct rng rng;
	struct ruleset *rules; /* a reference */
	struct flight flight;
	struct later later;
	struct conn *conns, *dirty, *dead; /* open; with bytes to write; to be freed after this round of events */
	size_t conn_count;
	struct out to_clients, to_upstream;
	uint8_t *copies; /* of changed messages until they are sent */
	size_t copies_used;
	uint8_t *in; /* BATCH messages */
	uint8_t *scratch; /* for decide() */
	struct mmsghdr in_headers[BATCH];
	struct iovec in_parts[BATCH];
	union endpoint in_from[BATCH];
	_Alignas(struct cmsghdr) char in_control[BATCH][CONTROL_SPACE];
	uint8_t *stream; /* STREAM_SIZE bytes: what is read from a connection */
};

struct proxy {
	struct proxy_options options;
	pthread_mutex_t lock; /* of rules */
	struct ruleset *rules;
	atomic_uint generation;
	_Atomic int64_t drain_until_ns; /* 0: not draining; INT64_MIN: stop now */
	struct proxy_losses own_losses, *losses; /* losses: what counts; the options', or own */
	struct proxy_failures failures;
	atomic_uint running;
	int done_fd;
	struct worker **workers;
	unsigned worker_count;
};

/* worker.c */
int worker_init(struct worker *worker, struct proxy *proxy, unsigned index, struct err *err);
void worker_fini(struct worker *worker);
void *worker_main(void *worker);
int worker_watch(struct worker *worker, struct source *source, uint32_t interest);
/* Who answers what this origin asked: the upstream, or, inline, the server that was asked. */
union endpoint worker_server(const struct worker *worker, const struct origin *origin);
socklen_t endpoint_len(const union endpoint *endpoint);

/* pass.c: what is the same for both transports */
/* Judges a query and does what was decided. origin holds nothing yet; msg is the client's. */
void pass_query(struct worker *worker, struct origin *origin, const uint8_t *msg, size_t len);
/* What becomes of a connection over TLS that was just made. */
void pass_connection(struct worker *worker, const struct origin *origin, struct decide_tls *ret);
/* The same for the answer to entry; msg has the client's ID. */
void pass_answer(struct worker *worker, struct flight_entry *entry, const uint8_t *msg, size_t len);
/* The upstream will not answer this one: says so, or not, and forgets it. why: a text that lives for ever. */
void pass_failed(struct worker *worker, struct flight_entry *entry, const char *why);
/* A message that answers no query we know: inline it goes on as it is. */
void pass_stranger(struct worker *worker, const struct origin *origin, const uint8_t *msg, size_t len);
/* Forgets a query. */
void pass_forget(struct worker *worker, struct flight_entry *entry);
void pass_due(struct worker *worker);
/* tcp_resume after that time. False: it cannot be remembered. */
bool pass_resume_later(struct worker *worker, const struct origin *origin, int64_t pause_ns);
/* Whether a rule refuses a connection that has just been made. */
bool pass_refuses(struct worker *worker, const struct origin *origin);
void pass_expired(struct worker *worker);

/* udp.c */
int udp_open(struct worker *worker, struct err *err);
void udp_close(struct worker *worker);
void udp_read_queries(struct worker *worker, struct listener *listener);
/* msg stays valid until udp_flush. */
void udp_reply(struct worker *worker, const struct origin *origin, const uint8_t *msg, size_t len);
/* The same at once from another address or port. False: from there nothing can be sent. */
bool udp_reply_from(struct worker *worker, const struct origin *origin, const struct decide_source *source,
		    const uint8_t *msg, size_t len);
void udp_flush(struct worker *worker);

/* upstream.c: the way of datagrams to one upstream and back */
int upstream_open(struct worker *worker, struct err *err);
void upstream_close(struct worker *worker);
void upstream_read(struct worker *worker, struct source *upstream);
/* msg stays valid until udp_flush. */
void upstream_forward(struct worker *worker, struct flight_entry *entry, const uint8_t *msg, size_t len);

/* listen.c */
int tcp_open(struct worker *worker, struct err *err);
void tcp_unlisten(struct worker *worker);
void tcp_accept(struct worker *worker, struct listener *listener);
/* While there are no descriptors for more. */
void tcp_pause_accepting(struct worker *worker, bool pause);

/* tcp.c: connections. tcp_conn.h has what they are. */
void tcp_close(struct worker *worker);
void tcp_event(struct worker *worker, struct source *source, uint32_t events);
void tcp_forward(struct worker *worker, struct flight_entry *entry, const uint8_t *msg, size_t len);
/* http: how HTTP carries it; NULL: as it should. */
void tcp_reply(struct worker *worker, const struct origin *origin, const struct decide_send *send,
	       const struct decide_http *http);
/* Writes the next piece; or, of a stream of HTTP, the next part of its slow body. */
void tcp_resume(struct worker *worker, const struct origin *origin);
/* Does to the connection what decide() said; bytes: how many of what follows may still leave. */
void tcp_cut(struct worker *worker, struct conn *conn, size_t bytes);
void tcp_fault(struct worker *worker, struct conn *conn, enum decide_conn fault);
/* After each round of events: writes what was put aside, frees what was closed. */
void tcp_flush(struct worker *worker);
/* Closes what has been idle too long. */
void tcp_sweep(struct worker *worker);
/* Whether nothing is left to be written. */
bool tcp_is_quiet(const struct worker *worker);

/* A message that waits holds its connection's memory, not the connection. */
void conn_take(struct conn *conn);
void conn_drop(struct conn *conn);
bool conn_is_open(const struct conn *conn);
/* That the client used, and that the upstream is asked with. */
enum decide_transport conn_transport(const struct conn *conn);
enum decide_transport conn_upstream_transport(const struct conn *conn);
/* One query more or less waits for its answer. */
void conn_count(struct conn *conn, int change);
