/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/schema.h"

#include <stdio.h>
#include <string.h>

#include "harness/event/metric.h"
#include "harness/plan/plan.h"
#include "harness/plan/schema_row.h"

#define DEFAULT_PROBE "dns"

/* `key: <kind>` as the property that tells the alternatives of a list apart. */
static json_t *constant(const char *kind, const char *summary)
{
	json_t *value = json_pack("{s:s}", "const", kind);

	schema_describe(value, summary);
	return value;
}

/* An alternative for a kind that only the matrix tells: nothing can be said about its other keys. */
static json_t *any_kind(const char *key)
{
	return json_pack("{s:s, s:{s:o}, s:[s]}", "type", "object", "properties", key, schema_ref("substituted"),
			 "required", key);
}

static void define_steps(struct schema *schema)
{
	json_t *kinds = json_array();

	for (const struct injector_ops *const *ops = schema->registry->injectors; ops && *ops; ops++) {
		const struct param *rows[STEP_ROWS_MAX];
		json_t *step = schema_object(schema, rows, step_rows(*ops, rows));
		char name[80];

		schema_add_property(step, "fault", constant((*ops)->kind, (*ops)->summary), true);
		schema_describe(step, (*ops)->summary);
		snprintf(name, sizeof(name), "fault-%s", (*ops)->kind);
		json_object_set_new(schema->definitions, name, step);
		json_array_append_new(kinds, schema_ref(name));
	}
	for (const struct action_ops *const *ops = schema->registry->actions; ops && *ops; ops++) {
		const struct param *rows[ACTION_ROWS_MAX];
		json_t *step = schema_object(schema, rows, action_rows(*ops, rows));
		char name[80];

		schema_add_property(step, "do", constant((*ops)->kind, (*ops)->summary), true);
		schema_describe(step, (*ops)->summary);
		snprintf(name, sizeof(name), "do-%s", (*ops)->kind);
		json_object_set_new(schema->definitions, name, step);
		json_array_append_new(kinds, schema_ref(name));
	}
	json_array_append_new(kinds, any_kind("fault"));
	json_array_append_new(kinds, any_kind("do"));
	json_array_append_new(kinds, schema_ref("substituted"));
	json_object_set_new(schema->definitions, "step", json_pack("{s:o}", "anyOf", kinds));
}

static void define_probes(struct schema *schema)
{
	json_t *kinds = json_array();

	for (const struct probe_ops *const *ops = schema->registry->probes; ops && *ops; ops++) {
		const struct param *const rows[] = {probe_params, (*ops)->params};
		json_t *probe = schema_object(schema, rows, (*ops)->params ? 2 : 1);
		bool is_default = !strcmp((*ops)->kind, DEFAULT_PROBE);
		char name[80];

		schema_add_property(probe, "kind", constant((*ops)->kind, (*ops)->summary), !is_default);
		schema_describe(probe, (*ops)->summary);
		snprintf(name, sizeof(name), "probe-%s", (*ops)->kind);
		json_object_set_new(schema->definitions, name, probe);
		json_array_append_new(kinds, schema_ref(name));
	}
	json_array_append_new(kinds, any_kind("kind"));
	json_array_append_new(kinds, schema_ref("substituted"));
	json_object_set_new(schema->definitions, "probe", json_pack("{s:o}", "anyOf", kinds));
}

/* "<= 3s", ">= 95%", and for what may not happen at all "never". */
static json_t *metric_bound(enum metric metric)
{
	const struct metric_info *info = &metric_infos[metric];
	bool may_be_never = metric == METRIC_TIME_TO_FAILOVER || metric == METRIC_TIME_TO_RECOVER;
	char pattern[160];
	json_t *bound;

	snprintf(pattern, sizeof(pattern), "((<=|>=|==|<|>|=) *%s%s)",
		 info->unit == METRIC_SHARE ? SCHEMA_SHARE : SCHEMA_DURATION, may_be_never ? "|never" : "");
	bound = schema_pattern(pattern);
	schema_describe(bound, info->doc);
	return bound;
}

static void define_expect(struct schema *schema)
{
	const struct param *const rows[] = {expect_params};
	json_t *expect = schema_object(schema, rows, 1);

	for (int metric = 0; metric < METRIC_COUNT; metric++)
		schema_add_property(expect, metric_infos[metric].name, metric_bound((enum metric)metric), false);
	schema_describe(expect, "a bound on what is measured of a probe");
	json_object_set_new(schema->definitions, "expect", expect);
}

static void define_scalars(struct schema *schema)
{
	json_t *substituted = json_pack("{s:s, s:s}", "type", "string", "pattern", "\\$\\{");

	schema_describe(substituted, "a text that holds ${key} of the matrix");
	json_object_set_new(schema->definitions, "substituted", substituted);
}

/* Puts value, or a text that stands for it, where a row of plan_table said "anything". */
static void refine(json_t *plan, const char *key, json_t *whole)
{
	json_t *value = json_pack("{s:[o,o]}", "anyOf", whole, schema_ref("substituted"));

	json_object_update_missing(value, json_object_get(json_object_get(plan, "properties"), key));
	schema_add_property(plan, key, value, false);
}

/* What is read before anything is put in the place of ${key}. */
static void refine_first(json_t *plan, const char *key, json_t *value)
{
	json_object_update_missing(value, json_object_get(json_object_get(plan, "properties"), key));
	schema_add_property(plan, key, value, false);
}

static void refine_plan(json_t *plan)
{
	refine_first(plan, "include",
		     json_pack("{s:[{s:s}, {s:s, s:{s:s}}]}", "anyOf", "type", "string", "type", "array", "items",
			       "type", "string"));
	refine_first(plan, "matrix",
		     json_pack("{s:s, s:{s:[s,s], s:i, s:i}}", "type", "object", "additionalProperties", "type",
			       "array", "object", "minItems", 1, "minProperties", 1));
	refine(plan, "probes", json_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema_ref("probe")));
	refine(plan, "timeline", json_pack("{s:s, s:o}", "type", "array", "items", schema_ref("step")));
	refine(plan, "expect", json_pack("{s:s, s:o}", "type", "array", "items", schema_ref_or_substituted("expect")));
}

/* What a plan must say may stand in a file it includes. */
static void require_unless_included(json_t *plan)
{
	json_t *required = json_incref(json_object_get(plan, "required"));

	if (!required)
		return;
	json_object_del(plan, "required");
	json_object_set_new(plan, "anyOf", json_pack("[{s:o}, {s:[s]}]", "required", required, "required", "include"));
}

void schema_write(const struct registry *registry, struct buf *out)
{
	struct schema schema = {registry, json_object()};
	const struct param *const rows[] = {plan_table.params};
	json_t *root, *plan;
	char *text;

	define_scalars(&schema);
	define_steps(&schema);
	define_probes(&schema);
	define_expect(&schema);
	plan = schema_object(&schema, rows, 1);
	refine_plan(plan);
	require_unless_included(plan);
	schema_relax_where_included(&schema, plan, "lab");
	schema_relax_where_included(&schema, plan, "probes");
	root = json_pack("{s:s, s:s, s:s}", "$schema", "http://json-schema.org/draft-07/schema#", "title",
			 "dnsdrill plan", "description", plan_table.doc);
	json_object_update(root, plan);
	json_object_set_new(root, "definitions", schema.definitions);
	text = json_dumps(root, JSON_INDENT(2));
	if (text)
		buf_printf(out, "%s\n", text);
	else
		out->failed = true;
	free(text);
	json_decref(plan);
	json_decref(root);
}
