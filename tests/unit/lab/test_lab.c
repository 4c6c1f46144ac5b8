/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/clock.h"
#include "harness/base/rng.h"
#include "harness/lab/capture.h"
#include "tests/unit/lab/talk.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

static struct fixture *two_hosts(void)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture_add_host(fixture, "alpha.ns1", HOST_NAMESERVER, "192.0.2.1", "2001:db8:1::1");
	fixture_add_host(fixture, "office", HOST_CLIENT, "203.0.113.9", "2001:db8:2::9");
	return fixture;
}

static void in_two_hosts(fixture_body *body)
{
	struct fixture *fixture = two_hosts();

	fixture_must(fixture, body);
	free(fixture);
}

static int talk_in_both_families(struct lab *lab, struct err *err)
{
	struct host *server = lab_host_named(lab, "alpha.ns1"), *client = lab_host_named(lab, "office");

	for (size_t i = 0; i < host_addresses(server)->count; i++) {
		const struct address *address = &host_addresses(server)->v[i];
		CLEANUP_CLOSE int to = talk_bind(server, address, err);
		CLEANUP_CLOSE int from = talk_connect(client, SOCK_DGRAM, address, TALK_PORT);
		int rc = to < 0 ? to : talk_there_and_back(from, to, err);

		if (rc)
			return rc;
	}
	return 0;
}

static void hosts_talk_in_both_families(void **state UNUSED)
{
	in_two_hosts(talk_in_both_families);
}

/* A new lab drops nothing: links and IPv6 addresses of which the kernel says too early that they are there have lost the first packet of one lab in fifty. */
static void the_very_first_packet_arrives_in_twenty_new_labs(void **state UNUSED)
{
	for (int i = 0; i < 20; i++)
		in_two_hosts(talk_in_both_families);
}

/* TCP, because an unconnected or plain UDP socket is not told of an unreachable network (ip(7), IP_RECVERR). */
static int connect_outside(struct lab *lab, struct err *err)
{
	static const char *const outside[] = {"8.8.8.8", "2001:4860:4860::8888"};

	for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
		struct address address;
		int error = 0;
		socklen_t len = sizeof(error);

		address_parse(outside[i], &address);
		CLEANUP_CLOSE int fd = talk_connect(lab_host(lab, 1), SOCK_STREAM, &address, 53);
		if (fd < 0) {
			CHECK(errno == ENETUNREACH);
			continue;
		}
		CHECK(talk_wait(fd, POLLOUT, TALK_WITHIN_MSEC));
		CHECK(!getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
		CHECK(error == ENETUNREACH);
	}
	return 0;
}

static void an_address_outside_the_lab_is_unreachable_at_once(void **state UNUSED)
{
	in_two_hosts(connect_outside);
}

static int refuse_forty_times(struct lab *lab, struct err *err, const struct address *address)
{
	for (int i = 0; i < 40; i++) {
		CLEANUP_CLOSE int fd = talk_connect(lab_host(lab, 1), SOCK_DGRAM, address, TALK_PORT);
		char c;

		CHECK(send(fd, "?", 1, 0) == 1);
		CHECK(talk_wait(fd, POLLIN, TALK_WITHIN_MSEC));
		CHECK(recv(fd, &c, 1, 0) < 0 && errno == ECONNREFUSED);
	}
	return 0;
}

/* Forty in a row: the kernel's limits on ICMP errors (a burst of six, then one a second) must not turn refusals into silence. */
static int reject_both_families(struct lab *lab, struct err *err)
{
	const struct addresses *addresses = host_addresses(lab_host(lab, 0));
	int rc = core_nft(lab_core(lab),
			  "add chain inet dnsdrill forward { type filter hook forward priority 0; }\n"
			  "add rule inet dnsdrill forward udp dport 53 reject with icmpx type port-unreachable\n",
			  err);

	for (size_t i = 0; !rc && i < addresses->count; i++)
		rc = refuse_forty_times(lab, err, &addresses->v[i]);
	return rc;
}

static void every_rejected_datagram_is_refused_in_both_families(void **state UNUSED)
{
	in_two_hosts(reject_both_families);
}

static int drop_one_way(struct lab *lab, struct err *err)
{
	const struct address *address = &host_addresses(lab_host(lab, 0))->v[0];
	CLEANUP_CLOSE int to = talk_bind(lab_host(lab, 0), address, err);
	CLEANUP_CLOSE int from = talk_connect(lab_host(lab, 1), SOCK_DGRAM, address, TALK_PORT);
	int64_t packets = 0, bytes = 0;
	int rc = core_nft(lab_core(lab),
			  "add counter inet dnsdrill dark\n"
			  "add chain inet dnsdrill forward { type filter hook forward priority 0; }\n"
			  "add rule inet dnsdrill forward ip daddr 192.0.2.1 counter name dark drop\n",
			  err);

	if (rc)
		return rc;
	CHECK(to >= 0 && from >= 0);
	CHECK(send(from, "lost", 4, 0) == 4);
	/* The datagram has met the rule before send returned: veth hands it on in the sender's own context. Should that ever change, the counter shows it. */
	CHECK(!talk_wait(to, POLLIN, 100));
	CHECK(!talk_wait(from, POLLIN, 0)); /* silence, not a refusal */
	CHECK(!core_counters(lab_core(lab), "dark", &packets, &bytes, err));
	CHECK(packets == 1 && bytes == 20 + 8 + 4);
	rc = core_nft(lab_core(lab), "delete chain inet dnsdrill forward\n", err);
	return rc ? rc : talk_there_and_back(from, to, err);
}

