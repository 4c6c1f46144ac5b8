/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file to checked plans: read, override, expand the matrix, and for each combination: substitute, type, check.
 */
#include "harness/plan/plan.h"

#include <string.h>
#include <sys/random.h>

#include "harness/base/units.h"
#include "harness/plan/internal.h"

struct plan_set_private {
	struct plan_set set; /* must be first */
	struct zone_cache_entry *zones;
	const struct registry *registry;
	const char *file;
	int64_t seed; /* that wins over the plan's, or PARAM_UNSET */
	int64_t drawn_seed; /* for all combinations, if nobody gives one */
};

static bool has_error(const struct errs *errs, size_t before)
{
	return errs->count + errs->dropped > before;
}

/* The plan without its matrix: keys and labels there are no text to substitute in. */
static struct node *without_matrix(struct arena *arena, const struct node *root)
{
	struct node *copy = arena_memdup(arena, root, sizeof(*root));

	copy->pairs = ARENA_ARRAY(arena, struct node_pair, root->count);
	copy->count = 0;
	for (size_t i = 0; i < root->count; i++) {
		if (strcmp(root->pairs[i].key, "matrix"))
			copy->pairs[copy->count++] = root->pairs[i];
	}
	return copy;
}

static struct text name_of_file(struct arena *arena, const char *path)
{
	const char *base = strrchr(path, '/'), *dot;

	base = base ? base + 1 : path;
	dot = strrchr(base, '.');
	return (struct text){arena_strndup(arena, base, dot > base ? (size_t)(dot - base) : strlen(base)), LOC_NONE};
}

static void copy_clock(struct plan_ctx *ctx, const struct text *clock)
{
	ctx->plan->clock_s = PARAM_UNSET;
	ctx->plan->clock_loc = clock->loc;
	if (clock->value && units_parse_date(clock->value, &ctx->plan->clock_s))
		errs_add(ctx->errs, clock->loc,
			 "clock: a date in UTC is expected, such as 2026-11-21T00:00Z, not '%.40s'", clock->value);
}

static void copy_doc(struct plan_ctx *ctx, const struct plan_doc *doc, const struct plan_set_private *private)
{
	struct plan *plan = ctx->plan;

	plan->loc = doc->loc;
	plan->version = doc->version;
	plan->name = doc->name.value && *doc->name.value ? doc->name : name_of_file(ctx->arena, plan->file);
	plan->description = doc->description;
	plan->seed = private->seed != PARAM_UNSET ? private->seed
		     : doc->seed != PARAM_UNSET   ? doc->seed
						  : private->drawn_seed;
	copy_clock(ctx, &doc->clock);
	plan->recovery_ns = doc->recovery_ns;
	plan->duration_ns = doc->duration_ns;
	plan->baseline_ppm = doc->baseline_ppm;
	plan->stable = doc->stable;
	plan->lab = doc->lab;
}

static struct plan *make_plan(struct plan_ctx *ctx, const struct plan_set_private *private, const char *label,
			      const struct node *node)
{
	struct plan_doc *doc = ARENA_NEW(ctx->arena, struct plan_doc);
	struct plan *plan = ARENA_NEW(ctx->arena, struct plan);

	plan->file = private->file;
	plan->case_label = label;
	plan->source = node;
	plan->zone_cache = ctx->zones;
	ctx->plan = plan;
	ctx->doc = doc;
	parse_table(ctx->arena, node, &plan_table, doc, ctx->errs);
	copy_doc(ctx, doc, private);
	lab_check(ctx);
	zones_load(ctx);
	plan->topology = topology_new(ctx->arena, plan, ctx->registry, ctx->errs);
	steps_parse(ctx);
	probes_parse(ctx);
	expects_parse(ctx);
	return plan;
}

/* Adds those of from that are not there yet: most errors of a plan are errors of all its combinations. */
static void merge(struct errs *errs, const struct errs *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct err *err = &from->v[i];
		bool is_there = false;

		for (size_t j = 0; j < errs->count && !is_there; j++) {
			const struct err *other = &errs->v[j];

			is_there = other->loc.line == err->loc.line && other->loc.col == err->loc.col &&
				   !strcmp(other->text, err->text) &&
				   !strcmp(other->loc.file ? other->loc.file : "", err->loc.file ? err->loc.file : "");
		}
		if (!is_there)
			errs_add_err(errs, err);
	}
	errs->dropped += from->dropped;
}

