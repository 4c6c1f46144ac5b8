/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `expect:` — bounds on measurements. One item with several metrics becomes several expectations.
 */
#include <string.h>

#include "harness/base/units.h"
#include "harness/plan/internal.h"

struct expect_doc {
	struct loc loc;
	struct text probe, during;
	struct text bounds[METRIC_COUNT];
};

const struct param expect_params[] = {
	P_TEXT_REQUIRED(struct expect_doc, probe, "probe", "whose samples are measured"),
	P_TEXT(struct expect_doc, during, "during",
	       "part of the run that is looked at: a fault's name, baseline, or recovery; by default the whole run"),
	PARAM_END,
};

#define METRIC_ROW(id, name, unit, doc) P_TEXT(struct expect_doc, bounds[METRIC_##id], name, doc),
static const struct param metric_params[] = {METRICS(METRIC_ROW) PARAM_END};
#undef METRIC_ROW

/* Metrics of one fault and nothing else. */
static bool is_of_fault(enum metric metric)
{
	return metric == METRIC_TIME_TO_IMPACT || metric == METRIC_TIME_TO_FAILOVER || metric == METRIC_TIME_TO_RECOVER;
}

static bool may_be_never(enum metric metric)
{
	return metric == METRIC_TIME_TO_FAILOVER || metric == METRIC_TIME_TO_RECOVER;
}

/* The comparison text begins with, as events carry it; *io moves behind it. NULL if there is none. */
static const char *take_operator(const char **io)
{
	static const char *const spellings[][2] = {
		{"<=", "<="}, {">=", ">="}, {"==", "="}, {"<", "<"}, {">", ">"}, {"=", "="},
	};

	*io += strspn(*io, " ");
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		size_t len = strlen(spellings[i][0]);

		if (strncmp(*io, spellings[i][0], len))
			continue;
		*io += len;
		*io += strspn(*io, " ");
		return spellings[i][1];
	}
	return NULL;
}

static int parse_number(enum metric_unit unit, const char *text, int64_t *ret)
{
	return unit == METRIC_SHARE ? units_parse_share(text, ret) : units_parse_duration(text, ret);
}

/* What is wrong with the number behind the comparison, and how it should read. */
static void say_number(struct plan_ctx *ctx, const struct metric_info *info, const struct text *bound, const char *op,
		       const char *number)
{
	enum metric_unit other = info->unit == METRIC_SHARE ? METRIC_DURATION : METRIC_SHARE;
	const char *kind = info->unit == METRIC_SHARE ? "a share" : "a duration";
	const char *example = info->unit == METRIC_SHARE ? "95%" : "3s";
	size_t digits = strspn(number, "0123456789.");
	int64_t ignored;

	if (!*number)
		errs_add(ctx->errs, bound->loc, "%s: '%s' compares with nothing; write \"%s %s\"", info->name, op, op,
			 example);
	else if (!parse_number(other, number, &ignored))
		errs_add(ctx->errs, bound->loc, "%s: it is %s, not %s; write such as \"%s %s\"", info->name, kind,
			 other == METRIC_SHARE ? "a share" : "a duration", op, example);
	else if (!number[digits])
		errs_add(ctx->errs, bound->loc, "%s: %.60s has no unit; write \"%s %.60s%s\"", info->name, number, op,
			 number, info->unit == METRIC_SHARE ? "%" : "s");
	else
		errs_add(ctx->errs, bound->loc, "%s: '%.60s' is not %s; write such as \"%s %s\"", info->name, number,
			 kind, op, example);
}

static void say_no_operator(struct plan_ctx *ctx, const struct metric_info *info, const struct text *bound)
{
	bool is_share = info->unit == METRIC_SHARE;
	const char *op = is_share ? ">=" : "<=", *number = is_share ? "95%" : "3s";
	int64_t ignored;

	if (!parse_number(info->unit, bound->value, &ignored))
		number = bound->value;
	errs_add(ctx->errs, bound->loc, "%s: '%.60s' says no comparison; write \"%s %.60s\" (one of <= < >= > =)",
		 info->name, bound->value, op, number);
}

/* Fills op and bound of spec; false after an error. */
static bool parse_bound(struct plan_ctx *ctx, enum metric metric, const struct text *bound, struct expect_spec *spec)
{
	const struct metric_info *info = &metric_infos[metric];
	const char *number = bound->value;

	if (!strcmp(bound->value, "never")) {
		spec->op = "never";
		if (!may_be_never(metric))
			errs_add(ctx->errs, bound->loc,
				 "%s: only time_to_failover and time_to_recover can be never; write such as \"= %s\"",
				 info->name, info->unit == METRIC_SHARE ? "0%" : "0s");
		return may_be_never(metric);
	}
	spec->op = take_operator(&number);
	if (!spec->op) {
		say_no_operator(ctx, info, bound);
		return false;
	}
	if (parse_number(info->unit, number, &spec->bound)) {
		say_number(ctx, info, bound, spec->op, number);
		return false;
	}
	if (info->unit == METRIC_SHARE && spec->bound > PPM_ONE) {
		errs_add(ctx->errs, bound->loc, "%s: %.60s is more than 100%%", info->name, number);
		return false;
	}
	return true;
}

