/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of faults of servers share: a lab with a nameserver `alpha.ns1` and a resolver `r1`, a fault with parameters parsed as from a plan, and what the kernel says of their
 * processes.
 */
#pragma once
#include "harness/api/control.h"
#include "harness/base/clock.h"
#include "harness/plan/node.h"
#include "harness/plan/parse.h"
#include "injectors/process/servers.h"
#include "tests/unit/lab/fixture.h"
#include "tests/unit/run/trial.h"
#include <signal.h>

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define BED_ZONE                                                                       \
	"example.com. 5 IN SOA ns1.alpha-dns.net. h.example.com. 1 3600 600 86400 5\n" \
	"example.com. 5 IN NS ns1.alpha-dns.net.\nwww.example.com. 5 IN A 192.0.2.80\n"

struct bed {
	struct small_plan small;
	struct trial trial;
	struct injector *fault;
	int (*body)(struct trial *trial, struct err *err);
	struct injector_ctx ctx;
	struct control control;
	char failed[256]; /* what the fault said of itself after apply or revert had returned */
};

static struct bed *bed_of; /* in the lab's process: one trial at a time */
static const struct cgroup_tree *bed_cgroup; /* for the next bed_run */

/* keys: pairs of key and value, up to NULL. Hits that host. */
static inline struct injector *bed_fault(struct arena *arena, const struct injector_ops *ops, const char *host,
					 const struct server_ops *software, int role, const char *const *keys,
					 struct errs *errs)
{
	struct injector *fault = arena_alloc(arena, ops->size);
	struct node *map = ARENA_NEW(arena, struct node);

	map->type = NODE_MAP;
	map->pairs = ARENA_ARRAY(arena, struct node_pair, 16);
	for (; keys && *keys; keys += 2) {
		struct node *value = ARENA_NEW(arena, struct node);

		value->scalar = keys[1];
		map->pairs[map->count++] = (struct node_pair){.key = keys[0], .value = value};
	}
	if (ops->params)
		parse_mapping(arena, map, &ops->params, 1, fault, "step", errs);
	fault->ops = ops;
	fault->id = 1;
	fault->for_ns = 10 * SEC;
	fault->name.value = "test fault";
	fault->servers = ARENA_NEW(arena, struct injector_server);
	fault->servers[0] =
		(struct injector_server){.host = host, .software = software, .role = role, .validates = true};
	fault->server_count = 1;
	return fault;
}

/* What the fault says of itself: a sentence, and the commands it equals. NULL: whatever they are. */
static inline void bed_says(const struct injector *fault, const char *sentence, const char *apply, const char *revert)
{
	struct buf said = {0}, to_apply = {0}, to_revert = {0};

	fault->ops->sentence(fault, &said);
	fault->ops->commands(fault, &to_apply, &to_revert);
	assert_string_equal(said.data, sentence);
	if (apply)
		assert_string_equal(to_apply.data, apply);
	if (revert)
		assert_string_equal(to_revert.data, revert);
	buf_fini(&said), buf_fini(&to_apply), buf_fini(&to_revert);
}

static inline void bed_describes(const struct injector_ops *ops, const char *host, const struct server_ops *software,
				 const char *const *keys, const char *sentence, const char *apply, const char *revert)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	int role = software->roles & SERVER_AUTHORITATIVE ? SERVER_AUTHORITATIVE : SERVER_RESOLVER;

	bed_says(bed_fault(arena, ops, host, software, role, keys, &errs), sentence, apply, revert);
	assert_int_equal(errs.count, 0);
	arena_free(arena);
}

static inline struct server_process *bed_find(void *arg, const char *host)
{
	return bringup_process(((struct bed *)arg)->trial.bringup, host);
}

static inline struct server_process *bed_server(void)
{
	return bed_find(bed_of, bed_of->fault->servers[0].host);
}

static inline bool bed_answers(void *arg UNUSED)
{
	return server_process_has_answered(bed_server()) && bringup_is_settled(bed_of->trial.bringup);
}

