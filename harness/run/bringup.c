/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/bringup.h"
#include "harness/base/clock.h"
#include "harness/base/macro.h"
#include "harness/run/bringup_internal.h"
#include "harness/run/launch.h"
#include "harness/servers/common.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define DEFAULT_LIMIT_NS (30 * SEC)
#define SECONDARY_ROUNDS 5

static void finish(struct bringup *bringup)
{
	if (bringup->is_finishing)
		return;
	bringup->is_finishing = true;
	evtimer_del(bringup->limit);
	event_active(bringup->finish, EV_TIMEOUT, 1); /* not from here: done may free us */
}

static void on_finish(evutil_socket_t fd, short what, void *arg)
{
	struct bringup *bringup = arg;

	(void)fd, (void)what;
	bringup->is_done = true;
	bringup->options.done(bringup->options.arg, bringup->has_failed ? &bringup->err : NULL);
}

/* The failure of one server, in words: what it did, what it was asked, what it wrote. */
static void fail(struct server_process *server, const char *what)
{
	struct bringup *bringup = server->bringup;
	struct buf text = {0};
	const char *tail;

	if (bringup->has_failed || bringup->is_done || bringup->is_stopping)
		return;
	buf_printf(&text, "%s (%s) %s", server->topo->name, server->topo->server->name, what);
	if (server->ready) {
		buf_puts(&text, "; asked for ");
		ready_describe(server->ready, &text);
	}
	tail = launch_log_tail(server->log_fd, TAIL_LINES, TAIL_BYTES, bringup->arena);
	buf_printf(&text, tail[0] ? "; its log ends:\n%s" : "; it wrote no log%s", tail);
	bringup->has_failed = true;
	err_set(&bringup->err, -EIO, server->topo->loc, "%s", text.data ? text.data : "out of memory");
	buf_fini(&text);
	finish(bringup);
}

static const char *const root_name[] = {"."};

/* The host that bears an address, or NULL. */
static struct server_process *server_at(struct bringup *bringup, const struct address *address)
{
	const struct topo_host *host = topology_host_at(bringup->topology, address);

	return host ? &bringup->servers[host - bringup->topology->hosts] : NULL;
}

/* What to ask a resolver: the root's NS set, which warms nothing but what priming warms. One that forwards to a nameserver can only be asked what
 * that one serves. */
static void ask_resolver(struct server_process *server)
{
	const struct addresses *forward = server->topo->forward;
	struct server_process *target = forward && forward->count ? server_at(server->bringup, &forward->v[0]) : NULL;

	server->ask.names = root_name;
	server->ask.name_count = 1;
	if (target && target->spec && target->spec->role == SERVER_AUTHORITATIVE && target->spec->zone_count)
		server->ask.names = &target->spec->zones[0].name;
}

static void set_ask(struct server_process *server)
{
	const struct server_spec *spec = server->spec;
	const char **names;
	bool *are_signed;

	server->ask.host = server->host;
	server->ask.addresses = &server->topo->addresses;
	server->ask.encrypted = spec->tls.serves;
	server->ask.is_authoritative = spec->role == SERVER_AUTHORITATIVE;
	/* nsd's old process answers SERVFAIL beside its new one for some milliseconds after a transfer. */
	server->ask.rounds = server->topo->primary ? SECONDARY_ROUNDS : 1;
	if (!server->ask.is_authoritative) {
		ask_resolver(server);
		return;
	}
	names = ARENA_ARRAY(server->bringup->arena, const char *, spec->zone_count + 1);
	are_signed = ARENA_ARRAY(server->bringup->arena, bool, spec->zone_count + 1);
	server->ask.name_count = 0;
	for (size_t i = 0; i < spec->zone_count; i++) {
		size_t n = server->ask.name_count;

		if (spec->zones[i].catalog == SERVER_CATALOG) /* some answer nobody about it; its members show it */
			continue;
		names[n] = spec->zones[i].name;
		are_signed[n] = spec->zones[i].signing && spec->zones[i].signing->is_by_server;
		if (are_signed[n]) /* it may go on signing for a moment */
			server->ask.rounds = SECONDARY_ROUNDS;
		server->ask.name_count++;
	}
	server->ask.names = names;
	server->ask.are_signed = are_signed;
}

