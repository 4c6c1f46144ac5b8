/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `timeline:` — steps, each a fault of some kind, or something done (actions.c).
 */
#include <string.h>

#include "harness/base/units.h"
#include "harness/plan/internal.h"

#define FAULTS_MAX 150 /* each has a priority of its own among the core's hooks */
#define RAMP_MIN_NS (100 * MSEC)
#define FLAP_MIN_NS (100 * MSEC) /* below that, applying and reverting take a share worth mentioning */

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
	P_TEXT(struct injector, name, "name", "what expectations and reports call it; by default <fault> <target>"),
	P_DURATION(struct injector, ramp_ns, "ramp", RAMP_MIN_NS, PLAN_LENGTH_MAX, PARAM_UNSET,
		   "grows from nothing to full over that time, in steps of 100 ms; for kinds with a magnitude; by "
		   "default full "
		   "at once"),
	P_TABLE(struct injector, flap, "flap", struct flap, &flap_table,
		"comes and goes as long as it lasts; by default it stands all the while"),
	PARAM_END,
};

const struct param step_target_params[] = {
	{.key = "target",
	 .type = PARAM_TEXTS,
	 .offset = PARAM_AT(struct injector, target, struct texts),
	 .required = true,
	 .doc = "who is hit: a provider, a nameserver (alpha.ns1), a resolver, a client, root, tld.com, tlds, or a "
		"list"},
	P_TEXTS(struct injector, from, "from",
		"whose traffic with the target is hit, named likewise; by default anybody's"),
	PARAM_END,
};

const struct param step_servers_params[] = {
	{.key = "target",
	 .type = PARAM_TEXTS,
	 .offset = PARAM_AT(struct injector, target, struct texts),
	 .required = true,
	 .doc = "whose servers are hit: a provider, a nameserver (alpha.ns1), a resolver, root, tld.com, tlds, or a "
		"list"},
	PARAM_END,
};

const struct param step_groups_params[] = {
	P_GROUPS_REQUIRED(struct injector, groups, "groups",
			  "two groups or more, each a list of names as targets have them: [[alpha, r1], [beta]]"),
	PARAM_END,
};

static const struct param flap_params[] = {
	{.key = "on",
	 .type = PARAM_DURATION,
	 .offset = PARAM_AT(struct flap, on_ns, int64_t),
	 .min = FLAP_MIN_NS,
	 .max = PLAN_LENGTH_MAX,
	 .def = PARAM_UNSET,
	 .required = true,
	 .doc = "how long it stands each time"},
	{.key = "off",
	 .type = PARAM_DURATION,
	 .offset = PARAM_AT(struct flap, off_ns, int64_t),
	 .min = FLAP_MIN_NS,
	 .max = PLAN_LENGTH_MAX,
	 .def = PARAM_UNSET,
	 .required = true,
	 .doc = "how long it is away each time"},
	PARAM_END,
};

const struct table flap_table = {
	.name = "flap",
	.doc = "a fault that comes and goes, beginning with on",
	.params = flap_params,
	.size = sizeof(struct flap),
	.loc_offset = offsetof(struct flap, loc),
	.name_offset = PARAM_NO_NAME,
};

const struct param *step_hits_params(enum injector_hits hits)
{
	switch (hits) {
	case INJECTOR_HITS_TARGET:
		return step_target_params;
	case INJECTOR_HITS_GROUPS:
		return step_groups_params;
	case INJECTOR_HITS_SERVERS:
		return step_servers_params;
	}
	return NULL;
}

size_t step_rows(const struct injector_ops *ops, const struct param *ret[STEP_ROWS_MAX])
{
	size_t count = 0;

	ret[count++] = step_params;
	ret[count++] = step_hits_params(ops->hits);
	if (ops->params)
		ret[count++] = ops->params;
	return count;
}

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
		errs_add(ctx->errs, node->loc,
			 "step needs the key 'fault': what is broken (see `dnsdrill list faults`), or 'do': what is "
			 "done (see "
			 "`dnsdrill list steps`)");
	else if (node_get(node, "fault")->type != NODE_SCALAR)
		errs_add(ctx->errs, node_get(node, "fault")->loc, "fault: a text is expected, not %s",
			 node_describe(node_get(node, "fault"), shown, sizeof(shown)));
}

static const char *join(struct arena *arena, const char *before, const struct texts *texts)
{
	const char *joined = before;

	for (size_t i = 0; i < texts->count; i++)
		joined = arena_printf(arena, "%s%s%s", joined, i ? ", " : "", texts->v[i].value);
	return joined;
}

static void set_name(struct plan_ctx *ctx, struct injector *fault)
{
	const char *targets = join(ctx->arena, "", &fault->target);

	for (size_t i = 0; i < fault->groups.count; i++)
		targets = join(ctx->arena, i ? arena_printf(ctx->arena, "%s | ", targets) : "", &fault->groups.v[i]);
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

/* True: it was one that does something. A fault may have a key of that name, a mapping. */
static bool parse_action(struct plan_ctx *ctx, const struct node *node)
{
	const struct node *kind = node->type == NODE_MAP ? node_get(node, "do") : NULL;
	const struct action_ops *ops;

	if (!kind || (node_get(node, "fault") && kind->type == NODE_MAP))
		return false;
	if (node_get(node, "fault")) {
		errs_add(ctx->errs, kind->loc,
			 "a step breaks something (fault:) or does something (do:), not both; make two "
			 "steps of it");
	} else if (kind->type != NODE_SCALAR) {
		errs_add(ctx->errs, kind->loc, "do: a text is expected, such as push");
	} else {
		ops = action_find(ctx, kind);
		if (ops)
			action_parse(ctx, node, ops);
	}
	return true;
}

static void parse_step(struct plan_ctx *ctx, const struct node *node)
{
	const struct injector_ops *ops;
	size_t before = ctx->errs->count + ctx->errs->dropped;
	const struct param *rows[STEP_ROWS_MAX];
	struct injector *fault;

	if (parse_action(ctx, node))
		return;
	ops = find_kind(ctx, node);
	if (!ops) {
		parse_broken(ctx, node);
		return;
	}
	fault = arena_alloc(ctx->arena, ops->size);
	fault->loc = node->loc;
	fault->ops = ops;
	fault->id = (int64_t)ctx->plan->fault_count + 1;
	parse_mapping(ctx->arena, node, rows, step_rows(ops, rows), fault, "step", ctx->errs);
	set_name(ctx, fault);
	step_check(ctx, node, fault);
	if (ops->compile && ctx->errs->count + ctx->errs->dropped == before)
		ops->compile(fault, ctx->arena, ctx->errs);
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
	for (size_t i = 0; i < plan->action_count; i++) {
		if (plan->actions[i]->at_ns != PARAM_UNSET && plan->actions[i]->at_ns > end)
			end = plan->actions[i]->at_ns;
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
	if (list && list->type == NODE_LIST && list->count > FAULTS_MAX) {
		errs_add(ctx->errs, list->loc, "timeline: %zu steps; a plan has at most %d", list->count, FAULTS_MAX);
		return;
	}
	if (list && list->type == NODE_LIST) {
		ctx->plan->faults = ARENA_ARRAY(ctx->arena, struct injector *, list->count);
		ctx->plan->actions = ARENA_ARRAY(ctx->arena, struct action *, list->count);
		for (size_t i = 0; i < list->count; i++)
			parse_step(ctx, list->items[i]);
		actions_resolve(ctx);
	}
	ctx->plan->end_ns = end_of(ctx->plan);
}
