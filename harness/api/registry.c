/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/registry.h"

#include <string.h>

/* A missing list is an empty one: tests plug in only what they need. */
#define FIND(list, member, wanted)                                \
	do {                                                      \
		for (size_t i = 0; (list) && (list)[i]; i++) {    \
			if (!strcmp((list)[i]->member, (wanted))) \
				return (list)[i];                 \
		}                                                 \
		return NULL;                                      \
	} while (0)

const struct injector_ops *registry_injector(const struct registry *registry, const char *kind)
{
	FIND(registry->injectors, kind, kind);
}

const struct probe_ops *registry_probe(const struct registry *registry, const char *kind)
{
	FIND(registry->probes, kind, kind);
}

const struct server_ops *registry_server(const struct registry *registry, const char *name)
{
	FIND(registry->servers, name, name);
}

const struct report_ops *registry_report(const struct registry *registry, const char *name)
{
	FIND(registry->reports, name, name);
}

const struct action_ops *registry_action(const struct registry *registry, const char *kind)
{
	FIND(registry->actions, kind, kind);
}
