/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `timeline:` — steps, each a fault of some kind.
 */
#include <string.h>

#include "harness/base/units.h"
#include "harness/plan/internal.h"

const struct param step_params[] = {
	{.key = "at",
	 .type = PARAM_DURATION,
	 .offset = PARAM_AT(struct injector, at_ns, int64_t),
	 .max = PLAN_LENGTH_MAX,
	 .def = PARAM_UNSET,
	 .required = true,
	 .doc = "when it begins, from the start of the timeline"},
	P_DURATION(struct injector, for_ns, "for", MSEC, PLAN_LENGTH_MAX, PARAM_UNSET,
		   "how long it lasts; may be left out where the plan has a duration:, and then it lasts to the end"),
	P_TEXT_REQUIRED(struct injector, kind, "fault", "what is done (see `dnsdrill list faults`)"),
	{.key = "target",
	 .type = PARAM_TEXTS,
	 .offset = PARAM_AT(struct injector, target, struct texts),
	 .required = true,
	 .doc = "who is hit: a provider, a nameserver (alpha.ns1), a resolver, a client, root, tld.com, tlds, or a "
		"list"},
	P_TEXTS(struct injector, from, "from",
		"whose traffic with the target is hit, named likewise; by default anybody's"),
	P_TEXT(struct injector, name, "name", "what expectations and reports call it; by default <fault> <target>"),
	PARAM_END,
};

static const struct injector_ops *find_kind(struct plan_ctx *ctx, const struct node *node)
{
	const struct node *kind = node->type == NODE_MAP ? node_get(node, "fault") : NULL;
	const struct injector_ops *ops;
	struct names known = {0};

	if (!kind || kind->type != NODE_SCALAR)
		return NULL;
	ops = registry_injector(ctx->registry, kind->scalar);
	for (size_t i = 0; !ops && ctx->registry->injectors && ctx->registry->injectors[i]; i++)
		names_add(&known, ctx->arena, ctx->registry->injectors[i]->kind);
	if (!ops)
		names_unknown(&known, "fault", kind->scalar, kind->loc, ctx->errs);
	return ops;
}

/* A step that cannot be parsed further: say what is missing, and remember its name for the expectations. */
static void parse_broken(struct plan_ctx *ctx, const struct node *node)
{
	const struct node *name = node->type == NODE_MAP ? node_get(node, "name") : NULL;
	char shown[80];

	if (name && name->type == NODE_SCALAR)
		names_add(&ctx->fault_names, ctx->arena, name->scalar);
	if (node->type != NODE_MAP)
		errs_add(
			ctx->errs, node->loc,
			"timeline: a step is a mapping such as {at: 5s, for: 10s, fault: blackhole, target: …}, not %s",
			node_describe(node, shown, sizeof(shown)));
	else if (!node_get(node, "fault"))
		errs_add(ctx->errs, node->loc, "step needs the key 'fault': what is done (see `dnsdrill list faults`)");
	else if (node_get(node, "fault")->type != NODE_SCALAR)
		errs_add(ctx->errs, node_get(node, "fault")->loc, "fault: a text is expected, not %s",
			 node_describe(node_get(node, "fault"), shown, sizeof(shown)));
}

static void set_name(struct plan_ctx *ctx, struct injector *fault)
{
	const char *targets = "";

	for (size_t i = 0; i < fault->target.count; i++)
		targets = arena_printf(ctx->arena, "%s%s%s", targets, i ? ", " : "", fault->target.v[i].value);
	if (!fault->name.value)
		fault->name = (struct text){arena_printf(ctx->arena, "%s %s", fault->kind.value, targets), fault->loc};
	if (!*fault->name.value)
		errs_add(ctx->errs, fault->name.loc, "name: it is empty; write one, or leave the key out");
	if (!strcmp(fault->name.value, "baseline") || !strcmp(fault->name.value, "recovery"))
		errs_add(ctx->errs, fault->name.loc,
			 "name: '%s' is what expectations call a part of every run; choose another", fault->name.value);
	for (size_t i = 0; i < ctx->plan->fault_count; i++) {
		const struct text *other = &ctx->plan->faults[i]->name;

		if (strcmp(other->value, fault->name.value))
			continue;
		errs_add(ctx->errs, fault->name.loc,
			 "two steps are called '%.80s' (%s); give one of them a name: of its own", fault->name.value,
			 names_place(ctx->arena, other->loc, fault->name.loc));
		break;
	}
	names_add(&ctx->fault_names, ctx->arena, fault->name.value);
}

