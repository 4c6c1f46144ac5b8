/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill run: plays plans, writes their reports, and answers with the verdict.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "harness/base/clock.h"
#include "harness/cli/engine.h"
#include "harness/cli/live.h"
#include "harness/cli/load.h"
#include "harness/cli/repeat.h"
#include "harness/cli/reports.h"
#include "harness/run/bringup.h"
#include "harness/run/guest_parts.h"
#include "harness/run/outdir.h"
#include "harness/run/session.h"

struct run_options {
	struct load_options load;
	const char *engine, *out, *repeat;
	int times; /* to play each plan */
	bool quiet, json;
	struct engine_choice where;
	struct arena *arena; /* of this command */
};

static const struct cli_option options[] = {
	C_TEXT(struct run_options, engine, "engine", "ENGINE",
	       "where the lab lives: netns, namespaces of this kernel, in real time (the default); vm, a virtual "
	       "machine "
	       "with a clock of its own that skips idle time, no privileges needed; auto, netns if this kernel can, "
	       "else "
	       "vm"),
	C_TEXT(struct run_options, out, "out", "DIR",
	       "where everything is written (default: dnsdrill-out/<plan>-<time>)"),
	C_TEXT(struct run_options, repeat, "repeat", "N",
	       "play each plan N times in a virtual machine and compare what happened, to the byte; where two runs "
	       "part "
	       "is said, and the exit status is 3"),
	C_PLAN_OPTIONS(struct run_options, load),
	C_FLAG(struct run_options, quiet, "quiet", "print nothing but errors"),
	CLI_END,
};

static int run(const struct registry *registry, int argc, char **argv);

const struct command run_command = {
	.name = "run",
	.args = "PLAN…",
	.summary = "play a drill and measure it",
	.doc = "Builds the lab a plan describes, plays its faults, probes all the while, undoes everything, and "
	       "reports. The exit status is 0 for "
	       "pass, 1 for fail, 2 for a mistake in the plan or the command line, 3 for inconclusive and for trouble, "
	       "129, 130 and 143 after a signal.",
	.options = options,
	.run = run,
};

/* "drop-provider" of "scenarios/10-outage/drop-provider.yaml" */
static void plan_base_name(const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
	char *copy = strndup(base, dot && dot != base ? (size_t)(dot - base) : strlen(base));

	outdir_file_name(copy ? copy : "plan", buf, size);
	free(copy);
}

/* How many plans before the index-th have its base name: theirs are different directories. */
static size_t namesakes(const struct cli_list *paths, size_t index)
{
	char name[128], other[128];
	size_t n = 0;

	plan_base_name(paths->v[index], name, sizeof(name));
	for (size_t i = 0; i < index; i++) {
		plan_base_name(paths->v[i], other, sizeof(other));
		n += !strcmp(name, other);
	}
	return n;
}

