/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/capture.h"
#include "tests/unit/lab/talk.h"
#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PACKET_HOST 0 /* sll2_pkttype: to us, and from us */
#define PACKET_OUTGOING 4

static void in_two_hosts(fixture_body *body)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture_add_host(fixture, "server", HOST_NAMESERVER, "192.0.2.1", "2001:db8:1::1");
	fixture_add_host(fixture, "client", HOST_CLIENT, "203.0.113.9", "2001:db8:2::9");
	fixture_must(fixture, body);
	free(fixture);
}

/* What of UDP to port 53 stands in the file, per link and direction. */
struct seen {
	int in_at_client, out_at_server, other;
	int64_t last_ns;
	bool is_ordered;
};

static void look(const struct lab *lab, const struct pcap_pkthdr *header, const u_char *bytes, struct seen *io)
{
	struct lab *any = (struct lab *)(uintptr_t)lab;
	const struct sll2_header *sll = (const void *)bytes;
	int ifindex = (int)ntohl(sll->sll2_if_index);
	int64_t ns = (int64_t)header->ts.tv_sec * NSEC_PER_SEC + header->ts.tv_usec;

	if (ifindex == host_ifindex(lab_host(any, 1)) && sll->sll2_pkttype == PACKET_HOST)
		io->in_at_client++;
	else if (ifindex == host_ifindex(lab_host(any, 0)) && sll->sll2_pkttype == PACKET_OUTGOING)
		io->out_at_server++;
	else
		io->other++;
	if (ns < io->last_ns)
		io->is_ordered = false;
	io->last_ns = ns;
}

static int read_capture(const struct lab *lab, int fd, struct seen *ret, struct err *err)
{
	char text[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *bytes;
	FILE *file = fdopen(dup(fd), "rb");
	pcap_t *pcap;

	rewind(file);
	pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, text);
	CHECK(pcap);
	CHECK(pcap_datalink(pcap) == DLT_LINUX_SLL2);
	*ret = (struct seen){.is_ordered = true};
	while (pcap_next_ex(pcap, &header, &bytes) == 1)
		look(lab, header, bytes, ret);
	pcap_close(pcap);
	return 0;
}

static int send_many(struct lab *lab, struct err *err, int count)
{
	const struct address *address = &host_addresses(lab_host(lab, 0))->v[0];
	CLEANUP_CLOSE int to = talk_bind(lab_host(lab, 0), address, err);
	CLEANUP_CLOSE int from = talk_connect(lab_host(lab, 1), SOCK_DGRAM, address, TALK_PORT);

	CHECK(to >= 0 && from >= 0);
	for (int i = 0; i < count; i++)
		CHECK(send(from, "?", 1, 0) == 1);
	return 0;
}

/* Stopped right after the last packet: none of them may be missing. */
static int capture_forwarded(struct lab *lab, struct err *err)
{
	CLEANUP_CLOSE int fd = memfd_create("capture", MFD_CLOEXEC);
	struct capture *capture = capture_start(fd, false, err);
	int64_t packets = 0, dropped = -1;
	uint32_t magic = 0;
	struct seen seen;
	int rc;

	if (!capture)
		return err->code;
	rc = send_many(lab, err, 1000);
	if (!rc)
		rc = capture_stop(capture, &packets, &dropped, err);
	if (!rc)
		rc = read_capture(lab, fd, &seen, err);
	if (rc)
		return rc;
	CHECK(seen.in_at_client == 1000 && seen.out_at_server == 1000);
	CHECK(seen.other == 0); /* idle links say nothing of their own */
	CHECK(seen.is_ordered);
	CHECK(packets == 2000 && dropped == 0);
	CHECK(pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) && magic == 0xa1b23c4d); /* nanoseconds */
	return 0;
}

static void a_forwarded_packet_stands_twice_with_link_and_direction(void **state UNUSED)
{
	in_two_hosts(capture_forwarded);
}

static int capture_dropped(struct lab *lab, struct err *err)
{
	CLEANUP_CLOSE int fd = memfd_create("capture", MFD_CLOEXEC);
	struct capture *capture = capture_start(fd, false, err);
	struct seen seen;
	int rc = capture ? core_nft(lab_core(lab),
				    "add chain inet dnsdrill forward { type filter hook forward priority 0; }\n"
				    "add rule inet dnsdrill forward drop\n",
				    err)
			 : err->code;

	if (!rc)
		rc = send_many(lab, err, 10);
	if (!rc)
		rc = capture_stop(capture, NULL, NULL, err);
	if (!rc)
		rc = read_capture(lab, fd, &seen, err);
	if (rc)
		return rc;
	CHECK(seen.in_at_client == 10 && seen.out_at_server == 0 && seen.other == 0);
	return 0;
}

