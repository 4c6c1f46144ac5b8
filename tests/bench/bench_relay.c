/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relay's precision: at 5,000 packets a second, how much later than asked frames come out, on an idle machine: at most 0.2 ms at the median and 1 ms at p99.
 * The delay is measured from the frame's entry into the first link to the kernel's stamp at the far end of the second, so the way over both counts
 * too. `bench_relay SECONDS` is for a shorter look.
 */
#include "harness/api/core.h"
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/engine/engine.h"
#include "harness/lab/lab.h"
#include "injectors/relay/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#define EVERY_NS (SEC / 5000)
#define DELAY_NS (50 * MSEC)
#define LEN 100
#define AT 34 /* where the frame says when it was sent */

struct bench {
	int64_t wanted, count, *late_ns;
	struct relay *relay;
	int in_fd, out_fd, timer_fd;
	struct relay_counters counters;
};

static int open_socket(const char *ifname, int protocol)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	address.sll_ifindex = (int)if_nametoindex(ifname);
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		return -1;
	return fd;
}

static int set_up(struct lab *lab, struct bench *bench, struct err *err)
{
	struct core_link in = {"d1", "x1", -1, {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, 1500};
	struct core_link out = {"b1", "y1", -1, {2, 0, 0, 0, 0, 3}, {2, 0, 0, 0, 0, 4}, 1500};
	struct itimerspec pace = {.it_interval = {0, EVERY_NS}, .it_value = {0, EVERY_NS}};

	bench->relay = relay_start(err);
	if (!bench->relay)
		return err->code;
	in.peer_netns_fd = out.peer_netns_fd = relay_netns_fd(bench->relay);
	if (core_link_add(lab_core(lab), &in, err) || core_link_add(lab_core(lab), &out, err) ||
	    relay_attach(bench->relay, "x1", "y1", err) ||
	    relay_begin(bench->relay, &(struct shape){.delay_ns = DELAY_NS}, 1, err))
		return err->code;
	bench->in_fd = open_socket("d1", 0);
	bench->out_fd = open_socket("b1", ETH_P_ALL);
	bench->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (bench->in_fd < 0 || bench->out_fd < 0 || timerfd_settime(bench->timer_fd, 0, &pace, NULL))
		return err_set(err, -errno, LOC_NONE, "opening the bench's sockets: %s", strerror(errno));
	return 0;
}

static void put(const struct bench *bench)
{
	unsigned char frame[LEN] = {2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 1, 0x08, 0, 0x45};
	int64_t now_ns = clock_wall_ns(); /* the clock of the kernel's stamps */

	memcpy(frame + AT, &now_ns, sizeof(now_ns));
	(void)!send(bench->in_fd, frame, sizeof(frame), 0);
}

static bool take(struct bench *bench)
{
	unsigned char frame[LEN];
	_Alignas(struct cmsghdr) char extra[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec part = {frame, sizeof(frame)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = extra, .msg_controllen = sizeof(extra)};
	struct timespec stamp;
	int64_t sent_ns;

	if (recvmsg(bench->out_fd, &message, 0) != LEN || !CMSG_FIRSTHDR(&message))
		return false;
	memcpy(&sent_ns, frame + AT, sizeof(sent_ns));
	memcpy(&stamp, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(stamp));
	bench->late_ns[bench->count++] = (int64_t)stamp.tv_sec * SEC + stamp.tv_nsec - sent_ns - DELAY_NS;
	return true;
}

static void measure(struct bench *bench)
{
	int64_t sent = 0, end_ns = clock_now_ns() + bench->wanted * EVERY_NS + 2 * SEC;
	struct pollfd fds[] = {{.fd = bench->timer_fd, .events = POLLIN}, {.fd = bench->out_fd, .events = POLLIN}};

	while (bench->count < bench->wanted && clock_now_ns() < end_ns) {
		uint64_t ticks = 0;

		(void)poll(fds, 2, 100);
		if (read(bench->timer_fd, &ticks, sizeof(ticks)) != sizeof(ticks))
			ticks = 0;
		for (; ticks && sent < bench->wanted; ticks--, sent++)
			put(bench);
		while (bench->count < bench->wanted && take(bench))
			;
	}
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double percentile_ms(const struct bench *bench, double percent)
{
	return (double)bench->late_ns[(int64_t)((double)(bench->count - 1) * percent / 100)] / (double)MSEC;
}

static void show(struct bench *bench)
{
	qsort(bench->late_ns, (size_t)bench->count, sizeof(int64_t), ascending);
	printf("relay, 5,000 packets/s, delay error p50\t%.3f\tms\t<= 0.2\n", percentile_ms(bench, 50));
	printf("relay, 5,000 packets/s, delay error p99\t%.3f\tms\t<= 1\n", percentile_ms(bench, 99));
	printf("relay, 5,000 packets/s, delay error p99.9\t%.3f\tms\t-\n", percentile_ms(bench, 99.9));
	printf("relay, 5,000 packets/s, delay error worst\t%.3f\tms\t-\n", percentile_ms(bench, 100));
	printf("relay, 5,000 packets/s, delay error least\t%.4f\tms\t-\n", percentile_ms(bench, 0));
	printf("relay, 5,000 packets/s, lost\t%lld\tpackets\t<= 0.5\n", (long long)(bench->wanted - bench->count));
}

static int run_in_lab(struct lab *lab, struct bench *bench, struct err *err)
{
	if (set_up(lab, bench, err))
		return err->code;
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	measure(bench);
	if (relay_stop(bench->relay, &bench->counters, err))
		return err->code;
	show(bench);
	return 0;
}

static int inside(void *arg)
{
	struct topology topology = {0};
	struct err err = {0};
	struct lab *lab = lab_open(&topology, &err);

	if (lab) {
		run_in_lab(lab, arg, &err);
		lab_close(lab);
	}
	if (err.code)
		err_print(&err, stderr);
	fflush(stdout);
	return err.code ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct bench bench = {.wanted = (argc > 1 ? atoll(argv[1]) : 20) * SEC / EVERY_NS};
	struct engine_proc proc;
	struct err err = {0};
	int status = 1;

	bench.late_ns = calloc((size_t)bench.wanted, sizeof(int64_t));
	if (!bench.late_ns || engine_netns_start(inside, &bench, false, &proc, &err)) {
		err_print(&err, stderr);
		return 1;
	}
	waitpid(proc.pid, &status, 0);
	close(proc.alive_fd);
	free(bench.late_ns);
	return status ? 1 : 0;
}
