/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The composition root: the only place that sees every list of things that are plugged in.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/api/registry.h"
#include "harness/base/text.h"
#include "harness/cli/cli.h"

#define INJECTOR(name) extern const struct injector_ops name##_ops;
#include "injectors/list.h"
#undef INJECTOR
#define PROBE(name) extern const struct probe_ops name##_ops;
#include "harness/probe/list.h"
#undef PROBE
#define SERVER(name) extern const struct server_ops server_##name;
#include "harness/servers/list.h"
#undef SERVER
#define ACTION(name) extern const struct action_ops name##_ops;
#include "harness/actions/list.h"
#undef ACTION
#define REPORT(name) extern const struct report_ops report_##name;
#include "report/list.h"
#undef REPORT

#define INJECTOR(name) &name##_ops,
#define PROBE(name) &name##_ops,
#define SERVER(name) &server_##name,
#define REPORT(name) &report_##name,
#define ACTION(name) &name##_ops,
static const struct injector_ops *const injectors[] = {
#include "injectors/list.h"
	NULL,
};
static const struct probe_ops *const probes[] = {
#include "harness/probe/list.h"
	NULL,
};
static const struct server_ops *const servers[] = {
#include "harness/servers/list.h"
	NULL,
};
static const struct report_ops *const reports[] = {
#include "report/list.h"
	NULL,
};

static const struct action_ops *const actions[] = {
#include "harness/actions/list.h"
	NULL,
};

static const struct registry registry = {injectors, probes, servers, reports, actions};

static void help(FILE *out)
{
	fputs("dnsdrill " DNSDRILL_VERSION ": rehearse DNS failure, and measure time-to-failover\n\n", out);
	for (const struct command *const *c = cli_commands; *c; c++)
		fprintf(out, "  dnsdrill %-8s %-20s %s\n", (*c)->name, (*c)->args, (*c)->summary);
	fputs("\ndnsdrill COMMAND --help shows a command's options; dnsdrill --version the version.\n", out);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *const *c = cli_commands; *c; c++) {
		if (!strcmp((*c)->name, name))
			return *c;
	}
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[32], *nearest;
	size_t count = 0;

	for (const struct command *const *c = cli_commands; *c && count < ARRAY_LEN(names); c++)
		names[count++] = (*c)->name;
	nearest = text_nearest(name, names, count);
	if (nearest)
		cli_complain("unknown command '%s'; did you mean 'dnsdrill %s'?", name, nearest);
	else
		cli_complain("unknown command '%s'; see dnsdrill --help", name);
	return EXIT_USAGE;
}

/* A report that nobody reads to the end must not end the drill: writes return EPIPE instead. */
static void ignore_broken_pipes(void)
{
	signal(SIGPIPE, SIG_IGN);
}

/* Where a standard descriptor was closed, the next file opened would take its place, and what is printed would go into it: into the event stream, say. */
static void hold_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* A full disk below standard output is said. Whoever closed it, or stopped reading a pipe, wants no more. */
static int end_output(int status)
{
	bool failed = fflush(stdout) != 0 || ferror(stdout);
	struct stat to;

	if (!failed || fstat(STDOUT_FILENO, &to) || S_ISFIFO(to.st_mode) || S_ISSOCK(to.st_mode))
		return status;
	cli_complain("cannot write to standard output: its disk is full, or it is gone");
	return status == EXIT_PASS ? EXIT_TROUBLE : status;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
		puts("dnsdrill " DNSDRILL_VERSION);
		return EXIT_PASS;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		command = argc > 2 ? find_command(argv[2]) : NULL;
		if (command)
			cli_usage(command, stdout);
		else
			help(stdout);
		return EXIT_PASS;
	}
	if (!strcmp(argv[1], guest_command.name) && getpid() == 1)
		return guest_command.run(&registry, argc - 1, argv + 1);
	command = find_command(argv[1]);
	return command ? command->run(&registry, argc - 1, argv + 1) : unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
	hold_standard_descriptors();
	ignore_broken_pipes();
	return end_output(dispatch(argc, argv));
}
