/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/play.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "harness/base/fd.h"
#include "harness/cli/live.h"
#include "harness/cli/pool.h"
#include "harness/cli/repeat.h"
#include "harness/cli/reports.h"
#include "harness/run/guest_parts.h"
#include "harness/run/session.h"

#define MACHINE_MIB 640 /* what a machine of a small lab takes of the host, QEMU's own needs included */

/* One directory: a plan, played once. */
struct output {
	const struct play_options *options;
	const struct plan_set *set;
	size_t plan; /* its index */
	struct output *first; /* of this plan; itself if it is */
	int round; /* from 1 */
	struct outdir outdir;
	const char *path; /* in the arena; NULL: it was never open */
	bool is_open;
	size_t left; /* combinations that are not settled */
	int status;
	bool parted; /* not the same as the first */
};

/* One combination. */
struct task {
	struct output *output;
	size_t index; /* of the combination */
	bool is_beside; /* others: it writes to a file of its own until it is settled */
	struct outdir_case files;
	bool has_files;
	int part_fd;
};

static int exit_worse(int a, int b)
{
	static const int rank[] = {[EXIT_PASS] = 0, [EXIT_FAILED] = 1, [EXIT_TROUBLE] = 2, [EXIT_USAGE] = 3};

	return a >= 128 || (b < 128 && rank[a] >= rank[b]) ? a : b;
}

/* What a person types to see the same again. */
static void repeat_command(const struct play_options *options, const struct plan *plan, struct buf *out)
{
	buf_printf(out, "dnsdrill run %s --seed %lld", plan->file, (long long)plan->seed);
	for (size_t i = 0; i < options->load->set.count; i++)
		buf_printf(out, " --set '%s'", options->load->set.v[i]);
	if (options->where->is_vm)
		buf_puts(out, " --engine vm");
}

