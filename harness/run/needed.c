/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/needed.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness/base/array.h"

void needed_tell(void *arg, const struct injector *injector, pid_t pid, bool is_needed)
{
	struct needed *needed = arg;

	needed_take(needed, pid);
	if (!is_needed)
		return;
	if (array_reserve((void **)&needed->v, &needed->cap, needed->count + 1, sizeof(*needed->v))) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	needed->v[needed->count++] = (struct needed_child){pid, injector};
}

const struct injector *needed_take(struct needed *needed, pid_t pid)
{
	for (size_t i = 0; i < needed->count; i++) {
		const struct injector *injector = needed->v[i].injector;

		if (needed->v[i].pid != pid)
			continue;
		needed->v[i] = needed->v[--needed->count];
		return injector;
	}
	return NULL;
}

void needed_fini(struct needed *needed)
{
	free(needed->v);
	*needed = (struct needed){0};
}
