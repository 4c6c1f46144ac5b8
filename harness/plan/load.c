/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libyaml's document → nodes. Aliases come as shared, possibly cyclic, indices into the document: each is made into a node
 * once and shared, but counted as often as it is met, since whoever walks a plan walks all of it.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "harness/plan/node_build.h"

struct made {
	struct node *node; /* NULL: not yet */
	size_t count; /* of nodes, itself included */
	unsigned height; /* mappings and lists inside each other, itself included */
	bool is_open; /* being made: met again, it holds itself */
};

struct loader {
	struct arena *arena;
	const char *file;
	yaml_document_t *document;
	struct made *made; /* by document index - 1 */
	bool is_over; /* something that ends loading was found */
	struct errs *errs;
};

static struct made *make(struct loader *loader, int id, unsigned depth);

static struct loc loc_of(const struct loader *loader, const yaml_node_t *from)
{
	return (struct loc){loader->file, (unsigned)from->start_mark.line + 1, (unsigned)from->start_mark.column + 1};
}

/* What escapes like "\0" or "\e" put into a text: nothing in a plan needs it, and NUL would cut the text short. */
static void refuse_controls(struct loader *loader, const yaml_node_t *from)
{
	const unsigned char *s = from->data.scalar.value;

	for (size_t i = 0; i < from->data.scalar.length; i++) {
		unsigned c = s[i];

		if (c == 0xc2 && s[i + 1] < 0xa0)
			c = s[i + 1]; /* U+0080 to U+009F */
		else if (c >= 0x7f ? c != 0x7f : c >= 0x20 || c == '\n' || c == '\t')
			continue;
		errs_add(loader->errs, loc_of(loader, from), "the text holds the control character U+%04X; remove it",
			 c);
		return;
	}
}

static void make_scalar(struct loader *loader, const yaml_node_t *from, struct made *made)
{
	struct node *node = node_new(loader->arena, NODE_SCALAR, loc_of(loader, from));

	refuse_controls(loader, from);
	node->scalar = arena_strndup(loader->arena, (const char *)from->data.scalar.value, from->data.scalar.length);
	node->quoted = from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	made->node = node;
}

static void say_too_deep(struct loader *loader, const yaml_node_t *at)
{
	loader->is_over = true;
	errs_add(loader->errs, loc_of(loader, at), "its aliases nest more than %d levels", NODE_DEPTH_MAX);
}

/* Counts child as a part of made. NULL, and the end of loading, above a limit. */
static struct node *make_child(struct loader *loader, const yaml_node_t *parent, struct made *made, int id,
			       unsigned depth)
{
	struct made *child = make(loader, id, depth + 1);

	if (!child)
		return NULL;
	made->count += child->count;
	if (child->height + 1 > made->height)
		made->height = child->height + 1;
	if (made->count > NODE_COUNT_MAX) {
		loader->is_over = true;
		errs_add(loader->errs, loc_of(loader, parent), "its aliases expand to more than %d values",
			 NODE_COUNT_MAX);
		return NULL;
	}
	if (depth + made->height > NODE_DEPTH_MAX) {
		say_too_deep(loader, parent);
		return NULL;
	}
	return child->node;
}

static void make_list(struct loader *loader, const yaml_node_t *from, struct made *made, unsigned depth)
{
	struct node *list = node_new(loader->arena, NODE_LIST, loc_of(loader, from));
	const yaml_node_item_t *item = from->data.sequence.items.start, *top = from->data.sequence.items.top;

	list->items = ARENA_ARRAY(loader->arena, struct node *, (size_t)(top - item));
	for (; item < top; item++) {
		struct node *value = make_child(loader, from, made, *item, depth);

		if (!value)
			return;
		list->items[list->count++] = value;
	}
	made->node = list;
}

/* A key as text; NULL after an error. */
static const char *key_text(struct loader *loader, const struct node *key)
{
	char shown[128];

	if (key->type != NODE_SCALAR)
		errs_add(loader->errs, key->loc, "a key is a text, not %s; quote it if a text was meant",
			 node_describe(key, shown, sizeof(shown)));
	else if (!*key->scalar)
		errs_add(loader->errs, key->loc, "the key before ':' is empty; name it");
	else
		return key->scalar;
	return NULL;
}

