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

/* The words after --engine: "netns", "vm" or "auto"; NULL is "netns". Prints what is missing. 0, EXIT_USAGE or EXIT_TROUBLE. */
int engine_choose(const char *name, struct plan_set *const *sets, size_t count, struct arena *arena,
		  struct engine_choice *ret);

/* What the kernel lacks for the faults of these plans: printed. 0 or EXIT_TROUBLE. */
int engine_check_abilities(struct plan_set *const *sets, size_t count, struct abilities *ret);
