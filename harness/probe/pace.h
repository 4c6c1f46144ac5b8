/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a probe asks. Pure: time comes in as an argument, and what is due next goes out.
 *
 * Due times fall on the grid start + k × near. Every (every / near)th of them is always asked; the others
 *   - from PACE_LEAD of them before a moment that is planned (a fault's beginning or end, a step, the end of asking) to PACE_TAIL after it;
 *   - for PACE_TAIL after something happened, which may be later than it was planned;
 *   - from when a sample ended bad until `stable` samples in a row, behind the last bad one, ended good. In a phase that is bad for long they thin out: the interval
 *     doubles whenever it is less than 1 / PACE_FINENESS of how long the phase has lasted, up to `every`.
 * With near equal to every there is nothing to decide: an even pace.
 *
 * pace_init → { pace_due → pace_took | pace_happened | pace_ended }* → pace_fini.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_LEAD 10
#define PACE_TAIL 100
#define PACE_FINENESS 300

struct pace_plan {
	int64_t start_ns, every_ns, near_ns; /* every is a whole multiple of near, which is > 0 */
	int64_t end_ns; /* nothing is due at or after it */
	int64_t stable;
	/* The first planned moment after after_ns, INT64_MAX: there is none; after_ns never falls from call to call. NULL: nothing is planned. */
	int64_t (*moment)(void *arg, int64_t after_ns);
	void *arg;
};

struct pace {
	struct pace_plan plan;
	int64_t i, due_ns; /* of the next sample */
	int64_t last_ns; /* when the one before it was due */
	int64_t moment_ns; /* planned, and its time is not near yet */
	int64_t from_ns, until_ns; /* dense within [from, until), for what was planned or happened */
	bool is_bad; /* a bad phase, as of the samples that ended */
	int64_t bad_since_ns, last_bad; /* its first bad sample's due time, its last one's i */
	int64_t ended; /* all samples before this one have */
	bool *has_ended; /* a ring of cap, indexed by i: of those from `ended` on */
	size_t cap;
};

/* moment and arg are borrowed until pace_fini. */
void pace_init(struct pace *pace, const struct pace_plan *plan);
void pace_fini(struct pace *pace); /* fine on a zeroed one */

bool pace_is_even(const struct pace *pace);
/* When the next sample, number pace->i, is due. INT64_MAX: no more will be, whatever happens. */
int64_t pace_due(const struct pace *pace);
/* It was asked. */
void pace_took(struct pace *pace);

/* Something was broken, mended or changed. now_ns on the clock of due times. May bring the next sample forward, as pace_ended may. */
void pace_happened(struct pace *pace, int64_t now_ns);
/* Sample i, due then, has ended. Out of memory, the probe merely stays in the bad phase. */
void pace_ended(struct pace *pace, int64_t i, int64_t due_ns, bool is_good, int64_t now_ns);
