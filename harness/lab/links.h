/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses, routes and neighbours by netlink, in whichever network namespace the wire was opened.
 */
#pragma once
#include "harness/base/address.h"
#include <netlink/netlink.h>

/* Sockets of one network namespace; they stay in it wherever the process goes. */
struct wire {
	struct nl_sock *sock;
	struct nl_sock *events; /* hears of changes to links and IPv6 routes */
	int ctl_fd;
};

int wire_open(struct wire *ret, struct err *err); /* in the calling process's network namespace */
void wire_close(struct wire *wire);

/* Six octets, locally administered, of link number index's end. */
struct mac {
	unsigned char octets[6];
};
struct mac link_mac_core(size_t index);
struct mac link_mac_host(size_t index);

/* A veth pair with known MACs: ifname at the wire, up; eth0 in the namespace peer_net_fd, still down (the kernel refuses it up before
 * both exist). */
int link_make(const struct wire *wire, const char *ifname, int peer_net_fd, size_t index, struct err *err);
/* A veth pair, silent, both ends down. peer_net_fd -1: both at the wire. */
struct link_pair {
	const char *ifname, *peer;
	int peer_net_fd;
	struct mac mac, peer_mac;
	unsigned mtu; /* 0: the kernel's own, 1500 */
};
int link_make_pair(const struct wire *wire, const struct link_pair *pair, struct err *err);
/* None of that name: 0. */
int link_delete(const struct wire *wire, const char *ifname, struct err *err);
int link_up(const struct wire *wire, const char *ifname, struct err *err);
/* Packets leave the link as they would a card: with finished checksums and no longer than its MTU, so that captures read well and a fault on one packet is a fault
 * on one packet. */
int link_plain(const struct wire *wire, const char *ifname, struct err *err);
int link_index(const struct wire *wire, const char *ifname, int *ret, struct err *err);

/* The address as /32 or /128, usable at once (no duplicate address detection). */
int link_add_address(const struct wire *wire, int ifindex, const struct address *address, struct err *err);
/* None such: 0. */
int link_delete_address(const struct wire *wire, int ifindex, const struct address *address, struct err *err);
/* to NULL: the default route of via's family. via NULL: on the link itself. from: preferred source, or NULL. */
int link_add_route(const struct wire *wire, int ifindex, const struct address *to, const struct address *via,
		   const struct address *from, struct err *err);
/* The default route of via's family in a routing table of its own. */
int link_add_default(const struct wire *wire, int ifindex, uint32_t table, const struct address *via, struct err *err);
int link_add_neighbour(const struct wire *wire, int ifindex, const struct address *address, struct mac mac,
		       struct err *err);

/* Of the address, for libnl; NULL if out of memory. Released with nl_addr_put. */
struct nl_addr *link_nl_addr(const struct address *address);

/* The kernel finishes some things later than it says done, and until then drops packets. Waits for it, by its own announcements; -ETIMEDOUT names what
 * does not come. Links: that their other end, brought up later, has started them. Addresses (IPv6): that they are delivered to. */
int settle_links(const struct wire *wire, const int *ifindexes, size_t count, struct err *err);
int settle_addresses(const struct wire *wire, const struct addresses *addresses, struct err *err);
