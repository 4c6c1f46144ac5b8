/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/timeline.h"

#include "harness/base/units.h"

#define STEP_NS (100 * MSEC) /* of a ramp */

/* One fault's way through its shape. */
struct track {
	struct moment next;
	bool is_on, is_over;
	int64_t switches; /* so far; the next one's number counts from 0 */
	int64_t steps; /* of the ramp, so far */
};

struct timeline {
	struct track *tracks;
	size_t count;
};

#define NEVER INT64_MAX

static int64_t end_of(const struct injector *fault)
{
	return fault->for_ns == PARAM_UNSET ? NEVER : fault->at_ns + fault->for_ns;
}

/* Even switches are off, odd ones on. */
static int64_t next_switch(const struct track *track)
{
	const struct flap *flap = &track->next.fault->flap;
	int64_t n = track->switches, period;

	if (flap->on_ns == PARAM_UNSET || !flap->on_ns)
		return NEVER;
	period = flap->on_ns + flap->off_ns;
	return track->next.fault->at_ns + n / 2 * period + (n % 2 ? period : flap->on_ns);
}

static bool has_ramp(const struct injector *fault)
{
	return fault->ramp_ns != PARAM_UNSET && fault->ramp_ns;
}

static int64_t next_step(const struct track *track)
{
	const struct injector *fault = track->next.fault;
	int64_t after = (track->steps + 1) * STEP_NS;

	if (!has_ramp(fault) || after - STEP_NS >= fault->ramp_ns)
		return NEVER;
	return fault->at_ns + (after < fault->ramp_ns ? after : fault->ramp_ns);
}

static int64_t progress_at(const struct injector *fault, int64_t at_ns)
{
	int64_t elapsed = at_ns - fault->at_ns;

	if (!has_ramp(fault) || elapsed >= fault->ramp_ns)
		return PPM_ONE;
	return (int64_t)((double)elapsed / (double)fault->ramp_ns * PPM_ONE);
}

static void set_next(struct track *track, int64_t at_ns, enum moment_what what)
{
	track->next.at_ns = at_ns;
	track->next.what = what;
	track->next.progress_ppm = progress_at(track->next.fault, at_ns);
}

/* An end wins over a switch, and a switch over a step: the new apply finds the progress of that moment anyway. */
static void advance(struct track *track)
{
	int64_t end, change, step;

	for (;;) {
		end = end_of(track->next.fault);
		change = next_switch(track);
		step = next_step(track);
		if (step >= change || step >= end || track->is_on)
			break;
		track->steps++; /* nothing stands that could be adjusted */
	}
	track->is_over = end == NEVER && change == NEVER && step == NEVER;
	if (track->is_over)
		return;
	if (end <= change && end <= step)
		set_next(track, end, MOMENT_REVERT);
	else if (change <= step)
		set_next(track, change, track->switches % 2 ? MOMENT_ON : MOMENT_OFF);
	else
		set_next(track, step, MOMENT_ADJUST);
}

struct timeline *timeline_new(const struct plan *plan, struct arena *arena)
{
	struct timeline *timeline = arena_alloc(arena, sizeof(*timeline));

	timeline->tracks = ARENA_ARRAY(arena, struct track, plan->fault_count + plan->action_count);
	timeline->count = plan->fault_count + plan->action_count;
	for (size_t i = 0; i < plan->fault_count; i++) {
		struct track *track = &timeline->tracks[i];

		track->next.fault = plan->faults[i];
		set_next(track, plan->faults[i]->at_ns, MOMENT_APPLY);
	}
	for (size_t i = 0; i < plan->action_count; i++)
		timeline->tracks[plan->fault_count + i].next = (struct moment){
			.at_ns = plan->actions[i]->at_ns, .what = MOMENT_DO, .action = plan->actions[i]};
	return timeline;
}

static int rank_of(enum moment_what what)
{
	switch (what) {
	case MOMENT_REVERT:
	case MOMENT_OFF:
		return 0;
	case MOMENT_APPLY:
	case MOMENT_ON:
		return 1;
	case MOMENT_DO:
		return 2;
	case MOMENT_ADJUST:
		break;
	}
	return 3;
}

static int64_t id_of(const struct moment *moment)
{
	return moment->fault ? moment->fault->id : moment->action->id;
}

static bool is_before(const struct moment *a, const struct moment *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	if (rank_of(a->what) != rank_of(b->what))
		return rank_of(a->what) < rank_of(b->what);
	return id_of(a) < id_of(b);
}

static struct track *earliest(const struct timeline *timeline)
{
	struct track *first = NULL;

	for (size_t i = 0; i < timeline->count; i++) {
		struct track *track = &timeline->tracks[i];

		if (!track->is_over && (!first || is_before(&track->next, &first->next)))
			first = track;
	}
	return first;
}

const struct moment *timeline_peek(const struct timeline *timeline)
{
	const struct track *track = earliest(timeline);

	return track ? &track->next : NULL;
}

void timeline_drop(struct timeline *timeline)
{
	struct track *track = earliest(timeline);

	if (!track)
		return;
	switch (track->next.what) {
	case MOMENT_REVERT:
	case MOMENT_DO:
		track->is_over = true;
		return;
	case MOMENT_OFF:
	case MOMENT_ON:
		track->switches++;
		track->is_on = track->next.what == MOMENT_ON;
		break;
	case MOMENT_APPLY:
		track->is_on = true;
		break;
	case MOMENT_ADJUST:
		track->steps++;
		break;
	}
	advance(track);
}
