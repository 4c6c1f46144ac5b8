/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays the timeline's actions (`do:`): starts each at its time on all of its hosts, and says by events what comes of it.
 *
 * steps_new → steps_start… → steps_free. A step's failure is in the stream; what it means for the verdict, measure/ decides.
 */
#pragma once
#include "harness/api/action.h"
#include "harness/event/bus.h"

struct steps;

/* All borrowed until steps_free. idle is called each time the last step under way has ended. */
struct steps *steps_new(struct bus *bus, const struct control *control, size_t count, void (*idle)(void *arg),
			void *arg);
void steps_free(struct steps *steps); /* NULL is fine */

/* At most once for each action. */
void steps_start(struct steps *steps, const struct action *action);
bool steps_are_idle(const struct steps *steps);