/* "www: time_to_failover <= 3s during alpha dark" */
static const char *text_of(struct plan_ctx *ctx, const struct expect_doc *doc, const struct expect_spec *spec)
{
	const struct metric_info *info = &metric_infos[spec->metric];
	char number[40] = "";
	const char *text;

	if (strcmp(spec->op, "never")) {
		number[0] = ' ';
		if (info->unit == METRIC_SHARE)
			units_format_share(spec->bound, number + 1, sizeof(number) - 1);
		else
			units_format_duration(spec->bound, number + 1, sizeof(number) - 1);
	}
	text = arena_printf(ctx->arena, "%s: %s %s%s", doc->probe.value, info->name, spec->op, number);
	return spec->during ? arena_printf(ctx->arena, "%s during %s", text, spec->during) : text;
}

static const struct probe *find_probe(struct plan_ctx *ctx, const struct text *name)
{
	for (size_t i = 0; i < ctx->plan->probe_count; i++) {
		if (!strcmp(ctx->plan->probes[i]->name.value, name->value))
			return ctx->plan->probes[i];
	}
	for (size_t i = 0; i < ctx->probe_names.count; i++) {
		if (!strcmp(ctx->probe_names.v[i], name->value))
			return NULL; /* its own errors were said */
	}
	names_unknown(&ctx->probe_names, "probe", name->value, name->loc, ctx->errs);
	return NULL;
}

static bool is_window(const char *during)
{
	return !strcmp(during, "baseline") || !strcmp(during, "recovery");
}

static void check_during(struct plan_ctx *ctx, const struct text *during)
{
	struct names known = {0};

	if (!during->value || is_window(during->value))
		return;
	for (size_t i = 0; i < ctx->fault_names.count; i++) {
		if (!strcmp(ctx->fault_names.v[i], during->value))
			return;
		names_add(&known, ctx->arena, ctx->fault_names.v[i]);
	}
	names_add(&known, ctx->arena, "baseline");
	names_add(&known, ctx->arena, "recovery");
	names_unknown(&known, "part of the run", during->value, during->loc, ctx->errs);
}

static void check_of_fault(struct plan_ctx *ctx, enum metric metric, const struct expect_doc *doc)
{
	const char *example = ctx->fault_names.count ? ctx->fault_names.v[0] : "<fault>";

	if (!is_of_fault(metric) || (doc->during.value && !is_window(doc->during.value)))
		return;
	errs_add(ctx->errs, doc->bounds[metric].loc, "%s: it belongs to one fault; write during: %.80s beside it",
		 metric_infos[metric].name, example);
}

static void add_expect(struct plan_ctx *ctx, const struct expect_doc *doc, const struct probe *probe,
		       enum metric metric)
{
	struct expect_spec *spec = &ctx->plan->expects[ctx->plan->expect_count];

	check_of_fault(ctx, metric, doc);
	*spec = (struct expect_spec){
		.loc = doc->bounds[metric].loc, .probe = probe, .during = doc->during.value, .metric = (int)metric};
	if (!doc->probe.value || !parse_bound(ctx, metric, &doc->bounds[metric], spec))
		return;
	spec->text = text_of(ctx, doc, spec);
	ctx->plan->expect_count++;
}

static void parse_expect(struct plan_ctx *ctx, const struct node *node)
{
	struct expect_doc doc = {.loc = node->loc};
	const struct probe *probe;
	size_t metrics = 0, before = ctx->errs->count + ctx->errs->dropped;
	bool is_understood;

	parse_mapping(ctx->arena, node, (const struct param *const[]){expect_params, metric_params}, 2, &doc, "expect",
		      ctx->errs);
	is_understood = ctx->errs->count + ctx->errs->dropped == before;
	if (node->type != NODE_MAP)
		return;
	probe = doc.probe.value ? find_probe(ctx, &doc.probe) : NULL;
	check_during(ctx, &doc.during);
	for (int metric = 0; metric < METRIC_COUNT; metric++) {
		metrics += node_get(node, metric_infos[metric].name) != NULL;
		if (doc.bounds[metric].value)
			add_expect(ctx, &doc, probe, (enum metric)metric);
	}
	if (!metrics && is_understood)
		errs_add(ctx->errs, node->loc,
			 "expect: no bound is given; write such as availability: \">= 95%%\" (`dnsdrill list metrics` "
			 "shows all)");
}

void expects_parse(struct plan_ctx *ctx)
{
	const struct node *list = ctx->doc->expect;
	char shown[80];

	if (!list)
		return;
	if (list->type != NODE_LIST) {
		errs_add(ctx->errs, list->loc,
			 "expect: a list of bounds is expected (- {probe: www, availability: \">= 95%%\"}), not %s",
			 node_describe(list, shown, sizeof(shown)));
		return;
	}
	ctx->plan->expects = ARENA_ARRAY(ctx->arena, struct expect_spec, list->count * METRIC_COUNT);
	for (size_t i = 0; i < list->count; i++)
		parse_expect(ctx, list->items[i]);
}
