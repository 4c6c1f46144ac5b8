/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/guest_parts.h"

#include <string.h>

#include "harness/api/action.h"
#include "harness/plan/topology.h"
#include "harness/servers/common.h"

#define PROGRAMS_MAX 256
#define SMALL_LAB 12 /* servers that a guest has memory for in any case */
#define SERVER_MIB 32 /* for each beyond */

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

static void add_for_action(void *arg, const char *program)
{
	add_program(arg, program);
}

static void add_server(struct programs *programs, const struct server_ops *ops)
{
	add_program(programs, ops->program);
	for (const char *const *name = ops->needs; name && *name; name++)
		add_program(programs, *name);
}

static int memory_mib(const struct topology *topology)
{
	int sum = 0, count = 0;

	for (size_t i = 0; i < topology->host_count; i++) {
		const struct server_ops *ops = topology->hosts[i].server;

		sum += ops ? ops->guest_mib : 0;
		count += ops != NULL;
	}
	return sum + (count > SMALL_LAB ? (count - SMALL_LAB) * SERVER_MIB : 0);
}

static void add_plan(struct programs *programs, const struct plan *plan)
{
	const struct topology *topology = plan->topology;

	for (size_t i = 0; i < topology->host_count; i++) {
		if (topology->hosts[i].server)
			add_server(programs, topology->hosts[i].server);
	}
	for (size_t i = 0; i < plan->action_count; i++) {
		const struct action *action = plan->actions[i];

		if (action->ops->programs)
			action->ops->programs(action, add_for_action, programs);
	}
}

void guest_parts(const struct plan_set *set, struct arena *arena, struct pack *ret)
{
	struct programs programs = {.arena = arena, .v = ARENA_ARRAY(arena, const char *, PROGRAMS_MAX)};
	int most_mib = 0;

	for (size_t i = 0; i < set->count; i++) {
		int mib = memory_mib(set->plans[i]->topology);

		add_plan(&programs, set->plans[i]);
		most_mib = mib > most_mib ? mib : most_mib;
	}
	*ret = (struct pack){
		.programs = programs.v,
		.program_count = programs.count,
		.files = set->files,
		.file_count = set->file_count,
		.memory_mib = most_mib,
	};
}
