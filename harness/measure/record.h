/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded stream in memory: what reports read. One or more runs (a matrix puts one after the other).
 * Feed it every event in order; strings are copied. Samples are kept compact: a million of them must stay under 500 MiB.
 */
#pragma once
#include "harness/event/event.h"
#include "harness/event/metric.h"

struct sample {
	int64_t i, due_ns, sent_ns, done_ns;
	const char *rcode, *detail, *answer, *name; /* interned; NULL where not said; answer joined by ", " */
	enum outcome outcome;
	bool is_stale; /* from a version of the zone that had been replaced (record_finish) */
	bool differs; /* those who were asked did not say the same */
	int64_t fits; /* bit k: it is the answer of version k */
};

struct probe_record {
	struct ev_plan_probe plan; /* strings owned by the record */
	int64_t start_ns;
	struct sample *samples; /* ordered by i, and so by due_ns, once the run ended (record_finish) */
	size_t count, cap;
	int64_t missing; /* samples before the last one of which nothing was said: in flight when the run was cut short */
	struct probe_record
		*parts; /* of each server asked, where several are: its part of every sample; plan is the probe's own */
	size_t part_count, part_cap;
	const char *host, *address; /* of a part */
	bool unordered; /* samples still stand in the order in which they ended */
};

/* While a fault stood: one span, or several of one that flaps. */
struct fault_span {
	int64_t from_ns, to_ns; /* once the run ended (record_finish) */
};

struct fault_record {
	struct ev_plan_fault plan;
	bool applied, reverted, failed, took_effect;
	int64_t applied_ns, reverted_ns; /* T and R; a fault never reverted has R = end of the run */
	int64_t packets, bytes;
	const char *effect, *undo, *failed_stage, *failed_message;
	const char *backend; /* what did the damage, where the kind has several */
	struct fault_span *spans; /* ordered, the first from T; none that ends before it begins */
	size_t span_count, span_cap;
	bool is_on; /* the last span has not ended yet */
};

/* A step that does something (`do:`). */
struct step_record {
	struct ev_plan_step plan;
	bool started, ended, ok;
	int64_t started_ns, ended_ns;
	int64_t accepted_ns; /* when the first server was seen to serve its version; 0: none was (record_finish) */
	const char *text; /* why it failed */
	bool was_seen; /* no server was seen to serve its version, but a sample's answer is from it (record_finish) */
	struct ev_step_host *hosts; /* what came of it on each, as they ended */
	size_t host_count, host_cap;
};

struct run_record {
	struct ev_run_start start;
	int64_t timeline_ns, end_ns; /* timeline.start; last event */
	const char *reason; /* of run.end; NULL: the stream was cut off */
	struct probe_record *probes;
	size_t probe_count, probe_cap;
	struct fault_record *faults;
	size_t fault_count, fault_cap;
	struct step_record *steps;
	size_t step_count, step_cap;
	struct ev_plan_expect *expects;
	size_t expect_count, expect_cap;
	struct ev_lab_host *hosts;
	size_t host_count, host_cap;
	struct ev_error *errors;
	size_t error_count, error_cap;
	struct ev_server_exit *exits;
	size_t exit_count, exit_cap;
	struct ev_note *notes;
	size_t note_count, note_cap;
	struct ev_capture_start capture;
	struct ev_capture_end capture_end;
	int64_t lab_ready_took_ns;
};

struct record {
	struct arena *arena;
	struct run_record *runs;
	size_t count, cap;
	bool cut; /* the stream ended within a line */
	struct intern *intern; /* the record's own: texts seen before */
};

/* The least time between two samples of the probe; without near-faults, its every. */
static inline int64_t probe_record_grid_ns(const struct probe_record *probe)
{
	return probe->plan.near_faults_ns ? probe->plan.near_faults_ns : probe->plan.every_ns;
}

/* What sample k weighs where only what is due from from_ns on counts: the moments of the probe's grid since the sample before it. A moment at which nothing was asked
 * counts as the next sample did, so that no sample's own outcome, which decides how soon the next is due, has a say in what it weighs. 1 where the pace is even. */
int64_t probe_record_weight(const struct probe_record *probe, size_t k, int64_t from_ns);

struct record *record_new(void);
void record_free(struct record *record);
DEFINE_CLEANUP(struct record *, record_free);

/* -EINVAL for an event that cannot stand where it does (a sample of an unknown probe, anything before run.start). Texts that are not UTF-8
 * are mended as ev_encode does, so that a live record equals the one read back. */
int record_add(struct record *record, const struct ev *ev, struct err *err);

/* Puts samples in order and looks for gaps and doubles (-EINVAL); gives faults that were never reverted their R. Call it before anything
 * reads the samples. run.end, the next run.start and record_read do so by themselves; twice is harmless. */
int record_finish(struct record *record, struct err *err);

/* A whole file. NULL with err on failure, -EINVAL for a stream whose seq has a gap. */
struct record *record_read(const char *path, struct err *err);