static void make_map(struct loader *loader, const yaml_node_t *from, struct made *made, unsigned depth)
{
	struct node *map = node_new(loader->arena, NODE_MAP, loc_of(loader, from));
	const yaml_node_pair_t *pair = from->data.mapping.pairs.start, *top = from->data.mapping.pairs.top;

	map->pairs = ARENA_ARRAY(loader->arena, struct node_pair, (size_t)(top - pair));
	for (; pair < top; pair++) {
		struct node *key = make_child(loader, from, made, pair->key, depth), *value;
		const char *text;

		if (!key)
			return;
		value = make_child(loader, from, made, pair->value, depth);
		if (!value)
			return;
		text = key_text(loader, key);
		if (text)
			map->pairs[map->count++] = (struct node_pair){text, key->loc, value, false};
	}
	node_refuse_twice(loader->arena, map, loader->errs);
	node_merge_key(loader->arena, map, true, loader->errs);
	made->node = map;
}

/* NULL once loading is over. Recursion ends at NODE_DEPTH_MAX: scan_structure has seen to depth, and an alias that is deeper is refused here. */
static struct made *make(struct loader *loader, int id, unsigned depth)
{
	const yaml_node_t *from = yaml_document_get_node(loader->document, id);
	struct made *made = &loader->made[id - 1];

	if (made->node)
		return made;
	if (made->is_open) {
		loader->is_over = true;
		errs_add(loader->errs, loc_of(loader, from), "this value holds an alias of itself; it would never end");
		return NULL;
	}
	if (depth > NODE_DEPTH_MAX) {
		say_too_deep(loader, from);
		return NULL;
	}
	*made = (struct made){.count = 1, .height = from->type != YAML_SCALAR_NODE, .is_open = true};
	if (from->type == YAML_SCALAR_NODE)
		make_scalar(loader, from, made);
	else if (from->type == YAML_SEQUENCE_NODE)
		make_list(loader, from, made, depth);
	else
		make_map(loader, from, made, depth);
	made->is_open = false;
	if (loader->is_over)
		return NULL;
	return made;
}

static struct node *make_root(struct loader *loader)
{
	size_t ids = (size_t)(loader->document->nodes.top - loader->document->nodes.start);
	struct made *root;

	if (!ids) {
		errs_add(loader->errs, (struct loc){.file = loader->file}, "the file is empty");
		return NULL;
	}
	loader->made = ARENA_ARRAY(loader->arena, struct made, ids);
	root = make(loader, 1, 0);
	return root ? root->node : NULL;
}

static struct node *load_document(struct loader *loader, const char *data, size_t len)
{
	yaml_document_t document;
	yaml_parser_t parser;
	struct node *root = NULL;

	if (!yaml_parser_initialize(&parser)) {
		errs_add(loader->errs, (struct loc){.file = loader->file}, "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, len);
	if (yaml_parser_load(&parser, &document)) {
		loader->document = &document;
		root = make_root(loader);
		yaml_document_delete(&document);
	} else {
		struct err err = {0};

		scan_say_syntax(loader->file, &parser, &err);
		errs_add_err(loader->errs, &err);
	}
	yaml_parser_delete(&parser);
	return root;
}

struct node *node_load_bytes(struct arena *arena, const char *file, const char *data, size_t len, struct errs *errs)
{
	struct loader loader = {.arena = arena, .file = file, .errs = errs};
	size_t before = errs->count + errs->dropped;
	struct err err = {0};
	struct node *root;

	if (!len)
		data = ""; /* NULL is fine then, but not for libyaml */
	if (len > NODE_FILE_MAX)
		err_set(&err, -EFBIG, (struct loc){.file = file}, "larger than %u MiB", NODE_FILE_MAX >> 20);
	if (err.code || scan_bytes(file, data, len, &err) || scan_structure(file, data, len, &err)) {
		errs_add_err(errs, &err);
		return NULL;
	}
	root = load_document(&loader, data, len);
	return errs->count + errs->dropped == before ? root : NULL;
}
