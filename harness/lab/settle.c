/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting by listening: the wire's event socket has been open since before the thing was asked for, so that between a look and the wait no
 * announcement can be missed. What the announcement says does not matter: it is a reason to look again.
 */
#include "harness/base/clock.h"
#include "harness/lab/links.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <poll.h>

#define SETTLE_MSEC 10000 /* a millisecond is normal; on a machine that stands still it may be seconds */

/* Whether it is so now: 1 or 0, or a negative errno. */
typedef int settle_look(const struct wire *wire, const void *what, struct err *err);

/* 1 if it came to be so, 0 if not in time, or a negative errno. */
static int settle(const struct wire *wire, settle_look *look, const void *what, struct err *err)
{
	int64_t deadline = clock_now_ns() + SETTLE_MSEC * NSEC_PER_MSEC;
	int is_so;

	while (!(is_so = look(wire, what, err)) && clock_now_ns() < deadline) {
		struct pollfd heard = {.fd = nl_socket_get_fd(wire->events), .events = POLLIN};

		(void)poll(&heard, 1, SETTLE_MSEC);
		(void)nl_recvmsgs_default(wire->events);
	}
	return is_so;
}

struct links {
	const int *ifindexes;
	size_t count;
};

static int are_links_up(const struct wire *wire, const void *what, struct err *err)
{
	const struct links *wanted = what;
	struct nl_cache *links;
	int up = 1, rc = rtnl_link_alloc_cache(wire->sock, AF_UNSPEC, &links);

	if (rc)
		return err_set(err, -EIO, LOC_NONE, "listing the links: %s", nl_geterror(rc));
	for (size_t i = 0; up && i < wanted->count; i++) {
		struct rtnl_link *link = rtnl_link_get(links, wanted->ifindexes[i]);

		up = link && rtnl_link_get_operstate(link) == IF_OPER_UP;
		rtnl_link_put(link); /* takes NULL */
	}
	nl_cache_free(links);
	return up;
}

int settle_links(const struct wire *wire, const int *ifindexes, size_t count, struct err *err)
{
	struct links wanted = {.ifindexes = ifindexes, .count = count};
	int rc = settle(wire, are_links_up, &wanted, err);

	if (rc)
		return rc < 0 ? rc : 0;
	return err_set(err, -ETIMEDOUT, LOC_NONE, "the core's links did not come up within %d s", SETTLE_MSEC / 1000);
}

static int is_delivered(const struct wire *wire, const void *what, struct err *err)
{
	struct nl_addr *dst = link_nl_addr(what);
	struct rtnl_route *route = NULL;
	int rc = dst ? rtnl_route_lookup(wire->sock, dst, &route) : -NLE_NOMEM;
	int local = !rc && rtnl_route_get_type(route) == RTN_LOCAL;

	nl_addr_put(dst); /* takes NULL */
	rtnl_route_put(route);
	return rc == -NLE_NOMEM ? err_set(err, -ENOMEM, LOC_NONE, "out of memory") : local;
}

int settle_addresses(const struct wire *wire, const struct addresses *addresses, struct err *err)
{
	for (size_t i = 0; i < addresses->count; i++) {
		const struct address *address = &addresses->v[i];
		int rc = address->family == AF_INET6 ? settle(wire, is_delivered, address, err) : 1;

		if (rc < 0)
			return rc;
		if (!rc)
			return err_set(err, -ETIMEDOUT, LOC_NONE, "the address %s was not ready within %d s",
				       address->text, SETTLE_MSEC / 1000);
	}
	return 0;
}
