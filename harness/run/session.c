/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "harness/base/fd.h"
#include "harness/engine/engine.h"
#include "harness/engine/keeper.h"
#include "harness/event/ndjson.h"
#include "harness/plan/topology.h"
#include "harness/run/loop.h"
#include "harness/run/runner.h"

#define FOLLOW_EVERY_US 100000

struct session {
	const struct plan *plan;
	const struct session_options *options;
	struct outdir_case files;
	int *stream_error; /* shared with the engine's init */
	struct engine_proc proc; /* of the lab's init; in a virtual machine pid is QEMU's */
	struct keeper keeper; /* zero: no fault could use it */
	struct vm *vm; /* NULL: none */
	struct err vm_err; /* what became of it, if it did not come to its end */
	struct event_base *base;
	struct event *events[5]; /* follow, SIGCHLD, SIGINT, SIGTERM, SIGHUP */
	off_t read_to; /* of events.ndjson */
	struct ndjson_lines lines;
	struct arena *arena; /* of the events of one reading */
	int64_t last_seq, last_t_ns;
	bool ended; /* run.end was seen */
	int status; /* of the process */
	int signal; /* that asked for the end */
};

/* Inside the engine: pid 1. */
static int inside(void *arg)
{
	struct session *session = arg;
	struct runner_options options = {
		.events_fd = session->options->outdir->events_fd,
		.logs_dirfd = session->files.logs_fd,
		.capture_fd = session->files.capture_fd,
		.capture_name = session->files.capture_name,
		.command = session->options->command,
		.engine = "netns",
		.abilities = session->options->abilities,
		.cgroup = keeper_tree(&session->keeper),
	};

	return runner_run(session->plan, &options, session->stream_error);
}

static int take_line(void *arg, const char *line, size_t len, struct err *err)
{
	struct session *session = arg;
	struct loc loc = {.file = "events.ndjson"};
	struct ev ev;
	int r = ev_decode(line, len, loc, session->arena, &ev, err);

	if (r)
		return r;
	session->last_seq = ev.seq;
	session->last_t_ns = ev.t_ns;
	session->ended = ev.kind == EV_RUN_END;
	if (session->options->watch)
		session->options->watch(session->options->arg, &ev);
	return 0;
}

/* Reads what was written since the last time. */
static int follow(struct session *session, struct err *err)
{
	char chunk[65536];
	ssize_t n;
	int r = 0;

	session->arena = arena_new();
	while (!r && (n = pread(session->options->outdir->events_fd, chunk, sizeof(chunk), session->read_to)) > 0) {
		session->read_to += n;
		r = ndjson_lines_feed(&session->lines, chunk, (size_t)n, take_line, session, err);
	}
	arena_free(TAKE(session->arena));
	return r;
}

static void on_follow(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct session *session = arg;
	struct err err = {0};

	follow(session, &err); /* a stream that cannot be read back is told at the end */
	if (session->vm)
		vm_tick(session->vm);
	if (session->options->watch)
		session->options->watch(session->options->arg, NULL);
}

static void on_child(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct session *session = arg;

	if (waitpid(session->proc.pid, &session->status, WNOHANG) == session->proc.pid)
		event_base_loopbreak(session->base);
}

static void on_signal(evutil_socket_t number, short what UNUSED, void *arg)
{
	struct session *session = arg;

	session->signal = (int)number;
	if (session->vm)
		vm_ask_end(session->vm);
	else
		kill(session->proc.pid, SIGTERM);
}

/* Under nohup a closed terminal is none of our business. */
static bool is_ignored(int number)
{
	struct sigaction action;

	return !sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN;
}

static int watch_engine(struct session *session, struct err *err)
{
	const struct timeval every = {.tv_usec = FOLLOW_EVERY_US};

	session->base = loop_new();
	if (!session->base)
		return err_set(err, -ENOMEM, LOC_NONE, "cannot make an event loop");
	session->events[0] = event_new(session->base, -1, EV_PERSIST, on_follow, session);
	session->events[1] = evsignal_new(session->base, SIGCHLD, on_child, session);
	session->events[2] = evsignal_new(session->base, SIGINT, on_signal, session);
	session->events[3] = evsignal_new(session->base, SIGTERM, on_signal, session);
	session->events[4] = evsignal_new(session->base, SIGHUP, on_signal, session);
	for (size_t i = 0; i < ARRAY_LEN(session->events); i++) {
		if (i == 4 && is_ignored(SIGHUP))
			continue;
		if (!session->events[i] || event_add(session->events[i], i ? NULL : &every))
			return err_set(err, -ENOMEM, LOC_NONE, "cannot watch the lab");
	}
	event_active(session->events[1], EV_SIGNAL, 1); /* it may have ended already */
	event_base_dispatch(session->base);
	return 0;
}

static void add_event(struct session *session, struct ev *ev, struct buf *out)
{
	ev->seq = ++session->last_seq;
	ev->t_ns = session->last_t_ns;
	ev_encode(ev, out);
}

