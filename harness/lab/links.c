/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/links.h"
#include "harness/base/fd.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/ioctl.h>

#define CLEANUP_ADDR CLEANUP(nl_addr_putp)
static void nl_addr_putp(struct nl_addr **addr)
{
	nl_addr_put(*addr); /* takes NULL */
}

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
}

/* libnl has error numbers of its own; the kernel's word is in the text. */
static int netlink_failed(int rc, const char *what, const char *which, struct err *err)
{
	return err_set(err, rc == -NLE_EXIST ? -EEXIST : -EIO, LOC_NONE, "%s %s: %s", what, which, nl_geterror(rc));
}

static int connect_wire(struct wire *wire, struct err *err)
{
	int rc = wire->sock && wire->events ? nl_connect(wire->sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (!rc)
		rc = nl_connect(wire->events, NETLINK_ROUTE);
	if (!rc)
		rc = nl_socket_add_memberships(wire->events, RTNLGRP_LINK, RTNLGRP_IPV6_ROUTE, 0);
	if (!rc)
		rc = nl_socket_set_nonblocking(wire->events);
	if (rc)
		return netlink_failed(rc, "opening", "netlink sockets", err);
	nl_socket_disable_seq_check(wire->events);
	wire->ctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return wire->ctl_fd < 0 ? err_set(err, -errno, LOC_NONE, "opening a socket: %s", strerror(errno)) : 0;
}

int wire_open(struct wire *ret, struct err *err)
{
	struct wire wire = {.sock = nl_socket_alloc(), .events = nl_socket_alloc(), .ctl_fd = -1};
	int rc = connect_wire(&wire, err);

	if (rc)
		wire_close(&wire);
	else
		*ret = wire;
	return rc;
}

void wire_close(struct wire *wire)
{
	nl_socket_free(wire->sock); /* takes NULL */
	nl_socket_free(wire->events);
	if (wire->ctl_fd >= 0)
		close(wire->ctl_fd);
	*wire = (struct wire){.ctl_fd = -1};
}

static struct mac make_mac(unsigned char end, size_t index)
{
	return (struct mac){
		{0x02, 0xdd, end, (unsigned char)(index >> 16), (unsigned char)(index >> 8), (unsigned char)index}};
}

struct mac link_mac_core(size_t index)
{
	return make_mac(0, index);
}

struct mac link_mac_host(size_t index)
{
	return make_mac(1, index);
}

static int set_mac(struct rtnl_link *link, struct mac mac)
{
	CLEANUP_ADDR struct nl_addr *addr = nl_addr_build(AF_LLC, mac.octets, sizeof(mac.octets));

	if (!addr)
		return -NLE_NOMEM;
	rtnl_link_set_addr(link, addr);
	return 0;
}

/* All neighbours are known and nobody listens to multicast: no ARP, no neighbour discovery, no reports of group membership. What a capture shows is what the
 * hosts said. */
static void make_quiet(struct rtnl_link *link)
{
	rtnl_link_set_flags(link, IFF_NOARP);
	rtnl_link_unset_flags(link, IFF_MULTICAST);
}

static int fill_end(struct rtnl_link *link, const char *ifname, struct mac mac, unsigned mtu)
{
	rtnl_link_set_name(link, ifname);
	if (mtu)
		rtnl_link_set_mtu(link, mtu);
	make_quiet(link);
	return set_mac(link, mac);
}

static int add_pair(const struct wire *wire, const struct link_pair *pair, bool is_up, struct err *err)
{
	struct rtnl_link *link = rtnl_link_veth_alloc(), *peer;
	int rc;

	if (!link)
		return out_of_memory(err);
	peer = rtnl_link_veth_get_peer(link); /* holds a reference of its own */
	if (is_up)
		rtnl_link_set_flags(link, IFF_UP);
	if (pair->peer_net_fd >= 0)
		rtnl_link_set_ns_fd(peer, pair->peer_net_fd);
	rc = fill_end(link, pair->ifname, pair->mac, pair->mtu);
	if (!rc)
		rc = fill_end(peer, pair->peer, pair->peer_mac, pair->mtu);
	if (!rc)
		rc = rtnl_link_add(wire->sock, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(peer);
	rtnl_link_put(link);
	return rc ? netlink_failed(rc, "making the link", pair->ifname, err) : 0;
}

int link_make_pair(const struct wire *wire, const struct link_pair *pair, struct err *err)
{
	return add_pair(wire, pair, false, err);
}

int link_make(const struct wire *wire, const char *ifname, int peer_net_fd, size_t index, struct err *err)
{
	struct link_pair pair = {
		.ifname = ifname,
		.peer = "eth0",
		.peer_net_fd = peer_net_fd,
		.mac = link_mac_core(index),
		.peer_mac = link_mac_host(index),
	};

	return add_pair(wire, &pair, true, err);
}

int link_delete(const struct wire *wire, const char *ifname, struct err *err)
{
	struct rtnl_link *link = rtnl_link_alloc();
	int rc;

	if (!link)
		return out_of_memory(err);
	rtnl_link_set_name(link, ifname);
	rc = rtnl_link_delete(wire->sock, link);
	rtnl_link_put(link);
	if (rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND)
		rc = 0;
	return rc ? netlink_failed(rc, "deleting the link", ifname, err) : 0;
}

static int link_ioctl(const struct wire *wire, unsigned long request, struct ifreq *io, const char *what,
		      struct err *err)
{
	if (ioctl(wire->ctl_fd, request, io))
		return err_set(err, -errno, LOC_NONE, "%s of link %s: %s", what, io->ifr_name, strerror(errno));
	return 0;
}

static struct ifreq request_for(const char *ifname)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	return request;
}

int link_up(const struct wire *wire, const char *ifname, struct err *err)
{
	struct ifreq request = request_for(ifname);
	int rc = link_ioctl(wire, SIOCGIFFLAGS, &request, "reading the flags", err);

	if (rc)
		return rc;
	request.ifr_flags |= IFF_UP;
	return link_ioctl(wire, SIOCSIFFLAGS, &request, "setting the flags", err);
}

int link_plain(const struct wire *wire, const char *ifname, struct err *err)
{
	static const unsigned offloads[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO};

	for (size_t i = 0; i < ARRAY_LEN(offloads); i++) {
		struct ethtool_value off = {.cmd = offloads[i], .data = 0};
		struct ifreq request = request_for(ifname);
		int rc;

		request.ifr_data = (char *)&off;
		rc = link_ioctl(wire, SIOCETHTOOL, &request, "switching off the offloads", err);
		if (rc)
			return rc;
	}
	return 0;
}

int link_index(const struct wire *wire, const char *ifname, int *ret, struct err *err)
{
	struct ifreq request = request_for(ifname);
	int rc = link_ioctl(wire, SIOCGIFINDEX, &request, "reading the index", err);

	if (rc)
		return rc;
	*ret = request.ifr_ifindex;
	return 0;
}

struct nl_addr *link_nl_addr(const struct address *address)
{
	return nl_addr_build(address->family, address->bytes, address->family == AF_INET ? 4 : 16);
}

int link_add_address(const struct wire *wire, int ifindex, const struct address *address, struct err *err)
{
	CLEANUP_ADDR struct nl_addr *local = link_nl_addr(address);
	struct rtnl_addr *addr = rtnl_addr_alloc();
	int rc = -NLE_NOMEM;

	if (local && addr) {
		rtnl_addr_set_ifindex(addr, ifindex);
		rtnl_addr_set_local(addr, local);
		if (address->family == AF_INET6)
			rtnl_addr_set_flags(addr, IFA_F_NODAD);
		rc = rtnl_addr_add(wire->sock, addr, NLM_F_EXCL);
	}
	rtnl_addr_put(addr); /* takes NULL */
	return rc ? netlink_failed(rc, "adding the address", address->text, err) : 0;
}

int link_delete_address(const struct wire *wire, int ifindex, const struct address *address, struct err *err)
{
	CLEANUP_ADDR struct nl_addr *local = link_nl_addr(address);
	struct rtnl_addr *addr = rtnl_addr_alloc();
	int rc = -NLE_NOMEM;

	if (local && addr) {
		rtnl_addr_set_ifindex(addr, ifindex);
		rtnl_addr_set_local(addr, local);
		rc = rtnl_addr_delete(wire->sock, addr, 0);
	}
	rtnl_addr_put(addr); /* takes NULL */
	return rc && rc != -NLE_NOADDR ? netlink_failed(rc, "removing the address", address->text, err) : 0;
}

/* The route's one next hop, taken over by the route. */
static int set_hop(struct rtnl_route *route, int ifindex, const struct address *via)
{
	CLEANUP_ADDR struct nl_addr *gateway = via ? link_nl_addr(via) : NULL;
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();

	if (!hop || (via && !gateway)) {
		rtnl_route_nh_free(hop);
		return -NLE_NOMEM;
	}
	rtnl_route_nh_set_ifindex(hop, ifindex);
	if (via) {
		rtnl_route_nh_set_gateway(hop, gateway);
		rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
	}
	rtnl_route_add_nexthop(route, hop);
	return 0;
}

static int fill_route(struct rtnl_route *route, int ifindex, const struct address *to, const struct address *via,
		      const struct address *from)
{
	int family = to ? to->family : via->family;
	CLEANUP_ADDR struct nl_addr *dst = to ? link_nl_addr(to) : nl_addr_build(family, "", 0);
	CLEANUP_ADDR struct nl_addr *src = from ? link_nl_addr(from) : NULL;

	if (!dst || (from && !src))
		return -NLE_NOMEM;
	rtnl_route_set_family(route, (uint8_t)family);
	rtnl_route_set_scope(route, via || family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
	rtnl_route_set_dst(route, dst);
	if (from)
		rtnl_route_set_pref_src(route, src);
	return set_hop(route, ifindex, via);
}

int link_add_route(const struct wire *wire, int ifindex, const struct address *to, const struct address *via,
		   const struct address *from, struct err *err)
{
	struct rtnl_route *route = rtnl_route_alloc();
	int rc = route ? fill_route(route, ifindex, to, via, from) : -NLE_NOMEM;

	if (!rc)
		rc = rtnl_route_add(wire->sock, route, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_route_put(route); /* takes NULL */
	return rc ? netlink_failed(rc, "adding the route to", to ? to->text : "everywhere", err) : 0;
}

int link_add_default(const struct wire *wire, int ifindex, uint32_t table, const struct address *via, struct err *err)
{
	struct rtnl_route *route = rtnl_route_alloc();
	int rc = route ? fill_route(route, ifindex, NULL, via, NULL) : -NLE_NOMEM;

	if (!rc) {
		rtnl_route_set_table(route, table);
		rc = rtnl_route_add(wire->sock, route, NLM_F_CREATE | NLM_F_EXCL);
	}
	rtnl_route_put(route); /* takes NULL */
	return rc ? netlink_failed(rc, "adding a default route by", via->text, err) : 0;
}

int link_add_neighbour(const struct wire *wire, int ifindex, const struct address *address, struct mac mac,
		       struct err *err)
{
	CLEANUP_ADDR struct nl_addr *dst = link_nl_addr(address);
	CLEANUP_ADDR struct nl_addr *lladdr = nl_addr_build(AF_LLC, mac.octets, sizeof(mac.octets));
	struct rtnl_neigh *neigh = rtnl_neigh_alloc();
	int rc = -NLE_NOMEM;

	if (dst && lladdr && neigh) {
		rtnl_neigh_set_ifindex(neigh, ifindex);
		rtnl_neigh_set_dst(neigh, dst);
		rtnl_neigh_set_lladdr(neigh, lladdr);
		rtnl_neigh_set_state(neigh, NUD_PERMANENT);
		rc = rtnl_neigh_add(wire->sock, neigh, NLM_F_CREATE | NLM_F_REPLACE);
	}
	rtnl_neigh_put(neigh); /* takes NULL */
	return rc ? netlink_failed(rc, "adding the neighbour", address->text, err) : 0;
}
