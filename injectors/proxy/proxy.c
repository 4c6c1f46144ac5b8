/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/proxy.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "injectors/proxy/worker.h"

#define WORKERS_MAX 256

static unsigned choose_count(const struct proxy_options *options)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (options->workers)
		return options->workers < WORKERS_MAX ? options->workers : WORKERS_MAX;
	return cores < 1 ? 1 : cores < WORKERS_MAX ? (unsigned)cores : WORKERS_MAX;
}

const char *proxy_endpoint_text(const struct proxy_endpoint *endpoint, char text[PROXY_ENDPOINT_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?", port[8] = "?";
	int before = errno; /* which may be what is being told */

	getnameinfo((const struct sockaddr *)&endpoint->at, endpoint->len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, PROXY_ENDPOINT_TEXT, endpoint->at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	errno = before;
	return text;
}

/* Workers share the port with each other, and the kernel would let them share it with another proxy of the same user. */
static int check_port(const struct proxy_options *options, struct err *err)
{
	for (unsigned i = 0; i < options->listen_count; i++) {
		const struct proxy_endpoint *at = &options->listen[i];
		bool is_udp = at->service == PROXY_PLAIN;
		CLEANUP_CLOSE int fd = socket(at->at.ss_family, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
		char text[PROXY_ENDPOINT_TEXT];
		int on = 1;

		if (fd >= 0 && at->at.ss_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		if (fd >= 0 && !is_udp) /* or connections of the past would be in the way */
			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (fd < 0 || bind(fd, (const struct sockaddr *)&at->at, at->len))
			return err_set(err, -errno, LOC_NONE, "listening on %s, %s: %s", is_udp ? "UDP" : "TLS",
				       proxy_endpoint_text(at, text), strerror(errno));
	}
	return 0;
}

static int prepare(struct proxy *proxy, struct err *err)
{
	unsigned count = choose_count(&proxy->options);

	proxy->workers = calloc(count, sizeof(struct worker *));
	proxy->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!proxy->workers || proxy->done_fd < 0)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory or descriptors");
	if (check_port(&proxy->options, err))
		return err->code;
	for (; proxy->worker_count < count; proxy->worker_count++) {
		struct worker *worker = malloc(sizeof(*worker));
		int r;

		if (!worker)
			return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		proxy->workers[proxy->worker_count] = worker;
		r = worker_init(worker, proxy, proxy->worker_count, err);
		if (r) {
			worker_fini(worker);
			free(worker);
			return r;
		}
	}
	return 0;
}

/* Signals are for the thread that controls: none of them reaches a worker. */
int proxy_run(struct proxy *proxy, struct err *err)
{
	sigset_t all, before;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_store(&proxy->running, proxy->worker_count);
	for (unsigned i = 0; !r && i < proxy->worker_count; i++) {
		r = pthread_create(&proxy->workers[i]->thread, NULL, worker_main, proxy->workers[i]);
		proxy->workers[i]->started = !r;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? err_set(err, -r, LOC_NONE, "starting a worker: %s", strerror(r)) : 0;
}

int proxy_start(const struct proxy_options *options, struct ruleset *rules, struct proxy **ret, struct err *err)
{
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	int r;

	if (!proxy)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	proxy->options = *options;
	proxy->losses = options->losses ? options->losses : &proxy->own_losses;
	proxy->rules = ruleset_take(rules);
	proxy->done_fd = -1;
	pthread_mutex_init(&proxy->lock, NULL);
	r = prepare(proxy, err);
	if (r) {
		proxy_stop(proxy);
		return r;
	}
	ruleset_drop(rules);
	*ret = proxy;
	return 0;
}

static void wake_all(struct proxy *proxy)
{
	for (unsigned i = 0; i < proxy->worker_count; i++)
		(void)!write(proxy->workers[i]->wake.fd, &(uint64_t){1}, sizeof(uint64_t));
}

void proxy_swap(struct proxy *proxy, struct ruleset *rules)
{
	struct ruleset *old;

	pthread_mutex_lock(&proxy->lock);
	old = proxy->rules;
	proxy->rules = rules;
	atomic_fetch_add_explicit(&proxy->generation, 1, memory_order_release);
	pthread_mutex_unlock(&proxy->lock);
	ruleset_drop(old);
	wake_all(proxy);
}

void proxy_drain(struct proxy *proxy, int64_t limit_ns)
{
	atomic_store(&proxy->drain_until_ns, clock_now_ns() + limit_ns);
	wake_all(proxy);
}

const struct proxy_losses *proxy_losses(const struct proxy *proxy)
{
	return proxy->losses;
}

const struct proxy_failures *proxy_failures(const struct proxy *proxy)
{
	return &proxy->failures;
}

int proxy_done_fd(const struct proxy *proxy)
{
	return proxy->done_fd;
}

void proxy_stop(struct proxy *proxy)
{
	if (!proxy)
		return;
	atomic_store(&proxy->drain_until_ns, INT64_MIN);
	wake_all(proxy);
	for (unsigned i = 0; i < proxy->worker_count; i++) {
		if (proxy->workers[i]->started)
			pthread_join(proxy->workers[i]->thread, NULL);
		worker_fini(proxy->workers[i]);
		free(proxy->workers[i]);
	}
	free(proxy->workers);
	if (proxy->done_fd >= 0)
		close(proxy->done_fd);
	ruleset_drop(proxy->rules);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy);
}
