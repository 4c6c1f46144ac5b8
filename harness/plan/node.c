/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/node.h"

#include <stdio.h>
#include <string.h>

#include "harness/plan/node_build.h"

#define MERGE_KEY "<<"
#define SHOWN_MAX 60 /* bytes of a text that an error repeats */

struct node *node_get(const struct node *map, const char *key)
{
	if (map->type != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++) {
		if (!strcmp(map->pairs[i].key, key))
			return map->pairs[i].value;
	}
	return NULL;
}

bool node_is_null(const struct node *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

	if (!node || node->type != NODE_SCALAR || node->quoted)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(nulls); i++) {
		if (!strcmp(node->scalar, nulls[i]))
			return true;
	}
	return false;
}

const char *node_describe(const struct node *node, char *buf, size_t size)
{
	size_t len;

	switch (node->type) {
	case NODE_MAP:
		snprintf(buf, size, "a mapping");
		return buf;
	case NODE_LIST:
		snprintf(buf, size, "a list");
		return buf;
	case NODE_SCALAR:
		break;
	}
	if (node_is_null(node)) {
		snprintf(buf, size, "nothing");
		return buf;
	}
	len = strlen(node->scalar);
	if (len > SHOWN_MAX) {
		len = SHOWN_MAX;
		while (len && ((unsigned char)node->scalar[len] & 0xc0) == 0x80)
			len--; /* not in the middle of a character */
		snprintf(buf, size, "\"%.*s…\"", (int)len, node->scalar);
	} else {
		snprintf(buf, size, "\"%s\"", node->scalar);
	}
	return buf;
}

struct node *node_new(struct arena *arena, enum node_type type, struct loc loc)
{
	struct node *node = ARENA_NEW(arena, struct node);

	node->type = type;
	node->loc = loc;
	return node;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct node_pair *x = *(struct node_pair *const *)a, *y = *(struct node_pair *const *)b;
	int r = strcmp(x->key, y->key);

	return r ? r : (x > y) - (x < y); /* equal keys stay in the order of the file */
}

size_t node_pairs_unique(struct arena *arena, struct node_pair *pairs, size_t count, node_twice_fn twice, void *arg)
{
	struct node_pair **sorted = ARENA_ARRAY(arena, struct node_pair *, count), *first = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		sorted[i] = &pairs[i];
	if (count)
		qsort(sorted, count, sizeof(struct node_pair *), compare_pairs);
	for (size_t i = 0; i < count; i++) {
		if (!first || strcmp(first->key, sorted[i]->key)) {
			first = sorted[i];
			continue;
		}
		if (twice)
			twice(arg, first, sorted[i]);
		sorted[i]->value = NULL;
	}
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].value)
			pairs[kept++] = pairs[i];
	}
	return kept;
}

static void say_twice(void *arg, struct node_pair *first, const struct node_pair *again)
{
	const char *hint = strcmp(again->key, MERGE_KEY) ? "remove one of them" : "merge several with <<: [*a, *b]";
	char shown[SHOWN_MAX + 16];
	struct node key = {.scalar = again->key, .quoted = true};

	errs_add(arg, again->key_loc, "key %s stands twice in this mapping, first in line %u; %s",
		 node_describe(&key, shown, sizeof(shown)), first->key_loc.line, hint);
}

void node_refuse_twice(struct arena *arena, struct node *map, struct errs *errs)
{
	map->count = node_pairs_unique(arena, map->pairs, map->count, say_twice, errs);
}

static void merge_values(void *arg, struct node_pair *first, const struct node_pair *again)
{
	if (first->value->type == NODE_MAP && again->value->type == NODE_MAP)
		first->value = node_merge(arg, first->value, again->value);
}

struct node *node_merge(struct arena *arena, const struct node *over, const struct node *under)
{
	struct node *map = node_new(arena, NODE_MAP, over->loc);

	map->count = over->count + under->count;
	map->pairs = ARENA_ARRAY(arena, struct node_pair, map->count);
	if (over->count)
		memcpy(map->pairs, over->pairs, over->count * sizeof(*map->pairs));
	if (under->count)
		memcpy(map->pairs + over->count, under->pairs, under->count * sizeof(*map->pairs));
	for (size_t i = over->count; i < map->count; i++)
		map->pairs[i].included = true;
	map->count = node_pairs_unique(arena, map->pairs, map->count, merge_values, arena);
	return map;
}

static bool is_waiting(const struct node *value)
{
	if (value->type == NODE_LIST) {
		for (size_t i = 0; i < value->count; i++) {
			if (value->items[i]->type == NODE_SCALAR && strstr(value->items[i]->scalar, "${"))
				return true;
		}
	}
	return value->type == NODE_SCALAR && strstr(value->scalar, "${");
}

static void add_pairs(struct node *map, const struct node *source, struct errs *errs)
{
	char shown[SHOWN_MAX + 16];

	if (source->type != NODE_MAP) {
		errs_add(errs, source->loc, MERGE_KEY " merges a mapping or a list of mappings, not %s",
			 node_describe(source, shown, sizeof(shown)));
		return;
	}
	if (source->count)
		memcpy(map->pairs + map->count, source->pairs, source->count * sizeof(*map->pairs));
	map->count += source->count;
}

static void add_own(struct node *merged, const struct node *map, bool included)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key, MERGE_KEY) && map->pairs[i].included == included)
			merged->pairs[merged->count++] = map->pairs[i];
	}
}

/* What an includer merges in by a << that had to wait for a matrix still wins over what it included. */
void node_merge_key(struct arena *arena, struct node *map, bool may_wait, struct errs *errs)
{
	struct node *value = node_get(map, MERGE_KEY), **sources = &value, merged = *map;
	size_t count = 1, room = map->count;

	if (!value || (may_wait && is_waiting(value)))
		return;
	if (value->type == NODE_LIST) {
		sources = value->items;
		count = value->count;
	}
	for (size_t i = 0; i < count; i++)
		room += sources[i]->type == NODE_MAP ? sources[i]->count : 0;
	merged.pairs = ARENA_ARRAY(arena, struct node_pair, room);
	merged.count = 0;
	add_own(&merged, map, false);
	for (size_t i = 0; i < count; i++)
		add_pairs(&merged, sources[i], errs);
	add_own(&merged, map, true);
	merged.count = node_pairs_unique(arena, merged.pairs, merged.count, NULL, NULL);
	*map = merged;
}

size_t node_count(const struct node *node, size_t max)
{
	size_t count = 1;

	for (size_t i = 0; i < node->count && count <= max; i++) {
		const struct node *child = node->type == NODE_MAP ? node->pairs[i].value : node->items[i];

		count += node_count(child, max - count);
	}
	return count;
}
