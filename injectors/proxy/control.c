/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/base/buf.h"
#include "harness/base/fd.h"
#include "injectors/proxy/request.h"

#define CLIENTS_MAX 16
#define LINE_MAX_BYTES (1u << 20)

struct client {
	int fd; /* -1: free */
	struct buf in, out;
	size_t written;
};

struct control {
	struct control_state state;
	int listen_fd, signal_fd;
	int64_t drain_ns;
	bool is_draining;
	struct client clients[CLIENTS_MAX];
};

static int fill_path(const char *path, struct sockaddr_un *ret, struct err *err)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!*path || strlen(path) >= sizeof(ret->sun_path))
		return err_set(err, -EINVAL, LOC_NONE, "%s: a socket's path has 1 to %zu bytes", path,
			       sizeof(ret->sun_path) - 1);
	memcpy(ret->sun_path, path, strlen(path) + 1);
	return 0;
}

/* A socket that a proxy left behind which did not end by itself. */
static bool is_stale(const struct sockaddr_un *at)
{
	CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	return !lstat(at->sun_path, &st) && S_ISSOCK(st.st_mode) && fd >= 0 &&
	       connect(fd, (const struct sockaddr *)at, sizeof(*at)) && errno == ECONNREFUSED;
}

int control_listen(const char *path, struct err *err)
{
	CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un at;
	mode_t mask;
	int r = fill_path(path, &at, err);

	if (r)
		return r;
	if (is_stale(&at))
		unlink(path);
	mask = umask(077);
	r = fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, CLIENTS_MAX) ? -errno : 0;
	umask(mask);
	if (r)
		return err_set(err, r, LOC_NONE, "control socket %s: %s", path, strerror(-r));
	return TAKE_FD(fd);
}

static void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	buf_fini(&client->in);
	buf_fini(&client->out);
	*client = (struct client){.fd = -1};
}

/* Every whole line that has come. */
static void handle_lines(struct control *control, struct client *client)
{
	struct buf rest = {0};
	char *at = client->in.data, *end = at + client->in.len, *newline;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		request_handle(&control->state, at, (size_t)(newline - at), &client->out);
		at = newline + 1;
	}
	if (at == client->in.data)
		return;
	buf_add(&rest, at, (size_t)(end - at));
	buf_fini(&client->in);
	client->in = rest;
}

/* Says why, as far as it is read, and closes. */
static void refuse(int fd, const char *why)
{
	struct buf line = {0};

	buf_printf(&line, "{\"ok\":false,\"errors\":[\"%s\"]}\n", why);
	if (line.data)
		(void)!send(fd, line.data, line.len, MSG_NOSIGNAL);
	buf_fini(&line);
	close(fd);
}

static void client_read(struct control *control, struct client *client)
{
	char bytes[4096];
	ssize_t n = read(client->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		buf_add(&client->in, bytes, (size_t)n);
	if (n > 0 && !client->in.failed)
		handle_lines(control, client);
	if (client->in.len > LINE_MAX_BYTES) {
		refuse(client->fd, "a line has at most 1 MiB");
		client->fd = -1;
	}
	if (n <= 0 || client->in.failed || client->fd < 0)
		client_close(client);
}

static void client_write(struct client *client)
{
	ssize_t n =
		send(client->fd, client->out.data + client->written, client->out.len - client->written, MSG_NOSIGNAL);

	if (n > 0)
		client->written += (size_t)n;
	if (client->out.failed || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		client_close(client);
	} else if (client->written == client->out.len) {
		buf_clear(&client->out);
		client->written = 0;
	}
}

static void take_client(struct control *control)
{
	int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (size_t i = 0; fd >= 0 && i < CLIENTS_MAX; i++) {
		if (control->clients[i].fd < 0) {
			control->clients[i].fd = fd;
			return;
		}
	}
	if (fd >= 0)
		refuse(fd, "more clients than the proxy talks to at a time are connected: end one");
}

static void take_signal(struct control *control)
{
	struct signalfd_siginfo info;

	if (read(control->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	proxy_drain(control->state.proxy, control->is_draining ? 0 : control->drain_ns);
	control->is_draining = true;
}

static void serve(struct control *control, const struct pollfd *polled)
{
	if (polled[1].revents)
		take_signal(control);
	if (polled[2].revents)
		take_client(control);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &control->clients[i];

		if (polled[3 + i].revents & (POLLIN | POLLHUP | POLLERR))
			client_read(control, client);
		if (client->fd >= 0 && client->out.len)
			client_write(client);
	}
}

static int loop(struct control *control, struct err *err)
{
	struct pollfd polled[3 + CLIENTS_MAX] = {{.fd = proxy_done_fd(control->state.proxy), .events = POLLIN}};

	while (!polled[0].revents) {
		polled[1] = (struct pollfd){.fd = control->signal_fd, .events = POLLIN};
		polled[2] = (struct pollfd){.fd = control->listen_fd, .events = POLLIN};
		for (size_t i = 0; i < CLIENTS_MAX; i++) {
			const struct client *client = &control->clients[i];

			/* who does not read answers is not asked for more */
			polled[3 + i] = (struct pollfd){.fd = client->fd, .events = client->out.len ? POLLOUT : POLLIN};
		}
		if (poll(polled, ARRAY_LEN(polled), -1) < 0) {
			if (errno != EINTR)
				return err_set(err, -errno, LOC_NONE, "poll: %s", strerror(errno));
			continue;
		}
		serve(control, polled);
	}
	return 0;
}

int control_run(struct proxy *proxy, struct ruleset *rules, int listen_fd, int signal_fd, int64_t drain_ns,
		struct err *err)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control) {
		ruleset_drop(rules);
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	}
	control->state = (struct control_state){proxy, rules};
	control->listen_fd = listen_fd;
	control->signal_fd = signal_fd;
	control->drain_ns = drain_ns;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		control->clients[i].fd = -1;
	r = loop(control, err);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		client_close(&control->clients[i]);
	ruleset_drop(control->state.rules);
	free(control);
	return r;
}

static int read_line(int fd, char **ret_line)
{
	struct buf line = {0};
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			buf_add(&line, bytes, (size_t)n);
		if (line.len && line.data[line.len - 1] == '\n')
			break;
	}
	if (n <= 0 || line.failed) {
		buf_fini(&line);
		return -EPIPE;
	}
	line.data[line.len - 1] = '\0';
	*ret_line = line.data;
	return 0;
}

int control_ask(const char *path, const char *request, char **ret_line, struct err *err)
{
	CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at;
	int r = fill_path(path, &at, err);

	if (r)
		return r;
	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)))
		return err_set(err, -errno, LOC_NONE, "%s: %s: no proxy was started with --control %s", path,
			       strerror(errno), path);
	r = fd_write_all(fd, request, strlen(request));
	if (!r)
		r = fd_write_all(fd, "\n", 1);
	if (!r || r == -EPIPE || r == -ECONNRESET) /* who closes may have said why */
		r = read_line(fd, ret_line);
	return r ? err_set(err, r, LOC_NONE, "%s: the proxy ended before it answered", path) : 0;
}
