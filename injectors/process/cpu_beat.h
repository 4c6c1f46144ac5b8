/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The duty cycle of the fault cpu, where the kernel has no quota: a child process that stops groups of processes for a part of every period (SIGSTOP, SIGCONT), whether or not they have anything to do.
 *
 * cpu_beat_start → cpu_beat_set* → cpu_beat_end, after which all of them run.
 */
#pragma once
#include "harness/base/err.h"
#include <stdint.h>
#include <sys/types.h>

#define CPU_BEAT_GROUPS_MAX 64

struct cpu_beat;

/* Of every period_ns the groups run for run_ns. groups is copied. The caller watches the child; cpu_beat_end reaps it. */
int cpu_beat_start(const pid_t *groups, size_t count, int64_t period_ns, int64_t run_ns, struct cpu_beat **ret,
		   struct err *err);
pid_t cpu_beat_pid(const struct cpu_beat *beat);
void cpu_beat_set(struct cpu_beat *beat, int64_t run_ns);
pid_t cpu_beat_group(const struct cpu_beat *beat, size_t i);
/* In how many periods all processes of the i-th group were seen stopped. */
int64_t cpu_beat_stops(const struct cpu_beat *beat, size_t i);
void cpu_beat_end(struct cpu_beat *beat); /* frees it; NULL is fine */
