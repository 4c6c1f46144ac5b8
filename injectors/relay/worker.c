/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/relay/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/signals.h"
#include "injectors/relay/heap.h"

#define BATCH 64
#define FRAME_MAX 65600 /* the longest IPv4 packet and its headers */
#define SOCKET_BYTES (16 << 20)
#define HELD_MAX 200000 /* frames */
#define HELD_BYTES_MAX ((size_t)256 << 20)
#define QUIET_MSEC 2 /* nothing for so long after the rules are gone: nothing more is on its way */
#define QUIET_TRIES 50

struct worker {
	int ctl_fd, in_fd, out_fd, timer_fd;
	struct sockaddr_ll out;
	struct relay_shared *shared;
	uint32_t version; /* of the shape */
	struct shape shape;
	struct shape_state state;
	struct heap heap;
	unsigned char (*frames)[FRAME_MAX];
	uint32_t missed; /* by the socket, as last told */
};

/* Room for when a frame came, and how many the socket had no room for. */
struct extra {
	_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t))];
};

static void count(struct worker *worker, enum relay_count what, int64_t packets, int64_t bytes)
{
	atomic_fetch_add_explicit(&worker->shared->packets[what], packets, memory_order_relaxed);
	atomic_fetch_add_explicit(&worker->shared->bytes[what], bytes, memory_order_relaxed);
}

static void refresh_shape(struct worker *worker)
{
	int64_t words[SHAPE_WORDS];
	uint32_t before = atomic_load(&worker->shared->version);

	if (before == worker->version || before & 1)
		return;
	for (size_t i = 0; i < SHAPE_WORDS; i++)
		words[i] = atomic_load(&worker->shared->words[i]);
	if (atomic_load(&worker->shared->version) != before)
		return; /* it is being changed; the next frame will see */
	memcpy(&worker->shape, words, sizeof(words));
	worker->version = before;
}

static bool has_room(const struct worker *worker)
{
	return worker->heap.count < HELD_MAX && worker->heap.bytes < HELD_BYTES_MAX;
}

static void flip(unsigned char *payload, int64_t bit)
{
	if (bit >= 0)
		payload[bit / 8] ^= (unsigned char)(1U << (bit % 8));
}

static void hold_copy(struct worker *worker, unsigned char *bytes, size_t len, int64_t arrived_ns,
		      const struct shape_copy *copy)
{
	unsigned char *payload = bytes + shape_payload(bytes, len);
	bool is_held;

	flip(payload, copy->flip_bit);
	is_held = has_room(worker) && heap_put(&worker->heap, bytes, len, arrived_ns, copy->send_ns);
	flip(payload, copy->flip_bit);
	if (!is_held)
		count(worker, RELAY_UNWANTED, 1, (int64_t)len);
	else if (copy->flip_bit >= 0)
		count(worker, RELAY_CORRUPTED, 1, (int64_t)len);
	if (is_held && copy->send_ns > arrived_ns)
		count(worker, RELAY_DELAYED, 1, (int64_t)len);
}

static void take_frame(struct worker *worker, unsigned char *bytes, size_t len, int64_t arrived_ns)
{
	struct shape_fate fate;
	int64_t size = (int64_t)len;

	shape_decide(&worker->shape, &worker->state, arrived_ns, len, len - shape_payload(bytes, len), &fate);
	count(worker, RELAY_SEEN, 1, size);
	if (fate.is_lost)
		count(worker, RELAY_LOST, 1, size);
	if (fate.is_reordered)
		count(worker, RELAY_REORDERED, 1, size);
	if (fate.count + fate.overflowed > 1)
		count(worker, RELAY_DUPLICATED, 1, size);
	if (fate.overflowed)
		count(worker, RELAY_OVERFLOWED, (int64_t)fate.overflowed, (int64_t)fate.overflowed * size);
	for (size_t i = 0; i < fate.count; i++)
		hold_copy(worker, bytes, len, arrived_ns, &fate.copies[i]);
}