static void make_combo(struct plan_set_private *private, const struct node *root, const struct matrix *matrix, size_t i,
		       struct errs *errs)
{
	struct errs own = {0};
	struct plan_ctx ctx = {
		.arena = private->set.arena, .registry = private->registry, .zones = &private->zones, .errs = &own};
	struct node *node = node_substitute(private->set.arena, root, matrix->combos[i], matrix->key_count, &own);

	if (node)
	private->set.plans[private->set.count++] = make_plan(&ctx, private, matrix->labels[i], node);
	merge(errs, &own);
	errs_fini(&own);
}

/* Same text, same shape: the same plan, wherever it stands. */
static bool is_same(const struct node *a, const struct node *b)
{
	if (a == b)
		return true;
	if (a->type != b->type || a->count != b->count)
		return false;
	if (a->type == NODE_SCALAR)
		return a->quoted == b->quoted && !strcmp(a->scalar, b->scalar);
	for (size_t i = 0; i < a->count; i++) {
		if (a->type == NODE_MAP && strcmp(a->pairs[i].key, b->pairs[i].key))
			return false;
		if (!is_same(a->type == NODE_MAP ? a->pairs[i].value : a->items[i],
			     b->type == NODE_MAP ? b->pairs[i].value : b->items[i]))
			return false;
	}
	return true;
}

/* Two combinations that are one plan would be reported as if they differed: a value must have been overruled where it is used. */
static void check_combos(const struct plan_set *set, struct loc loc, struct errs *errs)
{
	for (size_t i = 1; i < set->count; i++) {
		if (!is_same(set->plans[i - 1]->source, set->plans[i]->source))
			continue;
		errs_add(errs, loc, "%s and %s are the same plan: something beside ${…} overrules its value",
			 set->plans[i - 1]->case_label, set->plans[i]->case_label);
		return;
	}
}

static int apply_sets(struct arena *arena, struct node *root, const struct plan_options *options, struct errs *errs)
{
	int r = 0;

	for (size_t i = 0; i < options->set_count; i++) {
		struct err err = {0};

		if (node_set(arena, root, options->set[i], &err)) {
			errs_add_err(errs, &err);
			r = err.code;
		}
	}
	return r;
}

/* Short enough to be typed. */
static int64_t draw_seed(void)
{
	uint32_t drawn;

	return getrandom(&drawn, sizeof(drawn), 0) == sizeof(drawn) ? drawn : 1;
}

static void load(struct plan_set_private *private, const struct plan_options *options, struct errs *errs)
{
	struct arena *arena = private->set.arena;
	struct node_files read = {.count = 0};
	struct node *root = node_load_files(arena, private->file, &read, errs);
	struct matrix matrix;
	struct loc where = LOC_NONE;

	if (!root || apply_sets(arena, root, options, errs) || matrix_expand(arena, root, &matrix, errs))
		return;
	if (node_get(root, "matrix"))
		where = node_get(root, "matrix")->loc;
	private->set.plans = ARENA_ARRAY(arena, struct plan *, matrix.combo_count);
	root = without_matrix(arena, root);
	for (size_t i = 0; i < matrix.combo_count && errs->count < ERRS_MAX; i++)
		make_combo(private, root, &matrix, i, errs);
	check_combos(&private->set, where, errs);
	files_collect(&private->set, &read, private->file);
}

struct plan_set *plan_load(const char *path, const struct plan_options *options, const struct registry *registry,
			   struct errs *errs)
{
	size_t before = errs->count + errs->dropped;
	struct arena *arena = arena_new();
	struct plan_set_private *private = ARENA_NEW(arena, struct plan_set_private);

	*private = (struct plan_set_private){
		.set.arena = arena,
		.registry = registry,
		.file = arena_strdup(arena, path),
		.seed = options->seed,
		.drawn_seed = draw_seed(),
	};
	load(private, options, errs);
	if (has_error(errs, before)) {
		plan_set_free(&private->set);
		return NULL;
	}
	return &private->set;
}

void plan_set_free(struct plan_set *set)
{
	struct plan_set_private *private = (struct plan_set_private *)(void *)set;

	if (!set)
		return;
	zones_free(private->zones);
	arena_free(set->arena);
}
