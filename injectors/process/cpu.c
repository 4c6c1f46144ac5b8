/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu: the server gets a share of the processor's time only. In each period of 100 ms all of its processes run for that share and are stopped for the rest (SIGSTOP, SIGCONT), whether
 * or not they have anything to do: a kernel's quota (cgroup v2's cpu.max) stops only those that have used it up. What arrives meanwhile waits in its sockets.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/units.h"
#include "injectors/process/servers.h"

#define PERIOD_NS (100 * MSEC)
#define GROUPS_MAX 64

/* Between the lab's first process and the one that beats time. */
struct beat {
	_Atomic int64_t run_ns; /* of each period */
	pid_t groups[GROUPS_MAX];
	_Atomic int64_t stops[GROUPS_MAX]; /* how often all processes of a group were seen stopped */
	size_t count;
};

struct cpu {
	struct injector injector;
	int64_t share_ppm;
	struct beat *beat; /* shared memory; NULL: nobody is throttled */
	pid_t pid; /* of who beats time */
};

static const struct param params[] = {
	{.key = "share",
	 .type = PARAM_SHARE,
	 .offset = PARAM_AT(struct cpu, share_ppm, int64_t),
	 .min = 10000,
	 .max = 990000,
	 .def = PARAM_UNSET,
	 .required = true,
	 .doc = "what it still gets of the processor's time, in periods of 100 ms"},
	PARAM_END,
};

static void validate(const struct injector *injector, struct errs *errs)
{
	if (injector->server_count > GROUPS_MAX)
		errs_add(errs, injector->loc, "cpu: at most %d servers at once", GROUPS_MAX);
}

static int64_t run_at(const struct cpu *cpu, int64_t progress_ppm)
{
	return PERIOD_NS / 1000000 * (1000000 - (1000000 - cpu->share_ppm) * progress_ppm / 1000000);
}

static void signal_all(const struct beat *beat, int number)
{
	for (size_t i = 0; i < beat->count; i++)
		kill(-beat->groups[i], number);
}

static void look(struct beat *beat)
{
	for (size_t i = 0; i < beat->count; i++) {
		struct servers_state state;

		if (!servers_state(beat->groups[i], &state) && state.processes && state.stopped == state.processes)
			atomic_fetch_add(&beat->stops[i], 1);
	}
}

static _Noreturn void beat_time(struct beat *beat)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	for (;;) {
		int64_t run_ns = atomic_load(&beat->run_ns);

		if (run_ns < PERIOD_NS) {
			signal_all(beat, SIGSTOP);
			clock_sleep_ns(PERIOD_NS - run_ns);
			look(beat);
			signal_all(beat, SIGCONT);
		}
		clock_sleep_ns(run_ns);
	}
}

static int find_groups(struct cpu *cpu, struct injector_ctx *ctx, struct err *err)
{
	for (size_t i = 0; i < cpu->injector.server_count; i++) {
		const struct injector_server *server = &cpu->injector.servers[i];
		struct server_process *process = servers_process(ctx, server);
		pid_t pid = process ? server_process_pid(process) : -ESRCH;

		if (pid < 0)
			return err_set(err, -ESRCH, server->loc, "%s: %s does not run", server->host,
				       server->software->program);
		cpu->beat->groups[cpu->beat->count++] = pid;
	}
	return 0;
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct cpu *cpu = (struct cpu *)injector;
	void *beat = mmap(NULL, sizeof(*cpu->beat), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (beat == MAP_FAILED)
		return err_set(err, -errno, LOC_NONE, "mapping memory: %s", strerror(errno));
	cpu->beat = beat;
	atomic_store(&cpu->beat->run_ns, run_at(cpu, ctx->progress_ppm));
	r = find_groups(cpu, ctx, err);
	if (r)
		return r;
	cpu->pid = fork();
	if (!cpu->pid)
		beat_time(cpu->beat);
	if (cpu->pid < 0)
		return err_set(err, -errno, LOC_NONE, "starting a process: %s", strerror(errno));
	if (ctx->child)
		ctx->child(ctx->child_arg, injector, cpu->pid, true);
	ctx->backend = "duty-cycle";
	return 0;
}

static int adjust(struct injector *injector, struct injector_ctx *ctx UNUSED, int64_t progress_ppm,
		  struct err *err UNUSED)
{
	struct cpu *cpu = (struct cpu *)injector;

	if (cpu->beat)
		atomic_store(&cpu->beat->run_ns, run_at(cpu, progress_ppm));
	return 0;
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err UNUSED)
{
	struct cpu *cpu = (struct cpu *)injector;

	if (cpu->pid > 0) {
		if (ctx->child)
			ctx->child(ctx->child_arg, injector, cpu->pid, false);
		kill(cpu->pid, SIGKILL);
		while (waitpid(cpu->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	cpu->pid = 0;
	if (!cpu->beat)
		return 0;
	signal_all(cpu->beat, SIGCONT);
	munmap(cpu->beat, sizeof(*cpu->beat));
	cpu->beat = NULL;
	return 0;
}

/* The processor's time that a server has had says little of one that is mostly idle. */
static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	const struct cpu *cpu = (const struct cpu *)injector;

	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		bool is_same = process && cpu->beat && server_process_pid(process) == cpu->beat->groups[i];
		int64_t stops = cpu->beat ? atomic_load(&cpu->beat->stops[i]) : 0;

		servers_prove(ret, is_same && stops > 0, "%s of %s was seen stopped in %lld periods%s",
			      server->software->program, server->host, (long long)stops, is_same ? "" : ", and ended");
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	char text[32];

	buf_printf(out, "leaves %s of the processor's time to ",
		   units_format_share(((const struct cpu *)injector)->share_ppm, text, sizeof(text)));
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	const struct cpu *cpu = (const struct cpu *)injector;
	char line[96];

	snprintf(line, sizeof(line), "systemctl set-property --runtime %%s CPUQuota=%lld%%",
		 (long long)(cpu->share_ppm + 9999) / 10000);
	servers_units(injector, to_apply, line);
	servers_units(injector, to_revert, "systemctl set-property --runtime %s CPUQuota=");
}

const struct injector_ops cpu_ops = {
	.kind = "cpu",
	.summary = "the server gets little of the processor's time",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct cpu),
	.validate = validate,
	.apply = apply,
	.adjust = adjust,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
