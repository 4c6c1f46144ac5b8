/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, routes and rules that faults have made in the core: the second half of api/core.h.
 * Netlink sockets are opened for each call: faults are rare, and sockets that stay open are told of things nobody reads.
 */
#include "harness/api/core.h"
#include "harness/base/fd.h"
#include "harness/lab/internal.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/rule.h>
#include <sched.h>
#include <string.h>

static bool has_ipv6(void)
{
	return !access("/proc/sys/net/ipv6/conf", F_OK);
}

static struct mac mac_of(const unsigned char octets[6])
{
	struct mac mac;

	memcpy(mac.octets, octets, sizeof(mac.octets));
	return mac;
}

/* Plain, up, and carrying packets. */
static int bring_up(const struct wire *wire, const char *ifname, struct err *err)
{
	int rc = link_plain(wire, ifname, err);

	return rc ? rc : link_up(wire, ifname, err);
}

static int settle_link(const struct wire *wire, const char *ifname, struct err *err)
{
	int index, rc = link_index(wire, ifname, &index, err);

	return rc ? rc : settle_links(wire, &index, 1, err);
}

/* In the core. */
static int make_pair(const struct wire *wire, const struct core_link *link, struct err *err)
{
	struct link_pair pair = {
		.ifname = link->ifname,
		.peer = link->peer,
		.peer_net_fd = link->peer_netns_fd,
		.mac = mac_of(link->mac),
		.peer_mac = mac_of(link->peer_mac),
		.mtu = link->mtu,
	};
	int rc = link_make_pair(wire, &pair, err);

	return rc ? rc : bring_up(wire, link->ifname, err);
}

/* Where the peer lives. The relay there wants frames, not addresses: without IPv6 the link says nothing of its own. */
static int bring_up_peer(const struct core_link *link, struct wire *ret_wire, struct err *err)
{
	char path[64];
	const struct sysctl silent = {path, "1"};
	int rc = 0;

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", link->peer);
	if (link->peer_netns_fd >= 0)
		rc = sysctl_try_all(&silent, 1, err);
	if (!rc)
		rc = wire_open(ret_wire, err);
	return rc ? rc : bring_up(ret_wire, link->peer, err);
}

static int settle_pair(const struct wire *wire, const struct wire *peer_wire, const struct core_link *link,
		       struct err *err)
{
	int rc = settle_link(wire, link->ifname, err);

	return rc ? rc : settle_link(peer_wire, link->peer, err);
}

int core_link_add(struct core *core, const struct core_link *link, struct err *err)
{
	struct wire wire = {.ctl_fd = -1}, peer_wire = {.ctl_fd = -1};
	struct home home = {-1, -1};
	struct err ignored = {0};
	int rc = wire_open(&wire, err);

	if (!rc)
		rc = home_open(&home, err);
	if (!rc)
		rc = make_pair(&wire, link, err);
	if (!rc && link->peer_netns_fd >= 0 && setns(link->peer_netns_fd, CLONE_NEWNET))
		rc = err_set(err, -errno, LOC_NONE, "entering the relay's namespace: %s", strerror(errno));
	if (!rc)
		rc = bring_up_peer(link, &peer_wire, err);
	if (home.net_fd >= 0)
		home_return_net(&home);
	if (!rc)
		rc = settle_pair(&wire, &peer_wire, link, err);
	if (rc && rc != -EEXIST)
		(void)core_link_delete(core, link->ifname, &ignored);
	home_close(&home);
	wire_close(&peer_wire);
	wire_close(&wire);
	return rc;
}

int core_link_delete(struct core *core UNUSED, const char *ifname, struct err *err)
{
	struct wire wire;
	int rc = wire_open(&wire, err);

	if (rc)
		return rc;
	rc = link_delete(&wire, ifname, err);
	wire_close(&wire);
	return rc;
}

static int rule_failed(int rc, const char *what, const struct core_mark_route *route, struct err *err)
{
	return err_set(err, rc == -NLE_EXIST ? -EEXIST : -EIO, LOC_NONE, "%s the rule for mark %#x: %s", what,
		       route->mark, nl_geterror(rc));
}

static int change_rule(const struct wire *wire, const struct core_mark_route *route, int family, bool is_new,
		       struct err *err)
{
	struct rtnl_rule *rule = rtnl_rule_alloc();
	int rc;

	if (!rule)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	rtnl_rule_set_family(rule, family);
	rtnl_rule_set_prio(rule, route->table);
	rtnl_rule_set_mark(rule, route->mark);
	rtnl_rule_set_table(rule, route->table);
	rtnl_rule_set_action(rule, FR_ACT_TO_TBL);
	if (is_new)
		rc = rtnl_rule_add(wire->sock, rule, NLM_F_CREATE | NLM_F_EXCL);
	else
		rc = rtnl_rule_delete(wire->sock, rule, 0);
	rtnl_rule_put(rule);
	if (!is_new && (rc == -NLE_OBJ_NOTFOUND || rc == -NLE_NOATTR))
		rc = 0;
	return rc ? rule_failed(rc, is_new ? "adding" : "deleting", route, err) : 0;
}

static int add_one_family(const struct wire *wire, const struct core_mark_route *route, int ifindex,
			  const char *gateway_text, struct err *err)
{
	struct address gateway;
	int rc;

	address_parse(gateway_text, &gateway);
	rc = link_add_neighbour(wire, ifindex, &gateway, mac_of(route->mac), err);
	if (!rc)
		rc = link_add_default(wire, ifindex, route->table, &gateway, err);
	return rc ? rc : change_rule(wire, route, gateway.family, true, err);
}

int core_mark_route_add(struct core *core UNUSED, const struct core_mark_route *route, struct err *err)
{
	struct wire wire;
	int ifindex, rc = wire_open(&wire, err);

	if (rc)
		return rc;
	rc = link_index(&wire, route->ifname, &ifindex, err);
	if (!rc)
		rc = add_one_family(&wire, route, ifindex, CORE_MARK_GATEWAY4, err);
	if (!rc && has_ipv6())
		rc = add_one_family(&wire, route, ifindex, CORE_MARK_GATEWAY6, err);
	wire_close(&wire);
	return rc;
}

int core_mark_route_delete(struct core *core UNUSED, const struct core_mark_route *route, struct err *err)
{
	struct wire wire;
	struct err later = {0};
	int rc = wire_open(&wire, err), second = 0;

	if (rc)
		return rc;
	rc = change_rule(&wire, route, AF_INET, false, err);
	if (has_ipv6())
		second = change_rule(&wire, route, AF_INET6, false, rc ? &later : err);
	wire_close(&wire);
	return rc ? rc : second;
}
