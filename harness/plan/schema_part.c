/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan that includes others need not say all that a plan must: mappings are merged. For its lab and its probes there is a second set of definitions, "<name>.part", that
 * demand nothing; lists, timeline and expectations among them, are taken whole and stay as they are. `dnsdrill check` knows what the whole lacks.
 */
#include <string.h>

#include "harness/plan/schema_row.h"

#define REF "#/definitions/"

static void define_part(json_t *definitions, const char *name);

/* Lets every reference in value lead to a part. */
static void refer_to_parts(json_t *definitions, json_t *value)
{
	const char *ref, *key;
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item) refer_to_parts(definitions, item);
	json_object_foreach(value, key, item) refer_to_parts(definitions, item);
	ref = json_string_value(json_object_get(value, "$ref"));
	if (ref && strcmp(ref, REF "substituted") != 0) {
		define_part(definitions, ref + strlen(REF));
		json_object_set_new(value, "$ref", json_sprintf("%s.part", ref));
	}
}

static void define_part(json_t *definitions, const char *name)
{
	json_t *part, *part_name = json_sprintf("%s.part", name);
	const char *key = json_string_value(part_name);

	if (!json_object_get(definitions, key)) {
		part = json_deep_copy(json_object_get(definitions, name));
		json_object_set_new(definitions, key, part);
		json_object_del(part, "required");
		refer_to_parts(definitions, part);
	}
	json_decref(part_name);
}

void schema_relax_where_included(struct schema *schema, json_t *plan, const char *key)
{
	json_t *properties = json_object_get(plan, "properties");
	json_t *whole = json_object_get(properties, key), *part = json_deep_copy(whole);
	json_t *otherwise = json_object_get(plan, "else");

	if (!otherwise) {
		otherwise = json_pack("{s:{}}", "properties");
		json_object_set_new(plan, "if", json_pack("{s:[s]}", "required", "include"));
		json_object_set_new(plan, "else", otherwise);
	}
	json_object_set(json_object_get(otherwise, "properties"), key, whole);
	refer_to_parts(schema->definitions, part);
	json_object_set_new(properties, key, part);
}
