/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill lab: the lab of a plan alone, with a shell or one command on any of its hosts.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/fd.h"
#include "harness/base/text.h"
#include "harness/cli/load.h"
#include "harness/engine/engine.h"
#include "harness/plan/topology.h"
#include "harness/run/bringup.h"
#include "harness/run/shell.h"

struct lab_options {
	struct load_options load;
	const char *on;
};

static const struct cli_option options[] = {
	C_TEXT(struct lab_options, on, "on", "HOST",
	       "which host: a client, resolver or nameserver (default: the first client)"),
	C_PLAN_OPTIONS(struct lab_options, load),
	CLI_END,
};

static int run(const struct registry *registry, int argc, char **argv);

const struct command lab_command = {
	.name = "lab",
	.args = "PLAN [-- CMD…]",
	.summary = "build the lab alone; a shell, or one command, on any host of it",
	.doc = "Brings the plan's lab up without faults and probes, runs the command on the chosen host, and takes "
	       "everything down again. The exit status is "
	       "the command's. Where servers are encrypted, $SSL_CERT_FILE names the lab's authority. Example: "
	       "dnsdrill lab plan.yaml --on office -- dig www.example.com",
	.options = options,
	.run = run,
};

struct job {
	const struct plan *plan;
	struct shell_options shell;
	struct err *err; /* shared with the engine's init */
};

static int inside(void *arg)
{
	struct job *job = arg;

	return shell_run(job->plan, &job->shell, job->err);
}

static int unknown_host(const struct plan *plan, const char *name)
{
	const char *names[512], *nearest;
	size_t count = 0;
	struct buf all = {0};

	for (; count < plan->topology->host_count && count < ARRAY_LEN(names); count++) {
		names[count] = plan->topology->hosts[count].name;
		buf_printf(&all, "%s%s", count ? ", " : "", names[count]);
	}
	nearest = text_nearest(name, names, count);
	if (nearest)
		cli_complain("lab: there is no host '%s'; did you mean '%s'? Hosts: %s", name, nearest, all.data);
	else
		cli_complain("lab: there is no host '%s'; hosts: %s", name, all.data ? all.data : "none");
	buf_fini(&all);
	return EXIT_USAGE;
}

static void print_hosts(const struct plan *plan, const char *chosen)
{
	for (size_t i = 0; i < plan->topology->host_count; i++) {
		const struct topo_host *host = &plan->topology->hosts[i];

		fprintf(stderr, "  %-16s %-11s %-18s", host->name, host_role_name(host->role),
			host->server ? host->server->name : "");
		for (size_t j = 0; j < host->addresses.count; j++)
			fprintf(stderr, " %s", host->addresses.v[j].text);
		fputc('\n', stderr);
	}
	fprintf(stderr, "You are on %s. Leave with exit; nothing of the lab stays.\n", chosen);
}

static int wait_for(struct job *job, struct engine_proc *proc)
{
	int status;

	while (waitpid(proc->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(proc->alive_fd);
	if (job->err->code) {
		err_print(job->err, stderr);
		return EXIT_TROUBLE;
	}
	if (WIFSIGNALED(status)) {
		cli_complain("lab: the lab's init was killed by signal %d", WTERMSIG(status));
		return EXIT_TROUBLE;
	}
	if (WEXITSTATUS(status) == 127)
		cli_complain("lab: %s: command not found", job->shell.argv[0]);
	return WEXITSTATUS(status);
}

/* Asks the servers' programs first, then for a place to live. */
static int run_job(struct job *job)
{
	struct engine_proc proc;
	struct errs errs = {0};
	struct err err = {0};

	bringup_check(job->plan->topology, &errs);
	if (errs.count) {
		errs_print(&errs, stderr);
		errs_fini(&errs);
		return EXIT_TROUBLE;
	}
	job->err = mmap(NULL, sizeof(*job->err), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job->err == MAP_FAILED) {
		cli_complain("lab: out of memory");
		return EXIT_TROUBLE;
	}
	signal(SIGINT, SIG_IGN); /* it is for the command; the lab ends when that does */
	signal(SIGQUIT, SIG_IGN);
	if (engine_netns_start(inside, job, true, &proc, &err)) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	return wait_for(job, &proc);
}

static int run_lab(const struct lab_options *chosen, const struct plan *plan, const struct cli_list *operands)
{
	const char *user_shell = getenv("SHELL");
	char *argv[CLI_LIST_MAX + 1] = {0};
	char *shell_argv[] = {strdup(user_shell && *user_shell ? user_shell : "/bin/sh"), NULL};
	struct job job = {.plan = plan, .shell = {.host = chosen->on, .argv = shell_argv}};
	int status;

	for (size_t i = 1; i < operands->count; i++)
		argv[i - 1] = strdup(operands->v[i]);
	if (argv[0])
		job.shell.argv = argv;
	else
		print_hosts(plan, shell_host(plan, chosen->on)->name);
	status = run_job(&job);
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	free(shell_argv[0]);
	return status;
}

static int run(const struct registry *registry, int argc, char **argv)
{
	struct lab_options chosen = {0};
	struct cli_list operands = {0}, path = {0};
	struct plan_set *sets[1] = {0};
	size_t dashes;
	int r = cli_parse(&lab_command, argc, argv, &chosen, &operands, &dashes);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	if (dashes != 1) {
		cli_complain("lab: name one plan, and a command behind --, as in: dnsdrill lab plan.yaml --on office "
			     "-- dig www.example.com");
		return EXIT_USAGE;
	}
	path.v[path.count++] = operands.v[0];
	r = load_plans(&lab_command, &chosen.load, &path, registry, sets);
	if (!r && !shell_host(sets[0]->plans[0], chosen.on))
		r = unknown_host(sets[0]->plans[0], chosen.on ? chosen.on : "");
	if (!r && sets[0]->plans[0]->clock_s != PARAM_UNSET)
		cli_complain("clock: is for dnsdrill run --engine vm; here the clocks show this machine's time");
	if (!r)
		r = run_lab(&chosen, sets[0]->plans[0], &operands);
	load_free(sets, 1);
	return r;
}
