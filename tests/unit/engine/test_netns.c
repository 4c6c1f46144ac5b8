/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/rng.h"
#include "harness/engine/start.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define GONE_WITHIN_MSEC 20000 /* far more than the kernel ever takes; only a hang is longer */

static int wait_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Starts inside, waits, and returns what it returned. */
static int run_inside(int (*inside)(void *arg), void *arg)
{
	struct engine_proc proc;
	struct err err;
	int status;

	if (engine_netns_start(inside, arg, false, &proc, &err))
		fail_msg("%s", err.text);
	status = wait_status(proc.pid);
	close(proc.alive_fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool is_lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return !ioctl(fd, SIOCGIFFLAGS, &request) && (request.ifr_flags & IFF_UP);
}

static int check_furniture(void *arg UNUSED)
{
	char host[64] = "";

	gethostname(host, sizeof(host));
	if (getpid() != 1)
		return 1;
	if (getuid() || getgid())
		return 2;
	if (!is_lo_up())
		return 3;
	if (strcmp(host, "dnsdrill"))
		return 4;
	if (mkdir("/run/only-here", 0700) || rmdir("/run/only-here"))
		return 5;
	if (access("/run/resolvconf", F_OK) == 0 || access("/run/systemd", F_OK) == 0)
		return 6;
	return 0;
}

static void inside_is_init_as_root_with_lo_up_and_run_of_its_own(void **state UNUSED)
{
	assert_int_equal(run_inside(check_furniture, NULL), 0);
	assert_int_equal(access("/run/only-here", F_OK), -1);
}

static int return_arg(void *arg)
{
	return *(int *)arg;
}

static void what_inside_returns_becomes_the_exit_status(void **state UNUSED)
{
	int wanted = 42;

	assert_int_equal(run_inside(return_arg, &wanted), 42);
}

/* 32 and 33 are glibc's own; posix_spawn, which make uses, leaves them ignored, and no program can change that. */
#define SIGNALS_OF_LIBC (UINT64_C(3) << 31)

static uint64_t signal_set(const char *status, const char *name)
{
	const char *row = strstr(status, name);

	return row ? strtoull(row + strlen(name), NULL, 16) & ~SIGNALS_OF_LIBC : UINT64_MAX;
}

static int no_signal_is_blocked_or_ignored(void *arg UNUSED)
{
	char buf[8192];
	CLEANUP_CLOSE int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = '\0';
	return signal_set(buf, "SigBlk:") || signal_set(buf, "SigIgn:");
}

static void signals_of_the_maker_are_not_inherited(void **state UNUSED)
{
	sigset_t block, old;

	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(run_inside(no_signal_is_blocked_or_ignored, NULL), 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* A lab with everything that could be left behind: processes of two generations, a mount, a second network namespace. Its processes hold the
 * write end of held, so end of file there means that all of them are gone. */
static int live_on(void *arg UNUSED)
{
	if (mkdir("/run/dnsdrill-left", 0700) || mount("tmpfs", "/run/dnsdrill-left", "tmpfs", 0, NULL))
		return 1;
	for (int i = 0; i < 3; i++) {
		if (fork() == 0) {
			setsid();
			signal(SIGHUP, SIG_IGN);
			signal(SIGTERM, SIG_IGN);
			(void)!unshare(CLONE_NEWNET);
			fork();
			for (;;)
				pause();
		}
	}
	for (;;)
		pause();
}

static bool is_gone(int held_fd)
{
	struct pollfd held = {.fd = held_fd, .events = POLLIN};
	char c;

	return poll(&held, 1, GONE_WITHIN_MSEC) == 1 && read(held_fd, &c, 1) == 0;
}

static int spin(void *arg UNUSED)
{
	volatile bool busy = true;

	while (busy)
		;
	return 0;
}

static void closing_the_alive_descriptor_ends_even_a_busy_lab(void **state UNUSED)
{
	int (*const insides[])(void *) = {live_on, spin};

	for (size_t i = 0; i < ARRAY_LEN(insides); i++) {
		struct engine_proc proc;
		struct err err;
		int held[2];

		assert_int_equal(pipe(held), 0);
		if (engine_netns_start(insides[i], NULL, false, &proc, &err))
			fail_msg("%s", err.text);
		close(held[1]);
		close(proc.alive_fd);
		assert_true(is_gone(held[0]));
		wait_status(proc.pid);
		close(held[0]);
	}
}

_Noreturn static void make_and_wait(void)
{
	struct engine_proc proc;
	struct err err;

	if (engine_netns_start(live_on, NULL, false, &proc, &err))
		_exit(1);
	for (;;)
		pause();
}

static void count_traces(char *buf, size_t size)
{
	CLEANUP_FREE char *mounts = NULL;
	size_t len;

	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &mounts, &len), 0);
	snprintf(buf, size, "mount:%d dir:%d", strstr(mounts, "dnsdrill-left") != NULL,
		 access("/run/dnsdrill-left", F_OK) == 0);
}

/* Moments from before the clone to well after everything runs: setting a lab up takes some milliseconds. */
static void sigkill_of_the_maker_at_any_moment_leaves_nothing(void **state UNUSED)
{
	struct rng rng = rng_stream(20260101, "moments");

	for (int i = 0; i < 40; i++) {
		int64_t until = clock_now_ns() + (int64_t)rng_below(&rng, 15 * MSEC);
		char traces[64];
		int held[2];
		pid_t maker;

		assert_int_equal(pipe(held), 0);
		maker = fork();
		if (maker == 0) {
			close(held[0]);
			make_and_wait();
		}
		close(held[1]);
		while (clock_now_ns() < until)
			;
		kill(maker, SIGKILL);
		wait_status(maker);
		assert_true(is_gone(held[0]));
		close(held[0]);
		count_traces(traces, sizeof(traces));
		assert_string_equal(traces, "mount:0 dir:0");
	}
}

/* Two makers in one: a second lab must not keep the first one's maker "alive" for ever when the process dies. */
static void two_labs_of_one_maker_both_end_with_it(void **state UNUSED)
{
	int held[2];
	pid_t maker;

	assert_int_equal(pipe(held), 0);
	maker = fork();
	if (maker == 0) {
		struct engine_proc first;
		struct err err;

		if (engine_netns_start(live_on, NULL, false, &first, &err))
			_exit(1);
		make_and_wait();
	}
	close(held[1]);
	kill(maker, SIGKILL);
	wait_status(maker);
	assert_true(is_gone(held[0]));
	close(held[0]);
}

static int become_nobody_and_check(void)
{
	enum engine_way way;
	struct engine_proc proc;
	struct err err;

	if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		return 10;
	prctl(PR_SET_DUMPABLE, 1); /* as after exec: else /proc/self belongs to root */
	if (engine_netns_check(&way, &err) || way != ENGINE_WAY_USERNS) {
		fprintf(stderr, "%s\n", err.text);
		return 11;
	}
	if (engine_netns_start(check_furniture, NULL, false, &proc, &err))
		return 12;
	return WEXITSTATUS(wait_status(proc.pid));
}

static void an_ordinary_user_can_have_a_lab(void **state UNUSED)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(become_nobody_and_check());
	assert_int_equal(wait_status(pid), 0);
}

