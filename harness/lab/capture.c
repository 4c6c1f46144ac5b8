/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of its own, so that nothing the harness does delays taking packets. Pipes: `ask` (a byte: stop) and `tell` (the struct word: one when ready, one at the end).
 *
 * The kernel hands packets over in blocks. To know that all that passed before the stop has been taken, the child sends a frame of its own to lo and
 * reads until it comes by.
 */
#include "harness/lab/capture.h"
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/signals.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define BUFFER_BYTES (32 << 20)
#define SNAPLEN 65535
#define BLOCK_MSEC 20 /* how long the kernel may hold a block that is not full */
#define MARK_ETHERTYPE 0x88b5 /* IEEE 802: for local experiments */
#define MARK_TRIES 50 /* a mark is lost only while the buffer is full */
#define MARK_MSEC 100

struct capture {
	pid_t pid;
	int pid_fd; /* to reap just that child, or learn that somebody else has; -1 on kernels before 5.3 */
	int ask_fd, tell_fd;
};

/* From the child. The first says ready; the last how it ended. */
struct word {
	int64_t packets, dropped;
	struct err err;
};

struct taker {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	int ask_fd, tell_fd;
	int lo_index;
	uint64_t mark; /* of our own frame */
	bool is_marked; /* it came by */
	bool saves_timers;
	struct word word;
};

static bool is_mark(const struct taker *taker, const struct pcap_pkthdr *header, const u_char *bytes)
{
	const struct sll2_header *sll = (const void *)bytes;

	return header->caplen >= sizeof(*sll) + sizeof(taker->mark) && ntohs(sll->sll2_protocol) == MARK_ETHERTYPE &&
	       (int)ntohl(sll->sll2_if_index) == taker->lo_index &&
	       !memcmp(bytes + sizeof(*sll), &taker->mark, sizeof(taker->mark));
}

static void take_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct taker *taker = (void *)user;

	if (is_mark(taker, header, bytes)) {
		taker->is_marked = true;
		pcap_breakloop(taker->pcap); /* what follows came after the stop */
		return;
	}
	if (taker->word.err.code || taker->is_marked)
		return;
	errno = 0;
	pcap_dump((u_char *)taker->dumper, header, bytes);
	if (ferror(pcap_dump_file(taker->dumper)))
		err_set(&taker->word.err, -(errno ? errno : EIO), LOC_NONE, "writing the capture: %s",
			strerror(errno ? errno : EIO));
	else
		taker->word.packets++;
}

static void take_all(struct taker *taker)
{
	int n;

	do
		n = pcap_dispatch(taker->pcap, -1, take_packet, (u_char *)taker);
	while (n > 0 && !taker->is_marked && !taker->word.err.code);
	if (n == PCAP_ERROR && !taker->word.err.code)
		err_set(&taker->word.err, -EIO, LOC_NONE, "taking packets: %s", pcap_geterr(taker->pcap));
	if (!taker->word.err.code && pcap_dump_flush(taker->dumper))
		err_set(&taker->word.err, -errno, LOC_NONE, "writing the capture: %s", strerror(errno));
}

/* Until asked to stop, or nothing can be written any more. */
static void take_until_asked(struct taker *taker)
{
	struct pollfd fds[] = {
		{.fd = pcap_get_selectable_fd(taker->pcap), .events = POLLIN},
		{.fd = taker->ask_fd, .events = POLLIN},
	};

	while (!taker->word.err.code) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			take_all(taker);
		if (fds[1].revents)
			return;
	}
}

static void send_mark(const struct taker *taker, int fd)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(MARK_ETHERTYPE),
		.sll_ifindex = taker->lo_index,
		.sll_halen = ETH_ALEN,
	};

	(void)!sendto(fd, &taker->mark, sizeof(taker->mark), 0, (struct sockaddr *)&to, sizeof(to));
}

/* Takes what had already passed when this was called. */
static void take_rest(struct taker *taker)
{
	CLEANUP_CLOSE int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd ready = {.fd = pcap_get_selectable_fd(taker->pcap), .events = POLLIN};

	for (int i = 0; i < MARK_TRIES && !taker->is_marked && !taker->word.err.code; i++) {
		int64_t give_up = clock_now_ns() + MARK_MSEC * NSEC_PER_MSEC;

		send_mark(taker, fd);
		while (!taker->is_marked && !taker->word.err.code && clock_now_ns() < give_up) {
			if (poll(&ready, 1, MARK_MSEC) > 0)
				take_all(taker);
		}
	}
	if (!taker->is_marked && !taker->word.err.code)
		err_set(&taker->word.err, -EIO, LOC_NONE, "the last packets could not be taken");
}

static int pcap_failed(pcap_t *pcap, const char *what, struct err *err)
{
	return err_set(err, -EIO, LOC_NONE, "%s: %s", what, pcap_geterr(pcap));
}

static int open_pcap(struct taker *taker)
{
	struct err *err = &taker->word.err;
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_create("any", text);

	taker->pcap = pcap;
	if (!pcap)
		return err_set(err, -EIO, LOC_NONE, "opening the capture: %s", text);
	pcap_set_snaplen(pcap, SNAPLEN);
	pcap_set_buffer_size(pcap, BUFFER_BYTES);
	pcap_set_timeout(pcap, BLOCK_MSEC);
	pcap_set_immediate_mode(pcap, taker->saves_timers);
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	if (pcap_activate(pcap) < 0)
		return pcap_failed(pcap, "starting the capture", err);
	if (pcap_set_datalink(pcap, DLT_LINUX_SLL2))
		return pcap_failed(pcap, "libpcap 1.10 or newer is needed", err);
	if (pcap_setnonblock(pcap, 1, text))
		return err_set(err, -EIO, LOC_NONE, "starting the capture: %s", text);
	return 0;
}

