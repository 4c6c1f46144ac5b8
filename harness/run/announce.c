/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/announce.h"
#include "harness/base/clock.h"

#include <sys/utsname.h>

#include "harness/plan/topology.h"
#include "harness/plan/versions.h"

static void announce_run(struct bus *bus, const struct plan *plan, const char *command, const char *engine,
			 int64_t wall_ns)
{
	struct ev ev = {.kind = EV_RUN_START};
	char kernel[160] = "";
	struct utsname uts;

	if (!uname(&uts))
		snprintf(kernel, sizeof(kernel), "%s %s", uts.sysname, uts.release);
	ev.run_start = (struct ev_run_start){
		.schema = EV_SCHEMA,
		.plan = plan->name.value,
		.plan_file = plan->file,
		.description = plan->description.value,
		.case_label = plan->case_label,
		.command = command,
		.seed = plan->seed,
		.engine = engine,
		.version = DNSDRILL_VERSION,
		.kernel = kernel,
		.wall_ns = wall_ns,
		.recovery_ns = plan->recovery_ns,
		.end_ns = plan->end_ns,
		.stable = plan->stable,
		.baseline_ppm = plan->baseline_ppm,
	};
	bus_emit_at(bus, &ev, 0);
}

/* "NOERROR 192.0.2.80, TTL 1 … 300" */
static void describe_good(const struct good *good, struct buf *out)
{
	buf_puts(out, good->rcode.value ? good->rcode.value : "NOERROR");
	for (size_t i = 0; i < good->answer.count; i++)
		buf_printf(out, "%s%s", i ? ", " : " ", good->answer.v[i].value);
	if (good->min_ttl != PARAM_UNSET)
		buf_printf(out, ", TTL at least %lld s", (long long)good->min_ttl);
	if (good->max_ttl != PARAM_UNSET)
		buf_printf(out, ", TTL at most %lld s", (long long)good->max_ttl);
	if (good->aa != TRISTATE_ANY)
		buf_printf(out, ", AA %s", good->aa == TRISTATE_TRUE ? "set" : "clear");
	if (good->ad != TRISTATE_ANY)
		buf_printf(out, ", AD %s", good->ad == TRISTATE_TRUE ? "set" : "clear");
}

static void announce_probe(struct bus *bus, const struct plan *plan, size_t i)
{
	const struct probe *probe = plan->probes[i];
	struct probe_ctx ctx = {.servers = plan->probe_servers[i], .server_count = plan->probe_server_counts[i]};
	struct ev ev = {.kind = EV_PLAN_PROBE};
	struct buf via = {0}, good = {0};

	probe->ops->describe(probe, &ctx, &via);
	describe_good(&probe->good, &good);
	ev.plan_probe = (struct ev_plan_probe){
		.probe = probe->name.value,
		.kind = probe->ops->kind,
		.from = probe->from.value,
		.via = via.data,
		.query = probe->query.value,
		.transport = probe->ops->transport(probe),
		.good = good.data,
		.every_ns = probe->every_ns,
		.timeout_ns = probe->timeout_ns,
		.tells = probe->tells,
		.stale_is_bad = probe->stale == PROBE_STALE_BAD,
		.near_faults_ns = probe->near_faults_ns != probe->every_ns ? probe->near_faults_ns : 0,
	};
	bus_emit(bus, &ev);
	buf_fini(&via);
	buf_fini(&good);
}

static void join(const struct texts *texts, struct buf *out)
{
	for (size_t i = 0; i < texts->count; i++)
		buf_printf(out, "%s%s", i ? ", " : "", texts->v[i].value);
}

static void announce_fault(struct bus *bus, const struct plan *plan, const struct injector *fault)
{
	struct ev ev = {.kind = EV_PLAN_FAULT};
	struct buf target = {0}, from = {0}, sentence = {0};
	int64_t ramp_ns = fault->ramp_ns == PARAM_UNSET ? 0 : fault->ramp_ns;
	bool flaps = fault->flap.on_ns != PARAM_UNSET;

	join(&fault->target, &target);
	for (size_t i = 0; i < fault->groups.count; i++) {
		buf_puts(&target, i ? " | " : "");
		join(&fault->groups.v[i], &target);
	}
	join(&fault->from, &from);
	fault->ops->sentence(fault, &sentence);
	ev.plan_fault = (struct ev_plan_fault){
		.id = fault->id,
		.name = fault->name.value,
		.kind = fault->ops->kind,
		.target = target.data,
		.from = from.data,
		.at_ns = fault->at_ns,
		.for_ns = fault->for_ns == PARAM_UNSET ? plan->end_ns - fault->at_ns : fault->for_ns,
		.sentence = sentence.data,
		.ramp_ns = ramp_ns,
		.on_ns = flaps ? fault->flap.on_ns : 0,
		.off_ns = flaps ? fault->flap.off_ns : 0,
	};
	bus_emit(bus, &ev);
	buf_fini(&target);
	buf_fini(&from);
	buf_fini(&sentence);
}

