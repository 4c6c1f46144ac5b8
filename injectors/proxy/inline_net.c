/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/inline_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/api/core.h"
#include "harness/base/address.h"
#include "harness/base/fd.h"

#define TABLE_OUT 100
#define PRIORITY_OUT 10 /* what this namespace sends … */
#define PRIORITY_LOCAL 20 /* … before what it takes for its own */

static bool has_ipv6(void)
{
	return !access("/proc/sys/net/ipv6/conf", F_OK);
}

/* A setting that a kernel does not know is none it needs. */
static int set(const char *path, const char *value, struct err *err)
{
	char full[128];
	CLEANUP_CLOSE int fd = -1;

	snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set(err, -errno, LOC_NONE, "writing %s to %s: %s", value, full, strerror(errno));
	return 0;
}

static int set_all(const char *const rows[][2], size_t count, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < count; i++)
		r = set(rows[i][0], rows[i][1], err);
	return r;
}

int inline_net_prepare(struct err *err)
{
	static const char *const rows[][2] = {
		{"ipv4/ip_nonlocal_bind", "1"},
		{"ipv6/ip_nonlocal_bind", "1"},
		{"ipv4/ip_unprivileged_port_start", "0"},
		{"ipv4/conf/all/rp_filter", "0"},
		{"ipv4/conf/default/rp_filter", "0"},
		{"ipv4/conf/all/accept_local", "1"}, /* every sender's address is one of ours */
		{"ipv4/tcp_tw_reuse", "1"}, /* clients that use a port again meet no connection of ours that lingers */
		{"ipv4/tcp_max_syn_backlog", "4096"},
		{"core/somaxconn", "4096"},
		/* links say nothing of their own */
		{"ipv6/conf/default/accept_dad", "0"},
		{"ipv6/conf/default/dad_transmits", "0"},
		{"ipv6/conf/default/accept_ra", "0"},
		{"ipv6/conf/default/router_solicitations", "0"},
		{"ipv6/conf/default/addr_gen_mode", "1"}, /* none */
	};

	return set_all(rows, ARRAY_LEN(rows), err);
}

static int settle_link(const char *ifname, struct err *err)
{
	char generation[64], ipv6[64], filter[64];
	const char *const rows[][2] = {{filter, "0"}, {generation, "1"}, {ipv6, "0"}};

	snprintf(filter, sizeof(filter), "ipv4/conf/%s/rp_filter", ifname);
	snprintf(generation, sizeof(generation), "ipv6/conf/%s/addr_gen_mode", ifname);
	snprintf(ipv6, sizeof(ipv6), "ipv6/conf/%s/disable_ipv6", ifname);
	return set_all(rows, ARRAY_LEN(rows), err);
}

static int failed(int rc, const char *what, struct err *err)
{
	return err_set(err, -EIO, LOC_NONE, "the proxy's namespace: %s: %s", what, nl_geterror(rc));
}

static int bring_up_loopback(struct nl_sock *sock)
{
	struct rtnl_link *lo = rtnl_link_alloc(), *change = rtnl_link_alloc();
	int rc = lo && change ? 0 : -NLE_NOMEM;

	if (!rc) {
		rtnl_link_set_ifindex(lo, 1);
		rtnl_link_set_flags(change, IFF_UP);
		rc = rtnl_link_change(sock, lo, change, 0);
	}
	rtnl_link_put(lo);
	rtnl_link_put(change);
	return rc;
}

static struct nl_addr *address(int family, const void *bytes, int prefix)
{
	struct nl_addr *addr = nl_addr_build(family, bytes, family == AF_INET ? 4 : 16);

	if (addr)
		nl_addr_set_prefixlen(addr, prefix);
	return addr;
}

/* Every packet that comes in is for us. */
static int add_local(struct nl_sock *sock, int family)
{
	static const unsigned char any[16];
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *dst = address(family, any, 0);
	int rc = -NLE_NOMEM;

	if (route && hop && dst) {
		rtnl_route_set_family(route, (uint8_t)family);
		rtnl_route_set_dst(route, dst);
		rtnl_route_set_table(route, RT_TABLE_LOCAL);
		rtnl_route_set_type(route, RTN_LOCAL);
		rtnl_route_set_scope(route, RT_SCOPE_HOST);
		rtnl_route_nh_set_ifindex(hop, 1);
		rtnl_route_add_nexthop(route, hop);
		hop = NULL;
		rc = rtnl_route_add(sock, route, NLM_F_CREATE | NLM_F_REPLACE);
	}
	if (hop)
		rtnl_route_nh_free(hop);
	nl_addr_put(dst);
	rtnl_route_put(route);
	return rc;
}

