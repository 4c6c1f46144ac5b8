/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu: the server gets a share of one processor's time only, in periods of 100 ms. Where the machine has a place for it, by a quota of the kernel's on the control group that the lab has started the
 * server in: it stops all of the server's processes for the rest of a period in which they have used theirs up, and one that needs less is never stopped. Else by a duty cycle (cpu_beat.h), which stops
 * them in every period. What arrives meanwhile waits in the server's sockets.
 */
#include <errno.h>
#include <string.h>

#include "harness/base/units.h"
#include "injectors/process/cpu_beat.h"
#include "injectors/process/servers.h"

#define PERIOD_NS (100 * MSEC)

enum { BACKEND_AUTO, BACKEND_CGROUP, BACKEND_DUTY_CYCLE };

static const char *const backends[] = {"auto", "cgroup", "duty-cycle", NULL};

struct cpu {
	struct injector injector;
	int64_t share_ppm;
	int64_t backend;
	int64_t run_ns; /* of each period, of the quota that stands; 0: none does */
	struct cpu_beat *beat; /* NULL: nobody is stopped */
};

static const struct param params[] = {
	{.key = "share",
	 .type = PARAM_SHARE,
	 .offset = PARAM_AT(struct cpu, share_ppm, int64_t),
	 .min = 10000,
	 .max = 990000,
	 .def = PARAM_UNSET,
	 .required = true,
	 .doc = "what it still gets of one processor's time, in periods of 100 ms"},
	P_ENUM(struct cpu, backend, "backend", backends, BACKEND_AUTO,
	       "cgroup: a quota of the kernel's, which holds back a server that uses it up; duty-cycle: all its "
	       "processes are stopped for the rest of each period, busy or not; "
	       "auto: cgroup where the machine has a place for one"),
	PARAM_END,
};

static void validate(const struct injector *injector, struct errs *errs)
{
	if (injector->server_count > CPU_BEAT_GROUPS_MAX)
		errs_add(errs, injector->loc, "cpu: at most %d servers at once", CPU_BEAT_GROUPS_MAX);
}

static int available(const struct injector *injector, const struct abilities *abilities, struct err *err)
{
	if (((const struct cpu *)injector)->backend != BACKEND_CGROUP)
		return 0;
	return ability_demand(abilities, ABILITY_CPU_QUOTA, injector->loc, "cpu: backend: cgroup",
			      "say backend: duty-cycle, or auto", err);
}

static int64_t run_at(const struct cpu *cpu, int64_t progress_ppm)
{
	return PERIOD_NS / 1000000 * (1000000 - (1000000 - cpu->share_ppm) * progress_ppm / 1000000);
}

static const struct cgroup_leaf *cgroup_of(const struct injector_ctx *ctx, const struct injector_server *server)
{
	struct server_process *process = servers_process(ctx, server);

	return process ? server_process_cgroup(process) : NULL;
}

static bool have_cgroups(const struct injector *injector, const struct injector_ctx *ctx)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		if (!cgroup_of(ctx, &injector->servers[i]))
			return false;
	}
	return true;
}

static bool hits(const struct injector *injector, const char *host)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		if (!strcmp(injector->servers[i].host, host))
			return true;
	}
	return false;
}

/* What the tightest of the quotas that stand leaves a host. -1: none stands. */
static int64_t tightest(const struct cpu *self, const struct injector_ctx *ctx, const char *host)
{
	int64_t run_ns = self->run_ns ? self->run_ns : -1;

	for (size_t i = 0; i < ctx->fault_count; i++) {
		const struct cpu *other = (const struct cpu *)ctx->faults[i];

		if (other->injector.ops == self->injector.ops && other->run_ns && hits(&other->injector, host) &&
		    (run_ns < 0 || other->run_ns < run_ns))
			run_ns = other->run_ns;
	}
	return run_ns;
}

static int limit_all(struct cpu *cpu, struct injector_ctx *ctx, int64_t run_ns, struct err *err)
{
	int first = 0;

	cpu->run_ns = run_ns;
	for (size_t i = 0; i < cpu->injector.server_count; i++) {
		const struct injector_server *server = &cpu->injector.servers[i];
		const struct cgroup_leaf *leaf = cgroup_of(ctx, server);
		int r = leaf ? cgroup_leaf_limit(leaf, tightest(cpu, ctx, server->host), PERIOD_NS) : 0;

		if (r && !first)
			first = err_set(err, r, server->loc, "%s: setting its quota: %s", server->host, strerror(-r));
	}
	return first;
}

static int apply_quota(struct cpu *cpu, struct injector_ctx *ctx, struct err *err)
{
	for (size_t i = 0; i < cpu->injector.server_count; i++) {
		struct injector_server *server = &cpu->injector.servers[i];
		struct cgroup_usage usage = {0};

		(void)cgroup_leaf_usage(cgroup_of(ctx, server), &usage);
		server->mark =
			(struct server_mark){.is_held = true, .count = usage.throttled, .more = usage.throttled_ns};
	}
	ctx->backend = backends[BACKEND_CGROUP];
	return limit_all(cpu, ctx, run_at(cpu, ctx->progress_ppm), err);
}

