/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server that is ended and started again while the lab stands.
 *
 *   AGAIN_NO ──start──▶ AGAIN_WANTED ──it is gone, delay over──▶ AGAIN_WATCHED ──it answers──▶ AGAIN_NO
 */
#include "harness/api/server_process.h"
#include "harness/base/clock.h"
#include "harness/base/macro.h"
#include "harness/run/bringup_internal.h"
#include "harness/run/launch.h"
#include "harness/run/loop.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define ANSWER_LIMIT_NS (30 * SEC)
#define PATIENCE_NS (10 * SEC)
#define LOOK_AGAIN_NS MSEC /* whether the last one's children are gone */

struct host *server_process_host(const struct server_process *server)
{
	return server->host;
}

const struct server_ops *server_process_software(const struct server_process *server)
{
	return server->topo->server;
}

const struct server_spec *server_process_spec(const struct server_process *server)
{
	return server->spec;
}

pid_t server_process_pid(const struct server_process *server)
{
	return server->pid > 0 ? server->pid : -ESRCH;
}

bool server_process_has_answered(const struct server_process *server)
{
	return server->state == STATE_READY;
}

int64_t server_process_crashes(const struct server_process *server)
{
	return server->crashes;
}

int server_process_log_fd(const struct server_process *server)
{
	return server->log_fd;
}

struct server_clock *server_process_clock(const struct server_process *server)
{
	return server->clock;
}

const struct cgroup_leaf *server_process_cgroup(const struct server_process *server)
{
	return server->has_cgroup ? &server->cgroup : NULL;
}

void server_process_allow_exit(struct server_process *server, const char *cause)
{
	server->exits_allowed++;
	server->cause = cause;
}

void server_process_forbid_exit(struct server_process *server)
{
	if (server->exits_allowed)
		server->exits_allowed--;
}

static bool ends(int signal)
{
	return signal == SIGTERM || signal == SIGKILL || signal == SIGINT || signal == SIGQUIT || signal == SIGABRT ||
	       signal == SIGSEGV;
}

int server_process_signal(struct server_process *server, int signal, struct err *err)
{
	if (server->pid <= 0)
		return 0;
	server->is_ending |= ends(signal);
	if (kill(-server->pid, signal) && errno != ESRCH)
		return err_set(err, -errno, LOC_NONE, "sending signal %d (%s) to %s of %s: %s", signal,
			       strsignal(signal), server->topo->server->name, server->topo->name, strerror(errno));
	return 0;
}

int server_process_configure(struct server_process *server, const struct server_spec *spec, struct err *err)
{
	int r = bringup_configure(server, spec ? spec : server->spec, err);

	return r < 0 ? err_wrap(err, "%s (%s)", server->topo->name, server->topo->server->name) : 0;
}

static void drop_timers(struct server_process *server)
{
	if (server->later)
		evtimer_del(server->later);
	if (server->patience)
		evtimer_del(server->patience);
}

/* Whoever asked is told, else the run. */
static void tell(struct server_process *server, const struct err *err)
{
	const struct bringup_options *options = &server->bringup->options;
	struct server_start start = server->start;

	drop_timers(server);
	server->again = AGAIN_NO;
	server->start = (struct server_start){0};
	if (start.done)
		start.done(start.arg, err);
	else if (err && options->on_lost)
		options->on_lost(options->arg, server->topo, err);
}

static void lose(struct server_process *server, const char *what)
{
	struct arena *arena = server->bringup->arena;
	const char *tail = launch_log_tail(server->log_fd, TAIL_LINES, TAIL_BYTES, arena);
	struct err err;

	ready_cancel(TAKE(server->ready));
	err_set(&err, -EIO, server->topo->loc, "%s (%s) was started again and %s; its log ends:\n%s",
		server->topo->name, server->topo->server->name, what, tail[0] ? tail : "(nothing)");
	tell(server, &err);
}

static void on_answer(void *arg)
{
	struct server_process *server = arg;
	const struct bringup_options *options = &server->bringup->options;

	ready_cancel(TAKE(server->ready));
	server->state = STATE_READY;
	tell(server, NULL);
	if (options->on_answer)
		options->on_answer(options->arg, server->topo, clock_now_ns() - server->started_ns);
}

