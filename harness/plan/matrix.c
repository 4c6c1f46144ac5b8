/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `matrix:` — the combinations a plan is run with, in the order of the file, the last key fastest.
 */
#include <errno.h>
#include <string.h>

#include "harness/plan/internal.h"

#define COMBOS_MAX 1000
#define NODES_MAX 2000000 /* of all combinations together: each is a copy of the plan */

/* One key of the matrix: its values as bindings. */
struct axis {
	struct node_binding *values;
	size_t count;
};

static size_t count_nodes(const struct node *node)
{
	size_t sum = 1;

	for (size_t i = 0; i < node->count; i++)
		sum += count_nodes(node->type == NODE_MAP ? node->pairs[i].value : node->items[i]);
	return sum;
}

static bool mentions(const struct node *node, const char *reference)
{
	if (node->type == NODE_SCALAR)
		return strstr(node->scalar, reference);
	for (size_t i = 0; i < node->count; i++) {
		if (node->type == NODE_MAP && strstr(node->pairs[i].key, reference))
			return true;
		if (mentions(node->type == NODE_MAP ? node->pairs[i].value : node->items[i], reference))
			return true;
	}
	return false;
}

/* A key that nothing mentions would run the same plan several times and call the runs different. */
static void check_key(struct arena *arena, const struct node *root, const struct node_pair *pair, struct errs *errs)
{
	const char *why = name_reject(pair->key);

	if (why) {
		errs_add(errs, pair->key_loc, "'%.80s' cannot be a matrix key: %s", pair->key, why);
		return;
	}
	for (size_t i = 0; i < root->count; i++) {
		if (strcmp(root->pairs[i].key, "matrix") &&
		    mentions(root->pairs[i].value, arena_printf(arena, "${%s}", pair->key)))
			return;
	}
	errs_add(errs, pair->key_loc, "nothing in the plan uses this matrix key: write ${%s} where its value belongs",
		 pair->key);
}

static struct axis axis_of_list(struct arena *arena, const char *key, const struct node *list, struct errs *errs)
{
	struct axis axis = {.values = ARENA_ARRAY(arena, struct node_binding, list->count)};

	for (size_t i = 0; i < list->count; i++) {
		const struct node *item = list->items[i];
		bool is_twice = false;

		if (item->type != NODE_SCALAR) {
			errs_add(errs, item->loc,
				 "a list in a matrix holds texts only; for larger values write a mapping of label to "
				 "value: {%s: {label: {…}}}",
				 key);
			continue;
		}
		for (size_t j = 0; j < axis.count && !is_twice; j++)
			is_twice = !strcmp(axis.values[j].label, item->scalar);
		if (is_twice)
			errs_add(errs, item->loc, "'%.80s' stands twice in this matrix key", item->scalar);
		else
			axis.values[axis.count++] = (struct node_binding){key, item->scalar, item};
	}
	return axis;
}

static struct axis axis_of(struct arena *arena, const char *key, const struct node *node, struct errs *errs)
{
	struct axis axis = {0};
	char seen[80];

	if (node->type == NODE_SCALAR) {
		errs_add(errs, node->loc,
			 "a matrix key needs a list of texts (%s: [a, b]) or a mapping of label to value, not %s", key,
			 node_describe(node, seen, sizeof(seen)));
		return axis;
	}
	if (!node->count) {
		errs_add(errs, node->loc, "this matrix key has no values: the plan would not run at all");
		return axis;
	}
	if (node->type == NODE_LIST)
		return axis_of_list(arena, key, node, errs);
	axis.values = ARENA_ARRAY(arena, struct node_binding, node->count);
	for (; axis.count < node->count; axis.count++) {
		const struct node_pair *pair = &node->pairs[axis.count];

		axis.values[axis.count] = (struct node_binding){key, pair->key, pair->value};
	}
	return axis;
}

/* Combination number i as bindings and as the label that reports show. */
static void combine(struct arena *arena, const struct axis *axes, size_t i, struct matrix *matrix)
{
	struct node_binding *bindings = ARENA_ARRAY(arena, struct node_binding, matrix->key_count);
	const char *label = "";
	size_t rest = i;

	for (size_t k = matrix->key_count; k-- > 0;) {
		bindings[k] = axes[k].values[rest % axes[k].count];
		rest /= axes[k].count;
		label = arena_printf(arena, "%s=%s%s%s", bindings[k].key, bindings[k].label, *label ? ", " : "", label);
	}
	matrix->combos[i] = bindings;
	matrix->labels[i] = label;
}

static int check_size(const struct node *node, const struct node *root, double combos, struct errs *errs)
{
	if (combos > COMBOS_MAX) {
		errs_add(errs, node->loc, "this matrix has %.0f combinations; at most %d can be run", combos,
			 COMBOS_MAX);
		return -EINVAL;
	}
	if (combos * (double)count_nodes(root) > NODES_MAX) {
		errs_add(errs, node->loc,
			 "this matrix makes %.0f plans out of one of %zu nodes; together they may have %d", combos,
			 count_nodes(root), NODES_MAX);
		return -EINVAL;
	}
	return 0;
}

static void expand_none(struct arena *arena, struct matrix *ret)
{
	*ret = (struct matrix){
		.combo_count = 1,
		.combos = ARENA_ARRAY(arena, struct node_binding *, 1),
		.labels = ARENA_ARRAY(arena, const char *, 1),
	};
}

int matrix_expand(struct arena *arena, const struct node *root, struct matrix *ret, struct errs *errs)
{
	const struct node *node = node_get(root, "matrix");
	struct matrix matrix = {0};
	struct axis *axes;
	double combos = 1;
	size_t before = errs->count + errs->dropped;
	char seen[80];

	if (!node) {
		expand_none(arena, ret);
		return 0;
	}
	if (node->type != NODE_MAP || !node->count) {
		errs_add(errs, node->loc,
			 "matrix: needs a mapping of keys to values, such as {resolver: [unbound, bind]}, not %s",
			 node->type == NODE_MAP ? "an empty one" : node_describe(node, seen, sizeof(seen)));
		return -EINVAL;
	}
	axes = ARENA_ARRAY(arena, struct axis, node->count);
	for (size_t k = 0; k < node->count; k++) {
		check_key(arena, root, &node->pairs[k], errs);
		axes[k] = axis_of(arena, node->pairs[k].key, node->pairs[k].value, errs);
		combos *= (double)axes[k].count;
	}
	if (errs->count + errs->dropped > before || check_size(node, root, combos, errs))
		return -EINVAL;
	matrix.key_count = node->count;
	matrix.combo_count = (size_t)combos;
	matrix.combos = ARENA_ARRAY(arena, struct node_binding *, matrix.combo_count);
	matrix.labels = ARENA_ARRAY(arena, const char *, matrix.combo_count);
	for (size_t i = 0; i < matrix.combo_count; i++)
		combine(arena, axes, i, &matrix);
	*ret = matrix;
	return 0;
}
