/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step `run`: a command on a host of the lab: a deploy script, octoDNS.
 */
#include "harness/actions/common.h"

struct run {
	struct action action;
	struct texts command;
	int64_t expect_exit;
	struct texts uses;
};

static const struct param run_params[] = {
	{.key = "command",
	 .type = PARAM_TEXTS,
	 .offset = PARAM_AT(struct run, command, struct texts),
	 .required = true,
	 .doc = "the program and its arguments as a list; a text alone is run by sh -c"},
	P_INT(struct run, expect_exit, "expect_exit", 0, 255, 0, "the exit status it must end with"),
	P_TEXTS(struct run, uses, "uses",
		"further programs that the command runs: a virtual machine (--engine vm) has only those it is told of"),
	PARAM_END,
};

static int run_perform(const struct action *action, const struct action_place *place UNUSED, struct job_report *report)
{
	const struct run *run = (const struct run *)action;
	const char **argv = calloc(run->command.count + 4, sizeof(*argv));
	size_t count = 0;
	char text[900];
	int status;

	if (!argv)
		return 1;
	if (run->command.count == 1) {
		argv[count++] = "/bin/sh";
		argv[count++] = "-c";
	}
	for (size_t i = 0; i < run->command.count; i++)
		argv[count++] = run->command.v[i].value;
	status = job_exec(argv, NULL, report);
	free(argv);
	snprintf(text, sizeof(text), "%.899s", report->text);
	job_say(report, "exit status %d%s%s", status, *text ? ": " : "", text);
	return status == run->expect_exit ? 0 : 1;
}

static void run_programs(const struct action *action, void (*add)(void *arg, const char *program), void *arg)
{
	const struct run *run = (const struct run *)action;

	if (run->command.count > 1)
		add(arg, run->command.v[0].value);
	for (size_t i = 0; i < run->uses.count; i++)
		add(arg, run->uses.v[i].value);
}

static void add_command(const struct run *run, struct buf *out)
{
	for (size_t i = 0; i < run->command.count; i++)
		buf_printf(out, "%s%s", i ? " " : "", run->command.v[i].value);
}

static void run_sentence(const struct action *action, struct buf *out)
{
	buf_puts(out, "runs '");
	add_command((const struct run *)action, out);
	buf_puts(out, "' on ");
	action_add_hosts(action, out);
}

static void run_commands(const struct action *action, struct buf *out)
{
	for (size_t i = 0; i < action->host_count; i++) {
		buf_printf(out, "# on %s: ", action->hosts[i]);
		add_command((const struct run *)action, out);
		buf_putc(out, '\n');
	}
}

extern const struct action_ops run_ops;
const struct action_ops run_ops = {
	.kind = "run",
	.summary = "runs a command on hosts of the lab, and looks at its exit status",
	.on = ACTION_ON_HOST,
	.params = run_params,
	.size = sizeof(struct run),
	.perform = run_perform,
	.programs = run_programs,
	.sentence = run_sentence,
	.commands = run_commands,
};
