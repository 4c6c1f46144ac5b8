/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/companion.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/signals.h"
#include "harness/base/units.h"

#define ANSWER_MSEC 10000 /* milliseconds are normal; on a machine that stands still it may be seconds */

/* Room for one descriptor beside a message. */
union passed {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int companion_died(const struct companion *companion, struct err *err)
{
	return err_set(err, -ECHILD, LOC_NONE, "%s died", companion->what);
}

static int take_fd(const struct msghdr *message)
{
	const struct cmsghdr *part = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(part), sizeof(fd));
	return fd;
}

/* The answer; *ret_fd, where not NULL, the descriptor that came with it, or -1. */
static int hear(const struct companion *companion, int *ret_fd, struct err *err)
{
	struct err answer;
	union passed extra;
	struct iovec part = {&answer, sizeof(answer)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &extra, .msg_controllen = sizeof(extra)};
	struct pollfd ready = {.fd = companion->ctl_fd, .events = POLLIN};
	int64_t give_up_ns = clock_now_ns() + ANSWER_MSEC * MSEC;
	int n = 0;

	while (n <= 0 && clock_now_ns() < give_up_ns)
		n = poll(&ready, 1, ANSWER_MSEC);
	if (n <= 0)
		return err_set(err, -ETIMEDOUT, LOC_NONE, "%s did not answer within %d s", companion->what,
			       ANSWER_MSEC / 1000);
	if (recvmsg(companion->ctl_fd, &message, MSG_CMSG_CLOEXEC) != sizeof(answer))
		return companion_died(companion, err);
	if (ret_fd)
		*ret_fd = take_fd(&message);
	if (answer.code)
		*err = answer;
	return answer.code;
}

int companion_start(struct companion *companion, void (*run)(int ctl_fd, void *arg), void *arg, struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return err_set(err, -errno, LOC_NONE, "making a socket for %s: %s", companion->what, strerror(errno));
	companion->ctl_fd = fds[0];
	companion->pid = fork();
	if (companion->pid == 0) {
		run(fds[1], arg);
		_exit(1);
	}
	close(fds[1]);
	if (companion->pid < 0)
		return err_set(err, -errno, LOC_NONE, "starting %s: %s", companion->what, strerror(errno));
	companion->pid_fd = (int)syscall(SYS_pidfd_open, companion->pid, 0);
	return hear(companion, &companion->netns_fd, err);
}

int companion_tell(const struct companion *companion, const void *order, size_t size, struct err *err)
{
	if (send(companion->ctl_fd, order, size, MSG_NOSIGNAL) != (ssize_t)size)
		return companion_died(companion, err);
	return hear(companion, NULL, err);
}

bool companion_is_alive(const struct companion *companion)
{
	struct pollfd hung = {.fd = companion->ctl_fd};

	return poll(&hung, 1, 0) == 0; /* the only other end is the process's */
}

/* Does not wait: closing its packet sockets takes the kernel some 30 ms. If it is not at its end yet, whoever reaps all children will meet it. */
static void reap(const struct companion *companion)
{
	siginfo_t info;
	idtype_t type = companion->pid_fd >= 0 ? P_PIDFD : P_PID;
	id_t id = companion->pid_fd >= 0 ? (id_t)companion->pid_fd : (id_t)companion->pid;

	(void)waitid(type, id, &info, WEXITED | WNOHANG);
}

void companion_end(struct companion *companion)
{
	if (companion->ctl_fd >= 0)
		close(companion->ctl_fd);
	if (companion->pid > 0)
		reap(companion);
	if (companion->pid_fd >= 0)
		close(companion->pid_fd);
	if (companion->netns_fd >= 0)
		close(companion->netns_fd);
	*companion = (struct companion)COMPANION_NONE(companion->what);
}

int companion_enter(int ctl_fd, const char *name)
{
	int fd;

	signals_reset();
	signal(SIGINT, SIG_IGN); /* Ctrl-C is the maker's to hear: faults are undone in order */
	prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL);
	prctl(PR_SET_NAME, name, 0UL, 0UL, 0UL);
	fd = dup2(ctl_fd, STDERR_FILENO + 1);
	syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0); /* what others wait for the end of */
	return fd;
}

void companion_answer(int ctl_fd, int fd, const struct err *err)
{
	union passed extra = {0};
	struct err said = *err;
	struct iovec part = {&said, sizeof(said)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		extra.align = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&extra.align), &fd, sizeof(fd));
		message.msg_control = &extra;
		message.msg_controllen = sizeof(extra);
	}
	(void)!sendmsg(ctl_fd, &message, MSG_NOSIGNAL);
}
