/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * duplicate: some packets come twice.
 */
#include "injectors/shaping.h"

#include "harness/base/units.h"

struct duplicate {
	struct shaped shaped;
	int64_t share_ppm;
};

static const struct param params[] = {
	P_SHARE(struct duplicate, share_ppm, "share", 1, PPM_ONE, PARAM_UNSET, "how many packets come twice"),
	SHAPED_PARAMS(struct duplicate, shaped),
	PARAM_END,
};

#define SHARE(injector) (((const struct duplicate *)(injector))->share_ppm)

static void shape(const struct injector *injector, struct shape *ret)
{
	ret->duplicate_ppm = SHARE(injector);
}

static const struct shaping shaping = {.shape = shape, .ability = ABILITY_NETEM, .proof = RELAY_DUPLICATED};
SHAPING_FUNCTIONS(shaping);

static void validate(const struct injector *injector, struct errs *errs)
{
	if (SHARE(injector) == PARAM_UNSET)
		errs_add(errs, injector->loc, "duplicate needs a share, e.g. share: 5%%");
	shaping_validate(&shaping, injector, errs);
}

static void sentence(const struct injector *injector, struct buf *out)
{
	char share[32];

	buf_printf(out, "sends twice %s of ", units_format_share(SHARE(injector), share, sizeof(share)));
	shaping_describe(injector, out);
}

const struct injector_ops duplicate_ops = {
	.kind = "duplicate",
	.summary = "some packets come twice",
	.params = params,
	.size = sizeof(struct duplicate),
	.validate = validate,
	.sentence = sentence,
	SHAPING_OPS,
};
