/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which packets a fault of the path acts on: every such kind takes the same keys and means the same by them.
 *
 * A packet is chosen if it comes by the core on its way to the target (direction `to`), from it (`from`) or either (`both`); with `from:`, only if
 * its other end is one of those hosts; and if family, protocol and port agree. The port is always the target's. Of
 * a datagram in fragments only the first has ports: where a port is chosen, the others pass.
 */
#pragma once
#include "harness/api/injector.h"

enum traffic_protocol { TRAFFIC_ALL, TRAFFIC_UDP, TRAFFIC_TCP, TRAFFIC_BOTH };
enum traffic_direction { TRAFFIC_EITHER, TRAFFIC_TO, TRAFFIC_FROM };
enum traffic_family { TRAFFIC_ANY_FAMILY, TRAFFIC_IPV4, TRAFFIC_IPV6 };

extern const char *const traffic_protocols[], *const traffic_directions[], *const traffic_families[];

/* Embedded in a kind's struct, filled by the rows below. */
struct traffic {
	int64_t protocol, port, direction, family;
};

/* direction_default: enum traffic_direction. A field whose row a kind leaves out it sets itself before use: the port to PARAM_UNSET. */
#define TRAFFIC_PARAMS(T, f, direction_default) \
	TRAFFIC_PROTOCOL_PARAM(T, f), TRAFFIC_PARAMS_WITHOUT_PROTOCOL(T, f, direction_default)
#define TRAFFIC_PARAMS_WITHOUT_PROTOCOL(T, f, direction_default)                                     \
	P_INT(T, f.port, "port", 1, 65535, PARAM_UNSET, "the target's port; every port by default"), \
		P_ENUM(T, f.direction, "direction", traffic_directions, direction_default,           \
		       "packets on their way to the target, from it, or both"),                      \
		TRAFFIC_FAMILY_PARAM(T, f)
#define TRAFFIC_PROTOCOL_PARAM(T, f)                                      \
	P_ENUM(T, f.protocol, "protocol", traffic_protocols, TRAFFIC_ALL, \
	       "which protocol is hit; `both` is UDP and TCP, `all` every IP protocol")
#define TRAFFIC_FAMILY_PARAM(T, f) \
	P_ENUM(T, f.family, "family", traffic_families, TRAFFIC_ANY_FAMILY, "which IP version is hit")

/* Whether any packet could ever be chosen: the target has addresses of the family, `from` can reach them, a port goes with a protocol that has ports. */
void traffic_validate(const struct traffic *traffic, const struct injector *injector, struct errs *errs);

struct traffic_rule {
	const char *ipv4, *ipv6; /* what else a packet of that family must match; NULL: nothing */
	const char *verdict;
	bool is_exemption; /* does not count in fault_<id>_packets */
};

/*
 * Appends one nft rule per family and direction: `add rule inet dnsdrill fault_<id> <match> counter name fault_<id>_packets <verdict>`.
 */
void traffic_rules(const struct traffic *traffic, const struct injector *injector, const struct traffic_rule *rule,
		   struct buf *out);

/* Whether packets of that family and way (TRAFFIC_TO, TRAFFIC_FROM) are chosen, for kinds that write rules of their own. */
bool traffic_has(const struct traffic *traffic, const struct injector *injector, int family,
		 enum traffic_direction way);

/* "every packet", "UDP packets". */
const char *traffic_packets(const struct traffic *traffic);
/* "UDP packets to port 53 of 192.0.2.1 and 2001:db8:1::1, from 203.0.113.53": for sentences. */
void traffic_describe(const struct traffic *traffic, const struct injector *injector, struct buf *out);