static bool is_up(const struct server_process *server)
{
	return server->state == STATE_NONE || server->state == STATE_READY;
}

/* A secondary's first transfer and a resolver's first questions shall not fail: how long each then waits differs from software to
 * software, and some remember. */
static bool may_start(struct server_process *server)
{
	struct bringup *bringup = server->bringup;
	const struct topology *topology = bringup->topology;
	const struct addresses *forward = server->topo->forward;

	if (server->spec->role == SERVER_AUTHORITATIVE)
		return !server->topo->primary || is_up(&bringup->servers[server->topo->primary - topology->hosts]);
	for (size_t i = 0; i < topology->host_count; i++) {
		if (bringup->servers[i].state != STATE_NONE && bringup->servers[i].spec->role == SERVER_AUTHORITATIVE &&
		    !is_up(&bringup->servers[i]))
			return false;
	}
	for (size_t i = 0; forward && i < forward->count; i++) {
		const struct server_process *target = server_at(bringup, &forward->v[i]);

		if (target && target != server && !is_up(target))
			return false;
	}
	return true;
}

static void progress(struct bringup *bringup);

static void on_ready(void *arg)
{
	struct server_process *server = arg;

	ready_cancel(server->ready);
	server->ready = NULL;
	server->state = STATE_READY;
	progress(server->bringup);
}

int bringup_launch(struct server_process *server, struct err *err)
{
	struct launch launch = {
		.host = server->host,
		.path = server->path,
		.argv = server->command.argv,
		.env = server->env,
		.dir = server->spec->dir,
		.cgroup = server_process_cgroup(server),
		.out_fd = server->log_fd,
	};
	pid_t pid = launch_start(&launch, err);

	if (pid < 0)
		return (int)pid;
	server->pid = pid;
	server->state = STATE_STARTED;
	set_ask(server);
	return 0;
}

static int start_server(struct server_process *server)
{
	struct bringup *bringup = server->bringup;
	int r = bringup_launch(server, &bringup->err);

	if (r < 0)
		return r;
	if (!server->ask.name_count) { /* serves nothing: there is nothing it could be asked for */
		server->state = STATE_READY;
		return 0;
	}
	server->ready = ready_start(bringup->base, &server->ask, on_ready, server, &bringup->err);
	return server->ready ? 0 : bringup->err.code;
}

/* Starts what may start. Returns how many did, or a negative errno with bringup->err filled. */
static int start_due(struct bringup *bringup, bool is_forced)
{
	int started = 0;

	for (size_t i = 0; i < bringup->topology->host_count; i++) {
		struct server_process *server = &bringup->servers[i];
		int r;

		if (server->state != STATE_WAITING || (!is_forced && !may_start(server)))
			continue;
		r = start_server(server);
		if (r < 0) {
			err_wrap(&bringup->err, "%s (%s)", server->topo->name, server->topo->server->name);
			return r;
		}
		started++;
	}
	return started;
}

static size_t count_state(const struct bringup *bringup, enum state state)
{
	size_t count = 0;

	for (size_t i = 0; i < bringup->topology->host_count; i++)
		count += bringup->servers[i].state == state;
	return count;
}

static bool are_versions_known(const struct bringup *bringup)
{
	for (size_t i = 0; i < bringup->software_count; i++)
		if (bringup->software[i].version && !version_is_known(bringup->software[i].version))
			return false;
	return true;
}

static void progress(struct bringup *bringup)
{
	int r;

	if (bringup->is_finishing || bringup->is_stopping)
		return;
	do
		r = start_due(bringup, false);
	while (r > 0 && count_state(bringup, STATE_WAITING) && !count_state(bringup, STATE_STARTED));
	/* Those that wait for each other in a ring can only be started all at once. */
	if (r == 0 && count_state(bringup, STATE_WAITING) && !count_state(bringup, STATE_STARTED))
		r = start_due(bringup, true);
	if (r < 0) {
		bringup->has_failed = true;
		finish(bringup);
		return;
	}
	if (count_state(bringup, STATE_WAITING) + count_state(bringup, STATE_STARTED) > 0)
		return;
	if (!bringup->took_ns)
		bringup->took_ns = clock_now_ns() - bringup->start_ns;
	if (are_versions_known(bringup))
		finish(bringup);
}

