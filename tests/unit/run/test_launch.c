/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/launch.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* An unnamed file with that text. */
static int file_with(const char *text)
{
	char path[] = "/tmp/dnsdrill-log-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void check_tail(const char *text, size_t lines, size_t bytes, const char *want)
{
	struct arena *arena = arena_new();
	int fd = file_with(text);

	assert_string_equal(launch_log_tail(fd, lines, bytes, arena), want);
	close(fd);
	arena_free(arena);
}

static void log_tail_is_the_last_lines(void **state)
{
	(void)state;
	check_tail("", 2, 100, "");
	check_tail("\n\n", 2, 100, "");
	check_tail("one", 2, 100, "one");
	check_tail("one\ntwo\nthree\n", 2, 100, "two\nthree");
	check_tail("one\ntwo\nthree\n", 9, 100, "one\ntwo\nthree");
}

static void log_tail_is_cut_at_a_line_within_its_bytes(void **state)
{
	(void)state;
	/* Of a first line that may have lost its beginning nothing is shown… */
	check_tail("one\ntwo\nthree\n", 9, 10, "three");
	/* …unless there is nothing else. */
	check_tail("a long line without an end", 9, 6, "an end");
}

static void status_is_said_in_words(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	/* waitpid(2) on Linux: the status in the second byte, the signal in the first. */
	assert_string_equal(launch_status(3 << 8, arena), "exited with status 3");
	assert_string_equal(launch_status(SIGSEGV, arena), "was killed by signal 11 (Segmentation fault)");
	arena_free(arena);
}

static void run(const char *path, const char *const *argv, int out_fd, int *ret_status)
{
	struct err err;
	struct launch launch = {.path = path, .argv = argv, .dir = "/", .out_fd = out_fd};
	pid_t pid = launch_start(&launch, &err);

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
}

static void program_writes_to_its_log_and_reads_nothing(void **state)
{
	static const char *const argv[] = {"sh", "-c", "cat; echo out; echo err >&2; pwd", NULL};
	struct arena *arena = arena_new();
	int fd = file_with(""), status;

	(void)state;
	run("/bin/sh", argv, fd, &status);
	assert_int_equal(status, 0);
	assert_string_equal(launch_log_tail(fd, 9, 100, arena), "out\nerr\n/");
	close(fd);
	arena_free(arena);
}

static void program_gets_no_descriptor_signal_mask_or_service_manager_of_ours(void **state)
{
	static const char *const argv[] = {
		"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '; echo; grep SigBlk /proc/self/status; echo $NOTIFY_SOCKET",
		NULL};
	struct arena *arena = arena_new();
	int fd = file_with(""), leak = open("/", O_RDONLY), status;
	sigset_t mask, old;

	(void)state;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &old);
	setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
	run("/bin/sh", argv, fd, &status);
	unsetenv("NOTIFY_SOCKET");
	sigprocmask(SIG_SETMASK, &old, NULL);
	/* 3 is ls's own look at the directory. */
	assert_string_equal(launch_log_tail(fd, 9, 200, arena), "0 1 2 3 \nSigBlk:\t0000000000000000");
	close(leak);
	close(fd);
	arena_free(arena);
}

static void program_that_is_not_there_says_so_in_its_log(void **state)
{
	static const char *const argv[] = {"no-such", NULL};
	struct arena *arena = arena_new();
	int fd = file_with(""), status;

	(void)state;
	run("/no/such/program", argv, fd, &status);
	assert_int_equal(WEXITSTATUS(status), 127);
	assert_string_equal(launch_log_tail(fd, 9, 200, arena),
			    "cannot run /no/such/program: No such file or directory");
	close(fd);
	arena_free(arena);
}

/* Where AppArmor confines a program by its path, a copy elsewhere is not confined. */
static void copy_of_a_program_runs(void **state)
{
	static const char *const argv[] = {"env", "true", NULL};
	char dir[] = "/tmp/dnsdrill-bin-XXXXXX";
	struct arena *arena = arena_new();
	int fd = file_with(""), status;
	const char *path, *again;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = launch_unconfined("/usr/bin/env", dir, true, arena);
	assert_int_equal(strncmp(path, dir, strlen(dir)), 0);
	run(path, argv, fd, &status);
	assert_int_equal(status, 0);
	again = launch_unconfined("/usr/bin/env", dir, true, arena); /* made once */
	assert_string_equal(again, path);
	/* A user's own build stays where it is. */
	assert_string_equal(launch_unconfined("/opt/bind/sbin/named", dir, true, arena), "/opt/bind/sbin/named");
	unlink(path);
	rmdir(dir);
	close(fd);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_tail_is_the_last_lines),
		cmocka_unit_test(log_tail_is_cut_at_a_line_within_its_bytes),
		cmocka_unit_test(status_is_said_in_words),
		cmocka_unit_test(program_writes_to_its_log_and_reads_nothing),
		cmocka_unit_test(program_gets_no_descriptor_signal_mask_or_service_manager_of_ours),
		cmocka_unit_test(program_that_is_not_there_says_so_in_its_log),
		cmocka_unit_test(copy_of_a_program_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
