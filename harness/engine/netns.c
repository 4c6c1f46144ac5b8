/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two things end a lab with its maker. The parent-death signal comes when the maker dies. The alive pipe also tells when the maker merely closes its end, and closes
 * the gap before prctl(2): its read end sends SIGIO to init (fcntl(2), O_ASYNC), whose handler exits, so that what runs inside need not cooperate.
 */
#include "harness/base/fd.h"
#include "harness/base/signals.h"
#include "harness/engine/start.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MAKER_GONE_STATUS 137 /* as after SIGKILL */

struct start {
	enum engine_way way;
	int (*inside)(void *arg);
	void *arg;
	bool keep_tty;
	uid_t uid;
	gid_t gid;
	int alive[2], report[2]; /* pipes: maker → init, init → maker */
};

static void on_maker_gone(int signo UNUSED)
{
	_exit(MAKER_GONE_STATUS);
}

/* From here on init ends when the last write end of the alive pipe is closed. */
static int watch_maker(int fd, struct err *err)
{
	struct sigaction action = {.sa_handler = on_maker_gone};
	struct pollfd closed = {.fd = fd, .events = POLLIN};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || sigaction(SIGIO, &action, NULL) || fcntl(fd, F_SETOWN, getpid()) ||
	    fcntl(fd, F_SETFL, O_RDONLY | O_NONBLOCK | O_ASYNC))
		return err_set(err, -errno, LOC_NONE, "watching the maker: %s", strerror(errno));
	if (poll(&closed, 1, 0) > 0)
		_exit(MAKER_GONE_STATUS); /* it died before we watched */
	return 0;
}

_Noreturn static void run_init(struct start *start)
{
	struct err err = {0};
	int rc;

	close(start->alive[1]);
	close(start->report[0]);
	signals_reset();
	rc = watch_maker(start->alive[0], &err);
	if (!rc && !start->keep_tty)
		setsid();
	if (!rc)
		rc = engine_setup(start->way, start->uid, start->gid, &err);
	if (fd_write_all(start->report[1], &err, sizeof(err)) || rc)
		_exit(125);
	close(start->report[1]);
	_exit(start->inside(start->arg));
}

/* fork(2) with new namespaces. The raw call, because libc's clone() wants a stack of its own for the child. */
static pid_t clone_init(enum engine_way way)
{
	unsigned long flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD;

	if (way == ENGINE_WAY_USERNS)
		flags |= CLONE_NEWUSER;
	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

/* Takes init's word on how its set-up went. */
static int read_report(int fd, struct err *err)
{
	struct err report;
	size_t got = 0;

	while (got < sizeof(report)) {
		ssize_t n = read(fd, (char *)&report + got, sizeof(report) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, -ECHILD, LOC_NONE, "the lab's first process died while it was set up");
		got += (size_t)n;
	}
	if (report.code)
		*err = report;
	return report.code;
}

static int start_init(struct start *start, struct engine_proc *ret, struct err *err)
{
	pid_t pid = clone_init(start->way);
	int rc;

	if (pid < 0)
		return err_set(err, -errno, LOC_NONE, "making %s: %s",
			       start->way == ENGINE_WAY_USERNS ? "a user namespace" : "namespaces", strerror(errno));
	if (pid == 0)
		run_init(start);
	close(start->report[1]);
	start->report[1] = -1;
	rc = read_report(start->report[0], err);
	if (rc) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return rc;
	}
	*ret = (struct engine_proc){.pid = pid, .alive_fd = TAKE_FD(start->alive[1])};
	return 0;
}

static void start_fini(struct start *start)
{
	int fds[] = {start->alive[0], start->alive[1], start->report[0], start->report[1]};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

int engine_start_way(enum engine_way way, int (*inside)(void *arg), void *arg, bool keep_tty, struct engine_proc *ret,
		     struct err *err)
{
	CLEANUP(start_fini)
	struct start start = {
		.way = way,
		.inside = inside,
		.arg = arg,
		.keep_tty = keep_tty,
		.uid = geteuid(),
		.gid = getegid(),
		.alive = {-1, -1},
		.report = {-1, -1},
	};

	if (pipe2(start.alive, O_CLOEXEC) || pipe2(start.report, O_CLOEXEC))
		return err_set(err, -errno, LOC_NONE, "making a pipe: %s", strerror(errno));
	return start_init(&start, ret, err);
}

int engine_start_any(int (*inside)(void *arg), void *arg, bool keep_tty, struct engine_proc *ret,
		     enum engine_way *ret_way, struct err *err)
{
	struct engine_facts facts;
	enum engine_way way = ENGINE_WAY_USERNS;
	int rc = engine_start_way(way, inside, arg, keep_tty, ret, err);

	if (rc) {
		engine_facts_read(&facts);
		if (facts.is_root) {
			way = ENGINE_WAY_ROOT;
			rc = engine_start_way(way, inside, arg, keep_tty, ret, err);
		}
		if (rc)
			return engine_add_mend(&facts, err);
	}
	if (ret_way)
		*ret_way = way;
	return 0;
}

int engine_netns_start(int (*inside)(void *arg), void *arg, bool keep_tty, struct engine_proc *ret, struct err *err)
{
	return engine_start_any(inside, arg, keep_tty, ret, NULL, err);
}
