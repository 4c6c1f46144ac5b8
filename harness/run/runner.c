/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/runner.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/event/ndjson.h"
#include "harness/lab/capture.h"
#include "harness/run/announce.h"
#include "harness/run/bringup.h"
#include "harness/run/control.h"
#include "harness/run/jobs.h"
#include "harness/run/loop.h"
#include "harness/run/needed.h"
#include "harness/run/probing.h"
#include "harness/run/steps.h"
#include "harness/run/timeline.h"
#include "harness/run/undo.h"

#define STOP_GRACE_NS (2 * SEC) /* for servers to end by themselves */
#define SETTLE_NS (100 * MSEC) /* between "everything answers" and the timeline's zero */

struct runner {
	const struct plan *plan;
	const struct runner_options *options;
	struct arena *arena;
	struct bus *bus;
	struct ndjson_writer *writer;
	struct event_base *base;
	struct event *signals[3];
	struct event *zero; /* the timeline's start */
	struct event *next; /* next moment of the timeline */
	struct event *finish; /* ends the run from the top of the loop, not from within a probe */
	struct lab *lab;
	struct capture *capture;
	struct bringup *bringup;
	struct probing *probing;
	struct injector_ctx injector_ctx;
	struct undo *undo;
	struct timeline *timeline;
	struct needed needed; /* children of the faults that stand */
	struct jobs *jobs;
	struct control control;
	struct control_lab control_lab;
	struct steps *steps;
	int64_t zero_ns; /* CLOCK_MONOTONIC of the timeline's start */
	bool is_prepared; /* the faults, or some of them */
	bool timeline_over, stopping;
	bool has_failed; /* a fault's job did: the run goes on, and is an error */
	const char *reason; /* of run.end */
};

static void stop_capture(struct runner *runner)
{
	struct ev ev = {.kind = EV_CAPTURE_END};
	struct err err = {0};
	int r;

	if (!runner->capture)
		return;
	r = capture_stop(TAKE(runner->capture), &ev.capture_end.packets, &ev.capture_end.dropped, &err);
	if (r) {
		bus_error(runner->bus, NULL, &err);
		runner->reason = "error";
		return;
	}
	bus_emit(runner->bus, &ev);
}

static void servers_stopped(void *arg)
{
	struct runner *runner = arg;

	event_base_loopbreak(runner->base);
}

static int prepare_faults(struct runner *runner, struct err *err)
{
	runner->is_prepared = true;
	return undo_prepare(runner->undo, runner->plan->faults, runner->plan->fault_count, err);
}

static void release_faults(struct runner *runner)
{
	struct err err = {0};

	if (!runner->is_prepared || !undo_release(runner->undo, runner->plan->faults, runner->plan->fault_count, &err))
		return;
	bus_error(runner->bus, NULL, &err);
	runner->reason = "error";
}

/* The one way out: whatever stands is undone first, then probes, capture, servers. */
static void stop(struct runner *runner, const char *reason)
{
	if (runner->stopping)
		return;
	runner->stopping = true;
	runner->reason = reason;
	if (runner->next)
		event_del(runner->next);
	if (runner->zero)
		event_del(runner->zero);
	if (runner->undo && undo_all(runner->undo))
		runner->reason = "error";
	probing_close(TAKE(runner->probing));
	if (!strcmp(runner->reason, "complete")) /* else the lab goes down with them */
		jobs_wait(runner->jobs);
	if (runner->has_failed)
		runner->reason = "error";
	stop_capture(runner);
	release_faults(runner);
	if (runner->bringup)
		bringup_stop(runner->bringup, STOP_GRACE_NS, servers_stopped, runner);
	else
		event_base_loopbreak(runner->base);
}

static void fail(struct runner *runner, const char *host, const struct err *err)
{
	bus_error(runner->bus, host, err);
	stop(runner, "error");
}

static void finish_now(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct runner *runner = arg;

	stop(runner, ndjson_writer_error(runner->writer) ? "error" : "complete");
}