static void on_version(void *arg)
{
	progress(arg);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct bringup *bringup = arg;
	char text[160];
	size_t left = count_state(bringup, STATE_STARTED);

	(void)fd, (void)what;
	for (size_t i = 0; i < bringup->topology->host_count; i++) {
		struct server_process *server = &bringup->servers[i];

		if (server->state != STATE_STARTED)
			continue;
		snprintf(text, sizeof(text), "did not answer within %.3g s", (double)bringup->options.limit_ns / SEC);
		if (left > 1)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " (nor did %zu other%s)", left - 1,
				 left > 2 ? "s" : "");
		fail(server, text);
		return;
	}
	finish(bringup); /* only a version is not known: it stays so */
}

static void end_grace(evutil_socket_t fd, short what, void *arg)
{
	struct bringup *bringup = arg;

	(void)fd, (void)what;
	for (size_t i = 0; i < bringup->topology->host_count; i++) {
		if (bringup->servers[i].pid <= 0)
			continue;
		kill(-bringup->servers[i].pid, SIGKILL); /* its session, helpers included */
		kill(bringup->servers[i].pid, SIGKILL);
	}
}

static bool is_any_alive(const struct bringup *bringup)
{
	for (size_t i = 0; i < bringup->topology->host_count; i++)
		if (bringup->servers[i].pid > 0)
			return true;
	return false;
}

void bringup_stop(struct bringup *bringup, int64_t grace_ns, void (*stopped)(void *arg), void *arg)
{
	struct timeval grace = {.tv_sec = grace_ns / SEC, .tv_usec = grace_ns % SEC / NSEC_PER_USEC};

	if (!bringup->is_stopping) {
		bringup->is_stopping = true;
		evtimer_del(bringup->limit);
		event_del(bringup->finish);
		for (size_t i = 0; i < bringup->topology->host_count; i++) {
			struct server_process *server = &bringup->servers[i];

			ready_cancel(server->ready);
			server->ready = NULL;
			server_process_forget(server);
			if (server->pid > 0 && !kill(server->pid, SIGTERM))
				kill(-server->pid, SIGCONT); /* one that a fault had stopped */
		}
	}
	bringup->stopped = stopped;
	bringup->stopped_arg = arg;
	if (is_any_alive(bringup))
		evtimer_add(bringup->grace, &grace);
	else
		stopped(arg);
}

static void server_exited(struct server_process *server, int status)
{
	struct bringup *bringup = server->bringup;
	const char *words = launch_status(status, bringup->arena);

	server->old_group = server->pid;
	server->pid = 0;
	if (bringup->is_stopping) {
		server->state = STATE_GONE;
		if (is_any_alive(bringup))
			return;
		evtimer_del(bringup->grace);
		bringup->stopped(bringup->stopped_arg); /* may free us */
		return;
	}
	if (!bringup->is_done) {
		fail(server, arena_printf(bringup->arena, "%s before the lab was up", words));
	}
	server->state = STATE_GONE;
	if (bringup->is_done && !bringup->has_failed)
		server_process_ended(server, words);
}

bool bringup_child_exited(struct bringup *bringup, pid_t pid, int status)
{
	for (size_t i = 0; i < bringup->topology->host_count; i++) {
		if (bringup->servers[i].pid == pid) {
			server_exited(&bringup->servers[i], status);
			return true;
		}
	}
	for (size_t i = 0; i < bringup->software_count; i++)
		if (bringup->software[i].version && version_pid(bringup->software[i].version) == pid)
			return true;
	return false;
}

pid_t bringup_pid(const struct bringup *bringup, const struct topo_host *host)
{
	pid_t pid = bringup->servers[host - bringup->topology->hosts].pid;

	return pid > 0 ? pid : -ESRCH;
}

struct server_process *bringup_process(struct bringup *bringup, const char *host)
{
	for (size_t i = 0; i < bringup->topology->host_count; i++)
		if (bringup->servers[i].spec && bringup->topology->hosts[i].server &&
		    !strcmp(bringup->topology->hosts[i].name, host))
			return &bringup->servers[i];
	return NULL;
}

