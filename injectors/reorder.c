/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reorder: all packets are delayed but some, which overtake those before them.
 */
#include "injectors/shaping.h"

#include <inttypes.h>

#include "harness/base/units.h"

struct reorder {
	struct shaped shaped;
	int64_t share_ppm, gap, delay_ns;
};

static const struct param params[] = {
	P_SHARE(struct reorder, share_ppm, "share", 1, PPM_ONE - 1, PARAM_UNSET,
		"how many packets go at once, before those that wait"),
	P_INT(struct reorder, gap, "gap", 1, 1000000, 1, "only every packet so many after the last such one may"),
	P_DURATION(struct reorder, delay_ns, "delay", 1, 60 * SEC, 50 * MSEC, "how long the others are delayed"),
	SHAPED_PARAMS(struct reorder, shaped),
	PARAM_END,
};

#define REORDER(injector) ((const struct reorder *)(injector))

static void shape(const struct injector *injector, struct shape *ret)
{
	ret->reorder_ppm = REORDER(injector)->share_ppm;
	ret->reorder_gap = REORDER(injector)->gap;
	ret->delay_ns = REORDER(injector)->delay_ns;
}

static const struct shaping shaping = {.shape = shape, .ability = ABILITY_NETEM, .proof = RELAY_REORDERED};
SHAPING_FUNCTIONS(shaping);

static void validate(const struct injector *injector, struct errs *errs)
{
	if (REORDER(injector)->share_ppm == PARAM_UNSET)
		errs_add(errs, injector->loc, "reorder needs a share, e.g. share: 25%%");
	shaping_validate(&shaping, injector, errs);
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct reorder *reorder = REORDER(injector);
	char share[32], delay[32];

	buf_printf(out, "lets %s", units_format_share(reorder->share_ppm, share, sizeof(share)));
	if (reorder->gap > 1)
		buf_printf(out, " of every %" PRId64 "th", reorder->gap);
	buf_printf(out, " overtake the others, which it delays by %s, of ",
		   units_format_duration(reorder->delay_ns, delay, sizeof(delay)));
	shaping_describe(injector, out);
}

const struct injector_ops reorder_ops = {
	.kind = "reorder",
	.summary = "some packets overtake others",
	.params = params,
	.size = sizeof(struct reorder),
	.validate = validate,
	.sentence = sentence,
	SHAPING_OPS,
};
