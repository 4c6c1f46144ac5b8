/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lab: hosts in namespaces around one core. Runs as the engine's init; one thread.
 *
 * lab_open builds hosts, links, addresses, routes and files for every host of the topology, but starts no server (run/bringup.c does).
 * Owned by the caller; lab_close closes descriptors, the kernel removes the rest when init ends.
 *
 * Star: each host has its addresses as /32 and /128 on `eth0` and a default route over it through 169.254.0.1 and fe80::1, which the core's end of the link
 * bears; the core has a host route per address. Forwarding on, reverse-path filter off.
 * The core's own addresses, 198.18.255.254 and fd00:18:ff::fe on lo, are where its ICMP errors come from; no host may have them. Links are silent (no ARP, neighbour
 * discovery or multicast: all neighbours are permanent) and send finished checksums and whole MTUs (no offloads).
 * Certificates: where a host serves DoT or DoH the lab has a CA, below LAB_CA_DIR.
 * Files: everything of a host is under LAB_DIR/<host>/; (empty at first); each host sees an /etc of its own with its own resolv.conf, hosts and nsswitch.conf.
 */
#pragma once
#include "harness/api/ca.h"
#include "harness/api/core.h"
#include "harness/api/host.h"
#include "harness/plan/topology.h"

#define LAB_DIR "/run/dnsdrill"
#define LAB_CA_DIR LAB_DIR "/.tls" /* beside the hosts' own directories, which a plan's names cannot reach */

struct lab;

struct lab *lab_open(const struct topology *topology, struct err *err);
void lab_close(struct lab *lab);

struct core *lab_core(struct lab *lab);
/* With every host that serves an encrypted transport; NULL where none does. */
struct ca *lab_ca(struct lab *lab);
size_t lab_host_count(const struct lab *lab);
struct host *lab_host(struct lab *lab, size_t i); /* in the topology's order */
struct host *lab_host_named(struct lab *lab, const char *name); /* NULL if there is none */
const char *host_ifname(const struct host *host); /* the core's end of its link */
int host_ifindex(const struct host *host);

/* Replaces the calling process's namespaces by the host's for good: for a child that is about to exec. */
int host_enter(const struct host *host, struct err *err);
