/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON Schema of rows and tables: shared by schema.c and schema_row.c. Functions return new references, which json_object_set_new and its like take over.
 */
#pragma once
#include <jansson.h>

#include "harness/api/registry.h"

struct schema {
	const struct registry *registry;
	json_t *definitions; /* object: table name → schema, filled as tables are met */
};

/* {"$ref": "#/definitions/<name>"} */
json_t *schema_ref(const char *name);
/* The same, or a text that holds ${…}. */
json_t *schema_ref_or_substituted(const char *name);
/* As schema_ref_or_substituted; defines the table if it is met for the first time. */
json_t *schema_table_ref(struct schema *schema, const struct table *table);

/* {"type": "string", "anyOf": [pattern, ${…}]} */
json_t *schema_pattern(const char *pattern);

/* An object with a property for each row of the lists; no others are allowed. */
json_t *schema_object(struct schema *schema, const struct param *const *rows, size_t lists);
/* One property more, or in place of a row's, which may be required. */
void schema_add_property(json_t *object, const char *key, json_t *property, bool required);
/* schema_part.c. In a plan that includes others, the property need not say all that it must elsewhere. */
void schema_relax_where_included(struct schema *schema, json_t *plan, const char *key);
void schema_describe(json_t *value, const char *doc);

#define SCHEMA_NUMBER "[0-9]+(\\.[0-9]+)?"
#define SCHEMA_DURATION "(" SCHEMA_NUMBER "(d|h|m|s|ms|us|ns))+"
#define SCHEMA_SHARE SCHEMA_NUMBER "%"
