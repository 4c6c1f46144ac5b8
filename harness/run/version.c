/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/version.h"
#include "harness/base/fd.h"
#include "harness/run/launch.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct version {
	const char *program; /* of the driver's table */
	void (*done)(void *arg);
	void *arg;
	struct event *readable;
	int fd;
	pid_t pid;
	bool is_known;
	size_t len;
	char output[512], text[160];
};

/* "Nov 21 03:12:23 " */
static bool has_timestamp(const char *text)
{
	static const char shape[] = "Aaa dd dd:dd:dd ";

	for (size_t i = 0; shape[i]; i++) {
		bool ok = shape[i] == 'd'                    ? isdigit((unsigned char)text[i]) || text[i] == ' '
			  : isalpha((unsigned char)shape[i]) ? isalpha((unsigned char)text[i])
							     : text[i] == shape[i];

		if (!ok)
			return false;
	}
	return true;
}

void version_clean(const char *program, const char *output, char *ret, size_t size)
{
	bool is_bare;
	size_t len;

	if (has_timestamp(output))
		output += strlen("Nov 21 03:12:23 ");
	is_bare = !strncmp(output, "Version ", strlen("Version ")); /* unbound does not say who it is */
	if (is_bare)
		output += strlen("Version ");
	len = strcspn(output, "\r\n");
	snprintf(ret, size, "%s%s%.*s", is_bare ? program : "", is_bare ? " " : "", (int)len, output);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct version *version = arg;
	ssize_t n = read(fd, version->output + version->len, sizeof(version->output) - 1 - version->len);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		version->len += (size_t)n;
	if (n > 0 && !memchr(version->output, '\n', version->len) && version->len < sizeof(version->output) - 1)
		return;
	version_clean(version->program, version->output, version->text, sizeof(version->text));
	version->is_known = true;
	event_del(version->readable);
	version->done(version->arg);
}

static int run(struct version *version, const struct server_ops *ops, const char *path)
{
	const char *const argv[] = {path, ops->version_arg, NULL};
	int fds[2];
	struct err err;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	version->fd = fds[0];
	version->pid = launch_start(&(struct launch){.path = path, .argv = argv, .dir = "/", .out_fd = fds[1]}, &err);
	close(fds[1]);
	return version->pid < 0 ? (int)version->pid : fd_set_nonblocking(fds[0]);
}

struct version *version_start(struct event_base *base, const struct server_ops *ops, const char *path,
			      void (*done)(void *arg), void *arg)
{
	struct version *version = calloc(1, sizeof(*version));

	if (!version)
		return NULL;
	version->fd = -1;
	version->program = ops->program;
	version->done = done;
	version->arg = arg;
	if (run(version, ops, path) < 0)
		goto fail;
	version->readable = event_new(base, version->fd, EV_READ | EV_PERSIST, on_readable, version);
	if (!version->readable || event_add(version->readable, NULL) < 0)
		goto fail;
	return version;
fail:
	version_free(version);
	return NULL;
}

void version_free(struct version *version)
{
	if (!version)
		return;
	if (version->readable)
		event_free(version->readable);
	if (version->fd >= 0)
		close(version->fd);
	free(version);
}

bool version_is_known(const struct version *version)
{
	return version->is_known;
}

pid_t version_pid(const struct version *version)
{
	return version->pid;
}

const char *version_text(const struct version *version)
{
	return version->text[0] ? version->text : NULL;
}