/* When the kernel took the frame, on our clock: its stamps are of the wall's. */
static int64_t arrival(struct worker *worker, struct msghdr *message, int64_t now_ns, int64_t wall_ns)
{
	int64_t age_ns = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		struct timespec stamp;
		uint32_t missed;

		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(part), sizeof(stamp));
			age_ns = wall_ns - ((int64_t)stamp.tv_sec * SEC + stamp.tv_nsec);
		} else if (part->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&missed, CMSG_DATA(part), sizeof(missed));
			count(worker, RELAY_UNWANTED, missed - worker->missed, 0);
			worker->missed = missed;
		}
	}
	return age_ns > 0 && age_ns < SEC ? now_ns - age_ns : now_ns; /* else the wall's clock was set */
}

/* Takes what waits. Returns whether there was any. */
static bool take_batch(struct worker *worker)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct extra extras[BATCH];
	int64_t now_ns, wall_ns;
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){worker->frames[i], FRAME_MAX};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
						      .msg_iovlen = 1,
						      .msg_control = extras[i].bytes,
						      .msg_controllen = sizeof(extras[i])};
	}
	n = recvmmsg(worker->in_fd, messages, BATCH, MSG_DONTWAIT, NULL);
	now_ns = clock_now_ns();
	wall_ns = clock_wall_ns();
	refresh_shape(worker);
	for (int i = 0; i < n; i++)
		take_frame(worker, worker->frames[i], messages[i].msg_len,
			   arrival(worker, &messages[i].msg_hdr, now_ns, wall_ns));
	return n > 0;
}

static void count_sent(struct worker *worker, const struct frame *frame, int64_t now_ns)
{
	count(worker, RELAY_SENT, 1, (int64_t)frame->len);
	if (frame->send_ns <= frame->arrived_ns)
		return;
	atomic_fetch_add_explicit(&worker->shared->delay_sum_ns, now_ns - frame->arrived_ns, memory_order_relaxed);
	atomic_fetch_add_explicit(&worker->shared->delay_count, 1, memory_order_relaxed);
}

static void send_frames(struct worker *worker, struct frame **frames, size_t n)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		parts[i] = (struct iovec){frames[i]->bytes, frames[i]->len};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &worker->out,
						      .msg_namelen = sizeof(worker->out),
						      .msg_iov = &parts[i],
						      .msg_iovlen = 1};
	}
	while (done < n) {
		int sent = sendmmsg(worker->out_fd, messages + done, (unsigned)(n - done), MSG_DONTWAIT);
		int64_t now_ns = clock_now_ns();

		for (int i = 0; i < sent; i++)
			count_sent(worker, frames[done + (size_t)i], now_ns);
		if (sent <= 0) /* what cannot go is lost, as at a card whose ring is full */
			count(worker, RELAY_UNWANTED, 1, (int64_t)frames[done]->len);
		done += sent > 0 ? (size_t)sent : 1;
	}
}

/* Sends what is due until then. */
static void send_due(struct worker *worker, int64_t until_ns)
{
	struct frame *frames[BATCH], *first;
	size_t n;

	do {
		for (n = 0; n < BATCH && (first = heap_first(&worker->heap)) && first->send_ns <= until_ns; n++)
			frames[n] = heap_take(&worker->heap);
		send_frames(worker, frames, n);
		for (size_t i = 0; i < n; i++)
			free(frames[i]);
	} while (n == BATCH);
}

static void arm(const struct worker *worker)
{
	const struct frame *first = heap_first(&worker->heap);
	struct itimerspec when = {0}; /* disarmed */

	if (first)
		when.it_value = (struct timespec){first->send_ns / SEC, first->send_ns % SEC};
	timerfd_settime(worker->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static int open_link(const char *ifname, int protocol, int *ret_fd, struct sockaddr_ll *ret_address, struct err *err)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, bytes = SOCKET_BYTES;

	*ret_fd = fd;
	address.sll_ifindex = (int)if_nametoindex(ifname);
	if (fd < 0 || !address.sll_ifindex)
		return err_set(err, -errno, LOC_NONE, "relay: opening the link %s: %s", ifname, strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)); /* as much as is allowed */
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		return err_set(err, -errno, LOC_NONE, "relay: listening on the link %s: %s", ifname, strerror(errno));
	*ret_address = address;
	return 0;
}

