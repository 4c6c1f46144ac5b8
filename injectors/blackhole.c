/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blackhole: the target's packets vanish on the path. The other side sees silence.
 */
#include "injectors/chain.h"

struct blackhole {
	struct injector injector;
	struct traffic traffic;
};

static const struct param params[] = {TRAFFIC_PARAMS(struct blackhole, traffic, TRAFFIC_EITHER), PARAM_END};

#define TRAFFIC(injector) (&((const struct blackhole *)(injector))->traffic)

static void validate(const struct injector *injector, struct errs *errs)
{
	traffic_validate(TRAFFIC(injector), injector, errs);
}

static void rules(const struct injector *injector, struct buf *out)
{
	traffic_rules(TRAFFIC(injector), injector, &(struct traffic_rule){.verdict = "drop"}, out);
}

static const struct chain chain = {.rules = rules, .verb = "dropped"};

static void sentence(const struct injector *injector, struct buf *out)
{
	buf_puts(out, "drops ");
	traffic_describe(TRAFFIC(injector), injector, out);
}

const struct injector_ops blackhole_ops = {
	.kind = "blackhole",
	.summary = "packets vanish: the other side sees silence",
	.params = params,
	.size = sizeof(struct blackhole),
	.chain = &chain,
	.validate = validate,
	CHAIN_OPS,
	.sentence = sentence,
};