static void a_blackhole_is_silent_and_counted_until_lifted(void **state UNUSED)
{
	in_two_hosts(drop_one_way);
}

static ino_t ns_inode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

static int look_around_in_core(struct lab *lab, struct err *err)
{
	char before[4096], after[4096];
	ino_t net = ns_inode("/proc/self/ns/net"), mnt = ns_inode("/proc/self/ns/mnt");

	CHECK(getcwd(before, sizeof(before)));
	for (int i = 0; i < 100; i++)
		close(host_socket(lab_host(lab, 0), AF_INET6, SOCK_STREAM, 0));
	CHECK(host_socket(lab_host(lab, 0), AF_INET, 12345, 0) == -EINVAL);
	CHECK(ns_inode("/proc/self/ns/net") == net && ns_inode("/proc/self/ns/mnt") == mnt);
	CHECK(getcwd(after, sizeof(after)) && !strcmp(before, after));
	CHECK(if_nametoindex("h0") == (unsigned)host_ifindex(lab_host(lab, 0)));
	CHECK(!strcmp(host_ifname(lab_host(lab, 1)), "h1"));
	return 0;
}

static void the_lab_itself_stays_in_the_core(void **state UNUSED)
{
	in_two_hosts(look_around_in_core);
}

/* What a forked child of a host sees; its exit status says what is wrong. */
static int look_around_in_host(struct host *host)
{
	char line[128] = "";
	FILE *file = fopen("/etc/hostname", "re");

	if (!if_nametoindex("eth0") || if_nametoindex("h0"))
		return 1;
	if (!file || !fgets(line, sizeof(line), file) || strcmp(line, "dnsdrill\n"))
		return 2;
	fclose(file);
	if (access("/etc/passwd", R_OK) || access("/etc/os-release", R_OK) != access("/usr/lib/os-release", R_OK))
		return 3;
	if (getsid(0) != getpid())
		return 4;
	if (access(host_dir(host), W_OK))
		return 5;
	return 0;
}

static int fork_into_hosts(struct lab *lab, struct err *err)
{
	char cwd[4096], there[4096];

	CHECK(getcwd(cwd, sizeof(cwd)));
	for (size_t i = 0; i < lab_host_count(lab); i++) {
		int status;
		pid_t pid = host_fork(lab_host(lab, i));

		if (pid == 0)
			_exit(!getcwd(there, sizeof(there)) || strcmp(cwd, there)
				      ? 9
				      : look_around_in_host(lab_host(lab, i)));
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		CHECK(status == 0);
	}
	return 0;
}

static void a_child_lives_in_its_host(void **state UNUSED)
{
	in_two_hosts(fork_into_hosts);
}

static int no_body(struct lab *lab UNUSED, struct err *err UNUSED)
{
	return 0;
}

static void expect_refusal(const char *name, const char *address, const char *wanted)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct err err;

	fixture_add_host(fixture, name, HOST_NAMESERVER, address, NULL);
	fixture_run(fixture, no_body, &err);
	assert_int_not_equal(err.code, 0);
	assert_non_null(strstr(err.text, wanted));
	free(fixture);
}

