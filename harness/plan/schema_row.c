/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/schema_row.h"

#include <string.h>

#include "harness/base/buf.h"
#include "harness/plan/parse.h"
#include "harness/plan/plan.h"

json_t *schema_ref(const char *name)
{
	return json_pack("{s:s++}", "$ref", "#/definitions/", name, "");
}

json_t *schema_ref_or_substituted(const char *name)
{
	return json_pack("{s:[o,o]}", "anyOf", schema_ref(name), schema_ref("substituted"));
}

json_t *schema_pattern(const char *pattern)
{
	return json_pack("{s:s, s:[{s:s++}, o]}", "type", "string", "anyOf", "pattern", "^", pattern, "$",
			 schema_ref("substituted"));
}

void schema_describe(json_t *value, const char *doc)
{
	if (doc)
		json_object_set_new(value, "description", json_string(doc));
}

/* The default as the value an editor would put in. */
static json_t *default_value(const struct param *param, const char *text)
{
	if (param->type == PARAM_BOOL)
		return json_boolean(param->def);
	if (param->type == PARAM_INT)
		return json_integer(param->def);
	return json_string(text);
}

/* The row's sentence, its range and its default: what an editor shows. */
static void describe_row(json_t *value, const struct param *param)
{
	struct buf text = {0}, range = {0}, def = {0};

	if (param->type != PARAM_ENUM && param->type != PARAM_ENUMS && param->type != PARAM_BOOL)
		param_format_range(param, &range);
	param_format_default(param, &def);
	buf_puts(&text, param->doc ? param->doc : "");
	if (range.len || def.len)
		buf_printf(&text, " (%s%s%s%s)", range.len ? range.data : "", range.len && def.len ? "; " : "",
			   def.len ? "default " : "", def.len ? def.data : "");
	schema_describe(value, text.data);
	if (def.len)
		json_object_set_new(value, "default", default_value(param, def.data));
	buf_fini(&text);
	buf_fini(&range);
	buf_fini(&def);
}

static json_t *one_or_list(json_t *item, bool is_set)
{
	json_t *list = json_pack("{s:s, s:O}", "type", "array", "items", item);

	if (is_set) {
		json_object_set_new(list, "minItems", json_integer(1));
		json_object_set_new(list, "uniqueItems", json_true());
	}
	return json_pack("{s:[o,o]}", "anyOf", item, list);
}

static json_t *enum_of(const char *const *choices)
{
	json_t *values = json_array();

	for (size_t i = 0; choices[i]; i++) {
		json_array_append_new(values, json_string(choices[i]));
		if (!strcmp(choices[i], "true") || !strcmp(choices[i], "false")) /* YAML's own, where not quoted */
			json_array_append_new(values, json_boolean(!strcmp(choices[i], "true")));
	}
	return json_pack("{s:[{s:o}, o]}", "anyOf", "enum", values, schema_ref("substituted"));
}

static json_t *integer(const struct param *param)
{
	json_t *number = json_pack("{s:s}", "type", "integer");

	if (param->min != INT64_MIN)
		json_object_set_new(number, "minimum", json_integer(param->min));
	if (param->max != INT64_MAX)
		json_object_set_new(number, "maximum", json_integer(param->max));
	return json_pack("{s:[o,o]}", "anyOf", number, schema_ref("substituted"));
}

/* A text that names server software: completed from the drivers there are. */
static json_t *server_names(const struct schema *schema, int roles)
{
	json_t *names = json_array();

	for (const struct server_ops *const *ops = schema->registry->servers; ops && *ops; ops++) {
		if ((*ops)->roles & roles)
			json_array_append_new(names, json_string((*ops)->name));
	}
	return json_pack("{s:[{s:o}, o]}", "anyOf", "enum", names, schema_ref("substituted"));
}

static json_t *object_of(json_t *values)
{
	return json_pack("{s:[{s:s, s:o}, o]}", "anyOf", "type", "object", "additionalProperties", values,
			 schema_ref("substituted"));
}