/* A bus sink behind the writer: a drill whose evidence cannot be written is over. */
static void watch_stream(void *arg, const struct ev *ev)
{
	struct runner *runner = arg;

	if (runner->probing)
		probing_watch(runner->probing, ev);
	if (runner->finish && !runner->stopping && ndjson_writer_error(runner->writer))
		event_active(runner->finish, EV_TIMEOUT, 0);
}

static void finish_if_done(struct runner *runner)
{
	if (runner->timeline_over && probing_is_idle(runner->probing) && bringup_is_settled(runner->bringup) &&
	    steps_are_idle(runner->steps))
		event_active(runner->finish, EV_TIMEOUT, 0);
}

static void on_idle(void *arg)
{
	struct runner *runner = arg;

	if (!runner->stopping && runner->probing)
		finish_if_done(runner);
}

static void perform(struct runner *runner, const struct moment *moment)
{
	int r = 0;

	switch (moment->what) {
	case MOMENT_REVERT:
		undo_revert(runner->undo, moment->fault); /* a failure is in the stream; the rest goes on */
		break;
	case MOMENT_OFF:
		undo_switch(runner->undo, moment->fault, false, moment->progress_ppm); /* likewise */
		break;
	case MOMENT_APPLY:
		r = undo_apply(runner->undo, moment->fault, moment->progress_ppm);
		break;
	case MOMENT_ON:
		r = undo_switch(runner->undo, moment->fault, true, moment->progress_ppm);
		break;
	case MOMENT_DO:
		steps_start(runner->steps, moment->action);
		break;
	case MOMENT_ADJUST:
		r = undo_adjust(runner->undo, moment->fault, moment->progress_ppm);
		break;
	}
	if (r)
		stop(runner, "error");
}

/* The timeline's next moment, or NULL: none before its end. */
static const struct moment *next_moment(const struct runner *runner)
{
	const struct moment *moment = timeline_peek(runner->timeline);

	return moment && moment->at_ns < runner->plan->end_ns ? moment : NULL;
}

static void arm_next(struct runner *runner)
{
	const struct moment *moment = next_moment(runner);

	loop_arm(runner->next, runner->zero_ns + (moment ? moment->at_ns : runner->plan->end_ns));
}

static void timeline_due(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct runner *runner = arg;
	int64_t now_ns = clock_now_ns() - runner->zero_ns;
	const struct moment *moment;

	while (!runner->stopping && (moment = next_moment(runner)) && moment->at_ns <= now_ns) {
		perform(runner, moment);
		timeline_drop(runner->timeline);
	}
	if (runner->stopping)
		return;
	if (next_moment(runner) || now_ns < runner->plan->end_ns) {
		arm_next(runner);
		return;
	}
	undo_all(runner->undo); /* faults without `for` end with the timeline */
	runner->timeline_over = true;
	finish_if_done(runner);
}

static void timeline_zero(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct runner *runner = arg;
	struct ev ev = {.kind = EV_TIMELINE_START, .timeline_start = {.planned_end_ns = runner->plan->end_ns}};

	bus_emit_at(runner->bus, &ev, runner->zero_ns - bus_epoch_ns(runner->bus));
	arm_next(runner);
}

static void start_timeline(struct runner *runner)
{
	struct err err = {0};

	runner->zero_ns = clock_now_ns() + SETTLE_NS;
	if (probing_start(runner->probing, runner->zero_ns, runner->zero_ns + runner->plan->end_ns, &err))
		fail(runner, NULL, &err);
	else
		loop_arm(runner->zero, runner->zero_ns);
}

static void servers_ready(void *arg, const struct err *err)
{
	struct runner *runner = arg;
	struct ev ready = {.kind = EV_LAB_READY};
	struct err open_err = {0};

	if (runner->stopping)
		return;
	if (err) {
		fail(runner, NULL, err);
		return;
	}
	announce_hosts(runner->bus, runner->plan->topology, runner->lab, runner->bringup, runner->arena);
	ready.lab_ready.took_ns = bringup_took_ns(runner->bringup);
	bus_emit(runner->bus, &ready);
	if (!prepare_faults(runner, &open_err))
		runner->probing = probing_open(runner->plan, runner->lab, bringup_trust_anchor(runner->bringup),
					       runner->base, runner->bus, on_idle, runner, &open_err);
	if (!runner->probing)
		fail(runner, NULL, &open_err);
	else
		start_timeline(runner);
}