static void announce_action(struct bus *bus, const struct action *action)
{
	struct ev ev = {.kind = EV_PLAN_STEP};
	struct buf target = {0}, sentence = {0};

	for (size_t i = 0; i < action->host_count; i++)
		buf_printf(&target, "%s%s", i ? ", " : "", action->hosts[i]);
	action->ops->sentence(action, &sentence);
	ev.plan_step = (struct ev_plan_step){
		.id = action->id,
		.name = action->name.value,
		.kind = action->ops->kind,
		.target = target.data,
		.at_ns = action->at_ns,
		.may_fail = action->may_fail,
		.sentence = sentence.data,
		.zone = action->zone.value,
		.version = action->version ? action->version->id : 0,
		.serial = action->version ? action->version->serial : 0,
	};
	bus_emit(bus, &ev);
	buf_fini(&target);
	buf_fini(&sentence);
}

static void announce_expect(struct bus *bus, const struct expect_spec *expect)
{
	struct ev ev = {.kind = EV_PLAN_EXPECT};

	ev.plan_expect = (struct ev_plan_expect){
		.text = expect->text,
		.probe = expect->probe->name.value,
		.during = expect->during,
		.metric = metric_infos[expect->metric].name,
		.op = expect->op,
		.bound = expect->bound,
		.file = expect->loc.file,
		.line = expect->loc.line,
	};
	bus_emit(bus, &ev);
}

void announce_plan(struct bus *bus, const struct plan *plan, const char *command, const char *engine, int64_t wall_ns)
{
	announce_run(bus, plan, command, engine, wall_ns);
	for (size_t i = 0; i < plan->probe_count; i++)
		announce_probe(bus, plan, i);
	for (size_t i = 0; i < plan->fault_count; i++)
		announce_fault(bus, plan, plan->faults[i]);
	for (size_t i = 0; i < plan->action_count; i++)
		announce_action(bus, plan->actions[i]);
	for (size_t i = 0; i < plan->expect_count; i++)
		announce_expect(bus, &plan->expects[i]);
}

void announce_hosts(struct bus *bus, const struct topology *topology, struct lab *lab, const struct bringup *bringup,
		    struct arena *arena)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *topo = &topology->hosts[i];
		struct host *host = lab_host_named(lab, topo->name);
		const char **addresses = ARENA_ARRAY(arena, const char *, topo->addresses.count + 1);
		struct ev ev = {.kind = EV_LAB_HOST};

		for (size_t j = 0; j < topo->addresses.count; j++)
			addresses[j] = topo->addresses.v[j].text;
		ev.lab_host = (struct ev_lab_host){
			.host = topo->name,
			.role = host_role_name(topo->role),
			.server = topo->server ? topo->server->name : NULL,
			.version = bringup_version(bringup, topo),
			.addresses = {addresses, topo->addresses.count},
			.ifname = host_ifname(host),
			.ifindex = host_ifindex(host),
		};
		bus_emit(bus, &ev);
	}
}

void announce_server_exit(struct bus *bus, const struct topo_host *host, const char *status, const char *log_tail,
			  const char *cause)
{
	struct ev ev = {.kind = EV_SERVER_EXIT};

	ev.server_exit = (struct ev_server_exit){host->name, host->server->name, status, log_tail, cause};
	bus_emit(bus, &ev);
}

void announce_server_start(struct bus *bus, const struct topo_host *host)
{
	struct ev ev = {.kind = EV_SERVER_START, .server_start = {host->name, host->server->name}};

	bus_emit(bus, &ev);
}

void announce_server_answer(struct bus *bus, const struct topo_host *host, int64_t took_ns)
{
	struct ev ev = {.kind = EV_SERVER_ANSWER, .server_answer = {host->name, host->server->name, took_ns}};

	bus_emit(bus, &ev);
}

void announce_capture(struct bus *bus, const char *file)
{
	struct ev ev = {.kind = EV_CAPTURE_START};

	ev.capture_start = (struct ev_capture_start){.file = file, .wall_minus_t_ns = clock_wall_ns() - bus_now(bus)};
	bus_emit(bus, &ev);
}
