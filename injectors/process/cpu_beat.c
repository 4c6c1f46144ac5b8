/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/process/cpu_beat.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "injectors/process/servers.h"

/* Between the lab's first process and the one that beats time: shared memory. */
struct cpu_beat {
	int64_t period_ns;
	_Atomic int64_t run_ns; /* of each period */
	pid_t groups[CPU_BEAT_GROUPS_MAX];
	_Atomic int64_t stops[CPU_BEAT_GROUPS_MAX];
	size_t count;
	pid_t pid; /* of who beats time; set by the parent */
};

static void signal_all(const struct cpu_beat *beat, int number)
{
	for (size_t i = 0; i < beat->count; i++)
		kill(-beat->groups[i], number);
}

static void look(struct cpu_beat *beat)
{
	for (size_t i = 0; i < beat->count; i++) {
		struct servers_state state;

		if (!servers_state(beat->groups[i], &state) && state.processes && state.stopped == state.processes)
			atomic_fetch_add(&beat->stops[i], 1);
	}
}

static _Noreturn void beat_time(struct cpu_beat *beat)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	for (;;) {
		int64_t run_ns = atomic_load(&beat->run_ns);

		if (run_ns < beat->period_ns) {
			signal_all(beat, SIGSTOP);
			clock_sleep_ns(beat->period_ns - run_ns);
			look(beat);
			signal_all(beat, SIGCONT);
		}
		clock_sleep_ns(run_ns);
	}
}

int cpu_beat_start(const pid_t *groups, size_t count, int64_t period_ns, int64_t run_ns, struct cpu_beat **ret,
		   struct err *err)
{
	struct cpu_beat *beat = mmap(NULL, sizeof(*beat), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (beat == MAP_FAILED)
		return err_set(err, -errno, LOC_NONE, "mapping memory: %s", strerror(errno));
	beat->period_ns = period_ns;
	beat->count = count < CPU_BEAT_GROUPS_MAX ? count : CPU_BEAT_GROUPS_MAX;
	memcpy(beat->groups, groups, beat->count * sizeof(*groups));
	cpu_beat_set(beat, run_ns);
	pid = fork();
	if (!pid)
		beat_time(beat);
	if (pid < 0) {
		err_set(err, -errno, LOC_NONE, "starting a process: %s", strerror(errno));
		munmap(beat, sizeof(*beat));
		return err->code;
	}
	beat->pid = pid;
	*ret = beat;
	return 0;
}

pid_t cpu_beat_pid(const struct cpu_beat *beat)
{
	return beat->pid;
}

void cpu_beat_set(struct cpu_beat *beat, int64_t run_ns)
{
	atomic_store(&beat->run_ns, run_ns);
}

pid_t cpu_beat_group(const struct cpu_beat *beat, size_t i)
{
	return beat->groups[i];
}

int64_t cpu_beat_stops(const struct cpu_beat *beat, size_t i)
{
	return atomic_load(&beat->stops[i]);
}

void cpu_beat_end(struct cpu_beat *beat)
{
	if (!beat)
		return;
	kill(beat->pid, SIGKILL);
	while (waitpid(beat->pid, NULL, 0) < 0 && errno == EINTR)
		;
	signal_all(beat, SIGCONT);
	munmap(beat, sizeof(*beat));
}
