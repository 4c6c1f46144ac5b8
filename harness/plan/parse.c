/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/parse.h"

#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/text.h"
#include "harness/plan/parse_value.h"

/* The rows that describe one mapping. */
struct rows {
	const struct param *const *lists;
	size_t count;
};

static void set_defaults(const struct rows *rows, void *dst, struct loc loc);

static void *field(void *dst, size_t offset)
{
	return (char *)dst + offset;
}

static void set_default(const struct param *param, void *at, struct loc loc)
{
	switch (param->type) {
	case PARAM_BOOL:
		*(bool *)at = param->def;
		return;
	case PARAM_INT:
	case PARAM_DURATION:
	case PARAM_SHARE:
	case PARAM_SIZE:
	case PARAM_RATE:
	case PARAM_ENUM:
		*(int64_t *)at = param->def;
		return;
	case PARAM_TEXT:
		if (param->def_text)
			*(struct text *)at = (struct text){param->def_text, loc};
		return;
	case PARAM_TABLE: /* as if it were given and empty, but for what it requires; its loc stays zero */
		set_defaults(&(struct rows){&param->sub->params, 1}, at, loc);
		return;
	case PARAM_ENUMS:
	case PARAM_TEXTS:
	case PARAM_GROUPS:
	case PARAM_ADDRESSES:
	case PARAM_MAP:
	case PARAM_LIST:
	case PARAM_NODE:
		return;
	}
}

static void set_defaults(const struct rows *rows, void *dst, struct loc loc)
{
	for (size_t i = 0; i < rows->count; i++) {
		for (const struct param *param = rows->lists[i]; param->key; param++)
			set_default(param, field(dst, param->offset), loc);
	}
}

static const struct param *find_row(const struct rows *rows, const char *key)
{
	for (size_t i = 0; i < rows->count; i++) {
		for (const struct param *param = rows->lists[i]; param->key; param++) {
			if (!strcmp(param->key, key))
				return param;
		}
	}
	return NULL;
}

static void say_unknown(struct parse *parse, const struct rows *rows, const struct node_pair *pair, const char *what)
{
	const char *known[128], *nearest;
	struct buf list = {0};
	size_t count = 0;

	if (parse->errs->count >= ERRS_MAX) { /* only counted: the text would not be shown */
		errs_add(parse->errs, pair->key_loc, "unknown key");
		return;
	}
	for (size_t i = 0; i < rows->count; i++) {
		for (const struct param *param = rows->lists[i]; param->key && count < ARRAY_LEN(known); param++) {
			buf_printf(&list, "%s%s", count ? ", " : "", param->key);
			known[count++] = param->key;
		}
	}
	nearest = text_nearest(pair->key, known, count);
	if (nearest)
		errs_add(parse->errs, pair->key_loc, "unknown key '%.60s' in %s; did you mean '%s'?", pair->key, what,
			 nearest);
	else
		errs_add(parse->errs, pair->key_loc, "unknown key '%.60s' in %s; it knows %s", pair->key, what,
			 list.data ? list.data : "none");
	buf_fini(&list);
}

/* An array of one struct of sub's for each item of value. */
static struct items new_items(struct parse *parse, const struct table *sub, const struct node *value)
{
	return (struct items){.v = arena_alloc(parse->arena, sub->size * value->count), .loc = value->loc};
}

static void parse_map(struct parse *parse, const struct param *param, const struct node *value, struct items *ret)
{
	struct items items;

	if (value->type != NODE_MAP) {
		parse_mismatch(parse, param, value, "a mapping of names");
		return;
	}
	items = new_items(parse, param->sub, value);
	for (size_t i = 0; i < value->count; i++) {
		const struct node_pair *pair = &value->pairs[i];
		void *item = field(items.v, items.count++ * param->sub->size);

		if (!*pair->key)
			errs_add(parse->errs, pair->key_loc, "%s: a name is empty", param->key);
		if (param->sub->name_offset != PARAM_NO_NAME)
			*(struct text *)field(item, param->sub->name_offset) = (struct text){pair->key, pair->key_loc};
		if (node_is_null(pair->value))
			errs_add(parse->errs, pair->value->loc,
				 "%s '%.60s' has no value; write {} if its defaults will do", param->sub->name,
				 pair->key);
		else
			parse_table(parse->arena, pair->value, param->sub, item, parse->errs);
	}
	*ret = items;
}

