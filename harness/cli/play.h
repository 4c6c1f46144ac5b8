/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays the plans of `dnsdrill run`: each combination of each plan as often as wanted, one after the other, or in virtual machines several at once. What is written and printed is the same either
 * way: streams are put one behind the other in the order of the plans.
 */
#pragma once
#include "harness/cli/engine.h"
#include "harness/cli/load.h"

struct play_options {
	const struct registry *registry;
	const struct load_options *load;
	const struct engine_choice *where;
	struct arena *arena; /* of the command */
	const char *(*wish)(void *arg, size_t index); /* the directory of the index-th plan */
	void *arg;
	bool is_fixed; /* that very directory, or none */
	bool quiet;
	int times; /* each plan is played; all but the first into directories below the first one's */
	size_t at_once; /* machines; 0: as many as there are processors and memory for */
};

/* Returns the exit status. */
int play_plans(const struct play_options *options, struct plan_set *const *sets, size_t count);
