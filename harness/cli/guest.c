/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill as the first process of a virtual machine: plays the one plan that was packed with it, and switches the machine off. Never a user's command: what it prints goes to the console.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/fd.h"
#include "harness/cli/engine.h"
#include "harness/cli/load.h"
#include "harness/engine/vm/pack.h"
#include "harness/run/guest_run.h"

#define ARGS_MAX 1024

struct guest_options {
	struct load_options load;
	const char *index, *command, *capture;
};

static const struct cli_option options[] = {
	C_PLAN_OPTIONS(struct guest_options, load),
	C_TEXT(struct guest_options, index, "index", "N", "which combination of the plan's matrix"),
	C_TEXT(struct guest_options, command, "command", "TEXT", "what repeats this run"),
	C_TEXT(struct guest_options, capture, "capture", "NAME", "what the host calls the capture"),
	CLI_END,
};

static int run(const struct registry *registry, int argc, char **argv);

const struct command guest_command = {
	.name = "guest",
	.args = "PLAN",
	.summary = "the first process of a virtual machine",
	.options = options,
	.run = run,
};

static int play(const struct registry *registry, const struct guest *guest, const struct guest_options *chosen,
		const struct cli_list *paths)
{
	struct plan_set *sets[CLI_LIST_MAX] = {0};
	struct abilities abilities = {0};
	struct guest_run_options how = {
		.guest = guest, .capture_name = chosen->capture, .command = chosen->command, .abilities = &abilities};
	size_t index = chosen->index ? strtoul(chosen->index, NULL, 10) : 0;
	struct err err = {0};
	int64_t seed = 0;
	int status = 0;

	/* First of all: until the kernel has random numbers, whoever asks for one waits. */
	if (cli_parse_seed(chosen->load.seed ? chosen->load.seed : "0", &seed) || guest_seed(seed, &err))
		status = EXIT_TROUBLE;
	if (!status)
		status = load_plans(&guest_command, &chosen->load, paths, registry, sets);
	if (!status && index >= sets[0]->count)
		status = EXIT_USAGE;
	if (!status)
		status = engine_check_abilities(sets, 1, &abilities);
	if (!status && guest_run(sets[0]->plans[index], &how, &err))
		status = EXIT_TROUBLE;
	if (err.code)
		err_print(&err, stderr);
	load_free(sets, paths->count);
	return status;
}

/* The words that were packed, as argv. */
static int read_args(char **ret_text, int *ret_argc, char **argv)
{
	size_t len;
	int r = fd_read_file(AT_FDCWD, PACK_ARGS, 1 << 20, ret_text, &len);

	*ret_argc = 0;
	for (char *at = *ret_text; !r && at < *ret_text + len && *ret_argc < ARGS_MAX; at += strlen(at) + 1)
		argv[(*ret_argc)++] = at;
	return r;
}

static int run(const struct registry *registry, int argc UNUSED, char **argv UNUSED)
{
	struct guest_options chosen = {0};
	struct cli_list paths = {0};
	CLEANUP_FREE char *text = NULL;
	char *args[ARGS_MAX];
	struct guest guest;
	struct err err = {0};
	int count;

	if (guest_boot(&guest, &err))
		err_print(&err, stderr);
	else if (chdir(PACK_CWD) || read_args(&text, &count, args) ||
		 cli_parse(&guest_command, count, args, &chosen, &paths, NULL))
		fprintf(stderr, "dnsdrill: this guest was packed without a plan\n");
	else
		play(registry, &guest, &chosen, &paths);
	guest_off();
}