/* A server that ends while the drill runs, and that nothing was meant to end, spoils it. */
static void server_exited(void *arg, const struct topo_host *host, const char *status, const char *log_tail,
			  const char *cause)
{
	struct runner *runner = arg;
	struct err err = {0};

	announce_server_exit(runner->bus, host, status, log_tail, cause);
	if (cause)
		return;
	err_set(&err, -ECHILD, host->loc, "%s %s while the drill ran; its log ends:\n%s", host->server->name, status,
		log_tail ? log_tail : "(nothing)");
	fail(runner, host->name, &err);
}

static void server_started(void *arg, const struct topo_host *host)
{
	struct runner *runner = arg;

	announce_server_start(runner->bus, host);
}

static void server_answers(void *arg, const struct topo_host *host, int64_t took_ns)
{
	struct runner *runner = arg;

	announce_server_answer(runner->bus, host, took_ns);
	finish_if_done(runner);
}

static void server_lost(void *arg, const struct topo_host *host, const struct err *err)
{
	fail(arg, host->name, err);
}

/* A fault's job came to nothing, after it seemed to be applied or undone. */
static void fault_failed(void *arg, const struct injector *fault, const char *stage, const struct err *err)
{
	struct runner *runner = arg;

	undo_say_failed(runner->undo, fault, stage, err);
	runner->has_failed = true;
}

static int start_capture(struct runner *runner, struct err *err)
{
	runner->capture = capture_start(runner->options->capture_fd, runner->options->saves_timers, err);
	if (!runner->capture)
		return err->code;
	announce_capture(runner->bus, runner->options->capture_name);
	return 0;
}

static int bring_up(struct runner *runner, struct err *err)
{
	struct bringup_options options = {
		.logs_dirfd = runner->options->logs_dirfd,
		.cgroup = runner->options->cgroup,
		.done = servers_ready,
		.on_exit = server_exited,
		.on_start = server_started,
		.on_answer = server_answers,
		.on_lost = server_lost,
		.arg = runner,
	};
	int r;

	runner->lab = lab_open(runner->plan->topology, err);
	if (!runner->lab)
		return err->code;
	runner->control_lab.lab = runner->lab;
	runner->control = control_of(&runner->control_lab, runner->jobs);
	runner->injector_ctx = (struct injector_ctx){
		.core = lab_core(runner->lab),
		.ca = lab_ca(runner->lab),
		.faults = runner->plan->faults,
		.fault_count = runner->plan->fault_count,
		.abilities = runner->options->abilities,
		.seed = runner->plan->seed,
		.child = needed_tell,
		.child_arg = &runner->needed,
		.server = control_find_server,
		.server_arg = &runner->control_lab,
		.control = &runner->control,
		.failed = fault_failed,
		.failed_arg = runner,
	};
	r = start_capture(runner, err);
	if (r)
		return r;
	runner->bringup = bringup_start(runner->base, runner->lab, runner->plan->topology, &options, err);
	runner->control_lab.bringup = runner->bringup;
	return runner->bringup ? 0 : err->code;
}

static void on_stop_signal(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct runner *runner = arg;

	if (runner->stopping && runner->bringup)
		bringup_stop(runner->bringup, 0, servers_stopped, runner);
	stop(runner, "interrupted");
}

/* Without it the fault is not what the plan says, so neither is anything measured. */
static void fault_lost_child(struct runner *runner, const struct injector *fault, int status)
{
	struct err err = {0};
	bool killed = WIFSIGNALED(status);

	err_set(&err, -ECHILD, fault->loc, "'%s': the process behind it %s %d while it stood", fault->name.value,
		killed ? "was killed by signal" : "ended with status", killed ? WTERMSIG(status) : WEXITSTATUS(status));
	fail(runner, NULL, &err);
}

