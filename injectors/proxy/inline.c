/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/inline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "injectors/companion.h"
#include "injectors/proxy/inline_child.h"

struct inline_proxy {
	struct companion process;
	struct inline_shared *shared;
	size_t shared_size;
};

/* What the process is started with. */
struct birth {
	struct inline_shared *shared;
	const struct inline_start *start;
};

pid_t inline_pid(const struct inline_proxy *proxy)
{
	return proxy->process.pid;
}

int inline_netns_fd(const struct inline_proxy *proxy)
{
	return proxy->process.netns_fd;
}

struct rule *inline_rule(struct inline_proxy *proxy, size_t i)
{
	return &proxy->shared->rules[i];
}

static int share_rules(struct inline_proxy *proxy, struct rule *const *rules, size_t count, struct err *err)
{
	void *memory;

	proxy->shared_size = sizeof(struct inline_shared) + count * sizeof(struct rule);
	memory = mmap(NULL, proxy->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	proxy->shared = memory;
	proxy->shared->count = count;
	for (size_t i = 0; i < count; i++) {
		memcpy(&proxy->shared->rules[i], rules[i], sizeof(struct rule));
		atomic_store(&proxy->shared->rules[i].progress_ppm, 0);
	}
	return 0;
}

static void run(int ctl_fd, void *arg)
{
	const struct birth *birth = arg;

	inline_child_run(ctl_fd, birth->shared, birth->start);
}

static int start_child(struct inline_proxy *proxy, const struct inline_start *start, struct err *err)
{
	struct birth birth = {proxy->shared, start};

	return companion_start(&proxy->process, run, &birth, err);
}

struct inline_proxy *inline_start(const struct inline_start *start, struct err *err)
{
	struct inline_proxy *proxy = malloc(sizeof(*proxy));

	if (!proxy) {
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		return NULL;
	}
	*proxy = (struct inline_proxy){.process =
					       COMPANION_NONE("the proxy, the process that faults in messages need,")};
	if (share_rules(proxy, start->rules, start->count, err) || start_child(proxy, start, err)) {
		inline_stop(proxy);
		return NULL;
	}
	return proxy;
}

int inline_attach(struct inline_proxy *proxy, const char *in, const char *out, const unsigned char back[6],
		  struct err *err)
{
	struct inline_order order = {0};

	snprintf(order.in, sizeof(order.in), "%s", in);
	snprintf(order.out, sizeof(order.out), "%s", out);
	memcpy(order.back, back, sizeof(order.back));
	return companion_tell(&proxy->process, &order, sizeof(order), err);
}

uint64_t inline_losses(const struct inline_proxy *proxy)
{
	const struct proxy_losses *losses = &proxy->shared->losses;

	return atomic_load(&losses->later) + atomic_load(&losses->source) + atomic_load(&losses->sockets);
}

bool inline_is_alive(const struct inline_proxy *proxy)
{
	return companion_is_alive(&proxy->process);
}

void inline_stop(struct inline_proxy *proxy)
{
	if (!proxy)
		return;
	companion_end(&proxy->process);
	if (proxy->shared)
		munmap(proxy->shared, proxy->shared_size);
	free(proxy);
}
