/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/inline.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "injectors/proxy/inline_child.h"

#define ANSWER_MSEC 10000 /* milliseconds are normal; on a machine that stands still it may be seconds */

struct inline_proxy {
	pid_t pid;
	int pid_fd; /* to reap just that process; -1 on kernels before 5.3 */
	int ctl_fd, netns_fd;
	struct inline_shared *shared;
	size_t shared_size;
};

pid_t inline_pid(const struct inline_proxy *proxy)
{
	return proxy->pid;
}

int inline_netns_fd(const struct inline_proxy *proxy)
{
	return proxy->netns_fd;
}

struct rule *inline_rule(struct inline_proxy *proxy, size_t i)
{
	return &proxy->shared->rules[i];
}

static int died(struct err *err)
{
	return err_set(err, -ECHILD, LOC_NONE, "the proxy, the process that faults in messages need, died");
}

static int take_fd(const struct msghdr *message)
{
	const struct cmsghdr *part = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(part), sizeof(fd));
	return fd;
}

/* The process's answer; *ret_fd, where not NULL, the descriptor that came with it, or -1. */
static int hear(const struct inline_proxy *proxy, int *ret_fd, struct err *err)
{
	struct err answer;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} extra;
	struct iovec part = {&answer, sizeof(answer)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &extra, .msg_controllen = sizeof(extra)};
	struct pollfd ready = {.fd = proxy->ctl_fd, .events = POLLIN};
	int64_t give_up_ns = clock_now_ns() + ANSWER_MSEC * MSEC;
	int n = 0;

	while (n <= 0 && clock_now_ns() < give_up_ns)
		n = poll(&ready, 1, ANSWER_MSEC);
	if (n <= 0)
		return err_set(err, -ETIMEDOUT, LOC_NONE, "the proxy did not answer within %d s", ANSWER_MSEC / 1000);
	if (recvmsg(proxy->ctl_fd, &message, MSG_CMSG_CLOEXEC) != sizeof(answer))
		return died(err);
	if (ret_fd)
		*ret_fd = take_fd(&message);
	if (answer.code)
		*err = answer;
	return answer.code;
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

static int start_child(struct inline_proxy *proxy, const struct inline_start *start, struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return err_set(err, -errno, LOC_NONE, "making the proxy's socket: %s", strerror(errno));
	proxy->ctl_fd = fds[0];
	proxy->pid = fork();
	if (proxy->pid == 0)
		inline_child_run(fds[1], proxy->shared, start);
	close(fds[1]);
	if (proxy->pid < 0)
		return err_set(err, -errno, LOC_NONE, "starting the proxy: %s", strerror(errno));
	proxy->pid_fd = (int)syscall(SYS_pidfd_open, proxy->pid, 0);
	return hear(proxy, &proxy->netns_fd, err);
}

struct inline_proxy *inline_start(const struct inline_start *start, struct err *err)
{
	struct inline_proxy *proxy = malloc(sizeof(*proxy));

	if (!proxy) {
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		return NULL;
	}
	*proxy = (struct inline_proxy){.pid_fd = -1, .ctl_fd = -1, .netns_fd = -1};
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
	if (send(proxy->ctl_fd, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order))
		return died(err);
	return hear(proxy, NULL, err);
}

uint64_t inline_losses(const struct inline_proxy *proxy)
{
	const struct proxy_losses *losses = &proxy->shared->losses;

	return atomic_load(&losses->later) + atomic_load(&losses->source) + atomic_load(&losses->sockets);
}

bool inline_is_alive(const struct inline_proxy *proxy)
{
	struct pollfd hung = {.fd = proxy->ctl_fd};

	return poll(&hung, 1, 0) == 0; /* the only other end is the process's */
}

/* Does not wait for the kernel to take its sockets apart. If it is not at its end yet, whoever reaps all children will meet it. */
static void reap(const struct inline_proxy *proxy)
{
	siginfo_t info;
	idtype_t type = proxy->pid_fd >= 0 ? P_PIDFD : P_PID;
	id_t id = proxy->pid_fd >= 0 ? (id_t)proxy->pid_fd : (id_t)proxy->pid;

	(void)waitid(type, id, &info, WEXITED | WNOHANG);
}

void inline_stop(struct inline_proxy *proxy)
{
	if (!proxy)
		return;
	if (proxy->ctl_fd >= 0)
		close(proxy->ctl_fd); /* the process ends when it hears nothing more */
	if (proxy->pid > 0)
		reap(proxy);
	if (proxy->pid_fd >= 0)
		close(proxy->pid_fd);
	if (proxy->netns_fd >= 0)
		close(proxy->netns_fd);
	if (proxy->shared)
		munmap(proxy->shared, proxy->shared_size);
	free(proxy);
}
