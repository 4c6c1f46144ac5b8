/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * latency: packets come later. With jitter they may overtake each other, as on the Internet (and in netem).
 */
#include "injectors/shaping.h"

#include "harness/base/units.h"

#define DELAY_MAX (600 * SEC)

struct latency {
	struct shaped shaped;
	int64_t delay_ns, jitter_ns, distribution, correlation_ppm;
};

static const struct param params[] = {
	P_DURATION(struct latency, delay_ns, "delay", 1, DELAY_MAX, PARAM_UNSET, "delay added to each packet"),
	P_DURATION(struct latency, jitter_ns, "jitter", 0, DELAY_MAX, 0,
		   "how much the delay varies: half the width of a uniform distribution, the standard deviation of a "
		   "normal one; not above delay"),
	P_ENUM(struct latency, distribution, "distribution", shaping_distributions, SHAPE_UNIFORM,
	       "how the jitter spreads; all but uniform are cut at four times it, and no delay is below 0"),
	P_SHARE(struct latency, correlation_ppm, "correlation", 0, PPM_ONE - 1, 0,
		"how much of each delay's jitter is that of the one before"),
	SHAPED_PARAMS(struct latency, shaped),
	PARAM_END,
};

#define LATENCY(injector) ((const struct latency *)(injector))

static void shape(const struct injector *injector, struct shape *ret)
{
	const struct latency *latency = LATENCY(injector);

	ret->delay_ns = latency->delay_ns;
	ret->jitter_ns = latency->jitter_ns;
	ret->distribution = latency->distribution;
	ret->correlation_ppm = latency->correlation_ppm;
}

static const struct shaping shaping = {.shape = shape, .ability = ABILITY_NETEM, .proof = RELAY_DELAYED};
SHAPING_FUNCTIONS(shaping);

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct latency *latency = LATENCY(injector);

	if (latency->delay_ns == PARAM_UNSET) {
		errs_add(errs, injector->loc, "latency needs a delay, e.g. delay: 100ms");
		return;
	}
	if (latency->jitter_ns > latency->delay_ns)
		errs_add(errs, injector->loc, "jitter is larger than delay: no packet can be sent before it came");
	if (!latency->jitter_ns && (latency->correlation_ppm || latency->distribution != SHAPE_UNIFORM))
		errs_add(errs, injector->loc, "distribution and correlation are of the jitter: add e.g. jitter: 20ms");
	shaping_validate(&shaping, injector, errs);
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct latency *latency = LATENCY(injector);
	char text[32];

	buf_printf(out, "delays by %s", units_format_duration(latency->delay_ns, text, sizeof(text)));
	if (latency->jitter_ns)
		buf_printf(out, " ± %s (%s)", units_format_duration(latency->jitter_ns, text, sizeof(text)),
			   shaping_distributions[latency->distribution]);
	buf_puts(out, " ");
	shaping_describe(injector, out);
}

const struct injector_ops latency_ops = {
	.kind = "latency",
	.summary = "packets come later, all alike or with jitter",
	.params = params,
	.size = sizeof(struct latency),
	.validate = validate,
	.sentence = sentence,
	SHAPING_OPS,
};
