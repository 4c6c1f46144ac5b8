/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loss: some packets vanish: a share by chance, every Nth, or in bursts (Gilbert 1960, Elliott 1963).
 */
#include "injectors/shaping.h"

#include <inttypes.h>

#include "harness/base/units.h"

struct bursts {
	struct loc loc;
	int64_t enter_ppm, leave_ppm, loss_good_ppm, loss_bad_ppm;
};

struct loss {
	struct shaped shaped;
	int64_t share_ppm, correlation_ppm, every;
	struct bursts bursts;
};

static const struct param bursts_params[] = {
	P_SHARE(struct bursts, enter_ppm, "enter", 0, PPM_ONE, PARAM_UNSET,
		"chance, at each packet, that the path goes from good to bad"),
	P_SHARE(struct bursts, leave_ppm, "leave", 1, PPM_ONE, PARAM_UNSET,
		"chance, at each packet, that it goes back; bursts are 100 % / leave packets long on average"),
	P_SHARE(struct bursts, loss_good_ppm, "loss_good", 0, PPM_ONE, 0, "loss while the path is good"),
	P_SHARE(struct bursts, loss_bad_ppm, "loss_bad", 0, PPM_ONE, PPM_ONE, "loss while it is bad"),
	PARAM_END,
};
static const struct table bursts_table = {
	.name = "bursts",
	.doc = "loss by the Gilbert-Elliott model",
	.params = bursts_params,
	.size = sizeof(struct bursts),
	.loc_offset = offsetof(struct bursts, loc),
	.name_offset = PARAM_NO_NAME,
};

static const struct param params[] = {
	P_SHARE(struct loss, share_ppm, "share", 1, PPM_ONE, PARAM_UNSET, "how many packets are lost, by chance"),
	P_SHARE(struct loss, correlation_ppm, "correlation", 0, PPM_ONE - 1, 0,
		"chance that a packet fares as the one before did; losses then come in runs, and are as many"),
	P_INT(struct loss, every, "every", 1, INT64_C(1000000000), PARAM_UNSET, "instead: every Nth packet is lost"),
	P_TABLE(struct loss, bursts, "bursts", struct bursts, &bursts_table,
		"instead: loss in bursts, between a good state of the path and a bad one"),
	SHAPED_PARAMS(struct loss, shaped),
	PARAM_END,
};

#define LOSS(injector) ((const struct loss *)(injector))

static bool has_bursts(const struct loss *loss)
{
	return loss->bursts.enter_ppm != PARAM_UNSET || loss->bursts.leave_ppm != PARAM_UNSET;
}

static void shape(const struct injector *injector, struct shape *ret)
{
	const struct loss *loss = LOSS(injector);

	if (loss->every != PARAM_UNSET)
		ret->loss_every = loss->every;
	if (loss->share_ppm != PARAM_UNSET)
		ret->loss_ppm = loss->share_ppm;
	ret->loss_correlation_ppm = loss->correlation_ppm;
	if (has_bursts(loss))
		ret->bursts = (struct shape_bursts){loss->bursts.enter_ppm, loss->bursts.leave_ppm,
						    loss->bursts.loss_good_ppm, loss->bursts.loss_bad_ppm};
}

/* Each rule, that is each direction of each family, counts by itself. */
static void every_rules(const struct injector *injector, struct buf *out)
{
	const struct loss *loss = LOSS(injector);
	char verdict[64];

	snprintf(verdict, sizeof(verdict), "numgen inc mod %" PRId64 " == 0 drop", loss->every);
	traffic_rules(&loss->shaped.traffic, injector, &(struct traffic_rule){.verdict = verdict}, out);
}

static const struct shaping shaping = {
	.shape = shape, .ability = ABILITY_NETEM, .proof = RELAY_LOST, .as_rules = every_rules};
SHAPING_FUNCTIONS(shaping);

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct loss *loss = LOSS(injector);
	const struct bursts *bursts = &loss->bursts;

	if ((loss->share_ppm != PARAM_UNSET) + (loss->every != PARAM_UNSET) + has_bursts(loss) != 1)
		errs_add(errs, injector->loc, "loss takes one of share: 30%%, every: 10 and bursts: {…}");
	else if (loss->correlation_ppm && loss->share_ppm == PARAM_UNSET)
		errs_add(errs, injector->loc, "correlation goes with share");
	if (has_bursts(loss) && (bursts->enter_ppm == PARAM_UNSET || bursts->leave_ppm == PARAM_UNSET))
		errs_add(errs, bursts->loc, "bursts take both enter and leave");
	else if (has_bursts(loss) && !bursts->loss_good_ppm && (!bursts->enter_ppm || !bursts->loss_bad_ppm))
		errs_add(errs, bursts->loc,
			 "these bursts lose nothing: enter and loss_bad, or loss_good, must be above 0%%");
	else if (has_bursts(loss) && bursts->enter_ppm + bursts->leave_ppm > PPM_ONE)
		errs_add(errs, bursts->loc,
			 "enter and leave add up to more than 100%%: that is the opposite of bursts");
	shaping_validate(&shaping, injector, errs);
}

static void describe_bursts(const struct bursts *bursts, struct buf *out)
{
	char enter[32], leave[32], good[32], bad[32];

	buf_printf(out, "in bursts (enter %s, leave %s; loss %s and %s)",
		   units_format_share(bursts->enter_ppm, enter, sizeof(enter)),
		   units_format_share(bursts->leave_ppm, leave, sizeof(leave)),
		   units_format_share(bursts->loss_good_ppm, good, sizeof(good)),
		   units_format_share(bursts->loss_bad_ppm, bad, sizeof(bad)));
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct loss *loss = LOSS(injector);
	char text[32];

	buf_puts(out, "loses ");
	if (loss->every != PARAM_UNSET)
		buf_printf(out, "one in %" PRId64, loss->every);
	else if (loss->share_ppm != PARAM_UNSET)
		buf_puts(out, units_format_share(loss->share_ppm, text, sizeof(text)));
	else
		describe_bursts(&loss->bursts, out);
	if (loss->correlation_ppm)
		buf_printf(out, " (correlation %s)", units_format_share(loss->correlation_ppm, text, sizeof(text)));
	buf_puts(out, " of ");
	shaping_describe(injector, out);
}

const struct injector_ops loss_ops = {
	.kind = "loss",
	.summary = "some packets vanish: by chance, every Nth, or in bursts",
	.params = params,
	.size = sizeof(struct loss),
	.validate = validate,
	.sentence = sentence,
	SHAPING_OPS,
};
