/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a plan: those it was read from, and those it names.
 */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/plan/internal.h"

struct collector {
	struct plan_set *set;
	const char *main;
	size_t cap;
};

const char *files_path(struct arena *arena, const char *text, struct loc loc, const char *main)
{
	const char *base = loc.file, *slash;

	if (*text == '/')
		return text;
	if (!base || !strncmp(base, "--", 2))
		base = main;
	slash = strrchr(base, '/');
	return slash ? arena_printf(arena, "%.*s/%s", (int)(slash - base), base, text) : text;
}

static void add(struct collector *collector, const char *path)
{
	struct plan_set *set = collector->set;

	for (size_t i = 0; i < set->file_count; i++) {
		if (!strcmp(set->files[i], path))
			return;
	}
	if (set->file_count == collector->cap) {
		size_t cap = collector->cap ? 2 * collector->cap : 64;
		const char **grown = ARENA_ARRAY(set->arena, const char *, cap);

		if (set->file_count)
			memcpy(grown, set->files, set->file_count * sizeof(*grown));
		set->files = grown;
		collector->cap = cap;
	}
	set->files[set->file_count++] = path;
}

/* Any text that names a file may be one that somebody reads later. */
static void add_named(struct collector *collector, const struct node *scalar)
{
	const char *text = scalar->scalar, *path;
	struct stat st;

	if (!strpbrk(text, "./") || strpbrk(text, "\n${") || strlen(text) >= PATH_MAX)
		return;
	path = files_path(collector->set->arena, text, scalar->loc, collector->main);
	if (!stat(path, &st) && S_ISREG(st.st_mode))
		add(collector, path);
}

static void walk(struct collector *collector, const struct node *node)
{
	if (node->type == NODE_SCALAR)
		add_named(collector, node);
	for (size_t i = 0; node->type == NODE_MAP && i < node->count; i++)
		walk(collector, node->pairs[i].value);
	for (size_t i = 0; node->type == NODE_LIST && i < node->count; i++)
		walk(collector, node->items[i]);
}

void files_collect(struct plan_set *set, const struct node_files *read, const char *main)
{
	struct collector collector = {.set = set, .main = main};

	for (size_t i = 0; i < read->count; i++)
		add(&collector, read->v[i]);
	for (size_t i = 0; i < set->count; i++) {
		if (set->plans[i] && set->plans[i]->source)
			walk(&collector, set->plans[i]->source);
	}
}
