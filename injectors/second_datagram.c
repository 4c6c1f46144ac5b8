/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * second-datagram: of two datagrams of one source port to one destination, close together, the second is lost. So it goes where two packets of a new flow race through
 * connection tracking: the A and AAAA questions of one lookup, and five seconds until the resolver asks again.
 *
 * Each flow has a token bucket of one, filled again after `within`: the kernel counts that in nanoseconds, where timeouts of set elements count in ticks.
 */
#include "injectors/chain.h"

#include <inttypes.h>

#include "harness/base/units.h"

#define WITHIN_DEFAULT (5 * MSEC)
#define DAY (24 * 60 * 60 * SEC)

struct second_datagram {
	struct injector injector;
	struct traffic traffic;
	int64_t within_ns;
};

static const struct param params[] = {
	P_DURATION(struct second_datagram, within_ns, "within", MSEC / 10, 10 * SEC, WITHIN_DEFAULT,
		   "what follows a datagram that passed this closely is lost"),
	TRAFFIC_PARAMS_WITHOUT_PROTOCOL(struct second_datagram, traffic, TRAFFIC_TO),
	PARAM_END,
};

#define SECOND(injector) ((const struct second_datagram *)(injector))

static struct traffic traffic_of(const struct injector *injector)
{
	struct traffic traffic = SECOND(injector)->traffic;

	traffic.protocol = TRAFFIC_UDP;
	return traffic;
}

static void validate(const struct injector *injector, struct errs *errs)
{
	struct traffic traffic = traffic_of(injector);

	traffic_validate(&traffic, injector, errs);
}

static int available(const struct injector *injector, const struct abilities *abilities, struct err *err)
{
	return ability_demand(abilities, ABILITY_NFT_LIMIT, injector->loc, "the fault second-datagram", NULL, err);
}

/* Flows are forgotten when they have been quiet long enough for a full bucket. */
static void objects(const struct injector *injector, struct buf *out)
{
	static const char *const types[] = {"4 { type ipv4_addr . ipv4_addr", "6 { type ipv6_addr . ipv6_addr"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		buf_printf(out,
			   "add set " CORE_TABLE " fault_%" PRId64 "_flows%s . inet_service . inet_service; "
			   "flags dynamic,timeout; timeout %" PRId64 "s; size 1048576; }\n",
			   injector->id, types[i], SECOND(injector)->within_ns / SEC + 1);
}

static void rules(const struct injector *injector, struct buf *out)
{
	struct traffic traffic = traffic_of(injector);
	char ipv4[256], ipv6[256];
	int64_t per_day = DAY / SECOND(injector)->within_ns;

	snprintf(ipv4, sizeof(ipv4),
		 "update @fault_%" PRId64 "_flows4 { ip saddr . ip daddr . udp sport . udp dport "
		 "limit rate over %" PRId64 "/day burst 1 packets }",
		 injector->id, per_day);
	snprintf(ipv6, sizeof(ipv6),
		 "update @fault_%" PRId64 "_flows6 { ip6 saddr . ip6 daddr . udp sport . udp dport "
		 "limit rate over %" PRId64 "/day burst 1 packets }",
		 injector->id, per_day);
	traffic_rules(&traffic, injector, &(struct traffic_rule){.ipv4 = ipv4, .ipv6 = ipv6, .verdict = "drop"}, out);
}

static const struct chain chain = {.rules = rules,
				   .objects = objects,
				   .verb = "dropped",
				   .idle = "no two datagrams of one port came that close together"};

static void sentence(const struct injector *injector, struct buf *out)
{
	struct traffic traffic = traffic_of(injector);
	char within[32];

	buf_printf(out, "drops what follows within %s of another from the same port, of ",
		   units_format_duration(SECOND(injector)->within_ns, within, sizeof(within)));
	traffic_describe(&traffic, injector, out);
}

const struct injector_ops second_datagram_ops = {
	.kind = "second-datagram",
	.summary = "of two datagrams of one source port close together the second is lost",
	.params = params,
	.size = sizeof(struct second_datagram),
	.chain = &chain,
	.validate = validate,
	.available = available,
	CHAIN_OPS,
	.sentence = sentence,
};
