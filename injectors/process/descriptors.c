/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * descriptors: the server may open no further files or sockets (RLIMIT_NOFILE lowered while it runs). What it has open stays, and what it closes it may open again; new connections, upstream sockets, transfers and
 * files fail with EMFILE. Some software ends.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "injectors/process/servers.h"

struct descriptors {
	struct injector injector;
	int64_t spare;
};

static const struct param params[] = {
	P_INT(struct descriptors, spare, "spare", 0, 1000000, 0,
	      "how many it may still open beyond those it has when the fault begins"),
	PARAM_END,
};

static const char *const complaints[] = {"too many open",           "EMFILE",
					 "out of file descriptors", "no more file descriptors",
					 "file descriptor limit",   NULL};

#define PROCESSES_MAX 64

/* The number that the next one to be opened would get: RLIMIT_NOFILE is one above the highest allowed (getrlimit(2)). */
static rlim_t lowest_free(pid_t pid)
{
	char path[64], target[1];

	for (rlim_t number = 0;; number++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%llu", (int)pid, (unsigned long long)number);
		if (readlink(path, target, sizeof(target)) < 0)
			return number;
	}
}

/* limit PARAM_UNSET: what is free, and spare. */
static int limit_one(pid_t pid, int64_t limit, int64_t spare)
{
	struct rlimit now;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &now))
		return errno == ESRCH ? 0 : -errno;
	now.rlim_cur = limit == PARAM_UNSET ? lowest_free(pid) + (rlim_t)spare : (rlim_t)limit;
	return prlimit(pid, RLIMIT_NOFILE, &now, NULL) && errno != ESRCH ? -errno : 0;
}

/* Every process of the server; those that come later inherit it. */
static int limit_all(const struct server_process *process, const struct injector_server *server, int64_t limit,
		     int64_t spare, struct err *err)
{
	pid_t pids[PROCESSES_MAX];
	ssize_t count = servers_pids(server_process_pid(process), pids, PROCESSES_MAX);
	int r = count < 0 ? (int)count : 0;

	for (ssize_t i = 0; !r && i < count && i < PROCESSES_MAX; i++)
		r = limit_one(pids[i], limit, spare);
	return r ? err_set(err, r, LOC_NONE, "limiting the descriptors of %s: %s", server->software->program,
			   strerror(-r))
		 : 0;
}

static int lower_one(struct injector *injector, struct server_process *process, struct injector_server *server,
		     struct err *err)
{
	struct rlimit was;
	int r = servers_hold(injector, process, server, err);

	if (r)
		return r;
	if (prlimit(server_process_pid(process), RLIMIT_NOFILE, NULL, &was))
		return err_set(err, -errno, LOC_NONE, "reading the limits of %s: %s", server->software->program,
			       strerror(errno));
	server->mark.count = (int64_t)was.rlim_cur;
	server->mark.more = servers_connections(server_process_pid(process));
	return limit_all(process, server, PARAM_UNSET, ((const struct descriptors *)injector)->spare, err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_each(injector, ctx, lower_one, err);
}

static int raise_one(struct injector *injector, struct server_process *process, struct injector_server *server,
		     struct err *err)
{
	int r = 0;

	if (server->mark.is_held && server->mark.count && server_process_pid(process) == server->mark.pid)
		r = limit_all(process, server, server->mark.count, 0, err);
	return r ? r : servers_release(injector, process, server, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_undo(injector, ctx, raise_one, err);
}

/* Any process of the server will do: not all of them accept. */
static bool is_full(pid_t group)
{
	pid_t pids[PROCESSES_MAX];
	ssize_t count = servers_pids(group, pids, PROCESSES_MAX);
	struct rlimit limit;

	for (ssize_t i = 0; i < count && i < PROCESSES_MAX; i++) {
		if (!prlimit(pids[i], RLIMIT_NOFILE, NULL, &limit) && lowest_free(pids[i]) >= limit.rlim_cur)
			return true;
	}
	return false;
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	servers_prove_by_log(injector, ctx, complaints, ret);
	if (ret->took_effect)
		return 0;
	/* Most software says nothing of a connection that it cannot accept. */
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		pid_t pid = process ? server_process_pid(process) : -1;
		int64_t came = servers_connections(pid) - server->mark.more;
		bool is_out = pid > 0 && is_full(pid);

		servers_prove(ret, is_out && came > 0, "%s of %s %s all its descriptors while %lld connection%s came",
			      server->software->program, server->host, is_out ? "had used" : "had not used",
			      (long long)came, came == 1 ? "" : "s");
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct descriptors *fault = (const struct descriptors *)injector;

	buf_printf(out, "leaves %lld free file descriptor%s to ", (long long)fault->spare,
		   fault->spare == 1 ? "" : "s");
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	const struct descriptors *fault = (const struct descriptors *)injector;
	char line[160];

	snprintf(line, sizeof(line),
		 "'for p in $(pidof %%s); do prlimit --pid $p --nofile=$(($(ls /proc/$p/fd | wc -l) + %lld)):; done'",
		 (long long)fault->spare);
	servers_commands(injector, to_apply, line);
	servers_commands(injector, to_revert, "'for p in $(pidof %s); do prlimit --pid $p --nofile=1048576:; done'");
}

const struct injector_ops descriptors_ops = {
	.kind = "descriptors",
	.summary = "the server is out of file descriptors: what it has open stays, nothing new opens",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct descriptors),
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
