/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ${key} → what a combination of the matrix binds to it.
 */
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/text.h"
#include "harness/plan/node_build.h"

#define TOTAL_MAX (16u << 20) /* bytes that all together may grow to */

struct substitution {
	struct arena *arena;
	const struct node_binding *bindings;
	const size_t *counts; /* nodes in each binding's value */
	size_t count;
	size_t nodes, bytes; /* made so far */
	bool is_over; /* a limit was reached */
	struct errs *errs;
};

static void say_unknown(struct substitution *sub, struct loc loc, const char *name, size_t len)
{
	const char **names = ARENA_ARRAY(sub->arena, const char *, sub->count + 1);
	const char *word = arena_strndup(sub->arena, name, len), *nearest;

	for (size_t i = 0; i < sub->count; i++)
		names[i] = sub->bindings[i].key;
	nearest = text_nearest(word, names, sub->count);
	if (nearest)
		errs_add(sub->errs, loc, "unknown ${%.60s}; did you mean ${%s}?", word, nearest);
	else if (sub->count)
		errs_add(sub->errs, loc, "unknown ${%.60s}: the matrix has no such key; write $${ for the text ${",
			 word);
	else
		errs_add(sub->errs, loc, "unknown ${%.60s}: the plan has no matrix; write $${ for the text ${", word);
}

/* The binding of the name between text's "${" and the next "}"; *ret_end is behind it. NULL after an error. */
static const struct node_binding *find(struct substitution *sub, struct loc loc, const char *text, const char **ret_end)
{
	const char *name = text + 2, *close = strchr(name, '}');
	size_t len = close ? (size_t)(close - name) : 0;

	if (!close) {
		errs_add(sub->errs, loc, "${ is not closed by }; write $${ for the text ${");
		return NULL;
	}
	*ret_end = close + 1;
	for (size_t i = 0; i < sub->count; i++) {
		if (strlen(sub->bindings[i].key) == len && !memcmp(sub->bindings[i].key, name, len))
			return &sub->bindings[i];
	}
	say_unknown(sub, loc, name, len);
	return NULL;
}

static bool has_marks(const char *text)
{
	return strstr(text, "${") != NULL;
}

/* Appends text with every ${key} replaced. False after an error. */
static bool replace(struct substitution *sub, struct loc loc, const char *text, struct buf *out)
{
	const char *start = text;
	char shown[128];

	while (*text) {
		const char *mark = strstr(text, "${");
		const struct node_binding *binding;

		if (!mark) {
			buf_puts(out, text);
			return true;
		}
		buf_add(out, text, (size_t)(mark - text));
		if (mark > start && mark[-1] == '$') { /* "$${": its first $ is in out already */
			buf_putc(out, '{');
			text = mark + 2;
			continue;
		}
		binding = find(sub, loc, mark, &text);
		if (!binding)
			return false;
		if (binding->value->type != NODE_SCALAR) {
			errs_add(sub->errs, loc, "${%s} is %s; within a text it must be a text", binding->key,
				 node_describe(binding->value, shown, sizeof(shown)));
			return false;
		}
		buf_puts(out, binding->value->scalar);
		if (out->len > NODE_TEXT_MAX) {
			errs_add(sub->errs, loc, "the text grows above %u KiB", NODE_TEXT_MAX >> 10);
			sub->is_over = true;
			return false;
		}
	}
	return true;
}

/* text with every ${key} replaced, in the arena; text itself where there is none or after an error. */
static const char *replaced(struct substitution *sub, struct loc loc, const char *text)
{
	const char *result = text;
	struct buf out = {0};

	if (!has_marks(text))
		return text;
	if (replace(sub, loc, text, &out) && !out.failed) {
		result = arena_strndup(sub->arena, out.data ? out.data : "", out.len);
		sub->bytes += out.len;
	}
	buf_fini(&out);
	if (sub->bytes > TOTAL_MAX && !sub->is_over) {
		errs_add(sub->errs, loc, "the plan's texts grow above %u MiB", TOTAL_MAX >> 20);
		sub->is_over = true;
	}
	return result;
}

/* The binding that the whole of text stands for, or NULL. */
static const struct node_binding *whole(const struct substitution *sub, const char *text)
{
	size_t len = strlen(text);

	if (len < 3 || strncmp(text, "${", 2) || text[len - 1] != '}')
		return NULL;
	for (size_t i = 0; i < sub->count; i++) {
		if (strlen(sub->bindings[i].key) == len - 3 && !memcmp(sub->bindings[i].key, text + 2, len - 3))
			return &sub->bindings[i];
	}
	return NULL;
}

static void account(struct substitution *sub, struct loc loc, size_t nodes)
{
	sub->nodes += nodes;
	if (sub->nodes > NODE_COUNT_MAX && !sub->is_over) {
		errs_add(sub->errs, loc, "with the matrix, the plan is too large: more than %d values", NODE_COUNT_MAX);
		sub->is_over = true;
	}
}

static struct node *copy_scalar(struct substitution *sub, const struct node *from)
{
	const struct node_binding *binding = whole(sub, from->scalar);
	struct node *node = node_new(sub->arena, NODE_SCALAR, from->loc);

	if (binding) {
		account(sub, from->loc, sub->counts[binding - sub->bindings]);
		*node = *binding->value;
		return node;
	}
	account(sub, from->loc, 1);
	node->quoted = from->quoted;
	node->scalar = replaced(sub, from->loc, from->scalar);
	return node;
}

static struct node *copy(struct substitution *sub, const struct node *from)
{
	struct node *node;

	if (from->type == NODE_SCALAR)
		return copy_scalar(sub, from);
	node = node_new(sub->arena, from->type, from->loc);
	account(sub, from->loc, 1);
	if (from->type == NODE_LIST)
		node->items = ARENA_ARRAY(sub->arena, struct node *, from->count);
	else
		node->pairs = ARENA_ARRAY(sub->arena, struct node_pair, from->count);
	for (size_t i = 0; i < from->count && !sub->is_over; i++) {
		if (from->type == NODE_LIST) {
			node->items[node->count++] = copy(sub, from->items[i]);
		} else {
			const struct node_pair *pair = &from->pairs[i];

			node->pairs[node->count++] =
				(struct node_pair){replaced(sub, pair->key_loc, pair->key), pair->key_loc,
						   copy(sub, pair->value), pair->included};
		}
	}
	if (node->type == NODE_MAP) {
		node_refuse_twice(sub->arena, node, sub->errs);
		node_merge_key(sub->arena, node, false, sub->errs);
	}
	return node;
}

struct node *node_substitute(struct arena *arena, const struct node *root, const struct node_binding *bindings,
			     size_t count, struct errs *errs)
{
	size_t *counts = ARENA_ARRAY(arena, size_t, count + 1), before = errs->count + errs->dropped;
	struct substitution sub = {
		.arena = arena,
		.bindings = bindings,
		.counts = counts,
		.count = count,
		.errs = errs,
	};
	struct node *result;

	for (size_t i = 0; i < count; i++)
		counts[i] = node_count(bindings[i].value, NODE_COUNT_MAX);
	result = copy(&sub, root);
	return errs->count + errs->dropped == before ? result : NULL;
}
