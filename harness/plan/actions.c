/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps that do something as an operator would: `do:` in the timeline.
 */
#include <string.h>

#include "harness/base/units.h"
#include "harness/plan/internal.h"

#define TIMEOUT_DEFAULT_NS (10 * SEC)

const struct param action_params[] = {
	{.key = "at",
	 .type = PARAM_DURATION,
	 .offset = PARAM_AT(struct action, at_ns, int64_t),
	 .max = PLAN_LENGTH_MAX,
	 .def = PARAM_UNSET,
	 .required = true,
	 .doc = "when it begins, from the start of the timeline"},
	P_TEXT_REQUIRED(struct action, kind, "do", "what is done (see `dnsdrill list steps`)"),
	P_TEXT(struct action, name, "name", "what reports call it; by default <do> <zone or target> at <at>"),
	P_BOOL(struct action, may_fail, "may_fail", false,
	       "the run goes on as if nothing was wrong where it fails; by default that makes the run an error"),
	P_DURATION(struct action, timeout_ns, "timeout", 100 * MSEC, 3600 * SEC, TIMEOUT_DEFAULT_NS,
		   "how long it may take before it has failed"),
	PARAM_END,
};

const struct param action_zone_params[] = {
	P_TEXT_REQUIRED(struct action, zone, "zone", "zone of the lab that it changes"),
	P_TEXTS(struct action, to, "to",
		"nameservers or providers whose primaries are changed; by default every primary of the zone"),
	PARAM_END,
};

const struct param action_target_params[] = {
	{.key = "target",
	 .type = PARAM_TEXTS,
	 .offset = PARAM_AT(struct action, target, struct texts),
	 .required = true,
	 .doc = "where it is done: a provider, a nameserver (alpha.ns1), a resolver, root, tld.com, tlds, or a list"},
	PARAM_END,
};

bool action_is_on_zone(const struct action_ops *ops)
{
	return ops->on == ACTION_ON_ZONE || ops->on == ACTION_ON_SIGNED_ZONE;
}

size_t action_rows(const struct action_ops *ops, const struct param *ret[ACTION_ROWS_MAX])
{
	size_t count = 0;

	ret[count++] = action_params;
	ret[count++] = action_is_on_zone(ops) ? action_zone_params : action_target_params;
	if (ops->params)
		ret[count++] = ops->params;
	return count;
}

/* ---- names ---- */

static const char *default_name(struct plan_ctx *ctx, const struct action *action)
{
	const struct texts *names = action_is_on_zone(action->ops) ? &action->to : &action->target;
	const char *text = arena_printf(ctx->arena, "%s%s%s", action->ops->kind, action->zone.value ? " " : "",
					action->zone.value ? action->zone.value : "");
	char at[32];

	for (size_t i = 0; !action_is_on_zone(action->ops) && i < names->count; i++)
		text = arena_printf(ctx->arena, "%s%s%s", text, i ? ", " : " ", names->v[i].value);
	return arena_printf(ctx->arena, "%s at %s", text, units_format_duration(action->at_ns, at, sizeof(at)));
}

static const struct action *named(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->action_count; i++) {
		if (!strcmp(plan->actions[i]->name.value, name))
			return plan->actions[i];
	}
	return NULL;
}

static void set_name(struct plan_ctx *ctx, struct action *action)
{
	const struct action *other;
	const char *base;

	if (action->name.value) {
		other = named(ctx->plan, action->name.value);
		if (other)
			errs_add(ctx->errs, action->name.loc,
				 "two steps are called '%.80s' (%s); give one of them a name: of its own",
				 action->name.value, names_place(ctx->arena, other->name.loc, action->name.loc));
		return;
	}
	base = default_name(ctx, action);
	action->name = (struct text){base, action->loc};
	for (int i = 2; named(ctx->plan, action->name.value); i++)
		action->name.value = arena_printf(ctx->arena, "%s (%d)", base, i);
}

/* ---- where ---- */

static void add_host(struct action *action, const struct topo_host *host)
{
	for (size_t i = 0; i < action->host_count; i++) {
		if (!strcmp(action->hosts[i], host->name))
			return;
	}
	action->hosts[action->host_count++] = host->name;
}