/* What makes the guest play this very plan. */
static void guest_args(const struct play_options *options, const struct plan *plan, size_t index, const char *command,
		       struct pack *ret)
{
	const struct cli_list *set = &options->load->set;
	struct arena *arena = options->arena;
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

/* The default directory bears the second; a drill that began in the same one may have it already. */
static int open_outdir(const struct play_options *options, const char *path, struct outdir *ret, struct err *err)
{
	char other[4096 + 16];
	int r = outdir_open(path, ret, err);

	for (int n = 2; r == -EEXIST && !options->is_fixed && n < 100; n++) {
		*err = (struct err){0};
		snprintf(other, sizeof(other), "%s-%d", path, n);
		r = outdir_open(other, ret, err);
	}
	return r;
}

static int open_output(struct output *output)
{
	const struct play_options *options = output->options;
	struct err err = {0};
	const char *path;

	if (output->first != output && !output->first->path)
		return EXIT_TROUBLE;
	path = output->first == output ? options->wish(options->arg, output->plan)
				       : arena_printf(options->arena, "%s/run-%d", output->first->path, output->round);
	if (open_outdir(options, path, &output->outdir, &err)) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	output->is_open = true;
	output->path = arena_strdup(options->arena, output->outdir.path);
	return 0;
}

static void part_name(const struct task *task, char *buf, size_t size)
{
	snprintf(buf, size, "events-%zu.part", task->index + 1);
}

static int open_part(struct task *task, struct err *err)
{
	const struct outdir *outdir = &task->output->outdir;
	char name[64];

	part_name(task, name, sizeof(name));
	task->part_fd = openat(outdir->fd, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
	return task->part_fd < 0 ? err_set(err, -errno, (struct loc){.file = outdir->path},
					   "cannot create %s in it: %s", name, strerror(errno))
				 : 0;
}

static int begin(void *arg)
{
	struct task *task = arg;
	struct output *output = task->output;
	struct err err = {0};

	if (!task->index && open_output(output))
		return EXIT_TROUBLE;
	if (!output->is_open)
		return EXIT_TROUBLE;
	if (outdir_case_open(&output->outdir, output->set->plans[task->index]->case_label, &task->files, &err) ||
	    (task->is_beside && open_part(task, &err))) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	task->has_files = true;
	return 0;
}

/* Who watches a run: its own line, or the pool that shows them all. */
struct watcher {
	struct live live;
	struct pool_progress *progress; /* NULL: a line of its own */
	int64_t zero_ns;
};

static void watch(void *arg, const struct ev *ev)
{
	struct watcher *watcher = arg;

	if (!watcher->progress) {
		live_take(&watcher->live, ev);
		return;
	}
	if (ev && ev->kind == EV_TIMELINE_START) {
		watcher->zero_ns = ev->t_ns;
		watcher->progress->end_ns = watcher->live.plan->end_ns;
	}
	if (ev && watcher->progress->end_ns)
		watcher->progress->done_ns = ev->t_ns - watcher->zero_ns;
}

/* Trouble outside the stream is printed here. Returns 0, EXIT_TROUBLE, or 128 + signal. */
static int run(void *arg, struct pool_progress *progress)
{
	struct task *task = arg;
	const struct play_options *options = task->output->options;
	const struct plan *plan = task->output->set->plans[task->index];
	struct session_vm vm = {.qemu = options->where->qemu, .clock_s = plan->clock_s};
	struct outdir outdir = task->output->outdir;
	struct buf command = {0};
	struct watcher watcher = {.progress = progress};
	struct session_options session = {.outdir = &outdir,
					  .files = &task->files,
					  .abilities = &options->where->abilities,
					  .watch = watch,
					  .arg = &watcher};
	struct err err = {0};
	int signal_number = 0, r;

	if (task->is_beside)
		outdir.events_fd = task->part_fd;
	repeat_command(options, plan, &command);
	session.command = command.data;
	if (options->where->is_vm) {
		guest_parts(task->output->set, options->arena, &vm.pack);
		guest_args(options, plan, task->index, command.data, &vm.pack);
		session.vm = &vm;
	}
	live_init(&watcher.live, plan, options->where->is_vm, options->quiet || progress);
	r = session_run(plan, &session, &signal_number, &err);
	live_fini(&watcher.live);
	buf_fini(&command);
	if (r)
		err_print(&err, stderr);
	return r ? EXIT_TROUBLE : signal_number ? 128 + signal_number : EXIT_PASS;
}

/* Puts its events behind those of the combinations before it. */
static int append_part(struct task *task)
{
	const struct outdir *outdir = &task->output->outdir;
	char name[64], chunk[65536];
	off_t at = 0;
	ssize_t n;
	int r = 0;

	while (!r && (n = pread(task->part_fd, chunk, sizeof(chunk), at)) > 0) {
		r = fd_write_all(outdir->events_fd, chunk, (size_t)n);
		at += n;
	}
	if (!r && n < 0)
		r = -errno;
	part_name(task, name, sizeof(name));
	if (r)
		cli_complain("%s: cannot put %s behind events.ndjson: %s", outdir->path, name, strerror(-r));
	else
		unlinkat(outdir->fd, name, 0);
	return r;
}

static int report_output(const struct output *output)
{
	const struct play_options *options = output->options;
	struct err err = {0};
	struct record *record CLEANUP(record_freep) = NULL;
	struct results *results CLEANUP(results_freep) = NULL;
	bool is_quiet = options->quiet || output->first != output;
	int status;

	record = record_read(arena_printf(options->arena, "%s/events.ndjson", output->path), &err);
	if (!record) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	results = measure(record);
	status = verdict_exit_code(results->verdict);
	if (reports_write_all(options->registry, record, results, output->outdir.fd, &err)) {
		err_print(&err, stderr);
		status = EXIT_TROUBLE;
	}
	if (!is_quiet) {
		reports_print_table(record, results);
		printf("report: %s/report.html\n", output->path);
	}
	return status;
}

static int compare(const struct output *output)
{
	struct arena *arena = output->options->arena;
	const char *a = arena_printf(arena, "%s/events.ndjson", output->first->path);
	const char *b = arena_printf(arena, "%s/events.ndjson", output->path);
	struct repeat_parting parting;
	struct err err = {0};
	int r = repeat_compare(a, b, &parting, &err);

	if (r < 0)
		err_print(&err, stderr);
	else if (r > 0)
		cli_complain(
			"run %d is not the same as run 1: line %zu of events.ndjson is\n  %s\nthere, and\n  %s\nhere "
			"(%s)",
			output->round, parting.line, parting.a, parting.b, output->path);
	return r ? EXIT_TROUBLE : EXIT_PASS;
}

static void finish_output(struct output *output)
{
	if (!output->is_open)
		return;
	if (lseek(output->outdir.events_fd, 0, SEEK_END) > 0)
		output->status = exit_worse(output->status, report_output(output));
	outdir_close(&output->outdir);
	output->is_open = false;
	if (output->first == output || output->status >= 128)
		return;
	output->parted = compare(output) != EXIT_PASS;
	if (output->parted)
		output->status = exit_worse(output->status, EXIT_TROUBLE);
}

static void settle(void *arg, int status)
{
	struct task *task = arg;
	struct output *output = task->output;

	if (task->has_files)
		outdir_case_close(&task->files);
	if (task->part_fd >= 0 && append_part(task))
		status = exit_worse(status, EXIT_TROUBLE);
	fd_closep(&task->part_fd);
	output->status = exit_worse(output->status, status);
	if (!--output->left)
		finish_output(output);
}

/* One after the other, here. */
static void play_in_turn(struct task *tasks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int status = begin(&tasks[i]);

		if (!status)
			status = run(&tasks[i], NULL);
		settle(&tasks[i], status);
		if (status >= 128)
			break;
	}
}

static void play_beside(const struct play_options *options, struct task *tasks, size_t count, size_t at_once)
{
	struct pool_task *all = ARENA_ARRAY(options->arena, struct pool_task, count);

	fd_raise_limit();
	for (size_t i = 0; i < count; i++) {
		const struct plan *plan = tasks[i].output->set->plans[tasks[i].index];

		all[i] = (struct pool_task){.name = plan->case_label ? plan->case_label : plan->name.value,
					    .begin = begin,
					    .run = run,
					    .settle = settle,
					    .arg = &tasks[i]};
	}
	pool_run(all, count, at_once, options->quiet);
}

static int64_t free_mib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[256];
	long long kib = -1;

