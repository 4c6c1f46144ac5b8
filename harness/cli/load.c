/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/load.h"

#include <stdio.h>

#include "harness/lab/tree.h"

int load_plans(const struct command *command, const struct load_options *options, const struct cli_list *paths,
	       const struct registry *registry, struct plan_set **sets)
{
	struct plan_options plan_options = {
		.set = options->set.v, .set_count = options->set.count, .seed = PARAM_UNSET};
	struct errs errs = {0};
	int status = 0;

	if (!paths->count) {
		cli_complain("%s: name a plan, as in: dnsdrill %s plan.yaml", command->name, command->name);
		return EXIT_USAGE;
	}
	if (options->seed && cli_parse_seed(options->seed, &plan_options.seed))
		return EXIT_USAGE;
	for (size_t i = 0; i < paths->count; i++) {
		sets[i] = plan_load(paths->v[i], &plan_options, registry, &errs);
		for (size_t j = 0; sets[i] && !errs.count && j < sets[i]->count; j++)
			tree_check(sets[i]->plans[j]->topology, &errs);
	}
	if (errs.count) {
		errs_print(&errs, stderr);
		status = EXIT_USAGE;
	}
	errs_fini(&errs);
	return status;
}

void load_free(struct plan_set **sets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		plan_set_free(sets[i]);
}