static void check_verbs(struct plan_ctx *ctx, const struct action *action, const struct topo_host *host, struct loc loc)
{
	for (unsigned verb = 0; verb < SERVER_VERB_COUNT; verb++) {
		if ((action->ops->verbs & 1u << verb) && !(host->server->verbs & 1u << verb))
			errs_add(ctx->errs, loc, "%s: %s runs %s, which cannot be told to %s", action->ops->kind,
				 host->name, host->server->name, server_verb_name((enum server_verb)verb));
	}
}

static bool is_among(const struct topo_host *host, struct topo_host *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == host)
			return true;
	}
	return false;
}

static const struct topo_zone *find_zone(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->topology->zone_count; i++) {
		if (plan->topology->zones[i].spec && !strcmp(plan->topology->zones[i].name, name))
			return &plan->topology->zones[i];
	}
	return NULL;
}

/* Why a name in to: leads to no primary. */
static void say_no_primary(struct plan_ctx *ctx, const struct topo_zone *zone, const struct text *name,
			   const struct topo_host *meant)
{
	if (!is_among(meant, zone->servers, zone->server_count))
		errs_add(ctx->errs, name->loc, "to: %s does not serve %s", name->value, zone->name);
	else
		errs_add(ctx->errs, name->loc,
			 "to: %s is a secondary of %s and transfers it from %s: change it there, and it follows",
			 meant->name, zone->name, meant->primary ? meant->primary->name : "its primary");
}

static void resolve_to(struct plan_ctx *ctx, struct action *action, const struct topo_zone *zone,
		       const struct text *name)
{
	const struct topology *topology = ctx->plan->topology;
	const struct topo_host *meant = NULL;
	size_t before = action->host_count;
	struct addresses ignored = {0};
	struct err err = {0};

	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];

		if (!topology_is_meant(host, name->value))
			continue;
		meant = host;
		if (!is_among(host, zone->primaries, zone->primary_count))
			continue;
		check_verbs(ctx, action, host, name->loc);
		add_host(action, host);
	}
	if (!meant && topology_resolve(topology, *name, ctx->arena, &ignored, &err))
		errs_add_err(ctx->errs, &err);
	else if (meant && action->host_count == before)
		say_no_primary(ctx, zone, name, meant);
}

static void resolve_zone(struct plan_ctx *ctx, struct action *action)
{
	const struct zone_spec *spec = version_zone(ctx->plan, &action->zone, ctx->arena, ctx->errs);
	const struct topo_zone *zone = spec ? find_zone(ctx->plan, spec->name.value) : NULL;

	if (!zone)
		return; /* said already */
	action->zone.value = spec->name.value;
	for (size_t i = 0; i < action->to.count; i++)
		resolve_to(ctx, action, zone, &action->to.v[i]);
	for (size_t i = 0; !action->to.count && i < zone->primary_count; i++) {
		check_verbs(ctx, action, zone->primaries[i], action->loc);
		add_host(action, zone->primaries[i]);
	}
}

static void resolve_target(struct plan_ctx *ctx, struct action *action, const struct text *name)
{
	const struct topology *topology = ctx->plan->topology;
	struct addresses ignored = {0};
	struct err err = {0};

	if (topology_resolve(topology, *name, ctx->arena, &ignored, &err)) {
		errs_add_err(ctx->errs, &err);
		return;
	}
	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];

		if (!topology_is_meant(host, name->value))
			continue;
		if (action->ops->on == ACTION_ON_SERVERS && !host->server) {
			errs_add(ctx->errs, name->loc, "target: %s is a client and has no server to %s", host->name,
				 action->ops->kind);
			continue;
		}
		if (action->ops->on == ACTION_ON_SERVERS)
			check_verbs(ctx, action, host, name->loc);
		add_host(action, host);
	}
}

/* ---- steps ---- */

