/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files that make a typed plan share. Nobody else includes this.
 */
#pragma once
#include "harness/event/metric.h"
#include "harness/plan/names.h"
#include "harness/plan/parse.h"
#include "harness/plan/plan.h"
#include "harness/plan/topology.h"
#include "harness/plan/versions.h"

#define PLAN_LENGTH_MAX (366 * 24 * 3600 * SEC) /* of anything in a plan */

/* The top mapping as plan_table fills it: what is typed at once, and what is typed later by its owner. */
struct plan_doc {
	struct loc loc;
	int64_t version;
	struct text name, description, clock;
	int64_t seed;
	int64_t recovery_ns, duration_ns;
	int64_t baseline_ppm, stable;
	struct lab_spec lab;
	const struct node *include, *matrix, *probes, *timeline, *expect;
};

/* Zones loaded so far: the combinations of a matrix share them. */
struct zone_cache_entry {
	const char *name, *path;
	struct zone *zone; /* NULL: could not be loaded, and that was said */
	struct zone_cache_entry *next;
};

/* What making one plan needs. */
struct plan_ctx {
	struct arena *arena;
	const struct registry *registry;
	struct zone_cache_entry **zones;
	const struct plan_doc *doc;
	struct plan *plan; /* being made */
	struct errs *errs;
	struct names probe_names, fault_names; /* those of broken ones too, so that one mistake is said once */
};

/* matrix.c: the combinations of a `matrix:`; combos[i] has key_count bindings. One combination without bindings if matrix is NULL. */
struct matrix {
	size_t key_count, combo_count;
	struct node_binding **combos;
	const char **labels; /* of each combination; NULL without a matrix */
};
int matrix_expand(struct arena *arena, const struct node *root, struct matrix *ret, struct errs *errs);

/* files.c: a path in a plan is relative to the file that says it; one from the command line to the plan file `main`. In arena, or text itself. */
const char *files_path(struct arena *arena, const char *text, struct loc loc, const char *main);
/* Fills set->files: read, and whatever plans mention that is there. */
void files_collect(struct plan_set *set, const struct node_files *read, const char *main);

/* zones.c: normalises zone names, loads their files, checks what needs no topology. */
void zones_load(struct plan_ctx *ctx);
/* A file that some key of the plan names; NULL after an error. */
struct zone *zones_load_file(struct plan_ctx *ctx, const char *zone, const struct text *file);
void zones_free(struct zone_cache_entry *zones);
/* The plan's zone of that name, or the closest one that encloses it; NULL if none does. */
const struct zone_spec *zones_enclosing(const struct lab_spec *lab, const char *name);

/* signing.c: what the rows of a zone's `sign:` cannot say. */
void sign_check(struct plan_ctx *ctx, const struct zone_spec *spec);

/* domain.c. Lower case, no trailing dot, checked; NULL with why (static) if it is no domain name. In arena. */
const char *domain_normalise(struct arena *arena, const char *text, const char **ret_why);
/* Whether name is zone or below it; both normalised. */
bool domain_is_within(const char *name, const char *zone);
/* Where the last so many labels of name begin: ("ns1.a.net", 2) is "a.net". */
const char *domain_last_labels(const char *name, size_t labels);

/* lab.c: names of hosts and what else can be said of a lab before its zones are read. */
void lab_check(struct plan_ctx *ctx);
/* Whether a name will do for a host, a probe…; why (static) if not. */
const char *name_reject(const char *name);

/* steps.c, probes.c, expects.c: need the topology. */
void steps_parse(struct plan_ctx *ctx);
void probes_parse(struct plan_ctx *ctx);
void expects_parse(struct plan_ctx *ctx);

/* actions.c: `do:` steps. find: NULL after an error. resolve: once all are parsed. */
const struct action_ops *action_find(struct plan_ctx *ctx, const struct node *kind);
void action_parse(struct plan_ctx *ctx, const struct node *node, const struct action_ops *ops);
void actions_resolve(struct plan_ctx *ctx);

/* step_check.c: what a step's rows cannot say: times, shape, and who is hit; resolves names to addresses. */
void step_check(struct plan_ctx *ctx, const struct node *node, struct injector *fault);

/* good.c: what a probe's good answer is, from the plan or from the lab's zones. given: the probe's `good:`, or NULL. */
void good_fill(struct plan_ctx *ctx, struct probe *probe, const struct node *given);

/* via.c: where a probe's questions go. */
void via_resolve(struct plan_ctx *ctx, const struct probe *probe, struct probe_server **ret_servers, size_t *ret_count);
