/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/guest_parts.h"

#include <string.h>

#include "harness/plan/topology.h"
#include "harness/servers/common.h"

#define PROGRAMS_MAX 256

struct programs {
	struct arena *arena;
	const char **v;
	size_t count;
};

static void add(struct programs *programs, const char *path)
{
	for (size_t i = 0; i < programs->count; i++) {
		if (!strcmp(programs->v[i], path))
			return;
	}
	if (programs->count < PROGRAMS_MAX)
		programs->v[programs->count++] = path;
}

static void add_program(struct programs *programs, const char *name)
{
	const char *path = *name == '/' ? name : server_find_program(name, programs->arena);

	if (path)
		add(programs, path);
}

static void add_server(struct programs *programs, const struct server_ops *ops)
{
	add_program(programs, ops->program);
	for (const char *const *name = ops->needs; name && *name; name++)
		add_program(programs, *name);
}

void guest_parts(const struct plan_set *set, struct arena *arena, struct pack *ret)
{
	struct programs programs = {.arena = arena, .v = ARENA_ARRAY(arena, const char *, PROGRAMS_MAX)};

	for (size_t i = 0; i < set->count; i++) {
		const struct topology *topology = set->plans[i]->topology;

		for (size_t j = 0; j < topology->host_count; j++) {
			if (topology->hosts[j].server)
				add_server(&programs, topology->hosts[j].server);
		}
	}
	*ret = (struct pack){
		.programs = programs.v,
		.program_count = programs.count,
		.files = set->files,
		.file_count = set->file_count,
	};
}
