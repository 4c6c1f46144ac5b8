/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/probing.h"
#include "harness/plan/topology.h"

#include <errno.h>
#include <string.h>

#include "harness/probe/pacer.h"

struct asker {
	struct probing *probing;
	const struct probe *probe;
	struct probe_ctx ctx;
	struct pacer *pacer;
	void *state; /* the kind's own, from open */
	int64_t left; /* samples not yet ended */
};

struct probing {
	const struct plan *plan;
	struct bus *bus;
	struct event_base *base;
	void (*on_idle)(void *arg);
	void *arg;
	struct asker *askers;
	size_t count;
};

bool probing_is_idle(const struct probing *probing)
{
	for (size_t i = 0; i < probing->count; i++) {
		if (probing->askers[i].left)
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
	if (!--asker->left && probing_is_idle(asker->probing))
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

/* How many samples are due before end. */
static int64_t samples_until(int64_t first_ns, int64_t every_ns, int64_t end_ns)
{
	return first_ns < end_ns ? (end_ns - first_ns - 1) / every_ns + 1 : 0;
}

static int start_asker(struct asker *asker, int64_t start_ns, int64_t end_ns, struct err *err)
{
	struct probing *probing = asker->probing;
	int64_t first_ns = start_ns + asker->probe->every_ns / 2;
	struct ev ev = {.kind = EV_PROBE_START};

	ev.probe_start = (struct ev_probe_start){
		.probe = asker->probe->name.value,
		.start_ns = first_ns - bus_epoch_ns(probing->bus),
	};
	bus_emit(probing->bus, &ev);
	asker->left = samples_until(first_ns, asker->probe->every_ns, end_ns);
	asker->pacer = pacer_start(probing->base, first_ns, asker->probe->every_ns, end_ns, ask, asker);
	if (!asker->pacer)
		return err_set(err, -errno, asker->probe->loc, "probe %s: no timer to pace it: %s%s",
			       asker->probe->name.value, strerror(errno),
			       errno == EMFILE ? "; raise `ulimit -n`, or have fewer probes" : "");
	return 0;
}

int probing_start(struct probing *probing, int64_t start_ns, int64_t end_ns, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < probing->count; i++)
		r = start_asker(&probing->askers[i], start_ns, end_ns, err);
	return r;
}

void probing_close(struct probing *probing)
{
	if (!probing)
		return;
	for (size_t i = 0; i < probing->count; i++) {
		pacer_cancel(probing->askers[i].pacer);
		probing->askers[i].probe->ops->close(probing->askers[i].state);
	}
	free(probing->askers);
	free(probing);
}
