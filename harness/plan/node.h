/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Located YAML nodes: what a plan file says before anybody asks what it means. In the plan's arena; immutable once loaded.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/err.h"
#include <stdbool.h>

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node;

struct node_pair {
	const char *key;
	struct loc key_loc;
	struct node *value;
	bool included; /* came from an included file, under the mapping that includes it */
};

struct node {
	enum node_type type;
	struct loc loc;
	const char *scalar; /* NODE_SCALAR; never NULL */
	bool quoted; /* written with quotes or as a block: never a number, boolean or null */
	struct node **items; /* NODE_LIST */
	struct node_pair *pairs; /* NODE_MAP, in the order of the file, no key twice */
	size_t count;
};

/* The value of key in a map, or NULL. */
struct node *node_get(const struct node *map, const char *key);
/* Whether it says "nothing here": an unquoted ~, null, or an empty value. NULL is not. */
bool node_is_null(const struct node *node);
/* "a mapping", "a list", "\"text\"": for errors. buf is returned. */
const char *node_describe(const struct node *node, char *buf, size_t size);

/* Limits, so that no file can make the harness slow or large. */
#define NODE_FILE_MAX (4u << 20) /* bytes in a file */
#define NODE_TEXT_MAX (256u << 10) /* bytes in one value: a line of the event stream holds several */
#define NODE_DEPTH_MAX 64
#define NODE_COUNT_MAX 100000 /* nodes after aliases are expanded */
#define NODE_ANCHOR_MAX 256 /* in a file */
#define NODE_INCLUDE_MAX 16 /* files deep */
#define NODE_FILES_MAX 64 /* in all; together no larger than NODE_FILE_MAX */

/*
 * Reads a YAML file: one document, a mapping at the top; UTF-8 without NUL and other control characters; no duplicate keys; aliases and merge
 * keys (<<) expanded; `include:` (a path or list of paths, relative to the including file) merged in, the includer winning, a later one of a list winning over an earlier one, mappings merged deeply; a cycle of
 * includes is an error. All errors go to errs. NULL exactly if there was one. path "-" is standard input.
 */
struct node *node_load(struct arena *arena, const char *path, struct errs *errs);

/* The same, and which files were read, in arena; those of a failed loading, too. */
struct node_files {
	const char *v[NODE_FILES_MAX];
	size_t count;
};
struct node *node_load_files(struct arena *arena, const char *path, struct node_files *ret_files, struct errs *errs);

/* One document from memory (a fuzzer's, a test's): as node_load, but anything may be at the top, and include: is a key like any other. file, borrowed for
 * the arena's life, is what errors call it. NULL exactly if there was an error. */
struct node *node_load_bytes(struct arena *arena, const char *file, const char *data, size_t len, struct errs *errs);

/* Overrides: "lab.resolvers.r1.server=bind". The value is YAML (flow style allowed); its place is "--set:1:1". Missing mappings on the way are made; a step into a list is
 * its index from 0. A key that holds dots is found if it is in the plan ("lab.zones.example.com.file=…"); a new one is quoted: "lab.zones.\"example.org\".file=…".
 * Only nodes on the way are changed: other places that share them by an alias are not. */
int node_set(struct arena *arena, struct node *root, const char *assignment, struct err *err);

/* One combination of a matrix: what ${key} stands for. */
struct node_binding {
	const char *key;
	const char *label; /* "unbound" */
	const struct node *value;
};

/*
 * A deep copy with every ${key} of bindings replaced. A scalar that is exactly ${key} becomes the value's node whatever its type (so that <<: ${key} merges a mapping); within
 * longer text the value must be a scalar. An unknown ${key} is an error that names the nearest. "$${" stands for "${". Keys are
 * replaced too. Unchanged scalars and bound values are shared, not copied. NULL exactly if there was an error.
 */
struct node *node_substitute(struct arena *arena, const struct node *root, const struct node_binding *bindings,
			     size_t count, struct errs *errs);
