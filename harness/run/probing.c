/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/probing.h"
#include "harness/plan/topology.h"

#include <errno.h>
#include <string.h>

#include "harness/probe/pacer.h"
#include "harness/run/timeline.h"

struct asker {
	struct probing *probing;
	const struct probe *probe;
	struct probe_ctx ctx;
	struct pacer *pacer;
	void *state; /* the kind's own, from open */
	int64_t in_flight; /* samples not yet ended */
	struct timeline *timeline; /* what is planned, as far as the pace has not come to it; of one with near-faults */
};

struct probing {
	const struct plan *plan;
	struct bus *bus;
	struct event_base *base;
	void (*on_idle)(void *arg);
	void *arg;
	struct asker *askers;
	size_t count;
	struct arena *arena;
	int64_t zero_ns, end_ns; /* of the timeline, CLOCK_MONOTONIC */
};

static bool is_done(const struct asker *asker)
{
	return !asker->in_flight && asker->pacer && pacer_is_over(asker->pacer);
}

bool probing_is_idle(const struct probing *probing)
{
	for (size_t i = 0; i < probing->count; i++) {
		if (!is_done(&probing->askers[i]))
			return false;
	}
	return true;
}

static void sample_done(void *arg, const struct ev_sample *sample)
{
	struct asker *asker = arg;
	struct ev ev = {.kind = EV_SAMPLE, .sample = *sample};

	ev.sample.probe = asker->probe->name.value;
	bus_emit(asker->probing->bus, &ev);
	asker->in_flight--;
	pacer_ended(asker->pacer, sample->i, sample->due_ns + asker->ctx.epoch_ns, sample->outcome == OUTCOME_OK);
	if (is_done(asker) && probing_is_idle(asker->probing))
		asker->probing->on_idle(asker->probing->arg);
}

static void part_done(void *arg, const struct ev_sample_part *part)
{
	struct asker *asker = arg;
	struct ev ev = {.kind = EV_SAMPLE_PART, .sample_part = *part};

	ev.sample_part.probe = asker->probe->name.value;
	bus_emit(asker->probing->bus, &ev);
}

static const char *host_at(void *arg, const struct address *address)
{
	const struct asker *asker = arg;
	const struct topo_host *host = topology_host_at(asker->probing->plan->topology, address);

	return host ? host->name : NULL;
}

static void ask(void *arg, int64_t i, int64_t due_ns)
{
	struct asker *asker = arg;

	asker->in_flight++;
	asker->probe->ops->ask(asker->state, i, due_ns - asker->ctx.epoch_ns);
}

static int open_asker(struct probing *probing, size_t i, struct lab *lab, const char *trust_anchor, struct err *err)
{
	struct asker *asker = &probing->askers[i];
	int r;

	asker->probing = probing;
	asker->probe = probing->plan->probes[i];
	asker->ctx = (struct probe_ctx){
		.base = probing->base,
		.host = lab_host_named(lab, asker->probe->from.value),
		.epoch_ns = bus_epoch_ns(probing->bus),
		.seed = (uint64_t)probing->plan->seed,
		.servers = probing->plan->probe_servers[i],
		.server_count = probing->plan->probe_server_counts[i],
		.trust_anchor = trust_anchor,
		.ca_file = lab_ca(lab) ? ca_bundle(lab_ca(lab)) : NULL,
		.done = sample_done,
		.part = part_done,
		.host_at = host_at,
		.arg = asker,
	};
	r = asker->probe->ops->open(asker->probe, &asker->ctx, &asker->state, err);
	if (r) {
		err_wrap(err, "probe %s", asker->probe->name.value);
		return err_at(err, asker->probe->loc);
	}
	probing->count = i + 1;
	return 0;
}

struct probing *probing_open(const struct plan *plan, struct lab *lab, const char *trust_anchor,
			     struct event_base *base, struct bus *bus, void (*on_idle)(void *arg), void *arg,
			     struct err *err)
{
	struct probing *probing = calloc(1, sizeof(*probing));

