/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Says at the head of a stream what is about to run: run.start and the plan.* events. Reports know the plan from nothing else.
 */
#pragma once
#include "harness/event/bus.h"
#include "harness/event/metric.h"
#include "harness/plan/plan.h"
#include "harness/run/bringup.h"

/* command: what repeats this run; engine: "netns". wall_ns: CLOCK_REALTIME at the bus's zero. */
void announce_plan(struct bus *bus, const struct plan *plan, const char *command, const char *engine, int64_t wall_ns);

/* Every host of the lab; once its servers answer, for versions are only known then. */
void announce_hosts(struct bus *bus, const struct topology *topology, struct lab *lab, const struct bringup *bringup,
		    struct arena *arena);

/* As bringup_options has them. */
void announce_server_exit(struct bus *bus, const struct topo_host *host, const char *status, const char *log_tail,
			  const char *cause);
void announce_server_start(struct bus *bus, const struct topo_host *host);
void announce_server_answer(struct bus *bus, const struct topo_host *host, int64_t took_ns);

/* The capture began, now; file: as run.start's reader finds it. */
void announce_capture(struct bus *bus, const char *file);
