/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hand-made streams for the tests of measuring. A probe's samples are written as letters, one for each due time:
 *   .  ok, answered after 1 ms      x  timed out       w  wrong after 1 ms
 *   r  an error answer after 1 ms   e  could not ask   _  no sample
 * Probes ask every 100 ms with a timeout of 1 s; three good samples in a row count as failed over; all times here are milliseconds.
 *
 * stream_begin → stream_probe, stream_fault… → stream_ask… → stream_end, which measures → stream_fini, which has tests/scenario/recompute.py
 * measure the same stream and fails the test if its numbers differ.
 */
#pragma once
#include "harness/event/bus.h"
#include "harness/measure/results.h"

#define EVERY_MS 100
#define TIMEOUT_MS 1000
#define STABLE 3

struct stream {
	struct record *record;
	struct results *results;
	struct bus *bus;
	struct buf lines; /* the NDJSON of it all */
};

void stream_begin(struct stream *stream);
void stream_begin_case(struct stream *stream, const char *case_label); /* one more run in the same stream */
void stream_probe(struct stream *stream, const char *probe);
void stream_fault(struct stream *stream, int64_t id, const char *name);
/* One in a shape; 0 where it has none of it. */
void stream_shaped_fault(struct stream *stream, int64_t id, const char *name, int64_t ramp_ms, int64_t on_ms,
			 int64_t off_ms);
void stream_expect(struct stream *stream, const char *probe, const char *during, const char *metric, const char *op,
		   int64_t bound);
void stream_emit(struct stream *stream, struct ev ev, int64_t t_ms);
void stream_applied(struct stream *stream, int64_t id, int64_t t_ms);
void stream_switched(struct stream *stream, int64_t id, int64_t t_ms, bool on);
void stream_reverted(struct stream *stream, int64_t id, int64_t t_ms, bool took_effect);
/* Samples first, first + 1, … of the probe; sample i is due at i × 100 ms. */
void stream_ask(struct stream *stream, const char *probe, int64_t first, const char *letters);
void stream_sample(struct stream *stream, const char *probe, int64_t i, int64_t due_ms, int64_t done_ms,
		   enum outcome outcome);
/* reason NULL: the stream is cut off. */
void stream_end(struct stream *stream, const char *reason, int64_t t_ms);
void stream_fini(struct stream *stream);

/* Of the last run; the test fails if there is none. fault: its name, for WINDOW_FAULT. */
const struct measurement *stream_find(const struct stream *stream, const char *probe, enum window_kind window,
				      const char *fault);
/* A whole run: the step "push" brings version 1 of a zone, begun at 440 ms and accepted at accepted_ms (0: by nobody). The probe www, asked every 100 ms, can tell the versions: fits[i]
 * is '0' or '1', that which sample i's answer fits, or '-': there is no answer. */
const struct run_results *stream_push(struct stream *stream, bool stale_is_bad, int64_t accepted_ms, const char *fits);
const struct run_results *stream_run(const struct stream *stream);