static void check_time(struct plan_ctx *ctx, const struct injector *fault)
{
	int64_t duration = ctx->plan->duration_ns, end = fault->at_ns;
	char a[32], d[32];

	if (fault->for_ns == PARAM_UNSET && duration == PARAM_UNSET) {
		errs_add(ctx->errs, fault->loc,
			 "step needs the key 'for': how long the fault lasts; or the plan a duration:");
		return;
	}
	if (fault->at_ns == PARAM_UNSET)
		return; /* said already */
	if (fault->for_ns != PARAM_UNSET)
		end += fault->for_ns;
	if (duration != PARAM_UNSET && (end > duration || fault->at_ns >= duration))
		errs_add(ctx->errs, fault->loc,
			 "'%.80s' lasts until %s, but the run ends at %s; mend at: and for:, or duration:",
			 fault->name.value, units_format_duration(end, a, sizeof(a)),
			 units_format_duration(duration, d, sizeof(d)));
}

static void resolve(struct plan_ctx *ctx, const struct texts *names, struct addresses *io)
{
	for (size_t i = 0; i < names->count; i++) {
		struct err err = {0};

		if (topology_resolve(ctx->plan->topology, names->v[i], ctx->arena, io, &err))
			errs_add_err(ctx->errs, &err);
	}
}

static bool is_same_set(const struct addresses *a, const struct addresses *b)
{
	for (size_t i = 0; i < a->count; i++) {
		bool found = false;

		for (size_t j = 0; j < b->count && !found; j++)
			found = address_is_equal(&a->v[i], &b->v[j]);
		if (!found)
			return false;
	}
	return a->count == b->count;
}

static void check_addresses(struct plan_ctx *ctx, const struct injector *fault)
{
	const struct addresses *to = &fault->target_addresses, *from = &fault->from_addresses;
	bool both_v4, both_v6;

	if (!to->count || !from->count)
		return;
	both_v4 = addresses_first(to, AF_INET) && addresses_first(from, AF_INET);
	both_v6 = addresses_first(to, AF_INET6) && addresses_first(from, AF_INET6);
	if (is_same_set(to, from))
		errs_add(ctx->errs, fault->from.v[0].loc,
			 "from: it is the same as target: what a host says to itself never crosses the lab's core; "
			 "leave from: out, or name who asks");
	else if (!both_v4 && !both_v6)
		errs_add(ctx->errs, fault->from.v[0].loc,
			 "from: it has only %s addresses, and target only %s: they can never meet",
			 addresses_first(from, AF_INET) ? "IPv4" : "IPv6",
			 addresses_first(to, AF_INET) ? "IPv4" : "IPv6");
}

static void parse_step(struct plan_ctx *ctx, const struct node *node)
{
	const struct injector_ops *ops = find_kind(ctx, node);
	size_t before = ctx->errs->count + ctx->errs->dropped;
	struct injector *fault;

	if (!ops) {
		parse_broken(ctx, node);
		return;
	}
	fault = arena_alloc(ctx->arena, ops->size);
	fault->loc = node->loc;
	fault->ops = ops;
	fault->id = (int64_t)ctx->plan->fault_count + 1;
	parse_mapping(ctx->arena, node, (const struct param *const[]){step_params, ops->params}, ops->params ? 2 : 1,
		      fault, "step", ctx->errs);
	set_name(ctx, fault);
	check_time(ctx, fault);
	resolve(ctx, &fault->target, &fault->target_addresses);
	resolve(ctx, &fault->from, &fault->from_addresses);
	check_addresses(ctx, fault);
	if (ops->validate && ctx->errs->count + ctx->errs->dropped == before)
		ops->validate(fault, ctx->errs);
	ctx->plan->faults[ctx->plan->fault_count++] = fault;
}

/* When the timeline is over, recovery included. */
static int64_t end_of(const struct plan *plan)
{
	int64_t end = 0;

	if (plan->duration_ns != PARAM_UNSET)
		return plan->duration_ns;
	for (size_t i = 0; i < plan->fault_count; i++) {
		const struct injector *fault = plan->faults[i];

		if (fault->at_ns != PARAM_UNSET && fault->for_ns != PARAM_UNSET && fault->at_ns + fault->for_ns > end)
			end = fault->at_ns + fault->for_ns;
	}
	return end + plan->recovery_ns;
}

void steps_parse(struct plan_ctx *ctx)
{
	const struct node *list = ctx->doc->timeline;
	char shown[80];

	if (list && list->type != NODE_LIST)
		errs_add(ctx->errs, list->loc,
			 "timeline: a list of steps is expected (- {at: 5s, for: 10s, …}), not %s",
			 node_describe(list, shown, sizeof(shown)));
	if (list && list->type == NODE_LIST) {
		ctx->plan->faults = ARENA_ARRAY(ctx->arena, struct injector *, list->count);
		for (size_t i = 0; i < list->count; i++)
			parse_step(ctx, list->items[i]);
	}
	ctx->plan->end_ns = end_of(ctx->plan);
}
