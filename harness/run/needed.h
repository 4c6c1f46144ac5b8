/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children that faults need while they stand (a relay): whoever reaps one that is needed knows that the fault is broken. Pure.
 */
#pragma once
#include "harness/api/injector.h"

struct needed {
	struct needed_child {
		pid_t pid;
		const struct injector *injector;
	} * v;
	size_t count, cap;
};

/* As injector_ctx.child says: child_arg is the struct needed. Aborts without memory. */
void needed_tell(void *arg, const struct injector *injector, pid_t pid, bool is_needed);

/* Whose child that was; NULL: nobody needs it. Forgets it. */
const struct injector *needed_take(struct needed *needed, pid_t pid);
void needed_fini(struct needed *needed);
