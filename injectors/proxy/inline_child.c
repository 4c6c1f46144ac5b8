/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/inline_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/api/transport.h"
#include "harness/base/fd.h"
#include "injectors/companion.h"
#include "injectors/proxy/confine.h"
#include "injectors/proxy/inline.h"
#include "injectors/proxy/inline_net.h"
#include "injectors/proxy/proxy.h"

#define WORKERS_MAX 4
#define WAIT_NS (20 * SEC) /* longer than any resolver waits for an answer */
#define MEMORY_MAX ((size_t)1 << 30)

struct child {
	int ctl_fd;
	struct inline_shared *shared;
	const struct inline_start *start;
	struct proxy *proxy;
};

/* A namespace of its own; the descriptor of it. */
static int move_out(struct err *err)
{
	int fd, r;

	if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS))
		return err_set(err, -errno, LOC_NONE,
			       "proxy: making a network namespace: %s (the limit is sysctl user.max_net_namespaces)",
			       strerror(errno));
	r = inline_net_prepare(err);
	if (r)
		return r;
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, LOC_NONE, "proxy: opening its network namespace: %s", strerror(errno))
		      : fd;
}

static void add_listener(struct proxy_options *options, enum proxy_service service, int family, uint16_t port)
{
	struct proxy_endpoint *endpoint = &options->listen[options->listen_count++];
	struct address any = {.family = family};

	endpoint->service = service;
	endpoint->len = address_to_sockaddr(&any, port, &endpoint->at);
}

static void add_listeners(struct proxy_options *options, bool has_tls, bool has_ipv6)
{
	static const struct {
		enum proxy_service service;
		uint16_t port;
	} rows[] = {{PROXY_PLAIN, DNS_PORT}, {PROXY_DOT, DOT_PORT}, {PROXY_DOH, DOH_PORT}};

	for (size_t i = 0; i < (has_tls ? ARRAY_LEN(rows) : 1); i++) {
		add_listener(options, rows[i].service, AF_INET, rows[i].port);
		if (has_ipv6)
			add_listener(options, rows[i].service, AF_INET6, rows[i].port);
	}
}

static unsigned choose_workers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
}

static struct ruleset *make_rules(struct inline_shared *shared)
{
	struct rule **rules = calloc(shared->count + 1, sizeof(*rules));
	struct ruleset *set;

	for (size_t i = 0; rules && i < shared->count; i++)
		rules[i] = &shared->rules[i];
	set = rules ? ruleset_of(rules, shared->count) : NULL;
	free(rules);
	return set;
}

static int open_proxy(struct child *child, bool has_ipv6, struct err *err)
{
	struct proxy_options options = {.is_inline = true,
					.workers = choose_workers(),
					.on_failure = PROXY_SILENCE,
					.timeout_ns = WAIT_NS,
					.seed = child->start->seed,
					.losses = &child->shared->losses};
	struct ruleset *rules = make_rules(child->shared);

	if (!rules)
		return err_set(err, -ENOMEM, LOC_NONE, "proxy: out of memory");
	if (child->start->tls)
		options.tls = *child->start->tls;
	add_listeners(&options, child->start->tls != NULL, has_ipv6);
	return proxy_start(&options, rules, &child->proxy, err);
}

static int give_up_privileges(struct err *err)
{
	const struct rlimit nothing = {0, 0};
	int r;

	fd_raise_limit();
	setrlimit(RLIMIT_CORE, &nothing);
	setrlimit(RLIMIT_FSIZE, &nothing);
	r = confine_memory(MEMORY_MAX, err);
	return r ? r : confine(false, err);
}

static int serve(struct child *child, const struct inline_order *order, struct err *err)
{
	bool has_ipv6 = false;
	int r = inline_net_attach(order->in, order->out, order->back, &has_ipv6, err);

	if (!r)
		r = open_proxy(child, has_ipv6, err);
	if (!r)
		r = give_up_privileges(err);
	return r ? r : proxy_run(child->proxy, err);
}

_Noreturn void inline_child_run(int ctl_fd, struct inline_shared *shared, const struct inline_start *start)
{
	struct child child = {.shared = shared, .start = start};
	struct inline_order order;
	struct err err = {0};
	int netns_fd;

	child.ctl_fd = companion_enter(ctl_fd, "dnsdrill-proxy");
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* delays end when they are due, not 50 µs later */
	netns_fd = move_out(&err);
	companion_answer(child.ctl_fd, netns_fd, &err);
	if (netns_fd < 0)
		_exit(1);
	close(netns_fd);
	if (recv(child.ctl_fd, &order, sizeof(order), 0) != sizeof(order))
		_exit(0);
	if (serve(&child, &order, &err)) {
		companion_answer(child.ctl_fd, -1, &err);
		_exit(1);
	}
	companion_answer(child.ctl_fd, -1, &err);
	while (recv(child.ctl_fd, &order, sizeof(order), 0) < 0 && errno == EINTR)
		continue;
	_exit(0);
}
