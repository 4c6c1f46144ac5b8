/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of lab/ know of each other.
 */
#pragma once
#include "harness/lab/lab.h"
#include "harness/lab/links.h"
#include "harness/lab/netns.h"
#include <net/if.h>

struct host {
	const struct topo_host *topo; /* borrowed */
	const struct home *home; /* the lab's; borrowed */
	int net_fd, mnt_fd; /* hold its namespaces */
	char dir[256];
	char ifname[IF_NAMESIZE]; /* the core's end */
	int ifindex;
	size_t index; /* in the topology */
};

/* Where hosts are joined. */
struct hub {
	struct home home; /* the core's namespaces */
	struct wire wire; /* netlink in the core */
	bool has_ipv6; /* this kernel */
};

/* The core's own addresses (on lo), and those of its end of every link. */
struct core_addresses {
	struct address core4, core6, gateway4, gateway6;
};
void core_addresses_get(struct core_addresses *ret);

/* Builds host number index: namespaces, /etc, link, addresses, routes. host_fini works on whatever host_init left, failed or not. */
int host_init(struct host *host, const struct topology *topology, size_t index, const struct hub *hub, struct err *err);
void host_fini(struct host *host);

/* Furnishes the namespace the process is in as a router, and makes the table of rules. */
int core_setup(struct hub *hub, struct err *err);
struct core *core_open(struct err *err);
void core_close(struct core *core);