/* --out DIR; with several plans DIR/<plan>, DIR/<plan>-2 for a second of that name; without it dnsdrill-out/<plan>-<time>. */
static void out_path(const struct run_options *chosen, const struct cli_list *paths, size_t index, char *buf,
		     size_t size)
{
	time_t now = (time_t)(clock_wall_ns() / SEC);
	size_t before = namesakes(paths, index);
	char name[128], stamp[32];
	struct tm tm;

	plan_base_name(paths->v[index], name, sizeof(name));
	if (chosen->out && paths->count == 1) {
		snprintf(buf, size, "%s", chosen->out);
	} else if (chosen->out && before) {
		snprintf(buf, size, "%s/%s-%zu", chosen->out, name, before + 1);
	} else if (chosen->out) {
		snprintf(buf, size, "%s/%s", chosen->out, name);
	} else {
		localtime_r(&now, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
		snprintf(buf, size, "dnsdrill-out/%s-%s", name, stamp);
	}
}

/* What a person types to see the same again. */
static void repeat_command(const struct run_options *chosen, const struct plan *plan, struct buf *out)
{
	buf_printf(out, "dnsdrill run %s --seed %lld", plan->file, (long long)plan->seed);
	for (size_t i = 0; i < chosen->load.set.count; i++)
		buf_printf(out, " --set '%s'", chosen->load.set.v[i]);
	if (chosen->where.is_vm)
		buf_puts(out, " --engine vm");
}

/* What makes the guest play this very plan. */
static void guest_args(const struct run_options *chosen, const struct plan *plan, size_t index, const char *command,
		       struct pack *ret)
{
	const struct cli_list *set = &chosen->load.set;
	struct arena *arena = chosen->arena;
	const char **args = ARENA_ARRAY(arena, const char *, set->count + 8);
	size_t n = 0;

	args[n++] = guest_command.name;
	args[n++] = arena_printf(arena, "--seed=%lld", (long long)plan->seed);
	for (size_t i = 0; i < set->count; i++)
		args[n++] = arena_printf(arena, "--set=%s", set->v[i]);
	args[n++] = arena_printf(arena, "--index=%zu", index);
	args[n++] = arena_printf(arena, "--command=%s", command);
	args[n++] = "--";
	args[n++] = plan->file;
	ret->args = args;
	ret->arg_count = n;
}

static int exit_worse(int a, int b)
{
	static const int rank[] = {[EXIT_PASS] = 0, [EXIT_FAILED] = 1, [EXIT_TROUBLE] = 2, [EXIT_USAGE] = 3};

	return a >= 128 || (b < 128 && rank[a] >= rank[b]) ? a : b;
}

static int report_run(const struct registry *registry, const struct run_options *chosen, const struct outdir *outdir)
{
	char path[4096];
	struct err err = {0};
	struct record *record CLEANUP(record_freep) = NULL;
	struct results *results CLEANUP(results_freep) = NULL;
	int status;

	snprintf(path, sizeof(path), "%s/events.ndjson", outdir->path);
	record = record_read(path, &err);
	if (!record) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	results = measure(record);
	status = verdict_exit_code(results->verdict);
	if (reports_write_all(registry, record, results, outdir->fd, &err)) {
		err_print(&err, stderr);
		status = EXIT_TROUBLE;
	}
	if (!chosen->quiet) {
		reports_print_table(record, results);
		printf("report: %s/report.html\n", outdir->path);
	}
	return status;
}

/* One combination. Trouble outside the stream is printed here. Returns 0, EXIT_TROUBLE, or 128 + signal. */
static int run_case(const struct run_options *chosen, const struct plan_set *set, size_t index,
		    const struct outdir *outdir)
{
	const struct plan *plan = set->plans[index];
	struct session_vm vm = {.qemu = chosen->where.qemu, .clock_s = plan->clock_s};
	struct buf command = {0};
	struct live live;
	struct session_options session = {
		.outdir = outdir, .abilities = &chosen->where.abilities, .watch = live_take, .arg = &live};
	struct err err = {0};
	int signal_number = 0, r;

	repeat_command(chosen, plan, &command);
	session.command = command.data;
	if (chosen->where.is_vm) {
		guest_parts(set, chosen->arena, &vm.pack);
		guest_args(chosen, plan, index, command.data, &vm.pack);
		session.vm = &vm;
	}
	live_init(&live, plan, chosen->where.is_vm, chosen->quiet);
	r = session_run(plan, &session, &signal_number, &err);
	live_fini(&live);
	buf_fini(&command);
	if (r) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	return signal_number ? 128 + signal_number : EXIT_PASS;
}

/* The default directory bears the second; a drill that began in the same one may have it already. */
static int open_outdir(const struct run_options *chosen, const char *path, struct outdir *ret, struct err *err)
{
	char other[4096 + 16];
	int r = outdir_open(path, ret, err);

	for (int n = 2; r == -EEXIST && !chosen->out && n < 100; n++) {
		*err = (struct err){0};
		snprintf(other, sizeof(other), "%s-%d", path, n);
		r = outdir_open(other, ret, err);
	}
	return r;
}

/* *ret_out: where it was written, in the command's arena. */
static int run_plan(const struct registry *registry, const struct run_options *chosen, const struct plan_set *set,
		    const char *path, const char **ret_out)
{
	struct outdir outdir;
	struct err err = {0};
	int status = EXIT_PASS;

	if (open_outdir(chosen, path, &outdir, &err)) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	*ret_out = arena_strdup(chosen->arena, outdir.path);
	for (size_t i = 0; i < set->count && status < 128; i++)
		status = exit_worse(status, run_case(chosen, set, i, &outdir));
	if (lseek(outdir.events_fd, 0, SEEK_END) > 0)
		status = exit_worse(status, report_run(registry, chosen, &outdir));
	outdir_close(&outdir);
	return status;
}

static int compare(const char *first, const char *other, int number)
{
	char a[4200], b[4200];
	struct repeat_parting parting;
	struct err err = {0};
	int r;

	snprintf(a, sizeof(a), "%s/events.ndjson", first);
	snprintf(b, sizeof(b), "%s/events.ndjson", other);
	r = repeat_compare(a, b, &parting, &err);
	if (r < 0)
		err_print(&err, stderr);
	else if (r > 0)
		cli_complain(
			"run %d is not the same as run 1: line %zu of events.ndjson is\n  %s\nthere, and\n  %s\nhere "
			"(%s)",
			number, parting.line, parting.a, parting.b, other);
	return r ? EXIT_TROUBLE : EXIT_PASS;
}

/* The plan as often as --repeat says; all but the first run go into directories below the first one's. */
static int run_repeatedly(const struct registry *registry, const struct run_options *chosen, const struct plan_set *set,
			  const char *path)
{
	struct run_options quiet = *chosen;
	const char *first = NULL, *out;
	int status = run_plan(registry, chosen, set, path, &first), same = 1;

	quiet.quiet = true;
	quiet.out = first;
	for (int i = 2; first && status < 128 && i <= chosen->times; i++) {
		const char *again = arena_printf(chosen->arena, "%s/run-%d", first, i);
		int r = run_plan(registry, &quiet, set, again, &out);

		if (r < 128)
			r = exit_worse(r, compare(first, again, i));
		same += r == status;
		status = exit_worse(status, r);
	}
	if (chosen->times > 1 && same == chosen->times && !chosen->quiet)
		printf("%d runs, the same events.ndjson to the byte\n", same);
	return status;
}

/* Servers that are not installed, before anything is touched. */
static int check_servers(struct plan_set *const *sets, size_t count)
{
	struct errs errs = {0};
	int status = EXIT_PASS;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < sets[i]->count; j++)
			bringup_check(sets[i]->plans[j]->topology, &errs);
	}
	if (errs.count) {
		errs_print(&errs, stderr);
		status = EXIT_TROUBLE;
	}
	errs_fini(&errs);
	return status;
}

