/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill run: plays plans, writes their reports, and answers with the verdict.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "harness/base/clock.h"
#include "harness/cli/engine.h"
#include "harness/cli/load.h"
#include "harness/cli/play.h"
#include "harness/run/bringup.h"
#include "harness/run/outdir.h"

struct run_options {
	struct load_options load;
	const char *engine, *out, *repeat, *jobs;
	int times; /* to play each plan */
	size_t at_once; /* machines; 0: as many as there are processors */
	bool quiet, json;
	struct engine_choice where;
	struct arena *arena; /* of this command */
};

static const struct cli_option options[] = {
	C_TEXT(struct run_options, engine, "engine", "ENGINE",
	       "where the lab lives: netns (the default), vm or auto; `dnsdrill list engines` says what each is"),
	C_TEXT(struct run_options, out, "out", "DIR",
	       "where everything is written (default: dnsdrill-out/<plan>-<time>)"),
	C_TEXT(struct run_options, repeat, "repeat", "N",
	       "play each plan N times in a virtual machine and compare what happened, to the byte; where two runs "
	       "part "
	       "is said, and the exit status is 3"),
	C_TEXT(struct run_options, jobs, "jobs", "N",
	       "how many virtual machines run at once, where there are several combinations, plans or repetitions "
	       "(default: as "
	       "many as this machine has processors, and memory for)"),
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

struct wishes {
	const struct run_options *chosen;
	const struct cli_list *paths;
};

static const char *wished_path(void *arg, size_t index)
{
	const struct wishes *wishes = arg;
	char path[4096];

	out_path(wishes->chosen, wishes->paths, index, path, sizeof(path));
	return arena_strdup(wishes->chosen->arena, path);
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
	struct wishes wishes = {chosen, paths};
	struct play_options play = {
		.load = &chosen->load,
		.where = &chosen->where,
		.arena = chosen->arena,
		.wish = wished_path,
		.arg = &wishes,
		.is_fixed = chosen->out != NULL,
		.quiet = chosen->quiet,
		.times = chosen->times,
		.at_once = chosen->at_once,
	};
	int status = load_plans(&run_command, &chosen->load, paths, registry, sets);

	if (!status)
		status = check_servers(sets, paths->count);
	if (!status)
		status = check_outs(chosen, paths);
	if (!status)
		status = engine_choose(chosen->engine, sets, paths->count, chosen->arena, &chosen->where);
	if (status)
		return status;
	play.registry = registry;
	return play_plans(&play, sets, paths->count);
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

/* In real time drills that run beside each other disturb what is measured. */
static int choose_jobs(struct run_options *chosen)
{
	char *end = NULL;
	long jobs = chosen->jobs ? strtol(chosen->jobs, &end, 10) : 0;

	if (chosen->jobs && (*end || end == chosen->jobs || jobs < 1 || jobs > 1000)) {
		cli_complain("--jobs %s: a number from 1 to 1000", chosen->jobs);
		return -EINVAL;
	}
	if (jobs > 1 && (!chosen->engine || !strcmp(chosen->engine, "netns"))) {
		cli_complain("--jobs: only virtual machines run beside each other, each with a clock of its own: add "
			     "--engine vm (or auto)");
		return -EINVAL;
	}
	chosen->at_once = (size_t)jobs;
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
	if (choose_times(&chosen) || choose_jobs(&chosen))
		return EXIT_USAGE;
	chosen.arena = arena_new();
	r = run_plans(registry, &chosen, &paths, sets);
	load_free(sets, paths.count);
	arena_free(chosen.arena);
	return r;
}
