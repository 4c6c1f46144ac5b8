/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/detour.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "injectors/chain.h"

#define MARK_BASE 0x10000
#define TABLE_BASE 10000
#define MTU_DEFAULT 1500

/* Locally administered, as those of the lab's hosts, whose third octet is 0 or 1. */
static void set_mac(unsigned char mac[6], const struct injector *injector, char link)
{
	const unsigned char octets[] = {
		0x02, 0xdd, 2, (unsigned char)link, (unsigned char)(injector->id >> 8), (unsigned char)injector->id};

	memcpy(mac, octets, sizeof(octets));
}

void detour_names(const struct injector *injector, struct detour_names *ret)
{
	int id = (int)injector->id;

	snprintf(ret->out, sizeof(ret->out), "d%d", id);
	snprintf(ret->back, sizeof(ret->back), "b%d", id);
	snprintf(ret->relay_in, sizeof(ret->relay_in), "x%d", id);
	snprintf(ret->relay_out, sizeof(ret->relay_out), "y%d", id);
	set_mac(ret->back_mac, injector, 'b');
}

/* Frames that only pass the relay are for the link they come back by. */
static struct core_mark_route route_of(const struct injector *injector, const struct detour_names *names,
				       enum detour_way way)
{
	struct core_mark_route route = {
		.mark = MARK_BASE + (uint32_t)injector->id,
		.table = TABLE_BASE + (uint32_t)injector->id,
		.ifname = names->out,
	};

	set_mac(route.mac, injector, way == DETOUR_HOST ? 'x' : 'b');
	return route;
}

/* Named apart from what chain_effect counts. */
static void add_return(const struct injector *injector, const struct detour_names *names, struct buf *out)
{
	buf_printf(out,
		   "add chain " CORE_TABLE " return_%" PRId64
		   " { type filter hook prerouting priority -700; policy accept; }\n",
		   injector->id);
	buf_printf(out, "add rule " CORE_TABLE " return_%" PRId64 " iifname \"%s\" meta mark set %" PRId64 "\n",
		   injector->id, names->back, injector->id);
}

static void remove_return(const struct injector *injector, struct buf *out)
{
	buf_printf(out, "add chain " CORE_TABLE " return_%" PRId64 "\n", injector->id);
	buf_printf(out, "flush chain " CORE_TABLE " return_%" PRId64 "\n", injector->id);
	buf_printf(out, "delete chain " CORE_TABLE " return_%" PRId64 "\n", injector->id);
}

static int run_text(struct injector_ctx *ctx, struct buf *text, struct err *err)
{
	int r = text->failed ? err_set(err, -ENOMEM, LOC_NONE, "out of memory") : core_nft(ctx->core, text->data, err);

	buf_fini(text);
	return r;
}

static int add_pair(const struct injector *injector, struct injector_ctx *ctx, const char *ifname, const char *peer,
		    int netns_fd, unsigned mtu, struct err *err)
{
	struct core_link link = {
		.ifname = ifname, .peer = peer, .peer_netns_fd = netns_fd, .mtu = mtu ? mtu : MTU_DEFAULT};

	set_mac(link.mac, injector, ifname[0]);
	set_mac(link.peer_mac, injector, peer[0]);
	return core_link_add(ctx->core, &link, err);
}

int detour_open(const struct injector *injector, struct injector_ctx *ctx, enum detour_way way, int relay_netns_fd,
		unsigned mtu, struct err *err)
{
	struct detour_names names;
	struct core_mark_route route;
	struct buf text = {0};
	int r;

	detour_names(injector, &names);
	route = route_of(injector, &names, way);
	if (way == DETOUR_QDISC)
		r = add_pair(injector, ctx, names.out, names.back, -1, mtu, err);
	else
		r = add_pair(injector, ctx, names.out, names.relay_in, relay_netns_fd, mtu, err);
	if (!r && way != DETOUR_QDISC)
		r = add_pair(injector, ctx, names.back, names.relay_out, relay_netns_fd, mtu, err);
	if (!r)
		r = core_mark_route_add(ctx->core, &route, err);
	add_return(injector, &names, &text);
	return r ? (buf_fini(&text), r) : run_text(ctx, &text, err);
}

