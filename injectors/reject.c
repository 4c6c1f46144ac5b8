/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reject: the target's packets are refused on the path. The other side learns of it at once: ICMP (RFC 792, RFC 4443) or a TCP reset (RFC 9293).
 */
#include "injectors/chain.h"

enum { WITH_PORT_UNREACHABLE, WITH_HOST_UNREACHABLE, WITH_ADMIN_PROHIBITED, WITH_TCP_RESET };
static const char *const withs[] = {"port-unreachable", "host-unreachable", "admin-prohibited", "tcp-reset", NULL};
#define RESET "reject with tcp reset"
static const char *const verdicts[] = {
	[WITH_PORT_UNREACHABLE] = "reject with icmpx type port-unreachable",
	[WITH_HOST_UNREACHABLE] = "reject with icmpx type host-unreachable",
	[WITH_ADMIN_PROHIBITED] = "reject with icmpx type admin-prohibited",
	[WITH_TCP_RESET] = RESET,
};

struct reject {
	struct injector injector;
	struct traffic traffic;
	int64_t with;
};

/* Refusing goes to who sends to the target: the other direction is for those who ask for it. */
static const struct param params[] = {
	TRAFFIC_PARAMS(struct reject, traffic, TRAFFIC_TO),
	P_ENUM(struct reject, with, "with", withs, WITH_PORT_UNREACHABLE,
	       "what the sender is told: port-unreachable is what a closed port says, ICMP to UDP and a reset to TCP; "
	       "the other two are ICMP to both, which Linux takes from a path as short as a lab's only when TCP sends "
	       "its SYN "
	       "again after a second, and host-unreachable is one that UDP programs commonly never see"),
	PARAM_END,
};

#define REJECT(injector) ((const struct reject *)(injector))

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct reject *reject = REJECT(injector);

	traffic_validate(&reject->traffic, injector, errs);
	if (reject->with == WITH_TCP_RESET && reject->traffic.protocol != TRAFFIC_TCP)
		errs_add(errs, injector->loc, "with: tcp-reset can refuse TCP only; add protocol: tcp");
}

static int available(const struct injector *injector, const struct abilities *abilities, struct err *err)
{
	return ability_demand(abilities, ABILITY_NFT_REJECT, injector->loc, "the fault reject",
			      "blackhole, which is silent", err);
}

#define TCP_ONLY "meta l4proto tcp"

/* A closed port resets TCP (RFC 9293 section 3.10.7.1) and sends ICMP to everybody else (RFC 1122 section 4.1.3.1). */
static void rules(const struct injector *injector, struct buf *out)
{
	const struct reject *reject = REJECT(injector);
	const struct traffic_rule reset = {.ipv4 = TCP_ONLY, .ipv6 = TCP_ONLY, .verdict = RESET};
	const struct traffic_rule rest = {.verdict = verdicts[reject->with]};

	if (reject->with == WITH_PORT_UNREACHABLE && reject->traffic.protocol != TRAFFIC_UDP)
		traffic_rules(&reject->traffic, injector, &reset, out);
	traffic_rules(&reject->traffic, injector, &rest, out);
}

static const struct chain chain = {.rules = rules, .verb = "refused"};

static void sentence(const struct injector *injector, struct buf *out)
{
	buf_printf(out, "refuses, with %s, ", withs[REJECT(injector)->with]);
	traffic_describe(&REJECT(injector)->traffic, injector, out);
}

const struct injector_ops reject_ops = {
	.kind = "reject",
	.summary = "packets are refused: the other side learns of it at once",
	.params = params,
	.size = sizeof(struct reject),
	.chain = &chain,
	.validate = validate,
	.available = available,
	CHAIN_OPS,
	.sentence = sentence,
};