static int add_neighbour(struct nl_sock *sock, int ifindex, struct nl_addr *gateway, const unsigned char mac[6])
{
	struct rtnl_neigh *neigh = rtnl_neigh_alloc();
	struct nl_addr *lladdr = nl_addr_build(AF_LLC, mac, 6);
	int rc = -NLE_NOMEM;

	if (neigh && lladdr) {
		rtnl_neigh_set_ifindex(neigh, ifindex);
		rtnl_neigh_set_dst(neigh, gateway);
		rtnl_neigh_set_lladdr(neigh, lladdr);
		rtnl_neigh_set_state(neigh, NUD_PERMANENT);
		rc = rtnl_neigh_add(sock, neigh, NLM_F_CREATE | NLM_F_REPLACE);
	}
	nl_addr_put(lladdr);
	rtnl_neigh_put(neigh);
	return rc;
}

static int add_default(struct nl_sock *sock, int ifindex, struct nl_addr *gateway)
{
	static const unsigned char any[16];
	int family = nl_addr_get_family(gateway);
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *dst = address(family, any, 0);
	int rc = -NLE_NOMEM;

	if (route && hop && dst) {
		rtnl_route_set_family(route, (uint8_t)family);
		rtnl_route_set_dst(route, dst);
		rtnl_route_set_table(route, TABLE_OUT);
		rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
		rtnl_route_nh_set_ifindex(hop, ifindex);
		rtnl_route_nh_set_gateway(hop, gateway);
		rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
		rtnl_route_add_nexthop(route, hop);
		hop = NULL;
		rc = rtnl_route_add(sock, route, NLM_F_CREATE | NLM_F_REPLACE);
	}
	if (hop)
		rtnl_route_nh_free(hop);
	nl_addr_put(dst);
	rtnl_route_put(route);
	return rc;
}

static struct rtnl_rule *make_rule(int family, uint32_t priority, uint32_t table)
{
	struct rtnl_rule *rule = rtnl_rule_alloc();

	if (!rule)
		return NULL;
	rtnl_rule_set_family(rule, family);
	rtnl_rule_set_prio(rule, priority);
	rtnl_rule_set_table(rule, table);
	rtnl_rule_set_action(rule, FR_ACT_TO_TBL);
	return rule;
}

/* What is sent is looked up before what is ours: else it would never leave. */
static int order_rules(struct nl_sock *sock, int family)
{
	struct rtnl_rule *out = make_rule(family, PRIORITY_OUT, TABLE_OUT);
	struct rtnl_rule *local = make_rule(family, PRIORITY_LOCAL, RT_TABLE_LOCAL);
	struct rtnl_rule *first = make_rule(family, 0, RT_TABLE_LOCAL);
	int rc = out && local && first ? 0 : -NLE_NOMEM;

	if (!rc)
		rc = rtnl_rule_set_iif(out, "lo");
	if (!rc)
		rc = rtnl_rule_add(sock, out, NLM_F_CREATE | NLM_F_EXCL);
	if (!rc)
		rc = rtnl_rule_add(sock, local, NLM_F_CREATE | NLM_F_EXCL);
	if (!rc)
		rc = rtnl_rule_delete(sock, first, 0);
	rtnl_rule_put(out);
	rtnl_rule_put(local);
	rtnl_rule_put(first);
	return rc;
}

static int lead_family(struct nl_sock *sock, const char *gateway_text, int ifindex, const unsigned char back[6],
		       struct err *err)
{
	struct address gateway;
	struct nl_addr *addr;
	int rc;

	address_parse(gateway_text, &gateway);
	addr = address(gateway.family, gateway.bytes, gateway.family == AF_INET ? 32 : 128);
	rc = addr ? add_neighbour(sock, ifindex, addr, back) : -NLE_NOMEM;
	if (!rc)
		rc = add_default(sock, ifindex, addr);
	if (!rc)
		rc = order_rules(sock, gateway.family);
	if (!rc)
		rc = add_local(sock, gateway.family);
	nl_addr_put(addr);
	return rc ? failed(rc, gateway_text, err) : 0;
}

static int lead(struct nl_sock *sock, int ifindex, const unsigned char back[6], bool with_ipv6, struct err *err)
{
	int rc = nl_connect(sock, NETLINK_ROUTE);

	if (!rc)
		rc = bring_up_loopback(sock);
	if (rc)
		return failed(rc, "lo", err);
	rc = lead_family(sock, CORE_MARK_GATEWAY4, ifindex, back, err);
	return rc || !with_ipv6 ? rc : lead_family(sock, CORE_MARK_GATEWAY6, ifindex, back, err);
}

int inline_net_attach(const char *in, const char *out, const unsigned char back[6], bool *ret_has_ipv6, struct err *err)
{
	bool with_ipv6 = has_ipv6();
	unsigned ifindex = if_nametoindex(out);
	struct nl_sock *sock;
	int r = settle_link(in, err);

	if (!r)
		r = settle_link(out, err);
	if (r)
		return r;
	sock = nl_socket_alloc();
	if (!ifindex || !sock)
		r = err_set(err, -ENODEV, LOC_NONE, "the proxy's namespace: no link %s", out);
	else
		r = lead(sock, (int)ifindex, back, with_ipv6, err);
	nl_socket_free(sock);
	if (!r)
		*ret_has_ipv6 = with_ipv6;
	return r;
}
