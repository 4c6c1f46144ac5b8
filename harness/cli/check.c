/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill check: every error of a plan, nothing touched.
 */
#include <stdio.h>

#include "harness/cli/load.h"
#include "harness/plan/topology.h"

struct check_options {
	struct load_options load;
};

static const struct cli_option options[] = {C_PLAN_OPTIONS(struct check_options, load), CLI_END};

/* The names that delegations must use, so that nobody has to guess the default ones. */
static void print_nameservers(const struct topology *topology)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];

		if (host->role != HOST_NAMESERVER)
			continue;
		printf("  %-16s %s", host->name, host->hostname);
		for (size_t j = 0; j < host->addresses.count; j++)
			printf(" %s", host->addresses.v[j].text);
		putchar('\n');
	}
}

static void print_plan(const struct plan *plan)
{
	printf("%s: ok: %s%s%s%s: %zu hosts, %zu probes, %zu faults, %zu expectations, %.0f s\n", plan->file,
	       plan->name.value, plan->case_label ? " (" : "", plan->case_label ? plan->case_label : "",
	       plan->case_label ? ")" : "", plan->topology->host_count, plan->probe_count, plan->fault_count,
	       plan->expect_count, (double)plan->end_ns / 1e9);
}

static int run(const struct registry *registry, int argc, char **argv);

const struct command check_command = {
	.name = "check",
	.args = "PLAN…",
	.summary = "find every error of a plan; nothing is touched",
	.options = options,
	.run = run,
};

static int run(const struct registry *registry, int argc, char **argv)
{
	struct check_options chosen = {0};
	struct cli_list paths = {0};
	struct plan_set *sets[CLI_LIST_MAX] = {0};
	int r = cli_parse(&check_command, argc, argv, &chosen, &paths, NULL);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	r = load_plans(&check_command, &chosen.load, &paths, registry, sets);
	for (size_t i = 0; i < paths.count && !r; i++) {
		for (size_t j = 0; j < sets[i]->count; j++)
			print_plan(sets[i]->plans[j]);
		print_nameservers(sets[i]->plans[0]->topology);
	}
	load_free(sets, paths.count);
	return r;
}
