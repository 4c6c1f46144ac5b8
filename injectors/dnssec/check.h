/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a fault of this folder already in the plan: asked with the topology, before anything is touched. Pure.
 */
#pragma once
#include "injectors/dnssec/change.h"

struct topo_zone;

/* The row `zone` without its trailing dot. */
void zone_change_compile(struct zone_change *change, struct arena *arena);

/* The lab's zone of that name (without trailing dot), or NULL. */
const struct topo_zone *check_find_zone(const struct plan *plan, const char *name);

/* That every server loads the zone, or one above it, from a file and can be told to read it again; with needs_keys, that the lab has its keys. Adds
 * every error it finds, at the place in the plan. The zone that is changed; NULL after an error. */
const struct topo_zone *zone_change_check(struct zone_change *change, const struct plan *plan, bool needs_keys,
					  struct errs *errs);
/* After that, for its begin and for its end: tells the plan which serials the zone as it is then will have (version_resigned). */
void zone_change_raise(const struct zone_change *change, struct plan *plan, struct arena *arena, struct errs *errs);
