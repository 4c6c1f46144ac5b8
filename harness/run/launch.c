/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/launch.h"
#include "harness/base/fd.h"
#include "harness/base/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a service manager tells its children does not hold for a server's. */
static void reset_environment(void)
{
	static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
					    "LISTEN_PID"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
}

static void add_environment(const char *const *env)
{
	for (; env && *env; env++) {
		char *setting;

		memcpy(&setting, env, sizeof(setting)); /* putenv's prototype lacks a const it keeps */
		putenv(setting);
	}
}

static void become(const struct launch *launch)
{
	int r, null = open("/dev/null", O_RDONLY);
	char **argv;

	if (null < 0 || dup2(null, 0) < 0 || dup2(launch->out_fd, 1) < 0 || dup2(launch->out_fd, 2) < 0)
		_exit(125);
	r = launch->cgroup ? cgroup_leaf_enter(launch->cgroup) : 0;
	if (r) {
		dprintf(2, "cannot enter its control group: %s\n", strerror(-r));
		_exit(126);
	}
	signals_reset();
	reset_environment();
	add_environment(launch->env);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (chdir(launch->dir) < 0) {
		dprintf(2, "cannot enter %s: %s\n", launch->dir, strerror(errno));
		_exit(126);
	}
	memcpy(&argv, &launch->argv, sizeof(argv)); /* execv's prototype lacks a const it keeps */
	execv(launch->path, argv);
	dprintf(2, "cannot run %s: %s\n", launch->path, strerror(errno));
	_exit(127);
}

pid_t launch_start(const struct launch *launch, struct err *err)
{
	pid_t pid = launch->host ? host_fork(launch->host) : fork();

	if (pid == 0)
		become(launch);
	if (pid < 0) {
		int r = launch->host ? (int)pid : -errno;

		return err_set(err, r, LOC_NONE, "cannot start %s: %s", launch->argv[0], strerror(-r));
	}
	return pid;
}

static bool is_apparmor_enabled(void)
{
	CLEANUP_CLOSE int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char answer = 'N';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

static int copy_program(const char *from, const char *to)
{
	CLEANUP_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	struct stat st;
	off_t at = 0;

	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		return -errno;
	while (at < st.st_size) {
		if (sendfile(out, in, &at, (size_t)(st.st_size - at)) <= 0)
			return -EIO;
	}
	return 0;
}

const char *launch_unconfined(const char *program, const char *bindir, bool is_forced, struct arena *arena)
{
	const char *name = strrchr(program, '/');
	char *copy;
	int r;

	/* A program elsewhere is the user's own build: no profile knows it, and it may look for its libraries beside it. */
	if (!name || (strncmp(program, "/usr/", 5) && strncmp(program, "/sbin/", 6) && strncmp(program, "/bin/", 5)) ||
	    (!is_forced && !is_apparmor_enabled()))
		return program;
	copy = arena_printf(arena, "%s%s", bindir, name);
	if (mkdir(bindir, 0755) < 0 && errno != EEXIST)
		return program;
	r = copy_program(program, copy);
	return r == 0 || r == -EEXIST ? copy : program;
}

const char *launch_status(int status, struct arena *arena)
{
	if (WIFSIGNALED(status))
		return arena_printf(arena, "was killed by signal %d (%s)", WTERMSIG(status),
				    strsignal(WTERMSIG(status)));
	return arena_printf(arena, "exited with status %d", WEXITSTATUS(status));
}

const char *launch_log_tail(int fd, size_t max_lines, size_t max_bytes, struct arena *arena)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end > (off_t)max_bytes ? end - (off_t)max_bytes : 0;
	char *text = arena_alloc(arena, max_bytes + 1);
	ssize_t len = end > 0 ? pread(fd, text, max_bytes, from) : 0;
	char *start;

	while (len > 0 && text[len - 1] == '\n')
		len--;
	if (len <= 0)
		return "";
	text[len] = '\0';
	for (ssize_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = ' ';
	start = text + len;
	for (size_t lines = 0; start > text; start--) {
		if (start[-1] == '\n' && ++lines == max_lines)
			break;
	}
	/* A first line that was cut in the middle is worse than none, unless it is all there is. */
	if (start == text && from > 0 && strchr(text, '\n'))
		start = strchr(text, '\n') + 1;
	return start;
}