static void on_child(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct runner *runner = arg;
	const struct injector *fault;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		fault = needed_take(&runner->needed, pid);
		if (fault) {
			fault_lost_child(runner, fault, status);
		} else if (runner->capture && pid == capture_pid(runner->capture)) {
			struct err err = {0};

			err_set(&err, -ECHILD, LOC_NONE, "the packet capture ended before the run did");
			fail(runner, NULL, &err);
		} else if (runner->jobs && jobs_child_exited(runner->jobs, pid, status)) {
			continue;
		} else if (runner->bringup) {
			bringup_child_exited(runner->bringup, pid, status);
		}
	}
}

static int open_loop(struct runner *runner, struct err *err)
{
	runner->base = loop_new();
	if (!runner->base)
		return err_set(err, -ENOMEM, LOC_NONE, "cannot make an event loop");
	runner->signals[0] = evsignal_new(runner->base, SIGTERM, on_stop_signal, runner);
	runner->signals[1] = evsignal_new(runner->base, SIGINT, on_stop_signal, runner);
	runner->signals[2] = evsignal_new(runner->base, SIGCHLD, on_child, runner);
	runner->zero = evtimer_new(runner->base, timeline_zero, runner);
	runner->next = evtimer_new(runner->base, timeline_due, runner);
	runner->finish = evtimer_new(runner->base, finish_now, runner);
	runner->jobs = jobs_new(runner->base);
	runner->steps = steps_new(runner->bus, &runner->control, runner->plan->action_count, on_idle, runner);
	runner->undo = undo_new(runner->bus, &runner->injector_ctx, runner->plan->fault_count);
	if (!runner->signals[0] || !runner->signals[1] || !runner->signals[2] || !runner->zero || !runner->next ||
	    !runner->finish || !runner->undo || !runner->jobs || !runner->steps)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (size_t i = 0; i < ARRAY_LEN(runner->signals); i++)
		event_add(runner->signals[i], NULL);
	return 0;
}

static void run_loop(struct runner *runner)
{
	struct ev end = {.kind = EV_RUN_END};
	struct err err = {0};

	runner->reason = "error";
	runner->timeline = timeline_new(runner->plan, runner->arena);
	if (open_loop(runner, &err) || bring_up(runner, &err))
		fail(runner, NULL, &err);
	if (!runner->stopping || runner->bringup)
		event_base_dispatch(runner->base);
	end.run_end.reason = runner->reason;
	bus_emit(runner->bus, &end);
}

static void close_runner(struct runner *runner)
{
	probing_close(runner->probing);
	jobs_free(runner->jobs);
	steps_free(runner->steps);
	bringup_free(runner->bringup);
	undo_free(runner->undo);
	needed_fini(&runner->needed);
	for (size_t i = 0; i < ARRAY_LEN(runner->signals); i++) {
		if (runner->signals[i])
			event_free(runner->signals[i]);
	}
	if (runner->zero)
		event_free(runner->zero);
	if (runner->next)
		event_free(runner->next);
	if (runner->finish)
		event_free(runner->finish);
	if (runner->lab)
		lab_close(runner->lab);
	if (runner->base)
		event_base_free(runner->base);
	arena_free(runner->arena);
}

int runner_run(const struct plan *plan, const struct runner_options *options, int *ret_stream_error)
{
	struct runner runner = {.plan = plan, .options = options};
	int64_t epoch_ns = clock_now_ns(), wall_ns = clock_wall_ns();
	int stream_error;

	fd_raise_limit();
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* timers fire when they are due, not 50 µs later */
	runner.arena = arena_new();
	runner.bus = bus_new(epoch_ns);
	runner.writer = ndjson_writer_new(options->events_fd);
	bus_add_sink(runner.bus, ndjson_writer_take, runner.writer);
	bus_add_sink(runner.bus, watch_stream, &runner);
	announce_plan(runner.bus, plan, options->command, options->engine, wall_ns);
	run_loop(&runner);
	stream_error = ndjson_writer_error(runner.writer);
	close_runner(&runner);
	ndjson_writer_free(runner.writer);
	bus_free(runner.bus);
	*ret_stream_error = stream_error;
	return stream_error ? RUNNER_NO_STREAM : RUNNER_ENDED;
}
