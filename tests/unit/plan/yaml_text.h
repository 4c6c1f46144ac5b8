/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of YAML texts: one text in, nodes and the printed errors out. yaml_begin → yaml_load… → yaml_end.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/plan/node.h"

struct yaml {
	struct arena *arena;
	struct errs errs;
	char *said; /* all errors, as a user sees them; owned */
};

static inline void yaml_begin(struct yaml *yaml)
{
	*yaml = (struct yaml){.arena = arena_new()};
}

static inline void yaml_end(struct yaml *yaml)
{
	free(yaml->said);
	errs_fini(&yaml->errs);
	arena_free(yaml->arena);
}

/* What the errors so far look like on a terminal. */
static inline const char *yaml_said(struct yaml *yaml)
{
	size_t size;
	FILE *out;

	free(yaml->said);
	yaml->said = NULL;
	out = open_memstream(&yaml->said, &size);
	assert_non_null(out);
	errs_print(&yaml->errs, out);
	fclose(out);
	return yaml->said;
}

/* The node of a text that must be right. */
static inline struct node *yaml_load(struct yaml *yaml, const char *text)
{
	struct node *root = node_load_bytes(yaml->arena, "t.yaml", text, strlen(text), &yaml->errs);

	assert_string_equal(yaml_said(yaml), "");
	assert_non_null(root);
	return root;
}

/* A text that must be refused, with just these errors. */
static inline void yaml_refuses_bytes(const char *bytes, size_t len, const char *said)
{
	struct yaml yaml;

	yaml_begin(&yaml);
	assert_null(node_load_bytes(yaml.arena, "t.yaml", bytes, len, &yaml.errs));
	assert_string_equal(yaml_said(&yaml), said);
	yaml_end(&yaml);
}

static inline void yaml_refuses(const char *text, const char *said)
{
	yaml_refuses_bytes(text, strlen(text), said);
}

/* node as compact flow YAML, texts in quotes where they were: "{a: 1, b: [\"x\"]}". In the arena. */
static inline const char *yaml_flow(struct yaml *yaml, const struct node *node)
{
	const char *text = "";

	if (node->type == NODE_SCALAR)
		return arena_printf(yaml->arena, node->quoted ? "\"%s\"" : "%s", node->scalar);
	for (size_t i = 0; i < node->count; i++) {
		const char *sep = i ? ", " : "";

		if (node->type == NODE_LIST)
			text = arena_printf(yaml->arena, "%s%s%s", text, sep, yaml_flow(yaml, node->items[i]));
		else
			text = arena_printf(yaml->arena, "%s%s%s: %s", text, sep, node->pairs[i].key,
					    yaml_flow(yaml, node->pairs[i].value));
	}
	return arena_printf(yaml->arena, node->type == NODE_LIST ? "[%s]" : "{%s}", text);
}

/* A fresh file or folder below the temporary directory of the test; in the arena. */
static inline const char *yaml_write(struct yaml *yaml, const char *dir, const char *name, const char *text)
{
	const char *path = arena_printf(yaml->arena, "%s/%s", dir, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	return path;
}