static void parse_list(struct parse *parse, const struct param *param, const struct node *value, struct items *ret)
{
	struct items items;

	if (value->type != NODE_LIST) {
		parse_mismatch(parse, param, value, "a list of mappings");
		return;
	}
	items = new_items(parse, param->sub, value);
	for (size_t i = 0; i < value->count; i++)
		parse_table(parse->arena, value->items[i], param->sub, field(items.v, items.count++ * param->sub->size),
			    parse->errs);
	*ret = items;
}

static void parse_sub_table(struct parse *parse, const struct param *param, const struct node *value, void *at)
{
	const struct table *sub = param->sub;

	if (sub->given_offset && value->type == NODE_SCALAR) {
		*(struct loc *)field(at, sub->loc_offset) = value->loc;
		parse_bool(parse, param, value, field(at, sub->given_offset));
		return;
	}
	if (sub->given_offset)
		*(bool *)field(at, sub->given_offset) = true;
	parse_table(parse->arena, value, sub, at, parse->errs);
}

static void parse_value(struct parse *parse, const struct param *param, const struct node *value, void *at)
{
	switch (param->type) {
	case PARAM_BOOL:
		parse_bool(parse, param, value, at);
		return;
	case PARAM_INT:
		parse_int(parse, param, value, at);
		return;
	case PARAM_DURATION:
	case PARAM_SHARE:
	case PARAM_SIZE:
	case PARAM_RATE:
		parse_unit(parse, param, value, at);
		return;
	case PARAM_TEXT:
		parse_text(parse, param, value, at);
		return;
	case PARAM_ENUM:
		parse_enum(parse, param, value, at);
		return;
	case PARAM_ENUMS:
		parse_enums(parse, param, value, at);
		return;
	case PARAM_TEXTS:
		parse_texts(parse, param, value, at);
		return;
	case PARAM_GROUPS:
		parse_groups(parse, param, value, at);
		return;
	case PARAM_ADDRESSES:
		parse_addresses(parse, param, value, at);
		return;
	case PARAM_TABLE:
		parse_sub_table(parse, param, value, at);
		return;
	case PARAM_MAP:
		parse_map(parse, param, value, at);
		return;
	case PARAM_LIST:
		parse_list(parse, param, value, at);
		return;
	case PARAM_NODE:
		*(const struct node **)at = value;
		return;
	}
}

static void say_missing(struct parse *parse, const struct rows *rows, const struct node *map, const char *what)
{
	for (size_t i = 0; i < rows->count; i++) {
		for (const struct param *param = rows->lists[i]; param->key; param++) {
			if (param->required && !node_get(map, param->key))
				errs_add(parse->errs, map->loc, "%s needs the key '%s': %s", what, param->key,
					 param->doc ? param->doc : param_type_name(param));
		}
	}
}

void parse_mapping(struct arena *arena, const struct node *map, const struct param *const *rows, size_t row_lists,
		   void *dst, const char *what, struct errs *errs)
{
	struct rows all = {rows, row_lists};
	struct parse parse = {arena, errs};
	char shown[128];

	set_defaults(&all, dst, map->loc);
	if (map->type != NODE_MAP) {
		errs_add(errs, map->loc, "%s: a mapping is expected (key: value), not %s", what,
			 node_describe(map, shown, sizeof(shown)));
		return;
	}
	for (size_t i = 0; i < map->count; i++) {
		const struct node_pair *pair = &map->pairs[i];
		const struct param *param = find_row(&all, pair->key);

		if (!param)
			say_unknown(&parse, &all, pair, what);
		else if (node_is_null(pair->value))
			errs_add(errs, pair->value->loc, "%s: has no value; write one, or leave the key out",
				 param->key);
		else
			parse_value(&parse, param, pair->value, field(dst, param->offset));
	}
	say_missing(&parse, &all, map, what);
}

void parse_table(struct arena *arena, const struct node *map, const struct table *table, void *dst, struct errs *errs)
{
	*(struct loc *)field(dst, table->loc_offset) = map->loc;
	parse_mapping(arena, map, &table->params, 1, dst, table->name, errs);
}