bool bringup_is_settled(const struct bringup *bringup)
{
	for (size_t i = 0; i < bringup->topology->host_count; i++)
		if (bringup->servers[i].again != AGAIN_NO)
			return false;
	return true;
}

const char *bringup_version(const struct bringup *bringup, const struct topo_host *host)
{
	for (size_t i = 0; host->server && i < bringup->software_count; i++)
		if (bringup->software[i].ops == host->server)
			return bringup->software[i].version ? version_text(bringup->software[i].version) : NULL;
	return NULL;
}

const char *bringup_trust_anchor(const struct bringup *bringup)
{
	return bringup->trust_anchor;
}

int64_t bringup_took_ns(const struct bringup *bringup)
{
	return bringup->took_ns;
}

/* A version that cannot be asked for is no reason to fail. */
static void ask_versions(struct bringup *bringup)
{
	bringup->software = ARENA_ARRAY(bringup->arena, struct software, bringup->topology->host_count + 1);
	for (size_t i = 0; i < bringup->topology->host_count; i++) {
		const struct server_ops *ops = bringup->topology->hosts[i].server;
		const char *path;
		size_t k = 0;

		while (k < bringup->software_count && bringup->software[k].ops != ops)
			k++;
		if (!ops || k < bringup->software_count)
			continue;
		path = server_find_program(ops->program, bringup->arena);
		bringup->software[bringup->software_count++] = (struct software){
			.ops = ops,
			.version = path ? version_start(bringup->base, ops, path, on_version, bringup) : NULL,
		};
	}
}

static int make_events(struct bringup *bringup, struct err *err)
{
	int64_t limit_ns = bringup->options.limit_ns;
	struct timeval limit = {.tv_sec = limit_ns / SEC, .tv_usec = limit_ns % SEC / NSEC_PER_USEC};

	bringup->limit = evtimer_new(bringup->base, on_limit, bringup);
	bringup->finish = evtimer_new(bringup->base, on_finish, bringup);
	bringup->grace = evtimer_new(bringup->base, end_grace, bringup);
	if (!bringup->limit || !bringup->finish || !bringup->grace || evtimer_add(bringup->limit, &limit) < 0)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	return 0;
}

struct bringup *bringup_start(struct event_base *base, struct lab *lab, const struct topology *topology,
			      const struct bringup_options *options, struct err *err)
{
	struct arena *arena = arena_new();
	struct bringup *bringup = ARENA_NEW(arena, struct bringup);

	*bringup =
		(struct bringup){.base = base, .lab = lab, .topology = topology, .options = *options, .arena = arena};
	if (!bringup->options.limit_ns)
		bringup->options.limit_ns = DEFAULT_LIMIT_NS;
	bringup->start_ns = clock_now_ns();
	bringup->servers = ARENA_ARRAY(arena, struct server_process, topology->host_count + 1);
	for (size_t i = 0; i < topology->host_count; i++)
		bringup->servers[i].log_fd = -1;
	if (bringup_prepare(bringup, err) < 0 || make_events(bringup, err) < 0) {
		bringup_free(bringup);
		return NULL;
	}
	progress(bringup);
	ask_versions(bringup);
	return bringup;
}

void bringup_free(struct bringup *bringup)
{
	if (!bringup)
		return;
	for (size_t i = 0; i < bringup->topology->host_count; i++) {
		ready_cancel(bringup->servers[i].ready);
		server_process_forget(&bringup->servers[i]);
		server_clock_close(bringup->servers[i].clock);
		if (bringup->servers[i].has_cgroup)
			cgroup_leaf_close(&bringup->servers[i].cgroup);
		if (bringup->servers[i].log_fd >= 0)
			close(bringup->servers[i].log_fd);
	}
	for (size_t i = 0; i < bringup->software_count; i++)
		version_free(bringup->software[i].version);
	if (bringup->limit)
		event_free(bringup->limit);
	if (bringup->finish)
		event_free(bringup->finish);
	if (bringup->grace)
		event_free(bringup->grace);
	arena_free(bringup->arena);
}
