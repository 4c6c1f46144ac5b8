/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The measurements an expectation can bound, each defined exactly in docs/metrics.md. One row each: what plans may name, what
 * plan.expect events carry, what measure/ computes, what `dnsdrill list metrics` prints.
 */
#pragma once
#include <stddef.h>

enum metric_unit { METRIC_DURATION /* ns */, METRIC_SHARE /* ppm */ };

#define METRICS(X)                                                                                                   \
	X(TIME_TO_IMPACT, "time_to_impact", METRIC_DURATION,                                                         \
	  "from the fault's instant to the due time of the first bad sample; needs `during: <fault>`")               \
	X(TIME_TO_FAILOVER, "time_to_failover", METRIC_DURATION,                                                     \
	  "from the fault's instant to the due time of the first of `stable` good samples in a row after impact; "   \
	  "needs `during: <fault>`; may be `never`")                                                                 \
	X(TIME_TO_RECOVER, "time_to_recover", METRIC_DURATION,                                                       \
	  "from the fault's end to the due time of the first of `stable` good samples in a row; needs `during: "     \
	  "<fault>`; may be `never`")                                                                                \
	X(AVAILABILITY, "availability", METRIC_SHARE, "good samples over all samples")                               \
	X(OUTAGE, "outage", METRIC_DURATION, "union of the spans from each bad sample to the next good one")         \
	X(WRONG_WINDOW, "wrong_window", METRIC_DURATION, "union of the spans in which answers were wrong")           \
	X(STALE_WINDOW, "stale_window", METRIC_DURATION,                                                             \
	  "union of the spans in which answers came from a version of the zone that a step had replaced")            \
	X(PROPAGATION, "propagation", METRIC_DURATION,                                                               \
	  "from the moment a zone change was accepted until the probe shows it and nothing older any more; of "      \
	  "several changes the longest")                                                                             \
	X(SKEW, "skew", METRIC_DURATION,                                                                             \
	  "union of the spans in which those whom a serial or parity probe asks did not say the same")               \
	X(LATENCY_P50, "latency_p50", METRIC_DURATION, "median latency, a timed-out sample counting as its timeout") \
	X(LATENCY_P95, "latency_p95", METRIC_DURATION, "95th percentile of the latency")                             \
	X(LATENCY_P99, "latency_p99", METRIC_DURATION, "99th percentile of the latency")

#define METRIC_ENUM(id, name, unit, doc) METRIC_##id,
enum metric { METRICS(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

struct metric_info {
	const char *name;
	enum metric_unit unit;
	const char *doc;
};
extern const struct metric_info metric_infos[METRIC_COUNT];
/* METRIC_COUNT if there is none of that name. */
enum metric metric_find(const char *name);