static void a_dropped_packet_stands_once(void **state UNUSED)
{
	in_two_hosts(capture_dropped);
}

/* Nothing happens at all between start and stop. */
static int capture_nothing(struct lab *lab, struct err *err)
{
	CLEANUP_CLOSE int fd = memfd_create("capture", MFD_CLOEXEC);
	int64_t packets = -1, dropped = -1;
	struct capture *capture = capture_start(fd, false, err);
	struct seen seen;

	CHECK(capture);
	CHECK(!capture_stop(capture, &packets, &dropped, err));
	CHECK(packets == 0 && dropped == 0);
	return read_capture(lab, fd, &seen, err);
}

static void a_capture_of_nothing_is_an_empty_file_that_reads(void **state UNUSED)
{
	in_two_hosts(capture_nothing);
}

static int capture_to_full(struct lab *lab UNUSED, struct err *err)
{
	struct err refused = {0};
	CLEANUP_CLOSE int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(!capture_start(fd, false, &refused));
	CHECK(refused.code && strstr(refused.text, strerror(ENOSPC)));
	return 0;
}

static void a_full_disk_is_found_out_at_the_start(void **state UNUSED)
{
	in_two_hosts(capture_to_full);
}

/* Room for the header and some hundred packets of 70 bytes, twice each. */
static int capture_until_full(struct lab *lab, struct err *err)
{
	struct err refused = {0};
	struct capture *capture;
	int rc;

	CHECK(!mkdir("/run/small", 0700) && !mount("tmpfs", "/run/small", "tmpfs", 0, "size=64k"));
	CLEANUP_CLOSE int fd = open("/run/small/capture.pcap", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	capture = capture_start(fd, false, err);
	CHECK(capture);
	rc = send_many(lab, err, 2000);
	if (rc)
		return rc;
	CHECK(waitpid(capture_pid(capture), NULL, 0) ==
	      capture_pid(capture)); /* it gives up by itself, and is noticed */
	CHECK(capture_stop(capture, NULL, NULL, &refused) == -EIO);
	CHECK(strstr(refused.text, strerror(ENOSPC)));
	return 0;
}

static void a_disk_that_fills_up_ends_the_capture_with_its_reason(void **state UNUSED)
{
	in_two_hosts(capture_until_full);
}

/* As the lab's init does, which reaps whatever ends. */
static int capture_killed(struct lab *lab UNUSED, struct err *err)
{
	CLEANUP_CLOSE int fd = memfd_create("capture", MFD_CLOEXEC);
	struct capture *capture = capture_start(fd, false, err);
	struct err refused = {0};

	CHECK(capture);
	CHECK(!kill(capture_pid(capture), SIGKILL));
	CHECK(waitpid(-1, NULL, 0) == capture_pid(capture));
	CHECK(capture_stop(capture, NULL, NULL, &refused) == -EIO);
	CHECK(strstr(refused.text, "died"));
	return 0;
}

static void a_killed_capture_is_an_error_even_if_somebody_else_reaped_it(void **state UNUSED)
{
	in_two_hosts(capture_killed);
}

/* A program started meanwhile, with every descriptor of the lab's, must not keep the capture from ending. */
static int capture_beside_child(struct lab *lab, struct err *err)
{
	CLEANUP_CLOSE int fd = memfd_create("capture", MFD_CLOEXEC);
	struct capture *capture = capture_start(fd, false, err);
	pid_t pid;
	int rc;

	CHECK(capture);
	pid = host_fork(lab_host(lab, 0));
	if (pid == 0) {
		for (;;)
			pause();
	}
	rc = capture_stop(capture, NULL, NULL, err);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rc;
}

static void a_child_that_holds_the_pipes_does_not_hinder_the_stop(void **state UNUSED)
{
	in_two_hosts(capture_beside_child);
}

static void a_capture_that_cannot_start_closes_nothing_of_the_callers(void **state UNUSED)
{
	struct rlimit limit, none = {0};
	struct err err = {0};

	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0); /* no pipe can be made */
	assert_null(capture_start(STDOUT_FILENO, false, &err));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(err.code, -EMFILE);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forwarded_packet_stands_twice_with_link_and_direction),
		cmocka_unit_test(a_dropped_packet_stands_once),
		cmocka_unit_test(a_capture_of_nothing_is_an_empty_file_that_reads),
		cmocka_unit_test(a_full_disk_is_found_out_at_the_start),
		cmocka_unit_test(a_disk_that_fills_up_ends_the_capture_with_its_reason),
		cmocka_unit_test(a_killed_capture_is_an_error_even_if_somebody_else_reaped_it),
		cmocka_unit_test(a_child_that_holds_the_pipes_does_not_hinder_the_stop),
		cmocka_unit_test(a_capture_that_cannot_start_closes_nothing_of_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