/* Before the first of several drills is played: a later one must not find its place taken. */
static int check_outs(const struct run_options *chosen, const struct cli_list *paths)
{
	int status = EXIT_PASS;

	for (size_t i = 0; chosen->out && i < paths->count; i++) {
		char path[4096];
		struct err err = {0};

		out_path(chosen, paths, i, path, sizeof(path));
		if (outdir_check(path, &err)) {
			err_print(&err, stderr);
			status = EXIT_TROUBLE;
		}
	}
	return status;
}

static int run_plans(const struct registry *registry, struct run_options *chosen, const struct cli_list *paths,
		     struct plan_set **sets)
{
	int status = load_plans(&run_command, &chosen->load, paths, registry, sets);

	if (!status)
		status = check_servers(sets, paths->count);
	if (!status)
		status = check_outs(chosen, paths);
	if (!status)
		status = engine_choose(chosen->engine, sets, paths->count, chosen->arena, &chosen->where);
	if (status)
		return status;
	for (size_t i = 0; i < paths->count && status < 128; i++) {
		char path[4096];

		out_path(chosen, paths, i, path, sizeof(path));
		status = exit_worse(status, run_repeatedly(registry, chosen, sets[i], path));
	}
	return status;
}

/* Two runs in real time are never the same, so there is nothing to compare. */
static int choose_times(struct run_options *chosen)
{
	char *end = NULL;
	long times = chosen->repeat ? strtol(chosen->repeat, &end, 10) : 1;

	if (chosen->repeat && (*end || end == chosen->repeat || times < 2 || times > 100)) {
		cli_complain("--repeat %s: a number from 2 to 100", chosen->repeat);
		return -EINVAL;
	}
	if (chosen->repeat && (!chosen->engine || strcmp(chosen->engine, "vm"))) {
		cli_complain(
			"--repeat compares runs to the byte, which only a virtual machine can repeat: add --engine vm");
		return -EINVAL;
	}
	chosen->times = (int)times;
	return 0;
}

static int run(const struct registry *registry, int argc, char **argv)
{
	struct run_options chosen = {0};
	struct cli_list paths = {0};
	struct plan_set *sets[CLI_LIST_MAX] = {0};
	int r = cli_parse(&run_command, argc, argv, &chosen, &paths, NULL);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	if (chosen.out && !*chosen.out) {
		cli_complain("--out: name a directory, as in --out results");
		return EXIT_USAGE;
	}
	if (choose_times(&chosen))
		return EXIT_USAGE;
	chosen.arena = arena_new();
	r = run_plans(registry, &chosen, &paths, sets);
	load_free(sets, paths.count);
	arena_free(chosen.arena);
	return r;
}