	if (probing)
		probing->askers = calloc(plan->probe_count + 1, sizeof(*probing->askers));
	if (!probing || !probing->askers) {
		free(probing);
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		return NULL;
	}
	probing->arena = arena_new();
	probing->plan = plan;
	probing->bus = bus;
	probing->base = base;
	probing->on_idle = on_idle;
	probing->arg = arg;
	for (size_t i = 0; i < plan->probe_count; i++) {
		if (open_asker(probing, i, lab, trust_anchor, err)) {
			probing_close(probing);
			return NULL;
		}
	}
	return probing;
}

/* For the pace: the first moment of the plan after after_ns. A ramp's adjustments are none: it is there from its beginning. */
static int64_t next_planned(void *arg, int64_t after_ns)
{
	const struct asker *asker = arg;
	const struct moment *moment;
	int64_t zero_ns = asker->probing->zero_ns;

	while ((moment = timeline_peek(asker->timeline)) && zero_ns + moment->at_ns < asker->probing->end_ns) {
		if (moment->what != MOMENT_ADJUST && zero_ns + moment->at_ns > after_ns)
			return zero_ns + moment->at_ns;
		timeline_drop(asker->timeline);
	}
	return INT64_MAX;
}

static int start_asker(struct asker *asker, struct err *err)
{
	struct probing *probing = asker->probing;
	const struct probe *probe = asker->probe;
	struct pace_plan pace = {
		.start_ns = probing->zero_ns + probe->near_faults_ns / 2,
		.every_ns = probe->every_ns,
		.near_ns = probe->near_faults_ns,
		.end_ns = probing->end_ns,
		.stable = probing->plan->stable,
	};
	struct ev ev = {.kind = EV_PROBE_START};

	if (probe->near_faults_ns != probe->every_ns) {
		asker->timeline = timeline_new(probing->plan, probing->arena);
		pace.moment = next_planned;
		pace.arg = asker;
	}
	ev.probe_start = (struct ev_probe_start){
		.probe = probe->name.value,
		.start_ns = pace.start_ns - bus_epoch_ns(probing->bus),
	};
	bus_emit(probing->bus, &ev);
	asker->pacer = pacer_start(probing->base, &pace, ask, asker);
	if (!asker->pacer)
		return err_set(err, -errno, probe->loc, "probe %s: no timer to pace it: %s%s", probe->name.value,
			       strerror(errno), errno == EMFILE ? "; raise `ulimit -n`, or have fewer probes" : "");
	return 0;
}

int probing_start(struct probing *probing, int64_t start_ns, int64_t end_ns, struct err *err)
{
	int r = 0;

	probing->zero_ns = start_ns;
	probing->end_ns = end_ns;
	for (size_t i = 0; !r && i < probing->count; i++)
		r = start_asker(&probing->askers[i], err);
	return r;
}

/* Something was broken, mended or changed: when it was planned is not always when it is so. */
static bool is_turn(const struct ev *ev)
{
	return ev->kind == EV_FAULT_APPLIED || ev->kind == EV_FAULT_SWITCHED || ev->kind == EV_FAULT_REVERTED ||
	       ev->kind == EV_STEP_STARTED || ev->kind == EV_STEP_ENDED;
}

void probing_watch(struct probing *probing, const struct ev *ev)
{
	if (!is_turn(ev))
		return;
	for (size_t i = 0; i < probing->count; i++) {
		if (probing->askers[i].pacer)
			pacer_happened(probing->askers[i].pacer);
	}
}

void probing_close(struct probing *probing)
{
	if (!probing)
		return;
	for (size_t i = 0; i < probing->count; i++) {
		pacer_cancel(probing->askers[i].pacer);
		probing->askers[i].probe->ops->close(probing->askers[i].state);
	}
	arena_free(probing->arena);
	free(probing->askers);
	free(probing);
}
