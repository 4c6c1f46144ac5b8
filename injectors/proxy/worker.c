/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "injectors/proxy/tcp_conn.h"

#define EVENTS 128
#define TICK_MS 50 /* how late an unanswered query may be noticed */
#define SWEEP_NS SEC

int worker_watch(struct worker *worker, struct source *source, uint32_t interest)
{
	struct epoll_event event = {.events = interest, .data.ptr = source};

	if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, source->fd, &event))
		return -errno;
	source->interest = interest;
	return 0;
}

static bool is_inline(const struct worker *worker)
{
	return worker->proxy->options.is_inline;
}

socklen_t endpoint_len(const union endpoint *endpoint)
{
	return endpoint->sa.sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

union endpoint worker_server(const struct worker *worker, const struct origin *origin)
{
	const struct proxy_options *options = &worker->proxy->options;
	union endpoint server = origin->local;

	if (is_inline(worker))
		return server;
	switch (origin->conn ? conn_upstream_transport(origin->conn) : DECIDE_UDP) {
	case DECIDE_UDP:
	case DECIDE_TCP:
		memcpy(&server, &options->upstream.at, sizeof(server));
		break;
	case DECIDE_DOT:
		memcpy(&server, &options->upstream_dot.at, sizeof(server));
		break;
	case DECIDE_DOH:
		memcpy(&server, &options->upstream_doh.at, sizeof(server));
		break;
	}
	return server;
}

static int take_memory(struct worker *worker, struct err *err)
{
	worker->copies = malloc(COPIES_MAX);
	worker->in = malloc((size_t)BATCH * MESSAGE_MAX);
	worker->scratch = malloc(DECIDE_SCRATCH_SIZE);
	worker->stream = malloc(TCP_STREAM_SIZE);
	if (!worker->copies || !worker->in || !worker->scratch || !worker->stream ||
	    flight_init(&worker->flight, &worker->rng))
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	return 0;
}

static int open_loop(struct worker *worker, struct err *err)
{
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->timer = (struct source){.kind = SOURCE_TIMER};
	worker->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	worker->wake = (struct source){.kind = SOURCE_WAKE, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	if (worker->epoll_fd < 0 || worker->timer.fd < 0 || worker->wake.fd < 0 ||
	    worker_watch(worker, &worker->timer, EPOLLIN) || worker_watch(worker, &worker->wake, EPOLLIN))
		return err_set(err, -errno, LOC_NONE, "preparing a worker: %s", strerror(errno));
	return 0;
}

int worker_init(struct worker *worker, struct proxy *proxy, unsigned index, struct err *err)
{
	char name[32];
	int r;

	snprintf(name, sizeof(name), "proxy-%u", index);
	*worker = (struct worker){.proxy = proxy, .index = index, .epoll_fd = -1, .armed_ns = INT64_MAX};
	worker->timer.fd = worker->wake.fd = -1;
	for (unsigned i = 0; i < UPSTREAM_SOCKETS; i++)
		worker->upstream[i].fd = -1;
	for (unsigned i = 0; i < PROXY_LISTEN_MAX; i++)
		worker->udp[i].source.fd = worker->tcp[i].source.fd = -1;
	worker->rng = rng_stream(proxy->options.seed, name);
	worker->rules = ruleset_take(proxy->rules);
	r = take_memory(worker, err);
	if (!r)
		r = open_loop(worker, err);
	if (!r)
		r = udp_open(worker, err);
	if (!r)
		r = is_inline(worker) ? flow_open(worker, err) : upstream_open(worker, err);
	return r ? r : tcp_open(worker, err);
}

static void drop_later(struct worker *worker)
{
	struct later_item *item;

	while ((item = later_take(&worker->later))) {
		if (item->origin.conn)
			conn_drop(item->origin.conn);
		free(item);
	}
	later_fini(&worker->later);
}

void worker_fini(struct worker *worker)
{
	struct flight_entry *entry;

	if (worker->flight.entries) {
		drop_later(worker);
		while ((entry = flight_first(&worker->flight)))
			pass_forget(worker, entry);
	}
	tcp_close(worker);
	tcp_unlisten(worker);
	flow_close(worker);
	upstream_close(worker);
	udp_close(worker);
	flight_fini(&worker->flight);
	ruleset_drop(worker->rules);
	free(worker->copies);
	free(worker->in);
	free(worker->scratch);
	free(worker->stream);
	for (int *fd = (int[]){worker->epoll_fd, worker->timer.fd, worker->wake.fd, -2}; *fd != -2; fd++) {
		if (*fd >= 0)
			close(*fd);
	}
}

/* Takes the rules that are in force now. */
static void look_at_rules(struct worker *worker)
{
	struct proxy *proxy = worker->proxy;
	unsigned generation = atomic_load_explicit(&proxy->generation, memory_order_acquire);
	struct ruleset *old = worker->rules;

	if (generation == worker->seen_generation)
		return;
	pthread_mutex_lock(&proxy->lock);
	worker->rules = ruleset_take(proxy->rules);
	worker->seen_generation = atomic_load(&proxy->generation);
	pthread_mutex_unlock(&proxy->lock);
	ruleset_drop(old);
}

static void clear_counter(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

static void handle(struct worker *worker, struct source *source, uint32_t events)
{
	switch (source->kind) {
	case SOURCE_LISTEN_UDP:
		udp_read_queries(worker, (struct listener *)source);
		break;
	case SOURCE_LISTEN_TCP:
		tcp_accept(worker, (struct listener *)source);
		break;
	case SOURCE_UPSTREAM:
		upstream_read(worker, source);
		break;
	case SOURCE_FLOW:
		flow_read(worker, source);
		break;
	case SOURCE_CLIENT_CONN:
	case SOURCE_UPSTREAM_CONN:
		tcp_event(worker, source, events);
		break;
	case SOURCE_TIMER:
		clear_counter(source->fd);
		worker->armed_ns = INT64_MAX;
		break;
	case SOURCE_WAKE:
		clear_counter(source->fd);
		break;
	}
}

/* The timer goes off when the first message that waits is due. */
static void arm(struct worker *worker)
{
	int64_t due_ns = later_due_ns(&worker->later);
	struct itimerspec when = {0};

	if (due_ns >= worker->armed_ns)
		return;
	when.it_value.tv_sec = due_ns / SEC;
	when.it_value.tv_nsec = due_ns % SEC;
	timerfd_settime(worker->timer.fd, TFD_TIMER_ABSTIME, &when, NULL);
	worker->armed_ns = due_ns;
}

/* No new queries; those that had come already are still taken. */
static void begin_drain(struct worker *worker)
{
	worker->draining = true;
	for (unsigned i = 0; i < worker->proxy->options.listen_count; i++) {
		if (worker->udp[i].source.fd >= 0) {
			udp_read_queries(worker, &worker->udp[i]);
			epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, worker->udp[i].source.fd, NULL);
		}
		if (!worker->accept_paused)
			epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, worker->tcp[i].source.fd, NULL);
	}
}

static bool is_done(struct worker *worker)
{
	int64_t until_ns = atomic_load(&worker->proxy->drain_until_ns);

	if (!until_ns)
		return false;
	if (worker->now_ns >= until_ns)
		return true;
	if (!worker->draining)
		begin_drain(worker);
	return !worker->flight.count && !worker->later.count && tcp_is_quiet(worker);
}

static void sweep(struct worker *worker)
{
	pass_expired(worker);
	if (worker->now_ns - worker->last_sweep_ns < SWEEP_NS)
		return;
	worker->last_sweep_ns = worker->now_ns;
	tcp_sweep(worker);
	flow_sweep(worker);
}

static int timeout_ms(const struct worker *worker)
{
	if (worker->flight.count || worker->conns || worker->accept_paused || worker->draining)
		return TICK_MS;
	return worker->flows.count ? (int)(SWEEP_NS / MSEC) : -1;
}

void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct epoll_event events[EVENTS];

	worker->now_ns = clock_now_ns();
	while (!is_done(worker)) {
		int count = epoll_wait(worker->epoll_fd, events, EVENTS, timeout_ms(worker));

		worker->now_ns = clock_now_ns();
		look_at_rules(worker);
		pass_due(worker);
		for (int i = 0; i < count; i++)
			handle(worker, events[i].data.ptr, events[i].events);
		sweep(worker);
		tcp_flush(worker);
		flow_flush(worker);
		arm(worker);
	}
	if (atomic_fetch_sub(&worker->proxy->running, 1) == 1)
		(void)!write(worker->proxy->done_fd, &(uint64_t){1}, sizeof(uint64_t));
	return NULL;
}
