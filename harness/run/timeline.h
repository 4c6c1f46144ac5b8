/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is due when: the plan's faults as one ordered list of moments. Pure. Moments at the same time keep the plan's order, ends before beginnings.
 */
#pragma once
#include "harness/plan/plan.h"

struct moment {
	int64_t at_ns; /* from the start of the timeline */
	enum { MOMENT_APPLY, MOMENT_REVERT } what;
	struct injector *fault;
};

/* In arena. A fault without `for` has no revert moment: it is undone when the run ends. */
struct moment *timeline_moments(const struct plan *plan, struct arena *arena, size_t *ret_count);
