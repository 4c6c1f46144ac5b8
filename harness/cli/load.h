/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading the plans of a command line.
 */
#pragma once
#include "harness/cli/cli.h"
#include "harness/plan/plan.h"

/* What every command that takes a plan can be told of it; C_PLAN_OPTIONS are the rows. */
struct load_options {
	struct cli_list set;
	const char *seed;
};

#define C_PLAN_OPTIONS(T, f)                                                                   \
	C_LIST(T, f.set, "set", "PATH=VALUE",                                                  \
	       "override one value of the plan, as lab.resolvers.r1.server=bind; repeatable"), \
		C_TEXT(T, f.seed, "seed", "N", "fixes every random choice the harness makes")

/* Loads every plan, printing all errors of all of them. sets: as many as paths, freed by the caller also on failure. 0 or EXIT_USAGE. */
int load_plans(const struct command *command, const struct load_options *options, const struct cli_list *paths,
	       const struct registry *registry, struct plan_set **sets);
void load_free(struct plan_set **sets, size_t count);
