/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running a command to its end, from a job.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/api/job.h"
#include "harness/base/fd.h"
#include "harness/base/signals.h"

#define STATUS_NOT_RUN 127

static void become(const char *const *argv, const char *dir, int out)
{
	int null = open("/dev/null", O_RDONLY);
	char **args;

	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(STATUS_NOT_RUN);
	signals_reset();
	memcpy(&args, &argv, sizeof(args)); /* execvp's prototype lacks a const it keeps */
	if (dir && chdir(dir) < 0)
		dprintf(2, "cannot enter %s: %s\n", dir, strerror(errno));
	else
		execvp(args[0], args);
	dprintf(2, "cannot run %s: %s\n", args[0], strerror(errno));
	_exit(STATUS_NOT_RUN);
}

/* Keeps the last part of what comes. */
static void read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	char chunk[512];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR)) {
		size_t got = n > 0 ? (size_t)n : 0;

		if (len + got > size - 1) {
			size_t drop = len + got - (size - 1);

			memmove(text, text + drop, len - drop);
			len -= drop;
		}
		memcpy(text + len, chunk, got);
		len += got;
	}
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	text[len] = '\0';
}

int job_exec(const char *const *argv, const char *dir, struct job_report *report)
{
	int fds[2], status = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		job_say(report, "cannot make a pipe: %s", strerror(errno));
		return STATUS_NOT_RUN;
	}
	pid = fork();
	if (pid == 0)
		become(argv, dir, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		job_say(report, "cannot fork: %s", strerror(errno));
		return STATUS_NOT_RUN;
	}
	read_all(fds[0], report->text, sizeof(report->text));
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