static json_t *list_of(json_t *items)
{
	return json_pack("{s:[{s:s, s:o}, o]}", "anyOf", "type", "array", "items", items, schema_ref("substituted"));
}

static json_t *row_schema(struct schema *schema, const struct param *param)
{
	switch (param->type) {
	case PARAM_BOOL:
		return json_pack("{s:[{s:s}, o]}", "anyOf", "type", "boolean", schema_ref("substituted"));
	case PARAM_INT:
		return integer(param);
	case PARAM_DURATION:
		return schema_pattern(SCHEMA_DURATION);
	case PARAM_SHARE:
		return schema_pattern(SCHEMA_SHARE);
	case PARAM_SIZE:
		return schema_pattern(SCHEMA_NUMBER "([KMG]i)?B");
	case PARAM_RATE:
		return schema_pattern(SCHEMA_NUMBER "([kMG]?bit)?/s");
	case PARAM_ENUM:
		return enum_of(param->choices);
	case PARAM_TEXT:
		return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
	case PARAM_ENUMS:
		return one_or_list(enum_of(param->choices), false);
	case PARAM_TEXTS:
		return one_or_list(json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean"), false);
	case PARAM_GROUPS:
		return list_of(one_or_list(json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean"), false));
	case PARAM_ADDRESSES:
		return one_or_list(schema_pattern("([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)"), true);
	case PARAM_TABLE:
		if (param->sub->given_offset)
			return json_pack("{s:[{s:s}, o]}", "anyOf", "type", "boolean",
					 schema_table_ref(schema, param->sub));
		return schema_table_ref(schema, param->sub);
	case PARAM_MAP:
		return object_of(schema_table_ref(schema, param->sub));
	case PARAM_LIST:
		return list_of(schema_table_ref(schema, param->sub));
	case PARAM_NODE:
		return json_object(); /* anything */
	}
	return json_object();
}

json_t *schema_object(struct schema *schema, const struct param *const *rows, size_t lists)
{
	/* The merge key is no property of its own, but may hold ${…} until the matrix is known. */
	json_t *object = json_pack("{s:s, s:{}, s:{s:o}, s:b}", "type", "object", "properties", "patternProperties",
				   "^<<$", schema_ref("substituted"), "additionalProperties", 0);

	for (size_t i = 0; i < lists; i++) {
		for (const struct param *param = rows[i]; param->key; param++) {
			json_t *property = row_schema(schema, param);

			describe_row(property, param);
			schema_add_property(object, param->key, property, param->required);
		}
	}
	return object;
}

void schema_add_property(json_t *object, const char *key, json_t *property, bool required)
{
	json_t *list = json_object_get(object, "required");

	json_object_set_new(json_object_get(object, "properties"), key, property);
	if (!required)
		return;
	if (!list) {
		list = json_array();
		json_object_set_new(object, "required", list);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!strcmp(json_string_value(json_array_get(list, i)), key))
			return;
	}
	json_array_append_new(list, json_string(key));
}

/* The roles of the servers that a table's `server:` can name; 0: it has none. */
static int server_roles(const struct table *table)
{
	if (table == &resolver_table)
		return SERVER_RESOLVER | SERVER_FORWARDER;
	if (table == &nameserver_table || table == &root_table || table == &tld_table)
		return SERVER_AUTHORITATIVE;
	return 0;
}

json_t *schema_table_ref(struct schema *schema, const struct table *table)
{
	json_t *object, *server;

	if (!json_object_get(schema->definitions, table->name)) {
		json_object_set_new(schema->definitions, table->name, json_object()); /* a table may hold itself */
		object = schema_object(schema, &table->params, 1);
		schema_describe(object, table->doc);
		server = json_object_get(json_object_get(object, "properties"), "server");
		if (server && server_roles(table)) {
			json_object_del(server, "type");
			json_object_update_new(server, server_names(schema, server_roles(table)));
		}
		json_object_set_new(schema->definitions, table->name, object);
	}
	return schema_ref_or_substituted(table->name);
}
