/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab built by hand for one test. What runs inside is another process, where cmocka's assertions do not reach: it says what was wrong in an err,
 * which the test case prints and fails with. Works as root and as an ordinary user.
 */
#pragma once
#include "harness/base/fd.h"
#include "harness/engine/engine.h"
#include "harness/lab/lab.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define CHECK(condition)                                                                                             \
	do {                                                                                                         \
		if (!(condition))                                                                                    \
			return err_set(err, -EBADMSG, LOC_NONE, "%s:%d: not so: %s (errno: %s)", __FILE__, __LINE__, \
				       #condition, strerror(errno));                                                 \
	} while (0)

typedef int fixture_body(struct lab *lab, struct err *err);

#define FIXTURE_HOSTS_MAX 80
#define FIXTURE_ADDRESSES_MAX 4

struct fixture {
	struct topology topology;
	struct topo_host hosts[FIXTURE_HOSTS_MAX];
	struct address addresses[FIXTURE_HOSTS_MAX][FIXTURE_ADDRESSES_MAX];
	fixture_body *body;
	int report_fd;
};

static inline struct topo_host *fixture_add_host(struct fixture *fixture, const char *name, enum host_role role,
						 const char *address, const char *second)
{
	size_t index = fixture->topology.host_count++;
	struct topo_host *host = &fixture->hosts[index];

	fixture->topology.hosts = fixture->hosts;
	host->name = name;
	host->role = role;
	host->addresses.v = fixture->addresses[index];
	if (address)
		assert_int_equal(address_parse(address, &host->addresses.v[host->addresses.count++]), 0);
	if (second)
		assert_int_equal(address_parse(second, &host->addresses.v[host->addresses.count++]), 0);
	return host;
}

static inline int fixture_inside(void *arg)
{
	struct fixture *fixture = arg;
	struct err err = {0};
	struct lab *lab = lab_open(&fixture->topology, &err);

	if (lab) {
		fixture->body(lab, &err);
		lab_close(lab);
	}
	return fd_write_all(fixture->report_fd, &err, sizeof(err)) ? 1 : 0;
}

/* Runs body in the fixture's lab. Its error is *ret_err. */
static inline void fixture_run(struct fixture *fixture, fixture_body *body, struct err *ret_err)
{
	struct engine_proc proc;
	struct err err = {0};
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	fixture->body = body;
	fixture->report_fd = fds[1];
	if (engine_netns_start(fixture_inside, fixture, false, &proc, &err))
		fail_msg("%s", err.text);
	close(fds[1]);
	if (read(fds[0], ret_err, sizeof(*ret_err)) != (ssize_t)sizeof(*ret_err))
		err_set(ret_err, -ECHILD, LOC_NONE, "the lab died");
	close(fds[0]);
	waitpid(proc.pid, NULL, 0);
	close(proc.alive_fd);
}

static inline void fixture_must(struct fixture *fixture, fixture_body *body)
{
	struct err err;

	fixture_run(fixture, body, &err);
	if (err.code)
		fail_msg("%s", err.text);
}
