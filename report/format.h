/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measurements as people read them: never a number without its unit, never a bound of something not reached as if it were exact, never
 * rounded towards a better result. Plain text into a buffer, no markup; a measurement that does not exist is "–".
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/measure/results.h"

#define FORMAT_NONE "–"

/* "1.20 s"; censored "> 12.0 s", rounded down: what is known is that it took longer than that. */
void format_duration(struct buf *out, int64_t ns, bool censored);

/* "1.20 s ± 0.1 s", the resolution in the unit of the value; censored: without it. */
void format_resolved(struct buf *out, int64_t ns, bool censored, int64_t resolution_ns);

/* Appends "1973 ms ± 50 ms", or "> 11999 ms" for a lower bound, which is rounded down. Whole milliseconds. */
void format_milliseconds(struct buf *out, int64_t ns, bool censored, int64_t resolution_ns);

/* "30.0 s", or "30.0 s (28.1 s to 39.9 s)" where it may have begun or ended between two sparse samples. m NULL: "–". */
void format_outage(struct buf *out, const struct measurement *m);
void format_length(struct buf *out, int64_t ns, const struct range *range);

/* "± 100 ms" */
void format_resolution(struct buf *out, int64_t resolution_ns);

/* "99.12%", rounded down, so that "100%" means all of them. */
void format_share(struct buf *out, int64_t ppm);

/* Of one measurement: "1.20 s ± 0.1 s", "> 12.0 s", "0 s ± 0.1 s" when no sample was bad, "–" outside a fault's window. */
void format_failover(struct buf *out, const struct measurement *m);

/* A moment against t = 0: "+1.234 s", "−0.500 s", "+2 min 5.000 s". Milliseconds always: samples are told apart by it. */
void format_moment(struct buf *out, int64_t ns);

/* What an expectation measured, with as many digits as it takes to stand on its side of the bound; and its bound, "<= 3s". */
void format_measured(struct buf *out, const struct expectation *e);
void format_bound(struct buf *out, const struct ev_plan_expect *plan);

/* "alpha dark", "baseline", "recovery", "whole run" */
const char *format_window(const struct measurement *m);

/* "198 ok, 2 timeout": those that occurred, in the order of enum outcome; "none" without samples. */
void format_outcomes(struct buf *out, const int64_t outcomes[OUTCOME_COUNT]);

/* "2026-03-01 12:00:05 UTC" of nanoseconds since 1970. */
void format_wall(struct buf *out, int64_t wall_ns);
