/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/report.h"
#include "harness/base/fd.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_LEN 200

int report_tick(int fd)
{
	return fd_write_all(fd, "tick\n", 5);
}

int report_end(int fd, int status)
{
	char line[32];

	return fd_write_all(fd, line, (size_t)snprintf(line, sizeof(line), "end %d\n", status));
}

static bool is_name(const char *name)
{
	return *name && *name != '.' && !strpbrk(name, "/ \n") && strlen(name) <= NAME_MAX_LEN;
}

/* Exactly size bytes from one to the other, zeros for what is missing. */
static int pass(int to, int from, int64_t size)
{
	char chunk[32768];
	int r = 0;

	while (!r && size > 0) {
		size_t want = size < (int64_t)sizeof(chunk) ? (size_t)size : sizeof(chunk);
		ssize_t n = read(from, chunk, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			memset(chunk, 0, want);
			n = (ssize_t)want;
		}
		r = fd_write_all(to, chunk, (size_t)n);
		size -= n;
	}
	return r;
}

int report_log(int fd, int dirfd, const char *name)
{
	CLEANUP_CLOSE int file = is_name(name) ? openat(dirfd, name, O_RDONLY | O_CLOEXEC) : -1;
	char line[NAME_MAX_LEN + 32];
	struct stat st;
	int r;

	if (file < 0 || fstat(file, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (st.st_size > REPORT_LOG_MAX)
		st.st_size = REPORT_LOG_MAX;
	r = fd_write_all(fd, line, (size_t)snprintf(line, sizeof(line), "log %s %lld\n", name, (long long)st.st_size));
	return r ? r : pass(fd, file, st.st_size);
}

int report_logs(int fd, int dirfd)
{
	struct dirent **entries;
	int r = 0, count = scandirat(dirfd, ".", &entries, NULL, alphasort);

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		if (!r)
			r = report_log(fd, dirfd, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int broken(struct err *err)
{
	return err_set(err, -EBADMSG, LOC_NONE, "the guest's report is broken");
}

static int read_log(FILE *in, const char *line, int logs_dirfd, struct err *err)
{
	CLEANUP_CLOSE int file = -1;
	char name[NAME_MAX_LEN + 1], chunk[32768];
	long long size;
	int n = 0, r = 0;

	if (sscanf(line, "log %200s %lld%n", name, &size, &n) != 2 || line[n] != '\n' || !is_name(name) || size < 0 ||
	    size > REPORT_LOG_MAX)
		return broken(err);
	file = openat(logs_dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (file < 0)
		return err_set(err, -errno, LOC_NONE, "cannot write logs/%s: %s", name, strerror(errno));
	while (!r && size > 0) {
		size_t want = size < (long long)sizeof(chunk) ? (size_t)size : sizeof(chunk);
		size_t got = fread(chunk, 1, want, in);

		if (!got)
			return broken(err);
		r = fd_write_all(file, chunk, got);
		size -= (long long)got;
	}
	return r ? err_set(err, r, LOC_NONE, "cannot write logs/%s: %s", name, strerror(-r)) : 0;
}

/* 1: there is more. */
static int read_line(FILE *in, int logs_dirfd, int *ret_status, struct err *err)
{
	char line[NAME_MAX_LEN + 32];
	int n = 0, r;

	if (!fgets(line, sizeof(line), in) || !strchr(line, '\n'))
		return 0; /* it stopped in the middle */
	if (!strcmp(line, "tick\n"))
		return 1;
	if (sscanf(line, "end %d%n", ret_status, &n) == 1 && n && line[n] == '\n')
		return 0;
	r = read_log(in, line, logs_dirfd, err);
	return r ? r : 1;
}

int report_read(int fd, int logs_dirfd, int *ret_status, struct err *err)
{
	int copy = dup(fd), r;
	FILE *in = copy < 0 ? NULL : fdopen(copy, "r");

	*ret_status = -1;
	if (!in) {
		if (copy >= 0)
			close(copy);
		return err_set(err, -errno, LOC_NONE, "cannot read the guest's report: %s", strerror(errno));
	}
	rewind(in);
	do
		r = read_line(in, logs_dirfd, ret_status, err);
	while (r > 0);
	fclose(in);
	return r;
}