static int apply_beat(struct cpu *cpu, struct injector_ctx *ctx, struct err *err)
{
	pid_t groups[CPU_BEAT_GROUPS_MAX];
	int r;

	for (size_t i = 0; i < cpu->injector.server_count; i++) {
		const struct injector_server *server = &cpu->injector.servers[i];
		struct server_process *process = servers_process(ctx, server);

		groups[i] = process ? server_process_pid(process) : -ESRCH;
		if (groups[i] < 0)
			return err_set(err, -ESRCH, server->loc, "%s: %s does not run", server->host,
				       server->software->program);
	}
	r = cpu_beat_start(groups, cpu->injector.server_count, PERIOD_NS, run_at(cpu, ctx->progress_ppm), &cpu->beat,
			   err);
	if (r)
		return r;
	if (ctx->child)
		ctx->child(ctx->child_arg, &cpu->injector, cpu_beat_pid(cpu->beat), true);
	ctx->backend = backends[BACKEND_DUTY_CYCLE];
	return 0;
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct cpu *cpu = (struct cpu *)injector;

	if (cpu->backend != BACKEND_DUTY_CYCLE && have_cgroups(injector, ctx))
		return apply_quota(cpu, ctx, err);
	if (cpu->backend == BACKEND_CGROUP)
		return err_set(err, -EOPNOTSUPP, injector->loc, "the lab got no control group for its servers");
	return apply_beat(cpu, ctx, err);
}

static int adjust(struct injector *injector, struct injector_ctx *ctx, int64_t progress_ppm, struct err *err)
{
	struct cpu *cpu = (struct cpu *)injector;

	if (cpu->beat)
		cpu_beat_set(cpu->beat, run_at(cpu, progress_ppm));
	return cpu->run_ns ? limit_all(cpu, ctx, run_at(cpu, progress_ppm), err) : 0;
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct cpu *cpu = (struct cpu *)injector;

	if (cpu->beat && ctx->child)
		ctx->child(ctx->child_arg, injector, cpu_beat_pid(cpu->beat), false);
	cpu_beat_end(cpu->beat);
	cpu->beat = NULL;
	for (size_t i = 0; i < injector->server_count; i++)
		injector->servers[i].mark.is_held = false;
	return cpu->run_ns ? limit_all(cpu, ctx, 0, err) : 0;
}

static void prove_quota(const struct injector_ctx *ctx, const struct injector_server *server, struct effect *ret)
{
	const struct cgroup_leaf *leaf = cgroup_of(ctx, server);
	struct cgroup_usage usage = {0};
	int64_t periods, held_ns;
	char text[32];

	if (leaf)
		(void)cgroup_leaf_usage(leaf, &usage);
	periods = server->mark.is_held ? usage.throttled - server->mark.count : 0;
	held_ns = usage.throttled_ns - server->mark.more;
	if (periods > 0)
		servers_prove(ret, true, "the kernel held %s of %s back in %lld period%s, for %s in all",
			      server->software->program, server->host, (long long)periods, periods == 1 ? "" : "s",
			      units_format_duration(held_ns / MSEC * MSEC, text, sizeof(text)));
	else
		servers_prove(ret, false, "%s of %s never used up what it was left", server->software->program,
			      server->host);
}

/* The processor's time that a server has had says little of one that is mostly idle. */
static void prove_beat(const struct cpu *cpu, const struct injector_ctx *ctx, size_t i, struct effect *ret)
{
	const struct injector_server *server = &cpu->injector.servers[i];
	struct server_process *process = servers_process(ctx, server);
	bool is_same = process && cpu->beat && server_process_pid(process) == cpu_beat_group(cpu->beat, i);
	int64_t stops = cpu->beat ? cpu_beat_stops(cpu->beat, i) : 0;

	servers_prove(ret, is_same && stops > 0, "%s of %s was seen stopped in %lld periods%s",
		      server->software->program, server->host, (long long)stops, is_same ? "" : ", and ended");
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	const struct cpu *cpu = (const struct cpu *)injector;

	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		if (cpu->run_ns)
			prove_quota(ctx, &injector->servers[i], ret);
		else
			prove_beat(cpu, ctx, i, ret);
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	static const char *const ways[] = {"", ", by a quota of the kernel's", ", by stopping and continuing it"};
	const struct cpu *cpu = (const struct cpu *)injector;
	char text[32];

	buf_printf(out, "leaves %s of a processor's time to ", units_format_share(cpu->share_ppm, text, sizeof(text)));
	servers_list(injector, out);
	buf_puts(out, ways[cpu->backend]);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	const struct cpu *cpu = (const struct cpu *)injector;
	char line[96];

	snprintf(line, sizeof(line), "systemctl set-property --runtime %%s CPUQuota=%lld%%",
		 (long long)(cpu->share_ppm + 9999) / 10000);
	servers_units(injector, to_apply, line);
	servers_units(injector, to_revert, "systemctl set-property --runtime %s CPUQuota=");
}

const struct injector_ops cpu_ops = {
	.kind = "cpu",
	.summary = "the server gets little of the processor's time",
	.hits = INJECTOR_HITS_SERVERS,
	.demands = INJECTOR_DEMANDS_QUOTA,
	.params = params,
	.size = sizeof(struct cpu),
	.validate = validate,
	.available = available,
	.apply = apply,
	.adjust = adjust,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