static inline bool bed_is_gone(void *arg UNUSED)
{
	return server_process_pid(bed_server()) < 0;
}

static inline bool bed_never(void *arg UNUSED)
{
	return false;
}

/* Lets some time pass in the loop: for what happens in its own time (a duty cycle, a question that gets no answer). */
static inline void bed_pass(int64_t ns)
{
	int64_t end_ns = clock_now_ns() + ns;
	const struct timeval step = {.tv_usec = 20000};

	while (clock_now_ns() < end_ns) {
		event_base_loopexit(bed_of->trial.base, &step);
		event_base_dispatch(bed_of->trial.base);
	}
}

static inline int bed_apply(struct err *err)
{
	return bed_of->fault->ops->apply(bed_of->fault, &bed_of->ctx, err);
}

static inline int bed_revert(struct err *err)
{
	return bed_of->fault->ops->revert(bed_of->fault, &bed_of->ctx, err);
}

static inline struct effect bed_effect(void)
{
	struct effect effect = {0};
	struct err err = {0};

	bed_of->fault->ops->effect(bed_of->fault, &bed_of->ctx, &effect, &err);
	return effect;
}

/* All of a server's processes run: none is stopped. */
static inline bool bed_runs(void)
{
	struct servers_state state;

	return !servers_state(server_process_pid(bed_server()), &state) && state.processes && !state.stopped;
}

static inline struct host *bed_host(void *arg, const char *name)
{
	return server_process_host(bed_find(arg, name));
}

static inline void bed_failed(void *arg, const struct injector *injector UNUSED, const char *stage,
			      const struct err *err)
{
	struct bed *bed = arg;

	snprintf(bed->failed, sizeof(bed->failed), "%s: %.200s", stage, err->text);
}

/* Called in the lab: jobs are there only then. */
static inline int bed_body(struct trial *trial, struct err *err)
{
	bed_of->control.jobs = trial->jobs;
	return bed_of->body(trial, err);
}

/* The lab: `server` at alpha.ns1, unbound at r1; the body is called in it with the fault. */
static inline void bed_run(const struct injector_ops *ops, const char *host, const char *server,
			   const char *const *keys, int (*body)(struct trial *trial, struct err *err))
{
	struct bed bed = {0};
	struct errs errs = {0};
	const struct topo_host *hit;
	struct topology *topology;

	small_plan_init(&bed.small);
	small_zone(&bed.small, "example.com", BED_ZONE)->sign = sign_defaults;
	small_nameserver(&bed.small, "alpha", "ns1", "ns1.alpha-dns.net", "192.0.2.1 2001:db8:1::1", server, NULL);
	small_resolver(&bed.small, "r1", "203.0.113.53", "unbound", NULL);
	topology = small_topology(&bed.small);
	hit = topology_host(topology, host);
	((struct topo_host *)(uintptr_t)hit)->demands = ops->demands;
	bed.fault = bed_fault(bed.small.arena, ops, host, hit->server, hit->server_role, keys, &errs);
	assert_int_equal(errs.count, 0);
	bed.control = (struct control){.arg = &bed, .host = bed_host, .server = bed_find};
	bed.ctx = (struct injector_ctx){.server = bed_find,
					.server_arg = &bed,
					.progress_ppm = 1000000,
					.control = &bed.control,
					.failed = bed_failed,
					.failed_arg = &bed};
	bed.body = body;
	bed.trial.topology = topology;
	bed.trial.body = bed_body;
	bed.trial.cgroup = bed_cgroup;
	bed_of = &bed;
	trial_must(&bed.trial);
	bed_of = NULL;
	small_plan_fini(&bed.small);
}

/* What every kind owes: undone without having been done, it changes nothing. */
static inline int bed_reverts_without_apply(struct trial *trial UNUSED, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());

	if (bed_revert(err) || bed_revert(err))
		return err->code;
	bed_pass(100 * MSEC);
	CHECK(server_process_pid(bed_server()) == pid && bed_runs());
	return 0;
}
