/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/relay/worker.h"
#include "injectors/companion.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "injectors/relay/heap.h"

#define BATCH 64
#define SLOT_BYTES 2048 /* of the ring: a frame of MTU 1500, and what the kernel says of it */
#define SLOTS 2048 /* at 5,000 packets a second, what comes in 0.4 s */
#define BLOCK_BYTES (64 << 10)
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
	unsigned char *
		ring; /* shared with the kernel, which puts frames in: no limit of sysctls' holds it, as it does a socket's buffer */
	size_t slot; /* the next to look at */
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

static struct tpacket2_hdr *slot_of(const struct worker *worker)
{
	return (void *)(worker->ring + worker->slot * SLOT_BYTES);
}

/* When the kernel took the frame, on our clock: its stamps are of the wall's. */
static int64_t arrival(const struct tpacket2_hdr *slot, int64_t now_ns, int64_t wall_ns)
{
	int64_t age_ns = wall_ns - ((int64_t)slot->tp_sec * SEC + slot->tp_nsec);

	return age_ns > -SEC && age_ns < SEC ? now_ns - age_ns : now_ns; /* else the wall's clock was set */
}

static void count_missed(struct worker *worker)
{
	struct tpacket_stats missed;
	socklen_t len = sizeof(missed);

	if (!getsockopt(worker->in_fd, SOL_PACKET, PACKET_STATISTICS, &missed, &len))
		count(worker, RELAY_UNWANTED, missed.tp_drops, 0);
}

/* A frame that was cut, or whose checksum somebody has left to a card that is not there, cannot be passed on as it is. */
static void take_slot(struct worker *worker, struct tpacket2_hdr *slot, uint32_t status, int64_t now_ns,
		      int64_t wall_ns)
{
	if (status & TP_STATUS_LOSING)
		count_missed(worker);
	if (slot->tp_snaplen < slot->tp_len || status & TP_STATUS_CSUMNOTREADY)
		count(worker, RELAY_UNWANTED, 1, slot->tp_len);
	else
		take_frame(worker, (unsigned char *)slot + slot->tp_mac, slot->tp_len, arrival(slot, now_ns, wall_ns));
}

/* Takes what waits. Returns whether there was any. */
static bool take_batch(struct worker *worker)
{
	int64_t wall_ns = clock_wall_ns(),
		now_ns = clock_now_ns(); /* in this order an interruption makes frames late, not early */
	size_t n = 0;
	uint32_t status;

	refresh_shape(worker);
	for (; n < BATCH; n++) {
		struct tpacket2_hdr *slot = slot_of(worker);

		status = __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
		if (!(status & TP_STATUS_USER))
			break;
		take_slot(worker, slot, status, now_ns, wall_ns);
		__atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		worker->slot = (worker->slot + 1) % SLOTS;
	}
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

static int open_socket(const char *ifname, int *ret_fd, struct sockaddr_ll *ret_address, struct err *err)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(ifname)};
	int fd = address.sll_ifindex ? socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;

	if (fd < 0)
		return err_set(err, -errno, LOC_NONE, "relay: opening the link %s: %s", ifname, strerror(errno));
	*ret_fd = fd;
	*ret_address = address;
	return 0;
}

static int make_ring(struct worker *worker)
{
	struct tpacket_req ring = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = SLOTS * SLOT_BYTES / BLOCK_BYTES,
		.tp_frame_size = SLOT_BYTES,
		.tp_frame_nr = SLOTS,
	};
	int version = TPACKET_V2;
	void *memory;

	if (setsockopt(worker->in_fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(worker->in_fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)))
		return -errno;
	memory = mmap(NULL, (size_t)SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, worker->in_fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	worker->ring = memory;
	return 0;
}

static int listen_at(struct worker *worker, const char *ifname, struct err *err)
{
	struct sockaddr_ll address;
	int rc = open_socket(ifname, &worker->in_fd, &address, err);

	if (rc)
		return rc;
	address.sll_protocol = htons(ETH_P_ALL); /* from here on */
	rc = make_ring(worker);
	if (!rc && bind(worker->in_fd, (const struct sockaddr *)&address, sizeof(address)))
		rc = -errno;
	return rc ? err_set(err, rc, LOC_NONE, "relay: listening on the link %s: %s", ifname, strerror(-rc)) : 0;
}

static int attach(struct worker *worker, const struct order *order, struct err *err)
{
	int rc = open_socket(order->out, &worker->out_fd, &worker->out, err);

	return rc ? rc : listen_at(worker, order->in, err);
}

static void begin(struct worker *worker, uint64_t seed)
{
	struct relay_shared *shared = worker->shared;

	worker->state = shape_begin(seed);
	for (size_t i = 0; i < RELAY_COUNTS; i++) {
		atomic_store(&shared->packets[i], 0);
		atomic_store(&shared->bytes[i], 0);
	}
	atomic_store(&shared->delay_sum_ns, 0);
	atomic_store(&shared->delay_count, 0);
}

/* Everything that was let in comes out. */
static void flush(struct worker *worker)
{
	while (worker->ring && take_batch(worker))
		;
	send_due(worker, INT64_MAX);
}

/* Until no more comes. */
static void drain(struct worker *worker)
{
	struct pollfd ready = {.fd = worker->in_fd, .events = POLLIN};

	for (int i = 0; i < QUIET_TRIES && poll(&ready, 1, QUIET_MSEC) > 0; i++)
		flush(worker);
	flush(worker);
}

static void obey(struct worker *worker)
{
	struct order order;
	struct err err = {0};

	if (recv(worker->ctl_fd, &order, sizeof(order), 0) != sizeof(order))
		_exit(0); /* the maker is gone */
	if (order.kind == ORDER_ATTACH)
		attach(worker, &order, &err);
	else if (order.kind == ORDER_BEGIN)
		begin(worker, order.seed);
	else if (order.kind == ORDER_FLUSH)
		flush(worker);
	else
		drain(worker);
	companion_answer(worker->ctl_fd, -1, &err);
	if (order.kind == ORDER_STOP)
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
	worker->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (worker->timer_fd < 0)
		return err_set(err, -errno, LOC_NONE, "relay: making a timer: %s", strerror(errno));
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

_Noreturn void worker_run(int ctl_fd, struct relay_shared *shared)
{
	struct worker worker = {.in_fd = -1, .out_fd = -1, .shared = shared};
	struct err err = {0};
	int netns_fd = -1;

	worker.ctl_fd = companion_enter(ctl_fd, "dnsdrill-relay");
	if (furnish(&worker, &netns_fd, &err)) {
		companion_answer(worker.ctl_fd, -1, &err);
		_exit(1);
	}
	companion_answer(worker.ctl_fd, netns_fd, &err);
	close(netns_fd);
	work(&worker);
}