static int attach(struct worker *worker, const struct order *order, struct err *err)
{
	struct sockaddr_ll in;
	int rc = open_link(order->out, 0, &worker->out_fd, &worker->out, err);

	return rc ? rc : open_link(order->in, ETH_P_ALL, &worker->in_fd, &in, err);
}

static void answer(const struct worker *worker, const struct err *err)
{
	(void)!send(worker->ctl_fd, err, sizeof(*err), MSG_NOSIGNAL);
}

/* Everything that was let in comes out. */
static void drain(struct worker *worker)
{
	struct pollfd ready = {.fd = worker->in_fd, .events = POLLIN};

	for (int i = 0; i < QUIET_TRIES && poll(&ready, 1, QUIET_MSEC) > 0; i++)
		while (take_batch(worker))
			;
	send_due(worker, INT64_MAX);
}

static void obey(struct worker *worker)
{
	struct order order;
	struct err err = {0};

	if (recv(worker->ctl_fd, &order, sizeof(order), 0) != sizeof(order))
		_exit(0); /* the maker is gone */
	if (order.kind == ORDER_ATTACH) {
		attach(worker, &order, &err);
		answer(worker, &err);
		return;
	}
	drain(worker);
	answer(worker, &err);
	_exit(0);
}

_Noreturn static void work(struct worker *worker)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = worker->timer_fd, .events = POLLIN},
			{.fd = worker->in_fd, .events = POLLIN}, /* -1 until attached: passed over */
			{.fd = worker->ctl_fd, .events = POLLIN},
		};

		arm(worker);
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[1].revents)
			take_batch(worker);
		send_due(worker, clock_now_ns());
		if (fds[2].revents)
			obey(worker);
	}
}

/* A frame that waits for the processor would be late: in front of everybody, where that is allowed, and woken when asked, not 50 µs later. */
static void hurry(void)
{
	(void)setpriority(PRIO_PROCESS, 0, -20);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

/* Nobody speaks on the links but who sends through them. A kernel without IPv6 has no such switch. */
static void silence_ipv6(void)
{
	int fd CLEANUP_CLOSE = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "1", 1);
}

static int furnish(struct worker *worker, int *ret_netns_fd, struct err *err)
{
	worker->frames = calloc(BATCH, FRAME_MAX);
	worker->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!worker->frames || worker->timer_fd < 0)
		return err_set(err, -ENOMEM, LOC_NONE, "relay: out of memory or descriptors");
	if (unshare(CLONE_NEWNET))
		return err_set(err, -errno, LOC_NONE,
			       "relay: making a network namespace: %s (the limit is sysctl user.max_net_namespaces)",
			       strerror(errno));
	*ret_netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*ret_netns_fd < 0)
		return err_set(err, -errno, LOC_NONE, "relay: opening its network namespace: %s", strerror(errno));
	silence_ipv6();
	hurry();
	return 0;
}

static void greet(const struct worker *worker, int netns_fd, const struct err *err)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} extra = {0};
	struct err said = *err;
	struct iovec part = {&said, sizeof(said)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &extra, .msg_controllen = sizeof(extra)};

	extra.align =
		(struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&extra.align), &netns_fd, sizeof(netns_fd));
	(void)!sendmsg(worker->ctl_fd, &message, MSG_NOSIGNAL);
}

_Noreturn void worker_run(int ctl_fd, struct relay_shared *shared, uint64_t seed)
{
	struct worker worker = {.in_fd = -1, .out_fd = -1, .shared = shared, .state = shape_begin(seed)};
	struct err err = {0};
	int netns_fd = -1;

	signals_reset();
	signal(SIGINT, SIG_IGN); /* Ctrl-C is the maker's to hear: faults are undone in order */
	prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL);
	prctl(PR_SET_NAME, "dnsdrill-relay", 0UL, 0UL, 0UL);
	worker.ctl_fd = dup2(ctl_fd, STDERR_FILENO + 1);
	syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0); /* what others wait for the end of */
	if (furnish(&worker, &netns_fd, &err)) {
		answer(&worker, &err);
		_exit(1);
	}
	greet(&worker, netns_fd, &err);
	close(netns_fd);
	work(&worker);
}
