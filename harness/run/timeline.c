/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/timeline.h"

#include <stdlib.h>

/* By time; at the same time ends before beginnings; then in the order of the plan. */
static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->what != y->what)
		return x->what == MOMENT_REVERT ? -1 : 1;
	return x->fault->id < y->fault->id ? -1 : x->fault->id > y->fault->id;
}

struct moment *timeline_moments(const struct plan *plan, struct arena *arena, size_t *ret_count)
{
	struct moment *moments = ARENA_ARRAY(arena, struct moment, plan->fault_count * 2 + 1);
	size_t count = 0;

	for (size_t i = 0; i < plan->fault_count; i++) {
		struct injector *fault = plan->faults[i];

		moments[count++] = (struct moment){fault->at_ns, MOMENT_APPLY, fault};
		if (fault->for_ns != PARAM_UNSET)
			moments[count++] = (struct moment){fault->at_ns + fault->for_ns, MOMENT_REVERT, fault};
	}
	qsort(moments, count, sizeof(*moments), compare_moments);
	*ret_count = count;
	return moments;
}