static int open_dumper(struct taker *taker, int fd)
{
	struct err *err = &taker->word.err;
	int copy = dup(fd);
	FILE *file = copy < 0 ? NULL : fdopen(copy, "wb");

	if (!file)
		return err_set(err, -errno, LOC_NONE, "opening the capture's file: %s", strerror(errno));
	taker->dumper = pcap_dump_fopen(taker->pcap, file);
	if (!taker->dumper)
		return pcap_failed(taker->pcap, "writing the capture", err);
	/* The header already, so that a full disk shows before the run begins. */
	if (pcap_dump_flush(taker->dumper))
		return err_set(err, -errno, LOC_NONE, "writing the capture: %s", strerror(errno));
	return 0;
}

static void tell(struct taker *taker)
{
	struct pcap_stat stats;

	if (taker->pcap && !pcap_stats(taker->pcap, &stats))
		taker->word.dropped = stats.ps_drop;
	(void)!fd_write_all(taker->tell_fd, &taker->word, sizeof(taker->word));
}

_Noreturn static void run_child(struct taker *taker, int fd)
{
	signals_reset();
	signal(SIGPIPE, SIG_IGN); /* the parent may be gone */
	signal(SIGINT, SIG_IGN); /* Ctrl-C is the parent's to hear; it still wants the last packets */
	taker->lo_index = (int)if_nametoindex("lo");
	taker->mark = (uint64_t)clock_now_ns() ^ (uint64_t)getpid() << 48;
	if (open_pcap(taker) || open_dumper(taker, fd)) {
		tell(taker);
		_exit(1);
	}
	tell(taker);
	take_until_asked(taker);
	if (!taker->word.err.code)
		take_rest(taker);
	tell(taker);
	_exit(taker->word.err.code ? 1 : 0);
}

static int hear(int fd, struct word *ret, struct err *err)
{
	size_t got = 0;

	while (got < sizeof(*ret)) {
		ssize_t n = read(fd, (char *)ret + got, sizeof(*ret) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, -EIO, LOC_NONE, "the capturing process died");
		got += (size_t)n;
	}
	if (!ret->err.code)
		return 0;
	*err = ret->err;
	return err->code;
}

static void capture_free(struct capture *capture)
{
	siginfo_t info;

	if (capture->ask_fd >= 0)
		close(capture->ask_fd);
	if (capture->tell_fd >= 0)
		close(capture->tell_fd);
	/* It is at its end. Whoever reaps all children may have been faster; then this is ECHILD. */
	if (capture->pid_fd >= 0) {
		while (waitid(P_PIDFD, (id_t)capture->pid_fd, &info, WEXITED) < 0 && errno == EINTR)
			;
		close(capture->pid_fd);
	}
	free(capture);
}

static int start_child(struct capture *capture, int ask[2], int report[2], int fd, bool saves_timers, struct err *err)
{
	struct taker taker = {.ask_fd = ask[0], .tell_fd = report[1], .saves_timers = saves_timers};

	capture->pid = fork();
	if (capture->pid < 0)
		return err_set(err, -errno, LOC_NONE, "starting the capturing process: %s", strerror(errno));
	if (capture->pid == 0) {
		close(ask[1]);
		close(report[0]);
		run_child(&taker, fd);
	}
	capture->pid_fd = (int)syscall(SYS_pidfd_open, capture->pid, 0);
	return 0;
}

struct capture *capture_start(int fd, bool saves_timers, struct err *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int ask[2] = {-1, -1}, report[2] = {-1, -1};
	struct word word;
	int rc;

	if (capture)
		capture->pid_fd = -1;
	if (!capture || pipe2(ask, O_CLOEXEC) || pipe2(report, O_CLOEXEC))
		rc = err_set(err, -errno, LOC_NONE, "starting the capture: %s", strerror(errno));
	else
		rc = start_child(capture, ask, report, fd, saves_timers, err);
	if (ask[0] >= 0)
		close(ask[0]);
	if (report[1] >= 0)
		close(report[1]);
	if (!capture)
		return NULL;
	capture->ask_fd = ask[1];
	capture->tell_fd = report[0];
	if (!rc)
		rc = hear(capture->tell_fd, &word, err);
	if (!rc)
		return capture;
	capture_free(capture);
	return NULL;
}

int capture_stop(struct capture *capture, int64_t *ret_packets, int64_t *ret_dropped, struct err *err)
{
	struct word word;
	int rc;

	(void)!write(capture->ask_fd, "", 1); /* fails only if the child is gone, which hear() finds out */
	rc = hear(capture->tell_fd, &word, err);
	if (rc)
		rc = err->code = -EIO;
	capture_free(capture);
	if (rc)
		return rc;
	if (ret_packets)
		*ret_packets = word.packets;
	if (ret_dropped)
		*ret_dropped = word.dropped;
	return 0;
}

pid_t capture_pid(const struct capture *capture)
{
	return capture->pid;
}
