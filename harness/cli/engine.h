/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the labs of a command live: chosen, and checked to be able to hold them, before anything is touched.
 */
#pragma once
#include "harness/cli/cli.h"
#include "harness/plan/plan.h"

struct engine_choice {
	bool is_vm;
	const char *qemu; /* of a virtual machine, in arena */
	struct abilities abilities; /* of this kernel, where some fault asks for more than every lab does */
};

/* One of the words after --engine. */
struct engine_info {
	const char *name, *summary;
	/* Prints what is missing. 0 or EXIT_TROUBLE. */
	int (*choose)(struct plan_set *const *sets, size_t count, struct arena *arena, struct engine_choice *ret);
};
extern const struct engine_info engine_infos[]; /* ends with a NULL name; the first is the default */

/* name NULL: the default. Prints what is missing, or the names there are. 0, EXIT_USAGE or EXIT_TROUBLE. */
int engine_choose(const char *name, struct plan_set *const *sets, size_t count, struct arena *arena,
		  struct engine_choice *ret);

/* What the kernel lacks for the faults of these plans: printed. 0 or EXIT_TROUBLE. */
int engine_check_abilities(struct plan_set *const *sets, size_t count, struct abilities *ret);
