/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/traffic.h"

#include <inttypes.h>

const char *const traffic_protocols[] = {"all", "udp", "tcp", "both", NULL};
const char *const traffic_directions[] = {"both", "to", "from", NULL};
const char *const traffic_families[] = {"any", "ipv4", "ipv6", NULL};

static bool has_family(const struct traffic *traffic, int family)
{
	return traffic->family == TRAFFIC_ANY_FAMILY || (traffic->family == TRAFFIC_IPV4) == (family == AF_INET);
}

/* Whether packets of that family between target and from are chosen at all. */
static bool is_hit(const struct traffic *traffic, const struct injector *injector, int family)
{
	return has_family(traffic, family) && addresses_first(&injector->target_addresses, family) &&
	       (!injector->from_addresses.count || addresses_first(&injector->from_addresses, family));
}

void traffic_validate(const struct traffic *traffic, const struct injector *injector, struct errs *errs)
{
	if (injector->target_addresses.count && !is_hit(traffic, injector, AF_INET) &&
	    !is_hit(traffic, injector, AF_INET6))
		errs_add(errs, injector->loc,
			 "'%s' can hit nothing: target%s no addresses of the family in common; "
			 "look at family:, target: and from:",
			 injector->name.value, injector->from_addresses.count ? " and from have" : " has");
	if (traffic->port != PARAM_UNSET && traffic->protocol == TRAFFIC_ALL)
		errs_add(errs, injector->loc, "port %" PRId64 " goes with protocol udp, tcp or both, not with all",
			 traffic->port);
}

static void add_set(struct buf *out, const char *field, const struct addresses *list, int family)
{
	const char *separator = "";

	buf_printf(out, "%s %s { ", family == AF_INET ? "ip" : "ip6", field);
	for (size_t i = 0; i < list->count; i++) {
		if (list->v[i].family != family)
			continue;
		buf_printf(out, "%s%s", separator, list->v[i].text);
		separator = ", ";
	}
	buf_puts(out, " } ");
}

static void add_protocol(const struct traffic *traffic, const char *port_field, struct buf *out)
{
	static const char *const matches[] = {
		[TRAFFIC_ALL] = "",
		[TRAFFIC_UDP] = "meta l4proto udp ",
		[TRAFFIC_TCP] = "meta l4proto tcp ",
		[TRAFFIC_BOTH] = "meta l4proto { tcp, udp } ",
	};

	buf_puts(out, matches[traffic->protocol]);
	if (traffic->port != PARAM_UNSET)
		buf_printf(out, "th %s %" PRId64 " ", port_field, traffic->port);
}

bool traffic_has(const struct traffic *traffic, const struct injector *injector, int family, enum traffic_direction way)
{
	return is_hit(traffic, injector, family) &&
	       (traffic->direction == TRAFFIC_EITHER || traffic->direction == (int64_t)way);
}

static void add_rule(const struct traffic *traffic, const struct injector *injector, int family, bool is_to,
		     const struct traffic_rule *rule, struct buf *out)
{
	const char *more = family == AF_INET ? rule->ipv4 : rule->ipv6;

	buf_printf(out, "add rule " CORE_TABLE " fault_%" PRId64 " ", injector->id);
	add_set(out, is_to ? "daddr" : "saddr", &injector->target_addresses, family);
	if (injector->from_addresses.count)
		add_set(out, is_to ? "saddr" : "daddr", &injector->from_addresses, family);
	add_protocol(traffic, is_to ? "dport" : "sport", out);
	if (more)
		buf_printf(out, "%s ", more);
	if (!rule->is_exemption)
		buf_printf(out, "counter name fault_%" PRId64 "_packets ", injector->id);
	buf_printf(out, "%s\n", rule->verdict);
}

void traffic_rules(const struct traffic *traffic, const struct injector *injector, const struct traffic_rule *rule,
		   struct buf *out)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		for (int way = TRAFFIC_TO; way <= TRAFFIC_FROM; way++) {
			if (traffic_has(traffic, injector, families[i], way))
				add_rule(traffic, injector, families[i], way == TRAFFIC_TO, rule, out);
		}
	}
}

static void add_addresses(const struct traffic *traffic, const struct addresses *list, struct buf *out)
{
	size_t left = 0;
	const char *separator = "";

	for (size_t i = 0; i < list->count; i++)
		left += has_family(traffic, list->v[i].family);
	for (size_t i = 0; i < list->count; i++) {
		if (!has_family(traffic, list->v[i].family))
			continue;
		buf_printf(out, "%s%s", separator, list->v[i].text);
		separator = --left > 1 ? ", " : " and ";
	}
}

const char *traffic_packets(const struct traffic *traffic)
{
	static const char *const what[] = {
		[TRAFFIC_ALL] = "every packet",
		[TRAFFIC_UDP] = "UDP packets",
		[TRAFFIC_TCP] = "TCP packets",
		[TRAFFIC_BOTH] = "UDP and TCP packets",
	};

	return what[traffic->protocol];
}

void traffic_describe(const struct traffic *traffic, const struct injector *injector, struct buf *out)
{
	static const char *const ways[] = {
		[TRAFFIC_EITHER] = "to and from", [TRAFFIC_TO] = "to", [TRAFFIC_FROM] = "from"};

	buf_printf(out, "%s %s ", traffic_packets(traffic), ways[traffic->direction]);
	if (traffic->port != PARAM_UNSET)
		buf_printf(out, "port %" PRId64 " of ", traffic->port);
	add_addresses(traffic, &injector->target_addresses, out);
	if (injector->from_addresses.count) {
		buf_puts(out, traffic->direction == TRAFFIC_TO     ? ", sent by "
			      : traffic->direction == TRAFFIC_FROM ? ", sent to "
								   : ", exchanged with ");
		add_addresses(traffic, &injector->from_addresses, out);
	}
}
