/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network of the test's own, hosts that are simply this process, and the samples a probe gave. Included by one test program each: it defines the
 * functions of api/host.h.
 */
#pragma once
#include "harness/api/probe.h"
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

struct host {
	int fail_with; /* errno that host_socket gives instead of a socket */
	pid_t child; /* that host_fork made last */
};

const char *host_name(const struct host *host UNUSED)
{
	return "office";
}

int host_socket(struct host *host, int domain, int type, int protocol)
{
	int fd;

	if (host->fail_with)
		return -host->fail_with;
	fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	return fd < 0 ? -errno : fd;
}

pid_t host_fork(struct host *host)
{
	pid_t pid = fork();

	if (pid > 0)
		host->child = pid;
	return pid < 0 ? -errno : pid;
}

static inline void sandbox_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* User, network and mount namespaces of our own, as root or not; lo up, so that 127.0.0.0/8, ::1 and port 53 are ours. */
static inline int sandbox_enter(void **state UNUSED)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	char map[64];
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	assert_int_equal(unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS), 0);
	sandbox_write("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	sandbox_write("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	sandbox_write("/proc/self/gid_map", map);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
	return 0;
}

#define SEEN_MAX 4096

struct seen {
	enum outcome outcome;
	int64_t i, due_ns, sent_ns, done_ns;
	char rcode[32], detail[256], answer[256], name[300];
};

/* One probe and what it gave. */
struct sandbox {
	struct event_base *base;
	struct host host;
	struct probe_ctx ctx;
	struct seen seen[SEEN_MAX]; /* in the order of ending */
	size_t count, wanted;
};

static inline void sandbox_copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static inline void sandbox_done(void *arg, const struct ev_sample *sample)
{
	struct sandbox *box = arg;
	struct seen *seen = &box->seen[box->count++];

	*seen = (struct seen){.outcome = sample->outcome,
			      .i = sample->i,
			      .due_ns = sample->due_ns,
			      .sent_ns = sample->sent_ns,
			      .done_ns = sample->done_ns};
	assert_string_equal(sample->probe, "www");
	sandbox_copy(seen->rcode, sizeof(seen->rcode), sample->rcode);
	sandbox_copy(seen->detail, sizeof(seen->detail), sample->detail);
	sandbox_copy(seen->name, sizeof(seen->name), sample->name);
	for (size_t i = 0; i < sample->answer.count; i++)
		snprintf(seen->answer + strlen(seen->answer), sizeof(seen->answer) - strlen(seen->answer), "%s%s",
			 i ? "|" : "", sample->answer.v[i]);
	if (box->count == box->wanted)
		event_base_loopbreak(box->base);
}

static inline struct sandbox *sandbox_new(struct probe_server *servers, size_t server_count)
{
	struct sandbox *box = calloc(1, sizeof(*box));
	struct event_config *config = event_config_new();

	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	box->base = event_base_new_with_config(config);
	event_config_free(config);
	box->ctx = (struct probe_ctx){.base = box->base,
				      .host = &box->host,
				      .epoch_ns = clock_now_ns(),
				      .seed = 42,
				      .servers = servers,
				      .server_count = server_count,
				      .done = sandbox_done,
				      .arg = box};
	return box;
}

static inline int64_t sandbox_now(const struct sandbox *box)
{
	return clock_now_ns() - box->ctx.epoch_ns;
}

/* Runs the loop until that many samples have ended. */
static inline void sandbox_await(struct sandbox *box, size_t count)
{
	box->wanted = count;
	if (box->count < count)
		event_base_dispatch(box->base);
	assert_int_equal(box->count, count);
}

static inline void sandbox_free(struct sandbox *box)
{
	event_base_free(box->base);
	free(box);
}

static inline struct probe_server sandbox_server(const char *host, const char *address)
{
	struct probe_server server = {.host = host};

	assert_int_equal(address_parse(address, &server.address), 0);
	return server;
}