	while (file && kib < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %lld kB", &kib) != 1)
			kib = -1;
	}
	if (file)
		fclose(file);
	return kib < 0 ? INT64_MAX : kib / 1024;
}

/* As many as were asked for, or as there are processors, and no more than memory holds. */
static size_t how_many(const struct play_options *options, struct plan_set *const *sets, size_t count)
{
	int64_t need_mib = MACHINE_MIB, fit;
	cpu_set_t cpus;
	size_t wanted = options->at_once;

	if (!options->where->is_vm)
		return 1;
	if (!wanted)
		wanted = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : (size_t)CPU_COUNT(&cpus);
	for (size_t i = 0; i < count; i++) {
		struct pack pack = {0};

		guest_parts(sets[i], options->arena, &pack);
		if (MACHINE_MIB + pack.memory_mib > need_mib)
			need_mib = MACHINE_MIB + pack.memory_mib;
	}
	fit = free_mib() / need_mib;
	return fit < 1 ? 1 : (size_t)fit < wanted ? (size_t)fit : wanted;
}

static void say_the_same(const struct output *outputs, int times)
{
	bool same = outputs[0].path != NULL;

	for (int i = 0; i < times; i++)
		same &= outputs[i].path && !outputs[i].parted && outputs[i].status == outputs[0].status &&
			outputs[i].status < 128;
	if (same && times > 1 && !outputs->options->quiet)
		printf("%d runs, the same events.ndjson to the byte\n", times);
}

/* All of it, in the order in which it is begun and settled. Returns how many tasks there are. */
static size_t lay_out(const struct play_options *options, struct plan_set *const *sets, size_t count,
		      struct output *outputs, struct task **ret)
{
	size_t times = (size_t)options->times, tasks = 0, room = 0;

	for (size_t p = 0; p < count; p++)
		room += sets[p]->count * times;
	*ret = ARENA_ARRAY(options->arena, struct task, room);
	for (size_t k = 0; k < count * times; k++) {
		const struct plan_set *set = sets[k / times];

		outputs[k] = (struct output){.options = options,
					     .set = set,
					     .plan = k / times,
					     .first = &outputs[k - k % times],
					     .round = (int)(k % times) + 1,
					     .left = set->count};
		for (size_t i = 0; i < set->count; i++)
			(*ret)[tasks++] = (struct task){.output = &outputs[k], .index = i, .part_fd = -1};
	}
	return tasks;
}

int play_plans(const struct play_options *options, struct plan_set *const *sets, size_t count)
{
	size_t times = (size_t)options->times, at_once = how_many(options, sets, count);
	struct output *outputs = ARENA_ARRAY(options->arena, struct output, count * times);
	struct task *tasks;
	size_t task_count = lay_out(options, sets, count, outputs, &tasks);
	int status = EXIT_PASS;

	if (at_once > 1 && task_count > 1) {
		for (size_t i = 0; i < task_count; i++)
			tasks[i].is_beside = true;
		play_beside(options, tasks, task_count, at_once);
	} else {
		play_in_turn(tasks, task_count);
	}
	for (size_t k = 0; k < count * times; k++) {
		finish_output(&outputs[k]); /* of one that was cut short */
		status = exit_worse(status, outputs[k].status);
		if (k % times == times - 1)
			say_the_same(&outputs[k + 1 - times], (int)times);
	}
	return status;
}
