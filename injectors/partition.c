/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * partition: groups of hosts that cannot reach each other. Within a group, and with hosts in none, all goes on.
 */
#include "injectors/chain.h"

struct partition {
	struct injector injector;
	struct traffic traffic;
};

static const struct param params[] = {
	TRAFFIC_PROTOCOL_PARAM(struct partition, traffic),
	TRAFFIC_FAMILY_PARAM(struct partition, traffic),
	PARAM_END,
};

/* Every packet that comes by is on its way to some group: both directions are covered by both orders of a pair. */
static struct traffic traffic_of(const struct injector *injector)
{
	struct traffic traffic = ((const struct partition *)injector)->traffic;

	traffic.port = PARAM_UNSET;
	traffic.direction = TRAFFIC_TO;
	return traffic;
}

/* As a fault on what group i sends to group j. */
static struct injector one_way(const struct injector *injector, size_t i, size_t j)
{
	struct injector way = *injector;

	way.from_addresses = injector->group_addresses[i];
	way.target_addresses = injector->group_addresses[j];
	return way;
}

static bool can_meet(const struct injector *injector, size_t i, size_t j)
{
	struct traffic traffic = traffic_of(injector);
	struct injector way = one_way(injector, i, j);

	return way.from_addresses.count &&
	       (traffic_has(&traffic, &way, AF_INET, TRAFFIC_TO) || traffic_has(&traffic, &way, AF_INET6, TRAFFIC_TO));
}

static void validate(const struct injector *injector, struct errs *errs)
{
	for (size_t i = 0; i < injector->groups.count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (can_meet(injector, i, j))
				return;
		}
	}
	errs_add(errs, injector->loc,
		 "'%s' can cut nothing: no two groups have addresses of the family in common; look at family: and "
		 "groups:",
		 injector->name.value);
}

static void rules(const struct injector *injector, struct buf *out)
{
	struct traffic traffic = traffic_of(injector);

	for (size_t i = 0; i < injector->groups.count; i++) {
		for (size_t j = 0; j < injector->groups.count; j++) {
			struct injector way = one_way(injector, i, j);

			if (i != j && can_meet(injector, i, j))
				traffic_rules(&traffic, &way, &(struct traffic_rule){.verdict = "drop"}, out);
		}
	}
}

static const struct chain chain = {.rules = rules, .verb = "dropped"};

static void sentence(const struct injector *injector, struct buf *out)
{
	struct traffic traffic = traffic_of(injector);

	static const char *const families[] = {
		[TRAFFIC_ANY_FAMILY] = "", [TRAFFIC_IPV4] = " over IPv4", [TRAFFIC_IPV6] = " over IPv6"};

	buf_printf(out, "drops %s%s between the groups ", traffic_packets(&traffic), families[traffic.family]);
	for (size_t i = 0; i < injector->groups.count; i++) {
		const struct texts *group = &injector->groups.v[i];

		buf_puts(out, i ? " | " : "");
		for (size_t j = 0; j < group->count; j++)
			buf_printf(out, "%s%s", j ? ", " : "", group->v[j].value);
	}
}

const struct injector_ops partition_ops = {
	.kind = "partition",
	.summary = "groups of hosts cannot reach each other",
	.hits = INJECTOR_HITS_GROUPS,
	.params = params,
	.size = sizeof(struct partition),
	.chain = &chain,
	.validate = validate,
	CHAIN_OPS,
	.sentence = sentence,
};