static void a_host_cannot_have_the_routers_address_or_a_path_for_a_name(void **state UNUSED)
{
	expect_refusal("a", "198.18.255.254", "router's own address");
	expect_refusal("a", "fe80::1", "router's own address");
	expect_refusal("../up", "192.0.2.1", "cannot be the name of a host");
	expect_refusal(".etc", "192.0.2.1", "cannot be the name of a host");
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int run_in_engine(int (*inside)(void *arg), void *arg)
{
	struct engine_proc proc;
	struct err err;
	int status;

	if (engine_netns_start(inside, arg, false, &proc, &err))
		fail_msg("%s", err.text);
	assert_int_equal(waitpid(proc.pid, &status, 0), proc.pid);
	close(proc.alive_fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int close_and_count(void *arg)
{
	struct fixture *fixture = arg;
	struct err err = {0};
	int before = count_fds();
	struct lab *lab = lab_open(&fixture->topology, &err);

	if (!lab)
		return 1;
	lab_close(lab);
	return count_fds() == before ? 0 : 2;
}

static void closing_a_lab_closes_every_descriptor(void **state UNUSED)
{
	struct fixture *fixture = two_hosts();

	assert_int_equal(run_in_engine(close_and_count, fixture), 0);
	free(fixture);
}

static int only_stdio_survives_exec(struct lab *lab UNUSED, struct err *err)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	CHECK(dir);
	while ((entry = readdir(dir))) {
		struct stat st;
		int fd = atoi(entry->d_name);

		if (fd < 3 || fstat(fd, &st) || !S_ISSOCK(st.st_mode))
			continue;
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	closedir(dir);
	return 0;
}

static void no_socket_of_the_lab_leaks_into_programs(void **state UNUSED)
{
	in_two_hosts(only_stdio_survives_exec);
}

static int first_and_last_talk(struct lab *lab, struct err *err)
{
	const struct address *address = &host_addresses(lab_host(lab, lab_host_count(lab) - 1))->v[1];
	CLEANUP_CLOSE int to = talk_bind(lab_host(lab, lab_host_count(lab) - 1), address, err);
	CLEANUP_CLOSE int from = talk_connect(lab_host(lab, 0), SOCK_DGRAM, address, TALK_PORT);

	return to < 0 ? to : talk_there_and_back(from, to, err);
}

static void eighty_hosts_fit_a_lab(void **state UNUSED)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char text[FIXTURE_HOSTS_MAX][3][32];

	for (int i = 0; i < FIXTURE_HOSTS_MAX; i++) {
		snprintf(text[i][0], 32, "p.ns%d", i);
		snprintf(text[i][1], 32, "198.51.100.%d", i + 1);
		snprintf(text[i][2], 32, "2001:db8::%x", i + 1);
		fixture_add_host(fixture, text[i][0], HOST_NAMESERVER, text[i][1], text[i][2]);
	}
	fixture_must(fixture, first_and_last_talk);
	free(fixture);
}

/* As in a container, which hides parts of /proc: then the kernel refuses a fresh one. */
static int nest_under_masked_proc(void *arg UNUSED)
{
	if (mount("tmpfs", "/proc/sys/kernel", "tmpfs", 0, NULL))
		return 1;
	in_two_hosts(talk_in_both_families);
	return 0;
}

static void a_lab_fits_into_a_container_with_a_masked_proc(void **state UNUSED)
{
	assert_int_equal(run_in_engine(nest_under_masked_proc, NULL), 0);
}

static int open_with_readonly_sysctls(void *arg)
{
	struct fixture *fixture = arg;
	struct err err = {0};

	if (mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) ||
	    mount(NULL, "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL))
		return 1;
	if (lab_open(&fixture->topology, &err))
		return 2;
	return strstr(err.text, "/proc/sys/net") && strstr(err.text, "--privileged") ? 0 : 3;
}

static void readonly_sysctls_are_named_with_the_mend(void **state UNUSED)
{
	struct fixture *fixture = two_hosts();

	assert_int_equal(run_in_engine(open_with_readonly_sysctls, fixture), 0);
	free(fixture);
}

/* Whole labs, with a capture, killed while they come up or run. */
static int live_on(struct lab *lab UNUSED, struct err *err)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	CHECK(capture_start(fd, false, err));
	CHECK(host_fork(lab_host(lab, 0)) >= 0);
	for (;;)
		pause();
}

static void sigkill_of_the_maker_ends_whole_labs(void **state UNUSED)
{
	struct rng rng = rng_stream(20260102, "moments");

	for (int i = 0; i < 15; i++) {
		int64_t until = clock_now_ns() + (int64_t)rng_below(&rng, 50 * MSEC);
		struct pollfd held;
		int pipes[2];
		pid_t maker;

		assert_int_equal(pipe(pipes), 0);
		maker = fork();
		if (maker == 0)
			in_two_hosts(live_on);
		close(pipes[1]);
		while (clock_now_ns() < until)
			;
		kill(maker, SIGKILL);
		assert_int_equal(waitpid(maker, NULL, 0), maker);
		held = (struct pollfd){.fd = pipes[0], .events = POLLIN};
		assert_int_equal(poll(&held, 1, 20000),
				 1); /* end of file: every process that held the other end is gone */
		assert_true(held.revents & POLLHUP);
		close(pipes[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_talk_in_both_families),
		cmocka_unit_test(the_very_first_packet_arrives_in_twenty_new_labs),
		cmocka_unit_test(an_address_outside_the_lab_is_unreachable_at_once),
		cmocka_unit_test(every_rejected_datagram_is_refused_in_both_families),
		cmocka_unit_test(a_blackhole_is_silent_and_counted_until_lifted),
		cmocka_unit_test(the_lab_itself_stays_in_the_core),
		cmocka_unit_test(a_child_lives_in_its_host),
		cmocka_unit_test(a_host_cannot_have_the_routers_address_or_a_path_for_a_name),
		cmocka_unit_test(closing_a_lab_closes_every_descriptor),
		cmocka_unit_test(no_socket_of_the_lab_leaks_into_programs),
		cmocka_unit_test(a_lab_fits_into_a_container_with_a_masked_proc),
		cmocka_unit_test(readonly_sysctls_are_named_with_the_mend),
		cmocka_unit_test(sigkill_of_the_maker_ends_whole_labs),
		cmocka_unit_test(eighty_hosts_fit_a_lab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
