/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core: the router that joins a lab's hosts, where faults of the path act. Implemented in lab/core.c.
 * All of dnsdrill's rules are in one table of its own, `inet dnsdrill`, made by core_open and gone with core_close.
 */
#pragma once
#include "harness/base/err.h"
#include <stdint.h>

#define CORE_TABLE "inet dnsdrill"

struct core;

/* Runs nft commands (nft(8) syntax, newline between commands) as one transaction: all or nothing.
 * 0, or a negative errno with nft's own message. In process through libnftables, in the network namespace of the core. */
int core_nft(struct core *core, const char *commands, struct err *err);

/* Sums of the named counters (`counter inet dnsdrill NAME`) whose name begins with prefix. No such counter: zeroes. */
int core_counters(struct core *core, const char *prefix, int64_t *ret_packets, int64_t *ret_bytes, struct err *err);
