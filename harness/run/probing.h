/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All probes of a run: opens them, paces them, turns what they report into events.
 * probing_open → probing_start → (samples flow, until probing_is_idle) → probing_close.
 */
#pragma once
#include "harness/event/bus.h"
#include "harness/lab/lab.h"
#include "harness/plan/plan.h"
#include <event2/event.h>

struct probing;

/* Everything is borrowed until probing_close. on_idle is called once, when the last sample that the plan asks for has ended. */
struct probing *probing_open(const struct plan *plan, struct lab *lab, const char *trust_anchor,
			     struct event_base *base, struct bus *bus, void (*on_idle)(void *arg), void *arg,
			     struct err *err);
/* Starts every pace. Timeline and probes share one zero, start_ns (CLOCK_MONOTONIC); sample i of a probe is due half a period after i periods (of one with
 * near-faults: half of that), so that a fault at a round moment falls between two samples. No sample is due at or after end_ns. A negative errno, at the probe's place in the plan, if there is no timer
 * for it (each pace holds a descriptor): then only probing_close is left to be called. */
int probing_start(struct probing *probing, int64_t start_ns, int64_t end_ns, struct err *err);
/* Whether every sample that the plan asks for has ended (true for a plan without probes). */
bool probing_is_idle(const struct probing *probing);
/* An event of the run. Probes with near-faults ask denser after some. */
void probing_watch(struct probing *probing, const struct ev *ev);

/* Stops asking and forgets what is in flight. Frees; NULL is fine. */
void probing_close(struct probing *probing);
