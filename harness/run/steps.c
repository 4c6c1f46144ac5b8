/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/steps.h"

#include <signal.h>
#include <string.h>

#define RESTART_GRACE_NS (2 * SEC) /* for a server to end by itself */

struct step;

struct step_host {
	struct step *step;
	const char *host;
	struct action_place place;
};

struct step { /* one that was started */
	struct steps *steps;
	const struct action *action;
	struct step_host *hosts;
	size_t left; /* hosts that have not ended */
	char failed[1200]; /* why the first of those that failed did; empty: none has */
};

struct steps {
	struct bus *bus;
	const struct control *control;
	void (*idle)(void *arg);
	void *arg;
	struct step *v;
	size_t count, under_way;
};

struct steps *steps_new(struct bus *bus, const struct control *control, size_t count, void (*idle)(void *arg),
			void *arg)
{
	struct steps *steps = calloc(1, sizeof(*steps));

	if (steps)
		steps->v = calloc(count + 1, sizeof(*steps->v));
	if (!steps || !steps->v) {
		free(steps);
		return NULL;
	}
	steps->bus = bus;
	steps->control = control;
	steps->idle = idle;
	steps->arg = arg;
	return steps;
}

void steps_free(struct steps *steps)
{
	if (!steps)
		return;
	for (size_t i = 0; i < steps->count; i++)
		free(steps->v[i].hosts);
	free(steps->v);
	free(steps);
}

bool steps_are_idle(const struct steps *steps)
{
	return !steps->under_way;
}

static void end_step(struct step *step)
{
	struct steps *steps = step->steps;
	struct ev ev = {.kind = EV_STEP_ENDED};

	ev.step_ended = (struct ev_step_ended){
		.id = step->action->id,
		.ok = !step->failed[0],
		.text = step->failed[0] ? step->failed : NULL,
	};
	bus_emit(steps->bus, &ev);
	if (!--steps->under_way)
		steps->idle(steps->arg);
}

static void end_host(struct step_host *host, bool ok, int64_t shown_ns, const char *text)
{
	struct step *step = host->step;
	struct ev ev = {.kind = EV_STEP_HOST};

	ev.step_host = (struct ev_step_host){
		.id = step->action->id,
		.host = host->host,
		.ok = ok,
		.shown_ns = shown_ns ? shown_ns - bus_epoch_ns(step->steps->bus) : 0,
		.text = text && *text ? text : NULL,
	};
	bus_emit(step->steps->bus, &ev);
	if (!ok && !step->failed[0])
		snprintf(step->failed, sizeof(step->failed), "%s: %s", host->host,
			 text && *text ? text : "no reason was given");
	if (!--step->left)
		end_step(step);
}

static void job_done(void *arg, const struct job_end *end)
{
	end_host(arg, end->ok, end->report.shown_ns, end->report.text);
}

static void restarted(void *arg, const struct err *err)
{
	struct step_host *host = arg;

	server_process_forbid_exit(host->place.server);
	end_host(host, !err, 0, err ? err->text : "it was ended, started, and answers");
}

static int run_job(void *arg, struct job_report *report)
{
	const struct step_host *host = arg;

	return host->step->action->ops->perform(host->step->action, &host->place, report);
}

static int restart_server(struct step_host *host, struct err *err)
{
	const struct action *action = host->step->action;
	struct server_process *server = host->place.server;
	const struct server_start start = {
		.delay_ns = action->ops->restart_away_ns(action),
		.patience_ns = RESTART_GRACE_NS,
		.done = restarted,
		.arg = host,
	};
	int r;

	server_process_allow_exit(server, action->name.value);
	r = server_process_signal(server, SIGTERM, err);
	if (!r)
		r = server_process_start(server, &start, err);
	if (r)
		server_process_forbid_exit(server);
	return r;
}

static int start_host(struct step_host *host, struct err *err)
{
	const struct action *action = host->step->action;
	const struct control *control = host->step->steps->control;
	struct host_job job = {
		.run = run_job,
		.arg = host,
		.timeout_ns = action->timeout_ns + SEC, /* perform keeps the time itself, and says more */
		.done = job_done,
		.done_arg = host,
	};

	host->place = (struct action_place){
		.host = host->host,
		.at = control->host(control->arg, host->host),
		.server = control->server(control->arg, host->host),
		.control = control,
	};
	if (action->ops->restart_away_ns)
		return restart_server(host, err);
	job.host = host->place.at;
	return job_start(control->jobs, &job, err);
}

void steps_start(struct steps *steps, const struct action *action)
{
	struct step *step = &steps->v[steps->count++];
	struct ev ev = {.kind = EV_STEP_STARTED, .step_started = {.id = action->id}};

	*step = (struct step){.steps = steps, .action = action, .left = action->host_count + 1};
	step->hosts = calloc(action->host_count + 1, sizeof(*step->hosts));
	steps->under_way++;
	bus_emit(steps->bus, &ev);
	if (!step->hosts)
		snprintf(step->failed, sizeof(step->failed), "out of memory");
	for (size_t i = 0; step->hosts && i < action->host_count; i++) {
		struct err err = {0};

		step->hosts[i] = (struct step_host){.step = step, .host = action->hosts[i]};
		if (start_host(&step->hosts[i], &err))
			end_host(&step->hosts[i], false, 0, err.text);
	}
	if (!step->hosts)
		step->left = 1;
	if (!--step->left) /* this function's own */
		end_step(step);
}