/* All of it, whatever fails: the first failure is told. */
int detour_close(const struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct detour_names names;
	struct core_mark_route route;
	struct err later = {0};
	struct buf text = {0};
	int r, rc;

	detour_names(injector, &names);
	route = route_of(injector, &names, DETOUR_QDISC);
	r = core_mark_route_delete(ctx->core, &route, err);
	rc = core_link_delete(ctx->core, names.out, r ? &later : err);
	r = r ? r : rc;
	rc = core_link_delete(ctx->core, names.back, r ? &later : err);
	r = r ? r : rc;
	remove_return(injector, &text);
	rc = run_text(ctx, &text, r ? &later : err);
	return r ? r : rc;
}

const char *detour_verdict(const struct injector *injector, char buf[DETOUR_VERDICT_SIZE])
{
	snprintf(buf, DETOUR_VERDICT_SIZE, "meta mark set 0x%" PRIx64 " accept", MARK_BASE + injector->id);
	return buf;
}

void detour_rules(const struct traffic *traffic, const struct injector *injector, struct buf *out)
{
	char verdict[DETOUR_VERDICT_SIZE];

	detour_verdict(injector, verdict);
	traffic_rules(traffic, injector, &(struct traffic_rule){.verdict = verdict}, out);
}

int detour_available(const struct injector *injector, const struct abilities *abilities, struct err *err)
{
	char who[80];

	snprintf(who, sizeof(who), "the fault %s", injector->ops->kind);
	return ability_demand(abilities, ABILITY_POLICY_ROUTING, injector->loc, who, NULL, err);
}

static void add_links_text(const struct injector *injector, const struct detour_names *names, unsigned mtu,
			   struct buf *out)
{
	const char *ends[] = {names->out, names->back};
	unsigned char mac[6];

	buf_printf(out, "ip link add %s mtu %u type veth peer name %s mtu %u\n", names->out, mtu ? mtu : MTU_DEFAULT,
		   names->back, mtu ? mtu : MTU_DEFAULT);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		set_mac(mac, injector, ends[i][0]);
		buf_printf(out, "ip link set %s address %02x:%02x:%02x:%02x:%02x:%02x arp off multicast off\n", ends[i],
			   mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		buf_printf(out, "sysctl -qw net.ipv4.conf.%s.rp_filter=0\n", ends[i]);
	}
	buf_printf(out, "ip link set %s up\nip link set %s up\n", names->back, names->out);
}

static void add_routes_text(const struct core_mark_route *route, struct buf *out)
{
	static const char *const gateways[] = {CORE_MARK_GATEWAY4, CORE_MARK_GATEWAY6};
	static const char *const families[] = {"-4", "-6"};

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		buf_printf(out, "ip neigh replace %s lladdr %02x:%02x:%02x:%02x:%02x:%02x dev %s nud permanent\n",
			   gateways[i], route->mac[0], route->mac[1], route->mac[2], route->mac[3], route->mac[4],
			   route->mac[5], route->ifname);
		buf_printf(out, "ip %s route add default via %s dev %s onlink table %" PRIu32 "\n", families[i],
			   gateways[i], route->ifname, route->table);
		buf_printf(out, "ip %s rule add priority %" PRIu32 " fwmark 0x%" PRIx32 " lookup %" PRIu32 "\n",
			   families[i], route->table, route->mark, route->table);
	}
}

static void remove_routes_text(const struct core_mark_route *route, struct buf *out)
{
	buf_printf(out, "ip -4 rule del priority %" PRIu32 "\nip -6 rule del priority %" PRIu32 "\n", route->table,
		   route->table);
	buf_printf(out, "ip link del %s\n", route->ifname);
}

void detour_commands(const struct injector *injector, unsigned mtu, struct buf *apply, struct buf *revert)
{
	struct detour_names names;
	struct core_mark_route route;
	struct buf text = {0};

	detour_names(injector, &names);
	route = route_of(injector, &names, DETOUR_QDISC);
	add_links_text(injector, &names, mtu, apply);
	add_routes_text(&route, apply);
	add_return(injector, &names, &text);
	chain_as_shell(text.data, apply);
	buf_clear(&text);
	remove_routes_text(&route, revert);
	remove_return(injector, &text);
	chain_as_shell(text.data, revert);
	buf_fini(&text);
}
