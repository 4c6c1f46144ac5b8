/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/outdir.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/fd.h"

#define CASE_NAMESAKES_MAX 1000
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static int make_parents(const char *path)
{
	char *copy CLEANUP_FREE = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, 0777) && errno != EEXIST ? -errno : 0;
}

static int already_used(const char *path, struct err *err)
{
	return err_set(err, -EEXIST, (struct loc){.file = path},
		       "this directory already holds a run (events.ndjson); choose another --out, or remove it");
}

int outdir_check(const char *path, struct err *err)
{
	char events[4096];
	int n = snprintf(events, sizeof(events), "%s/events.ndjson", path);

	return n < (int)sizeof(events) && !access(events, F_OK) ? already_used(path, err) : 0;
}

static int open_events(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	struct loc loc = {.file = path};
	int fd = openat(dirfd, "events.ndjson", O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0 && errno == EEXIST)
		return already_used(path, err);
	if (fd < 0)
		return err_set(err, -errno, loc, "cannot create events.ndjson in it: %s", strerror(errno));
	*ret_fd = fd;
	return 0;
}

int outdir_directory(const char *path, struct err *err)
{
	struct loc loc = {.file = path};
	int fd, r = make_parents(path);

	if (r)
		return err_set(err, r, loc, "cannot make the output directory: %s; choose another with --out",
			       strerror(-r));
	fd = open(path, DIR_FLAGS);
	return fd < 0 ? err_set(err, -errno, loc, "cannot open the output directory: %s; choose another with --out",
				strerror(errno))
		      : fd;
}

int outdir_open(const char *path, struct outdir *ret, struct err *err)
{
	struct outdir outdir = {.fd = outdir_directory(path, err), .events_fd = -1};
	int r;

	if (outdir.fd < 0)
		return outdir.fd;
	r = open_events(outdir.fd, path, &outdir.events_fd, err);
	if (!r && !(outdir.path = strdup(path)))
		r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	if (r) {
		outdir_close(&outdir);
		return r;
	}
	*ret = outdir;
	return 0;
}

void outdir_close(struct outdir *outdir)
{
	fd_closep(&outdir->fd);
	fd_closep(&outdir->events_fd);
	free(outdir->path);
	*outdir = (struct outdir){.fd = -1, .events_fd = -1};
}

/* The directory name under dirfd, made if need be: a descriptor or a negative errno. */
static int sub_directory(int dirfd, const char *name)
{
	int fd;

	if (mkdirat(dirfd, name, 0777) && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, name, DIR_FLAGS);
	return fd < 0 ? -errno : fd;
}

/* A directory for one combination: a descriptor or a negative errno. Labels that differ can have the same file name; nobody writes over another's evidence. */
static int case_directory(int dirfd, const char *label, char *ret_name, size_t size)
{
	char base[200];
	int fd, n = 1;

	outdir_file_name(label, base, sizeof(base));
	snprintf(ret_name, size, "%s", base);
	while (mkdirat(dirfd, ret_name, 0777)) {
		if (errno != EEXIST || ++n > CASE_NAMESAKES_MAX)
			return -errno;
		snprintf(ret_name, size, "%s-%d", base, n);
	}
	fd = openat(dirfd, ret_name, DIR_FLAGS);
	return fd < 0 ? -errno : fd;
}

int outdir_case_open(const struct outdir *outdir, const char *label, struct outdir_case *ret, struct err *err)
{
	struct loc loc = {.file = outdir->path};
	char name[256];
	struct outdir_case opened = {.logs_fd = -1, .capture_fd = -1};
	int fd CLEANUP_CLOSE =
		label ? case_directory(outdir->fd, label, name, sizeof(name)) : openat(outdir->fd, ".", DIR_FLAGS);

	if (fd < 0)
		return err_set(err, label ? fd : -errno, loc, "cannot make a directory for %s in it: %s",
			       label ? label : "the run", strerror(label ? -fd : errno));
	opened.logs_fd = sub_directory(fd, "logs");
	if (opened.logs_fd < 0)
		return err_set(err, opened.logs_fd, loc, "cannot make logs/ in it: %s", strerror(-opened.logs_fd));
	opened.capture_fd = openat(fd, "capture.pcap", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (opened.capture_fd < 0) {
		int error = errno;

		outdir_case_close(&opened);
		return err_set(err, -error, loc, "cannot create capture.pcap in it: %s", strerror(error));
	}
	snprintf(opened.capture_name, sizeof(opened.capture_name), "%s%scapture.pcap", label ? name : "",
		 label ? "/" : "");
	*ret = opened;
	return 0;
}

void outdir_case_close(struct outdir_case *outdir_case)
{
	fd_closep(&outdir_case->logs_fd);
	fd_closep(&outdir_case->capture_fd);
	*outdir_case = (struct outdir_case){.logs_fd = -1, .capture_fd = -1};
}

const char *outdir_file_name(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	for (; *text && n + 1 < size; text++) {
		bool is_plain = isalnum((unsigned char)*text) || (*text && strchr("._=-", *text));

		if (is_plain || !n || buf[n - 1] != '-')
			buf[n++] = is_plain ? *text : '-';
	}
	buf[n] = '\0';
	if (!n || buf[0] == '.')
		snprintf(buf, size, "run");
	return buf;
}
