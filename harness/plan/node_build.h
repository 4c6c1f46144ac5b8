/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How nodes are made: shared by load.c, include.c, set.c and substitute.c; nobody else's business.
 */
#pragma once
#include "harness/plan/node.h"

struct node *node_new(struct arena *arena, enum node_type type, struct loc loc);

/* Is told of each key that stands twice; first comes before again, and stays. */
typedef void (*node_twice_fn)(void *arg, struct node_pair *first, const struct node_pair *again);

/* Leaves the first of the pairs with the same key, order kept. Returns how many are left. */
size_t node_pairs_unique(struct arena *arena, struct node_pair *pairs, size_t count, node_twice_fn twice, void *arg);

/* The same for a mapping in a file, where a key that stands twice is an error. */
void node_refuse_twice(struct arena *arena, struct node *map, struct errs *errs);

/* Both mappings in one; over wins, mappings inside are merged the same way, everything else is taken whole. */
struct node *node_merge(struct arena *arena, const struct node *over, const struct node *under);

/* Resolves the merge key (<<) of map in place: a mapping or a list of mappings, own keys first, earlier ones of the list win. With may_wait, a
 * value that holds ${…} is left for the time after substitution. */
void node_merge_key(struct arena *arena, struct node *map, bool may_wait, struct errs *errs);

/* Nodes in it, shared ones counted each time they are met; stops soon after max. */
size_t node_count(const struct node *node, size_t max);

/* Refuses what a YAML parser should never see: broken UTF-8, control characters, line breaks of other worlds. */
int scan_bytes(const char *file, const char *data, size_t len, struct err *err);

/* Refuses what would take a YAML parser too long, or what no plan needs: nesting, nodes and anchors above the limits, several
 * documents, tags. Syntax errors are found here, too. */
int scan_structure(const char *file, const char *data, size_t len, struct err *err);

/* Says at which place and why libyaml gave up. */
struct yaml_parser_s;
int scan_say_syntax(const char *file, const struct yaml_parser_s *parser, struct err *err);
