/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same shapes, done by the kernel: its qdiscs netem and, for rates, tbf, at the root of a detour's link. In the network namespace of the caller.
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "injectors/relay/shape.h"

/* Whether netem and tbf do what the shape says. They do not know every Nth packet, and their correlated delays are not correlated. */
bool netem_can(const struct shape *shape);

/* Puts it at the root of the link, or changes what stands there. It goes with the link. */
int netem_set(const char *ifname, const struct shape *shape, struct err *err);

struct netem_counters {
	int64_t sent_packets, sent_bytes, waiting, dropped, requeued, overlimits;
};
int netem_counters(const char *ifname, struct netem_counters *ret, struct err *err);
/* What has happened between the two; waiting is that of now. */
struct netem_counters netem_since(const struct netem_counters *now, const struct netem_counters *before);

/* The tc command it equals. A shape that netem cannot: as near as tc comes. */
void netem_command(const char *ifname, const struct shape *shape, struct buf *out);
