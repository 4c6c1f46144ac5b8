/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/buf.h"
#include "harness/base/macro.h"
#include "harness/base/signals.h"
#include "harness/base/text.h"
#include "harness/base/units.h"
#include "harness/cli/cli.h"

#define TICK_NS (200 * MSEC)
#define CLEAR_LINE "\r\033[K"
#define NO_WRAP "\033[?7l" /* what does not fit is cut, not broken */
#define WRAP "\033[?7h"

struct run {
	pid_t pid; /* 0: it does not run */
	bool is_begun, has_ended;
	int status;
};

struct pool {
	const struct pool_task *tasks;
	struct run *runs;
	struct pool_progress *progress; /* one each, shared */
	size_t count, at_once, next, running, settled;
	bool is_shown, is_stopping;
	sigset_t waited; /* what is blocked while the pool runs */
	sigset_t before;
};

static bool is_ignored(int number)
{
	struct sigaction action;

	return !sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN;
}

static void block_signals(struct pool *pool)
{
	sigemptyset(&pool->waited);
	sigaddset(&pool->waited, SIGCHLD);
	sigaddset(&pool->waited, SIGINT);
	sigaddset(&pool->waited, SIGTERM);
	if (!is_ignored(SIGHUP))
		sigaddset(&pool->waited, SIGHUP);
	sigprocmask(SIG_BLOCK, &pool->waited, &pool->before);
}

static void play(struct pool *pool, size_t i, pid_t maker)
{
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != maker)
		_exit(EXIT_TROUBLE);
	setpgid(0, 0);
	sigprocmask(SIG_SETMASK, &pool->before, NULL);
	status = pool->tasks[i].run(pool->tasks[i].arg, &pool->progress[i]);
	fflush(NULL);
	_exit(status);
}

static void begin(struct pool *pool, size_t i)
{
	struct run *run = &pool->runs[i];
	pid_t maker = getpid(), pid;

	run->is_begun = true;
	run->status = pool->tasks[i].begin(pool->tasks[i].arg);
	if (run->status) {
		run->has_ended = true;
		return;
	}
	fflush(NULL); /* or both would print what is waiting */
	pid = fork();
	if (pid == 0)
		play(pool, i, maker);
	if (pid < 0) {
		cli_complain("%s: cannot start a process: %s", pool->tasks[i].name, strerror(errno));
		run->has_ended = true;
		run->status = EXIT_TROUBLE;
		return;
	}
	setpgid(pid, pid); /* both do: whoever comes first */
	run->pid = pid;
	pool->running++;
}

static void note_end(struct pool *pool, struct run *run, const char *name, int status)
{
	run->pid = 0;
	run->has_ended = true;
	pool->running--;
	if (WIFSIGNALED(status))
		cli_complain("%s: its process was killed by signal %d (%s)", name, WTERMSIG(status),
			     strsignal(WTERMSIG(status)));
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TROUBLE;
	if (run->status >= 128)
		pool->is_stopping = true;
}

static void reap(struct pool *pool)
{
	for (size_t i = 0; i < pool->count; i++) {
		struct run *run = &pool->runs[i];
		int status;

		if (run->pid && waitpid(run->pid, &status, WNOHANG) == run->pid)
			note_end(pool, run, pool->tasks[i].name, status);
	}
}

static void pass_on(struct pool *pool, int number)
{
	pool->is_stopping = true;
	for (size_t i = 0; i < pool->count; i++) {
		if (pool->runs[i].pid)
			kill(pool->runs[i].pid, number);
	}
}

static void add_progress(struct buf *out, const struct pool_task *task, const struct pool_progress *progress)
{
	struct pool_progress now = *progress;
	char done[32], end[32];

	buf_puts(out, "  ·  ");
	text_add_printable(out, task->name);
	if (now.end_ns)
		buf_printf(out, " %s / %s", units_human_duration(now.done_ns, done, sizeof(done)),
			   units_human_duration(now.end_ns, end, sizeof(end)));
	else
		buf_puts(out, " starting");
}

static void show(const struct pool *pool)
{
	struct buf line = {0};
	size_t ended = 0;

	if (!pool->is_shown)
		return;
	for (size_t i = 0; i < pool->count; i++)
		ended += pool->runs[i].has_ended;
	buf_printf(&line, "%zu of %zu", ended, pool->count);
	for (size_t i = 0; i < pool->count; i++) {
		if (pool->runs[i].pid)
			add_progress(&line, &pool->tasks[i], &pool->progress[i]);
	}
	fprintf(stderr, CLEAR_LINE NO_WRAP "%s" WRAP, line.data ? line.data : "");
	fflush(stderr);
	buf_fini(&line);
}

static void settle(struct pool *pool)
{
	while (pool->settled < pool->next && pool->runs[pool->settled].has_ended) {
		size_t i = pool->settled++;

		if (pool->is_shown)
			fputs(CLEAR_LINE, stderr);
		pool->tasks[i].settle(pool->tasks[i].arg, pool->runs[i].status);
	}
}

static void loop(struct pool *pool)
{
	const struct timespec tick = {.tv_nsec = TICK_NS};

	for (;;) {
		int number;

		while (!pool->is_stopping && pool->next < pool->count && pool->running < pool->at_once)
			begin(pool, pool->next++);
		settle(pool);
		if (!pool->running)
			break;
		show(pool);
		number = sigtimedwait(&pool->waited, NULL, &tick);
		if (number > 0 && number != SIGCHLD)
			pass_on(pool, number);
		reap(pool);
	}
}

void pool_run(const struct pool_task *tasks, size_t count, size_t at_once, bool is_quiet)
{
	const char *term = getenv("TERM");
	size_t bytes = (count + 1) * sizeof(struct pool_progress);
	struct pool pool = {.tasks = tasks, .count = count, .at_once = at_once ? at_once : 1};

	pool.is_shown = !is_quiet && isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"));
	pool.runs = calloc(count + 1, sizeof(*pool.runs));
	pool.progress = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!pool.runs || pool.progress == MAP_FAILED) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	block_signals(&pool);
	loop(&pool);
	sigprocmask(SIG_SETMASK, &pool.before, NULL);
	munmap(pool.progress, bytes);
	free(pool.runs);
}
