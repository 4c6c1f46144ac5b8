/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * corrupt: one bit of some packets is flipped: with the relay, behind the IP header, so that it is for the checksums above to notice; the kernel's
 * netem flips any bit of the frame, and a packet whose IP header it hits is dropped by the next hop.
 */
#include "injectors/shaping.h"

#include "harness/base/units.h"

struct corrupt {
	struct shaped shaped;
	int64_t share_ppm;
};

static const struct param params[] = {
	P_SHARE(struct corrupt, share_ppm, "share", 1, PPM_ONE, PARAM_UNSET, "how many packets have one bit flipped"),
	SHAPED_PARAMS(struct corrupt, shaped),
	PARAM_END,
};

#define SHARE(injector) (((const struct corrupt *)(injector))->share_ppm)

static void shape(const struct injector *injector, struct shape *ret)
{
	ret->corrupt_ppm = SHARE(injector);
}

static const struct shaping shaping = {.shape = shape, .ability = ABILITY_NETEM, .proof = RELAY_CORRUPTED};
SHAPING_FUNCTIONS(shaping);

static void validate(const struct injector *injector, struct errs *errs)
{
	if (SHARE(injector) == PARAM_UNSET)
		errs_add(errs, injector->loc, "corrupt needs a share, e.g. share: 10%%");
	shaping_validate(&shaping, injector, errs);
}

static void sentence(const struct injector *injector, struct buf *out)
{
	char share[32];

	buf_printf(out, "flips one bit of %s of ", units_format_share(SHARE(injector), share, sizeof(share)));
	shaping_describe(injector, out);
}

const struct injector_ops corrupt_ops = {
	.kind = "corrupt",
	.summary = "one bit of some packets is flipped",
	.params = params,
	.size = sizeof(struct corrupt),
	.validate = validate,
	.sentence = sentence,
	SHAPING_OPS,
};