static void say_how_it_ended(const struct session *session, char *buf, size_t size)
{
	if (session->vm)
		snprintf(buf, size, "%s", session->vm_err.text);
	else if (WIFSIGNALED(session->status))
		snprintf(buf, size, "the lab's init was killed by signal %d (%s)", WTERMSIG(session->status),
			 strsignal(WTERMSIG(session->status)));
	else
		snprintf(buf, size, "the lab's init ended with status %d before the run did",
			 WEXITSTATUS(session->status));
}

/* Init is gone and has not said run.end: says it in its place, if there is a run to end. */
static int close_stream(struct session *session, struct err *err)
{
	struct ev error = {.kind = EV_ERROR}, end = {.kind = EV_RUN_END, .run_end = {.reason = "error"}};
	struct buf text = {0};
	char message[sizeof(session->vm_err.text)];
	int r;

	say_how_it_ended(session, message, sizeof(message));
	if (session->last_seq < 0)
		return err_set(err, -ECHILD, LOC_NONE, "%s", message);
	error.error.message = message;
	add_event(session, &error, &text);
	add_event(session, &end, &text);
	r = text.failed ? -ENOMEM : fd_write_all(session->options->outdir->events_fd, text.data, text.len);
	buf_fini(&text);
	return r ? err_set(err, r, (struct loc){.file = session->options->outdir->path},
			   "cannot write events.ndjson: %s", strerror(-r))
		 : 0;
}

/* A line that was cut short, by a full disk say, is taken off: what stays is whole. */
static void drop_half_line(struct session *session)
{
	if (session->lines.rest.len &&
	    !ftruncate(session->options->outdir->events_fd, session->read_to - (off_t)session->lines.rest.len))
		buf_clear(&session->lines.rest);
}

static int judge_end(struct session *session, struct err *err)
{
	int r = follow(session, err);

	if (r)
		return r;
	if (session->vm && !vm_finish(session->vm, session->status, &session->vm_err) && !session->ended)
		err_set(&session->vm_err, -EIO, LOC_NONE, "the virtual machine ended before the run did");
	drop_half_line(session);
	if (*session->stream_error)
		return err_set(err, *session->stream_error, (struct loc){.file = session->options->outdir->path},
			       "cannot write events.ndjson: %s", strerror(-*session->stream_error));
	if (!session->ended)
		return close_stream(session, err);
	if (session->vm_err.code) /* its logs are missing */
		*err = session->vm_err;
	return session->vm_err.code;
}

static void close_session(struct session *session)
{
	for (size_t i = 0; i < ARRAY_LEN(session->events); i++) {
		if (session->events[i])
			event_free(session->events[i]);
	}
	if (session->base)
		event_base_free(session->base);
	fd_closep(&session->proc.alive_fd);
	keeper_stop(&session->keeper);
	vm_free(session->vm);
	ndjson_lines_fini(&session->lines);
	munmap(session->stream_error, sizeof(*session->stream_error));
}

/* The guest's words, and how the capture is called, which only now is known. */
static const char **vm_args(const struct session *session, const struct pack *pack, char *capture, size_t size)
{
	const char **args = calloc(pack->arg_count + 1, sizeof(*args));

	snprintf(capture, size, "--capture=%s", session->files.capture_name);
	for (size_t i = 0; args && i < pack->arg_count; i++)
		args[i ? i + 1 : 0] = pack->args[i];
	if (args)
		args[1] = capture;
	return args;
}

static int start_vm(struct session *session, struct err *err)
{
	const struct session_vm *wanted = session->options->vm;
	char capture[sizeof(session->files.capture_name) + 16];
	const char **args = vm_args(session, &wanted->pack, capture, sizeof(capture));
	struct vm_options options = {
		.qemu = wanted->qemu,
		.pack = wanted->pack,
		.seed = session->plan->seed,
		.clock_s = wanted->clock_s,
		.events_fd = session->options->outdir->events_fd,
		.capture_fd = session->files.capture_fd,
		.logs_dirfd = session->files.logs_fd,
	};
	int r;

	options.pack.args = args;
	options.pack.arg_count++;
	r = args ? vm_start(&options, &session->vm, err) : err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	free(args);
	if (!r)
		session->proc.pid = vm_pid(session->vm);
	return r;
}

static int start_engine(struct session *session, struct err *err)
{
	if (session->options->vm)
		return start_vm(session, err);
	if (topology_demands(session->plan->topology, INJECTOR_DEMANDS_QUOTA))
		keeper_start(&session->keeper);
	return engine_netns_start(inside, session, false, &session->proc, err);
}

int session_run(const struct plan *plan, const struct session_options *options, int *ret_signal, struct err *err)
{
	struct session session = {.plan = plan, .options = options, .files = *options->files, .last_seq = -1};
	int r;

	session.proc.alive_fd = -1;
	session.read_to = lseek(options->outdir->events_fd, 0, SEEK_END);
	session.stream_error =
		mmap(NULL, sizeof(*session.stream_error), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (session.stream_error == MAP_FAILED)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	r = start_engine(&session, err);
	if (!r)
		r = watch_engine(&session, err);
	if (!r)
		r = judge_end(&session, err);
	*ret_signal = session.signal;
	close_session(&session);
	return r;
}
