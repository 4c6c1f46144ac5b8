/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core: the router that joins a lab's hosts, where faults of the path act. Implemented in lab/core.c.
 * All of dnsdrill's rules are in one table of its own, `inet dnsdrill`, made by core_open and gone with core_close. All are called in the network namespace of the
 * core, and all work there.
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

/* A pair of links, one end in the core. */
struct core_link {
	const char *ifname, *peer; /* the other end */
	int peer_netns_fd; /* the namespace it lives in, borrowed; -1: the core, too */
	unsigned char mac[6], peer_mac[6];
	unsigned mtu;
};

/* Makes them, silent (no ARP, neighbour discovery or multicast) and plain (finished checksums, nothing longer than the MTU), brings up both ends and waits until
 * they carry packets. After an error nothing of it is left. */
int core_link_add(struct core *core, const struct core_link *link, struct err *err);
/* With its other end, its routes and neighbours. None of that name: 0. */
int core_link_delete(struct core *core, const char *ifname, struct err *err);

/* Packets with that mark, of both families (IPv6 where the kernel has it), go out by the link to that MAC: a rule of priority `table`, a default
 * route in `table`, a permanent neighbour for it to lead through. */
struct core_mark_route {
	uint32_t mark, table;
	const char *ifname; /* deleting: not looked at */
	unsigned char mac[6];
};
int core_mark_route_add(struct core *core, const struct core_mark_route *route, struct err *err);
/* The rules; the rest goes with the link. None: 0. */
int core_mark_route_delete(struct core *core, const struct core_mark_route *route, struct err *err);
#define CORE_MARK_GATEWAY4 "169.254.9.9"
#define CORE_MARK_GATEWAY6 "fe80::9"