const struct action_ops *action_find(struct plan_ctx *ctx, const struct node *kind)
{
	const struct action_ops *ops = registry_action(ctx->registry, kind->scalar);
	struct names known = {0};

	for (size_t i = 0; !ops && ctx->registry->actions && ctx->registry->actions[i]; i++)
		names_add(&known, ctx->arena, ctx->registry->actions[i]->kind);
	if (!ops)
		names_unknown(&known, "step", kind->scalar, kind->loc, ctx->errs);
	return ops;
}

static void check_time(struct plan_ctx *ctx, const struct action *action)
{
	int64_t duration = ctx->plan->duration_ns;
	char a[32], d[32];

	if (duration != PARAM_UNSET && action->at_ns != PARAM_UNSET && action->at_ns >= duration)
		errs_add(ctx->errs, action->loc,
			 "at: %s is when the run is over, which ends at %s; mend at:, or duration:",
			 units_format_duration(action->at_ns, a, sizeof(a)),
			 units_format_duration(duration, d, sizeof(d)));
}

void action_parse(struct plan_ctx *ctx, const struct node *node, const struct action_ops *ops)
{
	struct action *action = arena_alloc(ctx->arena, ops->size);
	size_t before = ctx->errs->count + ctx->errs->dropped;
	const struct param *rows[ACTION_ROWS_MAX];

	action->loc = node->loc;
	action->ops = ops;
	action->id = (int64_t)ctx->plan->action_count + 1;
	action->hosts = ARENA_ARRAY(ctx->arena, const char *, ctx->plan->topology->host_count + 1);
	parse_mapping(ctx->arena, node, rows, action_rows(ops, rows), action, "step", ctx->errs);
	set_name(ctx, action);
	check_time(ctx, action);
	if (ops->on == ACTION_ON_ZONE && action->zone.value)
		resolve_zone(ctx, action);
	for (size_t i = 0; !action_is_on_zone(ops) && i < action->target.count; i++)
		resolve_target(ctx, action, &action->target.v[i]);
	action->is_broken = ctx->errs->count + ctx->errs->dropped > before;
	ctx->plan->actions[ctx->plan->action_count++] = action;
}

/* Something that changes zones: an action, or the begin or end of a fault. */
struct change {
	struct action *action;
	struct injector *fault;
	bool is_end;
	int64_t at_ns;
};

static void resolve_change(struct plan_ctx *ctx, const struct change *change)
{
	struct action *action = change->action;

	if (change->fault)
		change->fault->ops->resolve(change->fault, ctx->plan, change->is_end, ctx->arena, ctx->errs);
	else if (action->ops->resolve && !action->is_broken)
		action->ops->resolve(action, ctx->plan, ctx->arena, ctx->errs);
}

static size_t list_changes(const struct plan *plan, struct change *v)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->fault_count; i++) {
		struct injector *fault = plan->faults[i];
		int64_t end_ns = fault->for_ns == PARAM_UNSET ? INT64_MAX : fault->at_ns + fault->for_ns;

		if (!fault->ops->resolve || fault->at_ns == PARAM_UNSET)
			continue;
		v[count++] = (struct change){.fault = fault, .at_ns = fault->at_ns};
		v[count++] = (struct change){.fault = fault, .is_end = true, .at_ns = end_ns};
	}
	for (size_t i = 0; i < plan->action_count; i++)
		v[count++] = (struct change){.action = plan->actions[i], .at_ns = plan->actions[i]->at_ns};
	return count;
}

/* In the order of time, ends first: each change builds on those before it. */
void actions_resolve(struct plan_ctx *ctx)
{
	struct plan *plan = ctx->plan;
	struct change *v = ARENA_ARRAY(ctx->arena, struct change, plan->action_count + 2 * plan->fault_count + 1);
	size_t count = list_changes(plan, v);

	for (size_t done = 0; done < count; done++) {
		size_t next = done;
		struct change change;

		for (size_t i = done + 1; i < count; i++) {
			if (v[i].at_ns < v[next].at_ns ||
			    (v[i].at_ns == v[next].at_ns && v[i].is_end && !v[next].is_end))
				next = i;
		}
		change = v[next];
		memmove(&v[done + 1], &v[done], (next - done) * sizeof(*v));
		v[done] = change;
		resolve_change(ctx, &change);
	}
}
