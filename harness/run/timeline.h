/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is due when: the plan's faults, in their shapes, and its actions, as one ordered sequence of moments. Pure. At the same time ends come before beginnings, these
 * before actions, and these before adjustments; then in the order of the plan. Moments are made as they are asked for: a flap of a year has many.
 */
#pragma once
#include "harness/plan/plan.h"

enum moment_what {
	MOMENT_REVERT, /* the end of a fault with `for`; others are undone when the run ends */
	MOMENT_OFF, /* a flap's switches */
	MOMENT_APPLY,
	MOMENT_ON,
	MOMENT_DO, /* an action */
	MOMENT_ADJUST, /* a ramp's next step; only while the fault is on */
};

struct moment {
	int64_t at_ns; /* from the start of the timeline */
	enum moment_what what;
	struct injector *fault; /* NULL: MOMENT_DO */
	const struct action *action; /* MOMENT_DO */
	int64_t progress_ppm; /* of the fault's magnitude, from this moment on; 1,000,000 without a ramp */
};

struct timeline;

/* Everything lives in arena; plan is borrowed. */
struct timeline *timeline_new(const struct plan *plan, struct arena *arena);

/* The earliest moment not yet dropped, valid until it is; NULL: there is none left. */
const struct moment *timeline_peek(const struct timeline *timeline);
void timeline_drop(struct timeline *timeline); /* the one that peek shows */
