/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files that work out a topology share. Only topo*.c and via.c include this.
 */
#pragma once
#include "harness/plan/internal.h"

#define TOPO_HOSTS_MAX 500

struct topo_builder {
	struct arena *arena;
	const struct plan *plan;
	const struct registry *registry;
	struct errs *errs;
	struct topology *topology; /* hosts are all there from the first, so pointers to them hold */
};

/* topo_hosts.c: every host with its software and the addresses the plan gives it. */
void topo_hosts_build(struct topo_builder *b);
/* topo_addresses.c: an address twice is an error; hosts without get one of each family. */
void topo_addresses_assign(struct topo_builder *b);
/* topo_links.c: who transfers from, forwards to and asks whom. Needs addresses. */
void topo_links_resolve(struct topo_builder *b);
/* topo_zones.c: which zones there are and who serves them. Needs links. */
void topo_zones_build(struct topo_builder *b);

/* topo_catalogs.c: whether nameservers that learn their zones from a catalog can. Needs zones. */
void topo_catalogs_check(struct topo_builder *b);

/* signing.c: whether those who shall sign a zone can. */
void topo_check_signing(struct topo_builder *b, const struct topo_zone *zone);

struct topo_host *topo_host(const struct topology *topology, const char *name);
bool topo_has_family(const struct addresses *addresses, int family);
/* The part of addresses in a family that host has. In arena. */
struct addresses topo_reachable(struct arena *arena, const struct topo_host *host, const struct addresses *addresses);
/* "IPv4", "IPv6", "IPv4 and IPv6" or "no": which addresses there are. */
const char *topo_families(const struct addresses *addresses);
