/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Says at the head of a stream what is about to run: run.start and the plan.* events. Reports know the plan from nothing else.
 */
#pragma once
#include "harness/event/bus.h"
#include "harness/event/metric.h"
#include "harness/plan/plan.h"

/* command: what repeats this run; engine: "netns". wall_ns: CLOCK_REALTIME at the bus's zero. */
void announce_plan(struct bus *bus, const struct plan *plan, const char *command, const char *engine, int64_t wall_ns);