/* Until it answers, or has had its time. */
static void watch(struct server_process *server)
{
	struct err err = {0};

	server->again = AGAIN_WATCHED;
	server->started_ns = clock_now_ns();
	if (!server->ask.name_count) { /* serves nothing: there is nothing it could be asked for */
		on_answer(server);
		return;
	}
	server->ask.takes_anything = true;
	server->ask.name_count = 1;
	server->ask.rounds = 1;
	ready_cancel(server->ready);
	server->ready = ready_start(server->bringup->base, &server->ask, on_answer, server, &err);
	if (!server->ready || loop_arm(server->patience, server->started_ns + ANSWER_LIMIT_NS))
		lose(server, "could not be asked whether it answers");
}

static void start_now(struct server_process *server)
{
	const struct bringup_options *options = &server->bringup->options;
	struct err err = {0};

	evtimer_del(server->patience);
	server->is_ending = false;
	if (bringup_launch(server, &err) < 0) {
		tell(server, &err);
		return;
	}
	if (options->on_start)
		options->on_start(options->arg, server->topo);
	watch(server);
}

/* Children of the last one that still hold its port are not waited for by anybody else. */
static void on_later(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct server_process *server = arg;

	if (server->old_group > 0 && !kill(-server->old_group, SIGKILL))
		loop_arm(server->later, clock_now_ns() + LOOK_AGAIN_NS);
	else
		start_now(server);
}

static void on_patience(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct server_process *server = arg;

	if (server->again == AGAIN_WATCHED)
		lose(server, "did not answer within 30 s");
	else if (server->pid > 0)
		kill(-server->pid, SIGKILL);
}

static int make_timers(struct server_process *server, struct err *err)
{
	struct event_base *base = server->bringup->base;

	if (!server->later)
		server->later = evtimer_new(base, on_later, server);
	if (!server->patience)
		server->patience = evtimer_new(base, on_patience, server);
	return server->later && server->patience ? 0 : err_set(err, -ENOMEM, LOC_NONE, "out of memory");
}

int server_process_start(struct server_process *server, const struct server_start *start, struct err *err)
{
	int64_t now_ns = clock_now_ns();
	int r = make_timers(server, err);

	if (r < 0)
		return r;
	if (server->again == AGAIN_WATCHED && !server->is_ending) { /* on its way already */
		server->start = *start;
		return 0;
	}
	server_process_cancel_start(server);
	if (server->pid > 0 && !server->is_ending && server->state == STATE_READY && !start->done)
		return 0;
	server->start = *start;
	server->again = AGAIN_WANTED;
	if (server->pid <= 0)
		loop_arm(server->later, now_ns + start->delay_ns);
	else if (server->is_ending)
		loop_arm(server->patience, now_ns + (start->patience_ns ? start->patience_ns : PATIENCE_NS));
	else
		watch(server);
	return 0;
}

void server_process_cancel_start(struct server_process *server)
{
	if (server->again != AGAIN_WANTED)
		return;
	drop_timers(server);
	server->again = AGAIN_NO;
	server->start = (struct server_start){0};
}

void server_process_ended(struct server_process *server, const char *status)
{
	const struct bringup_options *options = &server->bringup->options;
	const char *tail = launch_log_tail(server->log_fd, TAIL_LINES, TAIL_BYTES, server->bringup->arena);

	const char *cause = server->exits_allowed || server->is_ending ? server->cause : NULL;

	server->crashes += !server->is_ending;
	server->is_ending = false;
	ready_cancel(TAKE(server->ready));
	if (server->again == AGAIN_WATCHED && (!server->exits_allowed || server->start.done)) {
		lose(server, arena_printf(server->bringup->arena, "%s before it answered", status));
		return;
	}
	if (server->again == AGAIN_WATCHED) { /* it was not meant to live longer */
		drop_timers(server);
		server->again = AGAIN_NO;
	}
	if (options->on_exit)
		options->on_exit(options->arg, server->topo, status, tail, cause);
	if (server->again == AGAIN_WANTED)
		loop_arm(server->later, clock_now_ns() + server->start.delay_ns);
}

void server_process_forget(struct server_process *server)
{
	if (server->later)
		event_free(TAKE(server->later));
	if (server->patience)
		event_free(TAKE(server->patience));
	server->again = AGAIN_NO;
}
