/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --set path=value
 */
#include <errno.h>
#include <string.h>

#include "harness/plan/node_build.h"

#define SET_LOC ((struct loc){"--set", 1, 1})

/* How far along the path we are. */
struct walk {
	struct arena *arena;
	const char *assignment; /* whole */
	const char *rest; /* of the path, from the next step on */
	const char *end; /* of the path: its '=' */
};

/* The '=' that ends the path; one inside quotes does not. */
static const char *path_end(const char *assignment)
{
	bool in_quotes = false;

	for (const char *p = assignment; *p; p++) {
		if (*p == '"')
			in_quotes = !in_quotes;
		else if (*p == '=' && !in_quotes)
			return p;
	}
	return NULL;
}

/* Length of the longest key of map that is the path, or a whole part of it up to a dot; 0 if there is none. */
static size_t known_key(const struct walk *walk, const struct node *map)
{
	size_t best = 0, left = (size_t)(walk->end - walk->rest);

	for (size_t i = 0; i < map->count; i++) {
		size_t len = strlen(map->pairs[i].key);

		if (len > best && len <= left && !memcmp(map->pairs[i].key, walk->rest, len) &&
		    (len == left || walk->rest[len] == '.'))
			best = len;
	}
	return best;
}

/* Takes the next step off the path: a quoted key, a key that map has, or what comes before the next dot. */
static int next_key(struct walk *walk, const struct node *map, const char **ret, struct err *err)
{
	const char *start = walk->rest, *after;
	size_t len;

	if (*start == '"') {
		after = memchr(start + 1, '"', (size_t)(walk->end - start) - 1);
		if (!after)
			return err_set(err, -EINVAL, SET_LOC, "%s: the quotes are not closed", walk->assignment);
		len = (size_t)(after - ++start);
		after++;
	} else {
		const char *dot = memchr(start, '.', (size_t)(walk->end - start));

		len = map->type == NODE_MAP ? known_key(walk, map) : 0;
		if (!len)
			len = (size_t)((dot ? dot : walk->end) - start);
		after = start + len;
	}
	if (!len || (after < walk->end && (*after != '.' || after + 1 == walk->end)))
		return err_set(
			err, -EINVAL, SET_LOC,
			"%s: a step of the path is empty; write path=value, such as lab.resolvers.r1.server=bind",
			walk->assignment);
	*ret = arena_strndup(walk->arena, start, len);
	walk->rest = after < walk->end ? after + 1 : after;
	return 0;
}

/* The place of key's value in map, made if it is not there; the pairs are copied, since an alias may share them. */
static struct node **slot_in_map(struct walk *walk, struct node *map, const char *key)
{
	struct node_pair *pairs = ARENA_ARRAY(walk->arena, struct node_pair, map->count + 1);

	if (map->count)
		memcpy(pairs, map->pairs, map->count * sizeof(*pairs));
	map->pairs = pairs;
	for (size_t i = 0; i < map->count; i++) {
		if (!strcmp(pairs[i].key, key))
			return &pairs[i].value;
	}
	pairs[map->count] = (struct node_pair){.key = key, .key_loc = SET_LOC};
	return &pairs[map->count++].value;
}

static int slot_in_list(struct walk *walk, struct node *list, const char *step, struct node ***ret, struct err *err)
{
	size_t index = 0, len = strspn(step, "0123456789");
	struct node **items;

	if (step[len] || len > 9)
		index = list->count;
	for (size_t i = 0; i < len && index < list->count; i++)
		index = index * 10 + (size_t)(step[i] - '0');
	if (index >= list->count)
		return err_set(err, -EINVAL, SET_LOC, "%s: \"%s\" is not an item of a list of %zu; items count from 0",
			       walk->assignment, step, list->count);
	items = arena_memdup(walk->arena, list->items, list->count * sizeof(struct node *));
	list->items = items;
	*ret = &items[index];
	return 0;
}

/* Steps from *slot, a node of our own, to the place the next step names. */
static int step_into(struct walk *walk, struct node *node, struct node ***ret, struct err *err)
{
	const char *key = NULL;
	char shown[128];
	int r;

	if (node->type == NODE_SCALAR && !node_is_null(node))
		return err_set(err, -EINVAL, SET_LOC, "%s: \"%.*s\" steps into %s, which is not a mapping",
			       walk->assignment, (int)(walk->end - walk->rest), walk->rest,
			       node_describe(node, shown, sizeof(shown)));
	r = next_key(walk, node, &key, err);
	if (r)
		return r;
	if (node->type == NODE_LIST)
		return slot_in_list(walk, node, key, ret, err);
	if (node->type == NODE_SCALAR)
		*node = (struct node){.type = NODE_MAP, .loc = SET_LOC};
	*ret = slot_in_map(walk, node, key);
	return 0;
}

static int load_value(struct arena *arena, const char *assignment, const char *text, struct node **ret, struct err *err)
{
	struct errs errs = {0};
	struct node *value = *text ? node_load_bytes(arena, SET_LOC.file, text, strlen(text), &errs) : NULL;

	if (value)
		*ret = value;
	else if (errs.count)
		err_set(err, -EINVAL, SET_LOC, "%s: %s", assignment, errs.v[0].text);
	else
		err_set(err, -EINVAL, SET_LOC, "%s: there is no value after =; write '' for an empty text", assignment);
	errs_fini(&errs);
	return value ? 0 : err->code;
}

int node_set(struct arena *arena, struct node *root, const char *assignment, struct err *err)
{
	struct walk walk = {arena, assignment, assignment, path_end(assignment)};
	struct node work = *root, *node = &work, *value = NULL, **slot = NULL;
	int r;

	if (!walk.end || walk.end == assignment)
		return err_set(err, -EINVAL, SET_LOC, "%s: write path=value, such as lab.resolvers.r1.server=bind",
			       assignment);
	r = load_value(arena, assignment, walk.end + 1, &value, err);
	if (r)
		return r;
	for (size_t depth = 0; walk.rest < walk.end; depth++) {
		if (depth >= NODE_DEPTH_MAX)
			return err_set(err, -E2BIG, SET_LOC, "the path has more than %d steps", NODE_DEPTH_MAX);
		r = step_into(&walk, node, &slot, err);
		if (r)
			return r;
		if (walk.rest < walk.end) {
			struct node *own = node_new(arena, NODE_MAP, SET_LOC);

			if (*slot)
				*own = **slot;
			*slot = node = own;
		}
	}
	*slot = value;
	*root = work; /* only now: an assignment that fails changes nothing */
	return 0;
}
