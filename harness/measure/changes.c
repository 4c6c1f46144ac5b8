/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Versions of the lab's zones: when each was the right one, what that makes of the samples, and how long each took to show. docs/metrics.md, "Changes".
 */
#include "harness/measure/parts.h"
#include "harness/measure/window.h"

#include <string.h>

#define VERSIONS 62

/* As far as it concerns one probe; by version, 0 being what the lab began with. */
struct history {
	int64_t begun_ns[VERSIONS], accepted_ns[VERSIONS]; /* INT64_MAX: it never was */
	int64_t counts,
		void_ones; /* bit k: version k is of a zone the probe asks; of these: its step ended, and nobody served it */
	int count;
};

static struct step_record *find_step(const struct run_record *run, int64_t version)
{
	for (size_t i = 0; i < run->step_count; i++) {
		if (run->steps[i].plan.version == version)
			return &run->steps[i];
	}
	return NULL;
}

static int64_t first_shown_ns(const struct step_record *step)
{
	int64_t first_ns = 0;

	for (size_t i = 0; i < step->host_count; i++) {
		int64_t shown_ns = step->hosts[i].shown_ns;

		if (shown_ns && (!first_ns || shown_ns < first_ns))
			first_ns = shown_ns;
	}
	return first_ns;
}

static bool is_same_zone(const struct step_record *a, const struct step_record *b)
{
	return !strcmp(a->plan.zone ? a->plan.zone : "", b->plan.zone ? b->plan.zone : "");
}

/* Whether the step changes a zone that the probe sees changes of: what becomes of other zones must not count for it. */
static bool concerns(const struct run_record *run, const struct probe_record *probe, const struct step_record *step)
{
	for (size_t i = 0; i < run->step_count; i++) {
		const struct step_record *told = &run->steps[i];

		if (told->plan.version && (probe->plan.tells & INT64_C(1) << told->plan.version) &&
		    is_same_zone(told, step))
			return true;
	}
	return false;
}

/* A version counts only once those before it were accepted, or came to nothing. */
static struct history history_of(const struct run_record *run, const struct probe_record *probe)
{
	struct history h = {.count = 1, .counts = 1};
	const struct step_record *step;
	int64_t last_ns = INT64_MIN;

	while (h.count < VERSIONS && (step = find_step(run, h.count))) {
		int k = h.count++;
		int64_t accepted_ns = step->accepted_ns ? step->accepted_ns : INT64_MAX;

		if (!concerns(run, probe, step))
			continue;
		h.counts |= INT64_C(1) << k;
		h.begun_ns[k] = step->started ? step->started_ns : INT64_MAX;
		h.accepted_ns[k] = accepted_ns > last_ns ? accepted_ns : last_ns;
		if (step->ended && !step->accepted_ns)
			h.void_ones |= INT64_C(1) << k;
		else
			last_ns = h.accepted_ns[k];
	}
	return h;
}

static bool is_real(const struct history *h, int k)
{
	return (h->counts & ~h->void_ones & INT64_C(1) << k) != 0;
}

/* The version that was right at that moment. */
static int current_at(const struct history *h, int64_t t_ns)
{
	int current = 0;

	for (int k = 1; k < h->count; k++) {
		if (is_real(h, k) && h->accepted_ns[k] <= t_ns)
			current = k;
	}
	return current;
}

/* An answer from a version whose step failed: it was made all the same, or something else holds the same. */
static void note_void(const struct run_record *run, const struct history *h, const struct sample *sample)
{
	for (int k = 1; k < h->count; k++) {
		if (sample->fits & h->void_ones & INT64_C(1) << k)
			find_step(run, k)->was_seen = true;
	}
}

static void judge_sample(const struct run_record *run, const struct history *h, const struct probe_record *probe,
			 struct sample *sample)
{
	int current = current_at(h, sample->sent_ns);
	int64_t real = h->counts & ~h->void_ones, right = INT64_C(1) << current;

	for (int k = current + 1; k < h->count; k++) {
		if (is_real(h, k) && h->begun_ns[k] <= sample->done_ns)
			right |= INT64_C(1) << k;
	}
	sample->is_stale = false;
	if (sample->fits & right)
		return;
	if (!(sample->fits & real))
		note_void(run, h, sample);
	sample->is_stale = (sample->fits & real & ((INT64_C(1) << current) - 1)) != 0;
	if (!sample->is_stale || probe->plan.stale_is_bad)
		sample->outcome = OUTCOME_WRONG;
	sample->detail = sample->is_stale ? "from a version of the zone that had been replaced"
					  : "from a version of the zone that was not right then";
}

