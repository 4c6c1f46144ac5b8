/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `process: fresh`: every lookup is a process's first. The agent itself never calls the resolver, so that its children start as a new program does:
 * configuration unread, no server known to be silent, nothing cached.
 */
#include "harness/base/macro.h"
#include "harness/probe/stub_agent.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct fresh_child {
	int64_t i;
	pid_t pid;
};

struct fresh {
	struct stub_agent *agent;
	pid_t pid;
	int signal_fd;
	struct fresh_child *children; /* of no order */
	size_t count, cap;
};

static void fresh_say_gone(struct fresh *fresh, int64_t i, int what, int error, int signal)
{
	stub_agent_send(fresh->agent,
			&(struct stub_result){.i = i, .what = what, .error = error, .signal = signal, .is_gone = true});
}

static _Noreturn void fresh_child_main(struct fresh *fresh, int64_t i)
{
	struct stub_result result;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != fresh->pid)
		_exit(1);
	close(fresh->signal_fd);
	close(fresh->agent->requests_fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	stub_agent_lookup(fresh->agent, i, &result);
	result.what = STUB_ANSWERED;
	stub_agent_send(fresh->agent, &result);
	_exit(0);
}

static int fresh_reserve(struct fresh *fresh)
{
	struct fresh_child *children;

	if (fresh->count < fresh->cap)
		return 0;
	children = realloc(fresh->children, (fresh->cap * 2 + 16) * sizeof(*children));
	if (!children)
		return -ENOMEM;
	fresh->children = children;
	fresh->cap = fresh->cap * 2 + 16;
	return 0;
}

static void fresh_ask(struct fresh *fresh, int64_t i)
{
	pid_t pid;

	if (fresh_reserve(fresh) < 0) {
		fresh_say_gone(fresh, i, STUB_FAILED, ENOMEM, 0);
		return;
	}
	pid = fork();
	if (pid == 0)
		fresh_child_main(fresh, i);
	if (pid < 0) {
		fresh_say_gone(fresh, i, STUB_FAILED, errno, 0);
		return;
	}
	fresh->children[fresh->count++] = (struct fresh_child){.i = i, .pid = pid};
}

/* A pid in the list has not been reaped, so it is still that child's. */
static void fresh_give_up(struct fresh *fresh, int64_t i)
{
	for (size_t k = 0; k < fresh->count; k++) {
		if (fresh->children[k].i == i)
			kill(fresh->children[k].pid, SIGKILL);
	}
}

static void fresh_reap(struct fresh *fresh)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	if (read(fresh->signal_fd, &info, sizeof(info)) < 0)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t k = 0; k < fresh->count; k++) {
			if (fresh->children[k].pid != pid)
				continue;
			fresh_say_gone(fresh, fresh->children[k].i, STUB_GONE, 0,
				       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
			fresh->children[k] = fresh->children[--fresh->count];
			break;
		}
	}
}

static _Noreturn void fresh_end(struct fresh *fresh)
{
	for (size_t k = 0; k < fresh->count; k++)
		kill(fresh->children[k].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	_exit(0);
}

static void fresh_read(struct fresh *fresh)
{
	int64_t requests[64];
	ssize_t n = read(fresh->agent->requests_fd, requests, sizeof(requests));

	if (n == 0 || (n < 0 && errno != EINTR))
		fresh_end(fresh);
	for (size_t k = 0; n > 0 && k < (size_t)n / sizeof(requests[0]); k++) {
		if (requests[k] >= 0)
			fresh_ask(fresh, requests[k]);
		else
			fresh_give_up(fresh, ~requests[k]);
	}
}

_Noreturn void stub_agent_fresh(struct stub_agent *agent)
{
	struct fresh fresh = {.agent = agent, .pid = getpid()};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_SETMASK, &child, NULL);
	signal(SIGCHLD, SIG_DFL);
	stub_agent_begin(agent);
	fresh.signal_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fresh.signal_fd < 0)
		_exit(1);
	for (;;) {
		struct pollfd fds[] = {{.fd = agent->requests_fd, .events = POLLIN},
				       {.fd = fresh.signal_fd, .events = POLLIN}};

		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			fresh_reap(&fresh);
		if (fds[0].revents)
			fresh_read(&fresh);
	}
}
