/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a plan file: read as nodes, substituted, overridden, parsed by a table with a row of every type. Nothing may crash, leak or take long; a
 * file that is refused has an error, one that is not has none.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/plan/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct item {
	struct loc loc;
	struct text name, title;
	struct texts tags;
	struct text_groups groups;
	struct addresses address;
	bool flag;
	int64_t count, wait_ns, share_ppm, size_bytes, rate_per_s, mode;
	struct items things, list;
	const struct node *raw;
};

static const char *const modes[] = {"first", "second", NULL};
static const struct table item_table;

static const struct param params[] = {
	P_TEXT_REQUIRED(struct item, title, "t", "a text"),
	P_TEXTS(struct item, tags, "tags", "texts"),
	P_GROUPS(struct item, groups, "g", "groups"),
	P_ADDRESSES(struct item, address, "a", "addresses"),
	P_BOOL(struct item, flag, "f", false, "a boolean"),
	P_INT(struct item, count, "n", 0, 100, PARAM_UNSET, "a number"),
	P_DURATION(struct item, wait_ns, "d", 0, SEC, SEC, "a duration"),
	P_SHARE(struct item, share_ppm, "s", 0, PPM_ONE, 0, "a share"),
	P_SIZE(struct item, size_bytes, "z", 0, INT64_MAX, 0, "a size"),
	P_RATE(struct item, rate_per_s, "r", 0, INT64_MAX, 0, "a rate"),
	P_ENUM(struct item, mode, "e", modes, 0, "a choice"),
	P_MAP(struct item, things, "m", &item_table, "named items"),
	P_LIST(struct item, list, "l", &item_table, "items"),
	P_NODE(struct item, raw, "x", "anything"),
	PARAM_END,
};

static const struct table item_table = {
	.name = "item",
	.params = params,
	.size = sizeof(struct item),
	.loc_offset = offsetof(struct item, loc),
	.name_offset = offsetof(struct item, name),
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static size_t said(const struct errs *errs)
{
	return errs->count + errs->dropped;
}

/* ${k} is a text, ${root} is the plan itself. */
static struct node *substitute(struct arena *arena, const struct node *root, struct errs *errs)
{
	struct node text = {.type = NODE_SCALAR, .scalar = "text"};
	const struct node_binding bindings[] = {{"k", "text", &text}, {"root", "root", root}};
	size_t before = said(errs);
	struct node *result = node_substitute(arena, root, bindings, ARRAY_LEN(bindings), errs);

	check(!result == (said(errs) > before));
	return result;
}

static void override(struct arena *arena, struct node *root, const char *data, size_t size)
{
	const char *newline = memchr(data, '\n', size);
	struct err err = {0};
	int r = node_set(arena, root, arena_strndup(arena, data, newline ? (size_t)(newline - data) : size), &err);

	check(r == err.code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct errs errs = {0};
	struct item item = {0};
	struct node *root = node_load_bytes(arena, "fuzz.yaml", (const char *)data, size, &errs);

	check(!root == (said(&errs) > 0));
	if (root) {
		struct node *result = substitute(arena, root, &errs);

		override(arena, root, (const char *)data, size);
		parse_table(arena, result ? result : root, &item_table, &item, &errs);
	}
	errs_fini(&errs);
	return 0;
}