static void judge_probe(const struct run_record *run, struct probe_record *probe)
{
	struct history h = history_of(run, probe);

	for (size_t i = 0; probe->plan.tells && i < probe->count; i++) {
		if (probe->samples[i].fits)
			judge_sample(run, &h, probe, &probe->samples[i]);
	}
}

void changes_judge(struct run_record *run)
{
	for (size_t i = 0; i < run->step_count; i++)
		run->steps[i].accepted_ns = run->steps[i].plan.version ? first_shown_ns(&run->steps[i]) : 0;
	for (size_t p = 0; p < run->probe_count; p++) {
		judge_probe(run, &run->probes[p]);
		for (size_t k = 0; k < run->probes[p].part_count; k++)
			judge_probe(run, &run->probes[p].parts[k]);
	}
}

/* When the next change after version k was accepted, or asking ended. */
static int64_t until_ns(const struct run_record *run, const struct probe_record *probe, const struct history *h, int k)
{
	int64_t end_ns = window_end_of_asking(run, probe);

	for (int j = k + 1; j < h->count; j++) {
		if (is_real(h, j) && h->accepted_ns[j] < end_ns)
			end_ns = h->accepted_ns[j];
	}
	return end_ns;
}

/* From the sample before the one due at due_ns, or from the acceptance. */
static int64_t gap_before(const struct probe_record *probe, int64_t due_ns, int64_t accepted_ns)
{
	struct window since = {.from_ns = accepted_ns};

	return window_gap_before(probe, &since, due_ns);
}

static void time_change(const struct run_record *run, const struct history *h, int k, struct change *change)
{
	const struct probe_record *probe = change->probe;
	int64_t accepted_ns = h->accepted_ns[k], end_ns = until_ns(run, probe, h, k), shows_ns = MEASURE_NONE;
	int64_t first_ns = MEASURE_NONE;

	for (size_t i = 0; i < probe->count; i++) {
		const struct sample *sample = &probe->samples[i];

		if (sample->sent_ns < accepted_ns || sample->due_ns >= end_ns)
			continue;
		if (first_ns == MEASURE_NONE)
			first_ns = sample->due_ns;
		if (sample->is_stale || sample->differs) {
			shows_ns = MEASURE_NONE;
		} else if (shows_ns == MEASURE_NONE && (sample->fits & INT64_C(1) << k)) {
			shows_ns = sample->due_ns;
		}
	}
	if (first_ns == MEASURE_NONE)
		return;
	if (shows_ns != MEASURE_NONE)
		change->resolution_ns = gap_before(probe, shows_ns, accepted_ns);
	change->censored = shows_ns == MEASURE_NONE;
	if (change->censored)
		change->propagation_ns = end_ns - accepted_ns;
	else
		change->propagation_ns = shows_ns == first_ns ? 0 : shows_ns - accepted_ns;
}

static struct change change_of(const struct run_record *run, const struct history *h, int k,
			       const struct probe_record *probe, const struct probe_record *part)
{
	struct change change = {
		.step = find_step(run, k),
		.probe = part ? part : probe,
		.accepted_ns = h->accepted_ns[k],
		.propagation_ns = MEASURE_NONE,
		.resolution_ns = probe_record_grid_ns(probe),
	};

	time_change(run, h, k, &change);
	return change;
}

size_t changes_find(const struct run_record *run, struct change **ret, struct arena *arena)
{
	size_t count = 0, room = 1;

	for (size_t p = 0; p < run->probe_count; p++)
		room += run->step_count * (run->probes[p].part_count + 1);
	*ret = ARENA_ARRAY(arena, struct change, room);
	for (int k = 1; find_step(run, k); k++) {
		for (size_t p = 0; p < run->probe_count; p++) {
			const struct probe_record *probe = &run->probes[p];
			struct history h = history_of(run, probe);

			if (!(probe->plan.tells & INT64_C(1) << k) || !is_real(&h, k) || h.accepted_ns[k] == INT64_MAX)
				continue;
			(*ret)[count++] = change_of(run, &h, k, probe, NULL);
			for (size_t i = 0; i < probe->part_count; i++)
				(*ret)[count++] = change_of(run, &h, k, probe, &probe->parts[i]);
		}
	}
	return count;
}

const struct step_record *changes_built_on_nothing(const struct run_record *run, const struct step_record *step)
{
	for (int64_t k = step->plan.version - 1; k > 0; k--) {
		const struct step_record *before = find_step(run, k);

		if (!before || !is_same_zone(before, step))
			continue;
		if (before->ended && !before->accepted_ns)
			return before;
		if (strcmp(before->plan.kind ? before->plan.kind : "", "update") != 0)
			return NULL;
	}
	return NULL;
}