/* Within a lab one is root over the limit on user namespaces: there they can be forbidden without harm. */
static int forbid_userns(void)
{
	CLEANUP_CLOSE int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "0", 1) == 1 ? 0 : -1;
}

static int check_as_root_only(void *arg UNUSED)
{
	enum engine_way way;
	struct err err;

	if (forbid_userns())
		return 77;
	if (engine_netns_check(&way, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return way == ENGINE_WAY_ROOT ? 0 : 2;
}

static void root_needs_no_user_namespace(void **state UNUSED)
{
	int rc = run_inside(check_as_root_only, NULL);

	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

static int start_where_forbidden(void *arg UNUSED)
{
	struct err err;

	if (forbid_userns())
		return 77;
	if (engine_start_way(ENGINE_WAY_USERNS, return_arg, NULL, false, &(struct engine_proc){0}, &err) != -ENOSPC)
		return 1;
	return strstr(err.text, "user namespace") ? 0 : 2;
}

static void forbidden_user_namespaces_are_named(void **state UNUSED)
{
	int rc = run_inside(start_where_forbidden, NULL);

	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inside_is_init_as_root_with_lo_up_and_run_of_its_own),
		cmocka_unit_test(what_inside_returns_becomes_the_exit_status),
		cmocka_unit_test(signals_of_the_maker_are_not_inherited),
		cmocka_unit_test(closing_the_alive_descriptor_ends_even_a_busy_lab),
		cmocka_unit_test(sigkill_of_the_maker_at_any_moment_leaves_nothing),
		cmocka_unit_test(two_labs_of_one_maker_both_end_with_it),
		cmocka_unit_test(an_ordinary_user_can_have_a_lab),
		cmocka_unit_test(root_needs_no_user_namespace),
		cmocka_unit_test(forbidden_user_namespaces_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
