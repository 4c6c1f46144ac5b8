/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/relay/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "injectors/relay/worker.h"

#define ANSWER_MSEC 10000 /* a millisecond is normal; on a machine that stands still it may be seconds */

struct relay {
	pid_t pid;
	int pid_fd; /* to reap just that process, or learn that somebody else has; -1 on kernels before 5.3 */
	int ctl_fd, netns_fd;
	struct relay_shared *shared;
};

int relay_netns_fd(const struct relay *relay)
{
	return relay->netns_fd;
}

pid_t relay_pid(const struct relay *relay)
{
	return relay->pid;
}

static int died(struct err *err)
{
	return err_set(err, -ECHILD, LOC_NONE, "the relay, the process that shapes packets, died");
}

static int take_fd(const struct msghdr *message)
{
	const struct cmsghdr *part = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(part), sizeof(fd));
	return fd;
}

/* The worker's answer; *ret_fd, where not NULL, the descriptor that came with it, or -1. */
static int hear(const struct relay *relay, int *ret_fd, struct err *err)
{
	struct err answer;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} extra;
	struct iovec part = {&answer, sizeof(answer)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &extra, .msg_controllen = sizeof(extra)};
	struct pollfd ready = {.fd = relay->ctl_fd, .events = POLLIN};
	int64_t give_up_ns = clock_now_ns() + ANSWER_MSEC * MSEC;
	int n = 0;

	while (n <= 0 && clock_now_ns() < give_up_ns)
		n = poll(&ready, 1, ANSWER_MSEC);
	if (n <= 0)
		return err_set(err, -ETIMEDOUT, LOC_NONE, "the relay did not answer within %d s", ANSWER_MSEC / 1000);
	if (recvmsg(relay->ctl_fd, &message, MSG_CMSG_CLOEXEC) != sizeof(answer))
		return died(err);
	if (ret_fd)
		*ret_fd = take_fd(&message);
	if (answer.code)
		*err = answer;
	return answer.code;
}

static int tell(const struct relay *relay, const struct order *order, struct err *err)
{
	if (send(relay->ctl_fd, order, sizeof(*order), MSG_NOSIGNAL) != sizeof(*order))
		return died(err);
	return hear(relay, NULL, err);
}

/* Does not wait: closing its packet sockets takes the kernel some 30 ms. If it is not at its end yet, whoever reaps all children will meet it. */
static void reap(const struct relay *relay)
{
	siginfo_t info;
	idtype_t type = relay->pid_fd >= 0 ? P_PIDFD : P_PID;
	id_t id = relay->pid_fd >= 0 ? (id_t)relay->pid_fd : (id_t)relay->pid;

	(void)waitid(type, id, &info, WEXITED | WNOHANG);
}

static void relay_free(struct relay *relay)
{
	if (relay->ctl_fd >= 0)
		close(relay->ctl_fd); /* the worker ends when it hears nothing more */
	if (relay->pid > 0)
		reap(relay);
	if (relay->pid_fd >= 0)
		close(relay->pid_fd);
	if (relay->netns_fd >= 0)
		close(relay->netns_fd);
	if (relay->shared)
		munmap(relay->shared, sizeof(*relay->shared));
	free(relay);
}

static int start_worker(struct relay *relay, struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return err_set(err, -errno, LOC_NONE, "making the relay's socket: %s", strerror(errno));
	relay->ctl_fd = fds[0];
	relay->pid = fork();
	if (relay->pid == 0)
		worker_run(fds[1], relay->shared);
	close(fds[1]);
	if (relay->pid < 0)
		return err_set(err, -errno, LOC_NONE, "starting the relay: %s", strerror(errno));
	relay->pid_fd = (int)syscall(SYS_pidfd_open, relay->pid, 0);
	return hear(relay, &relay->netns_fd, err);
}

struct relay *relay_start(struct err *err)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	void *memory =
		mmap(NULL, sizeof(struct relay_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (relay)
		*relay = (struct relay){.pid_fd = -1, .ctl_fd = -1, .netns_fd = -1};
	if (!relay || memory == MAP_FAILED) {
		if (memory != MAP_FAILED)
			munmap(memory, sizeof(struct relay_shared));
		free(relay);
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		return NULL;
	}
	relay->shared = memory;
	if (start_worker(relay, err)) {
		relay_free(relay);
		return NULL;
	}
	return relay;
}

int relay_attach(struct relay *relay, const char *in, const char *out, struct err *err)
{
	struct order order = {.kind = ORDER_ATTACH};

	snprintf(order.in, sizeof(order.in), "%s", in);
	snprintf(order.out, sizeof(order.out), "%s", out);
	return tell(relay, &order, err);
}

void relay_set(struct relay *relay, const struct shape *shape)
{
	struct relay_shared *shared = relay->shared;
	int64_t words[SHAPE_WORDS];

	memcpy(words, shape, sizeof(words));
	atomic_fetch_add(&shared->version, 1);
	for (size_t i = 0; i < SHAPE_WORDS; i++)
		atomic_store(&shared->words[i], words[i]);
	atomic_fetch_add(&shared->version, 1);
}

int relay_begin(struct relay *relay, const struct shape *shape, uint64_t seed, struct err *err)
{
	relay_set(relay, shape);
	return tell(relay, &(struct order){.kind = ORDER_BEGIN, .seed = seed}, err);
}

int relay_flush(struct relay *relay, struct err *err)
{
	relay_set(relay, &(struct shape){0});
	return tell(relay, &(struct order){.kind = ORDER_FLUSH}, err);
}

static struct relay_counters read_counters(struct relay *relay)
{
	struct relay_shared *shared = relay->shared;
	struct relay_counters counters = {
		.delay_sum_ns = atomic_load(&shared->delay_sum_ns),
		.delay_count = atomic_load(&shared->delay_count),
	};

	for (size_t i = 0; i < RELAY_COUNTS; i++) {
		counters.packets[i] = atomic_load(&shared->packets[i]);
		counters.bytes[i] = atomic_load(&shared->bytes[i]);
	}
	return counters;
}

static bool is_alive(const struct relay *relay)
{
	struct pollfd hung = {.fd = relay->ctl_fd};

	return poll(&hung, 1, 0) == 0; /* the only other end is the worker's */
}

int relay_counters(struct relay *relay, struct relay_counters *ret, struct err *err)
{
	if (!is_alive(relay))
		return died(err);
	*ret = read_counters(relay);
	return 0;
}

int relay_stop(struct relay *relay, struct relay_counters *ret_last, struct err *err)
{
	int rc = relay ? tell(relay, &(struct order){.kind = ORDER_STOP}, err) : 0;

	if (!relay)
		return 0;
	if (rc)
		kill(relay->pid, SIGKILL);
	else if (ret_last)
		*ret_last = read_counters(relay);
	relay_free(relay);
	return rc;
}
