/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/dns_commands.h"

#include <inttypes.h>

#include "harness/api/transport.h"

#define FIRST_PORT 20000 /* the proxies' own */
#define PORTS 20000

/* One transport of one target: its option of the proxy, and the rule that leads there. */
struct way {
	const char *suffix, *protocol; /* of --listen and --upstream; for nft */
	int port, at;
	bool is_wanted;
};

bool dns_wants(const struct rule_match *match, enum rule_transport transport)
{
	return match->transport == RULE_TRANSPORT_ANY || match->transport == (int64_t)transport;
}

static bool is_listed(const struct addresses *list, const struct address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		if (address_is_equal(&list->v[i], address))
			return true;
	}
	return false;
}

/* Within single quotes of a shell. */
static void add_quoted(const char *text, struct buf *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_puts(out, "'\\''");
		else
			buf_putc(out, *text);
	}
}

static void add_options(const struct way *way, const struct address *target, struct buf *out)
{
	bool is_v4 = target->family == AF_INET;

	buf_printf(out, " --listen%s %s:%d --upstream%s %s%s%s:%d", way->suffix, is_v4 ? "0.0.0.0" : "'[::]'", way->at,
		   way->suffix, is_v4 ? "" : "'[", target->text, is_v4 ? "" : "]'", way->port);
}

/* Those who ask, if it is not for all: "ip saddr { 192.0.2.1, 192.0.2.2 } ". */
static void add_sources(const struct addresses *from, int family, struct buf *out)
{
	const char *before = family == AF_INET ? "ip saddr { " : "ip6 saddr { ";

	for (size_t i = 0; i < from->count; i++) {
		if (from->v[i].family != family)
			continue;
		buf_printf(out, "%s%s", before, from->v[i].text);
		before = ", ";
	}
	if (from->count)
		buf_puts(out, " } ");
}

static void add_lead(const struct injector *injector, const struct way *way, const struct address *target,
		     struct buf *out)
{
	buf_printf(out, "nft 'add rule " CORE_TABLE " fault_%" PRId64 " ", injector->id);
	add_sources(&injector->from_addresses, target->family, out);
	buf_printf(out, "%s daddr %s %s dport %d redirect to :%d'\n", target->family == AF_INET ? "ip" : "ip6",
		   target->text, way->protocol, way->port, way->at);
}

/* A proxy for one server, and the rules that lead what is for it there. */
static void add_proxy(const struct injector *injector, const struct way ways[3], const struct address *target,
		      struct buf *out)
{
	bool has_tls = ways[1].is_wanted || ways[2].is_wanted;
	int64_t id = injector->id;

	if (has_tls)
		buf_printf(out, "# Clients of this one must trust /run/dnsdrill-%" PRId64 ".%d.tls/ca.pem.\n", id,
			   ways[0].at);
	buf_puts(out, "dnsdrill proxy");
	for (size_t i = 0; i < 3; i++) {
		if (ways[i].is_wanted)
			add_options(&ways[i], target, out);
	}
	if (has_tls)
		buf_printf(out, " --tls-self-made /run/dnsdrill-%" PRId64 ".%d.tls --tls-name %s --tls-no-verify", id,
			   ways[0].at, target->text);
	buf_printf(out, " --rules /run/dnsdrill-%" PRId64 ".yaml & echo $! >>/run/dnsdrill-%" PRId64 ".pids\n", id, id);
	for (size_t i = 0; i < 3; i++) {
		if (ways[i].is_wanted)
			add_lead(injector, &ways[i], target, out);
	}
}

static void add_removal(int64_t id, struct buf *out)
{
	static const char *const verbs[] = {"add", "flush", "delete"};

	buf_puts(out, "nft 'add table " CORE_TABLE "'\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		buf_printf(out, "nft '%s chain " CORE_TABLE " fault_%" PRId64 "'\n", verbs[i], id);
	buf_printf(out,
		   "[ ! -e /run/dnsdrill-%" PRId64 ".pids ] || xargs kill </run/dnsdrill-%" PRId64
		   ".pids\nrm -rf /run/dnsdrill-%" PRId64 ".pids /run/dnsdrill-%" PRId64 ".yaml /run/dnsdrill-%" PRId64
		   ".*.tls\n",
		   id, id, id, id, id);
}

void dns_commands(const struct injector *injector, const struct rule_match *match, const char *rule,
		  struct buf *to_apply, struct buf *to_revert)
{
	int64_t id = injector->id;

	buf_puts(to_apply, "# In the lab the proxy is unseen, and one for all faults; these ask the servers in the "
			   "router's name, and of two for one server the first has all.\n");
	buf_puts(to_apply, "printf '%s\\n' '- ");
	add_quoted(rule, to_apply);
	buf_printf(to_apply, "' >/run/dnsdrill-%" PRId64 ".yaml\n", id);
	buf_printf(to_apply,
		   "nft 'add table " CORE_TABLE "'\nnft 'add chain " CORE_TABLE " fault_%" PRId64
		   " { type nat hook prerouting priority dstnat; }'\n",
		   id);
	for (size_t i = 0; i < injector->target_addresses.count; i++) {
		const struct address *target = &injector->target_addresses.v[i];
		int at = FIRST_PORT + (int)((id * 150 + (int64_t)i * 3) % PORTS);
		const struct way ways[3] = {
			{"", "meta l4proto { tcp, udp } th", DNS_PORT, at, true},
			{"-dot", "tcp", DOT_PORT, at + 1,
			 dns_wants(match, RULE_DOT) && is_listed(&injector->dot_addresses, target)},
			{"-doh", "tcp", DOH_PORT, at + 2,
			 dns_wants(match, RULE_DOH) && is_listed(&injector->doh_addresses, target)},
		};

		if (!injector->from_addresses.count || addresses_first(&injector->from_addresses, target->family))
			add_proxy(injector, ways, target, to_apply);
	}
	add_removal(id, to_revert);
}
