/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/arena.h"
#include "harness/plan/node.h"

/* Rules that were read together share an arena. */
struct batch {
	struct arena *arena;
	char *file; /* that places of errors name */
	atomic_size_t refs;
};

struct rule_box {
	struct rule *rule;
	struct batch *batch; /* NULL: the rule is somebody else's */
	atomic_size_t refs;
};

static void batch_drop(struct batch *batch)
{
	if (!batch || atomic_fetch_sub(&batch->refs, 1) != 1)
		return;
	arena_free(batch->arena);
	free(batch->file);
	free(batch);
}

static struct batch *batch_new(const char *file)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->refs = 1;
	batch->arena = arena_new();
	batch->file = strdup(file);
	if (!batch->arena || !batch->file) {
		batch_drop(batch);
		return NULL;
	}
	return batch;
}

static void box_drop(struct rule_box *box)
{
	if (atomic_fetch_sub(&box->refs, 1) != 1)
		return;
	if (box->batch)
		rule_fini(box->rule);
	batch_drop(box->batch);
	free(box);
}

struct ruleset *ruleset_new(void)
{
	struct ruleset *set = calloc(1, sizeof(*set));

	if (set)
		set->refs = 1;
	return set;
}

struct ruleset *ruleset_take(struct ruleset *set)
{
	atomic_fetch_add(&set->refs, 1);
	return set;
}

void ruleset_drop(struct ruleset *set)
{
	if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
		return;
	for (size_t i = 0; set->boxes && i < set->rules.count; i++)
		box_drop(set->boxes[i]);
	free(set->boxes);
	free(set->rules.v); /* the rules themselves are the boxes' */
	free(set);
}

/* A set of the same rules, with room for more. */
static struct ruleset *copy(const struct ruleset *set, size_t more)
{
	struct ruleset *new = ruleset_new();
	size_t cap = set->rules.count + more;

	if (!new)
		return NULL;
	new->boxes = calloc(cap + 1, sizeof(*new->boxes));
	new->rules = set->rules;
	new->rules.cap = cap + 1;
	new->rules.v = calloc(cap + 1, sizeof(*new->rules.v));
	if (!new->boxes || !new->rules.v) {
		free(new->boxes);
		free(new->rules.v);
		free(new);
		return NULL;
	}
	for (size_t i = 0; i < set->rules.count; i++) {
		new->rules.v[i] = set->rules.v[i];
		new->boxes[i] = set->boxes[i];
		atomic_fetch_add(&new->boxes[i]->refs, 1);
	}
	return new;
}

/* Takes rule over, if it is of a batch. */
static int append(struct ruleset *set, struct rule *rule, struct batch *batch)
{
	struct rule_box *box = calloc(1, sizeof(*box));

	if (!box || rules_add(&set->rules, rule)) {
		free(box);
		if (batch)
			rule_fini(rule);
		return -ENOMEM;
	}
	*box = (struct rule_box){.rule = rule, .batch = batch, .refs = 1};
	if (batch)
		atomic_fetch_add(&batch->refs, 1);
	set->boxes[set->rules.count - 1] = box;
	return 0;
}

/* Every rule of the node: all errors at once. Those read before an error are let go. */
static int parse(struct batch *batch, const struct node *root, struct rule **rules, struct errs *errs)
{
	size_t count = root->type == NODE_LIST ? root->count : 1, good = 0;

	for (size_t i = 0; i < count; i++) {
		rules[good] = rule_parse(batch->arena, root->type == NODE_LIST ? root->items[i] : root, errs);
		good += rules[good] != NULL;
	}
	if (good == count)
		return 0;
	while (good)
		rule_fini(rules[--good]);
	return -EINVAL;
}

static int add_all(struct ruleset *set, struct rule **rules, size_t count, struct batch *batch)
{
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		if (r)
			rule_fini(rules[i]);
		else
			r = append(set, rules[i], batch);
	}
	return r;
}

int ruleset_with(const struct ruleset *set, const char *file, const char *text, size_t len, struct ruleset **ret,
		 struct errs *errs, struct errs *warnings)
{
	struct batch *batch = batch_new(file);
	struct ruleset *new = NULL;
	struct rule **rules;
	struct node *root;
	size_t count;
	int r;

	if (!batch)
		return -ENOMEM;
	root = node_load_bytes(batch->arena, batch->file, text, len, errs);
	if (!root) {
		batch_drop(batch);
		return -EINVAL;
	}
	count = root->type == NODE_LIST ? root->count : 1;
	rules = arena_alloc(batch->arena, (count + 1) * sizeof(struct rule *));
	r = parse(batch, root, rules, errs);
	if (!r) {
		new = copy(set, count);
		r = new ? add_all(new, rules, count, batch) : -ENOMEM;
	}
	batch_drop(batch);
	if (r) {
		ruleset_drop(new);
		return r;
	}
	rules_check(&new->rules, set->rules.count, warnings);
	*ret = new;
	return 0;
}

int ruleset_without(const struct ruleset *set, uint32_t id, struct ruleset **ret)
{
	struct ruleset *new;
	size_t i = 0;

	while (i < set->rules.count && set->rules.v[i]->id != id)
		i++;
	if (i == set->rules.count)
		return -ENOENT;
	new = copy(set, 0);
	if (!new)
		return -ENOMEM;
	box_drop(new->boxes[i]);
	memmove(&new->boxes[i], &new->boxes[i + 1], (new->rules.count - i - 1) * sizeof(new->boxes[0]));
	rules_remove(&new->rules, id);
	*ret = new;
	return 0;
}

struct ruleset *ruleset_of(struct rule *const *rules, size_t count)
{
	struct ruleset *none = ruleset_new(), *set = none ? copy(none, count) : NULL;

	for (size_t i = 0; set && i < count; i++) {
		if (append(set, rules[i], NULL)) {
			ruleset_drop(set);
			set = NULL;
		}
	}
	ruleset_drop(none);
	return set;
}
