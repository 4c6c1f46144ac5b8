/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rate: no more than that comes through. In bits, what is too fast waits in a queue, and is lost when that is full, as before a narrow link; in packets, it is lost
 * at once, as where somebody polices. All that is chosen shares one budget: both directions and both families.
 */
#include "injectors/shaping.h"

#include <inttypes.h>

#include "harness/base/units.h"

#define BITS_MIN 8000 /* a full frame takes 1.5 s */
#define BITS_MAX 100000000000
#define FRAME_MAX 1514 /* with its Ethernet header, as token buckets count */
#define BURST_NS (10 * MSEC) /* worth of tokens, by default */
#define QUEUE_NS (100 * MSEC)
#define BURST_PACKETS_DEFAULT 5 /* nft's own */

struct rate {
	struct shaped shaped;
	int64_t bits, packets, burst_bytes, queue_bytes, burst_packets;
};

static const struct param params[] = {
	P_RATE(struct rate, bits, "bits", BITS_MIN, BITS_MAX, PARAM_UNSET,
	       "how many bits a second come through, headers counted; what is faster waits in a queue"),
	P_SIZE(struct rate, burst_bytes, "burst", FRAME_MAX, 1 << 30, PARAM_UNSET,
	       "with bits: what may pass at once after a pause; by default 10 ms worth, at least two full frames"),
	P_SIZE(struct rate, queue_bytes, "queue", FRAME_MAX, 1 << 30, PARAM_UNSET,
	       "with bits: how much may wait; by default 100 ms worth, at least ten full frames"),
	P_RATE(struct rate, packets, "packets", 1, 100000000, PARAM_UNSET,
	       "instead, how many packets a second come through; what is faster is lost"),
	P_INT(struct rate, burst_packets, "burst_packets", 1, 1000000, PARAM_UNSET,
	      "with packets: how many may pass at once after a pause; by default 5"),
	SHAPED_PARAMS(struct rate, shaped),
	PARAM_END,
};

#define RATE(injector) ((const struct rate *)(injector))
#define TRAFFIC(injector) (&RATE(injector)->shaped.traffic)

static bool is_in_packets(const struct injector *injector)
{
	return RATE(injector)->packets != PARAM_UNSET;
}

static int64_t default_bytes(int64_t bits, int64_t ns, int64_t frames)
{
	int64_t bytes = (int64_t)((double)bits / 8 * (double)ns / (double)SEC);

	return bytes > frames * FRAME_MAX ? bytes : frames * FRAME_MAX;
}

static void shape(const struct injector *injector, struct shape *ret)
{
	const struct rate *rate = RATE(injector);

	ret->rate_bits = rate->bits;
	ret->burst_bytes =
		rate->burst_bytes != PARAM_UNSET ? rate->burst_bytes : default_bytes(rate->bits, BURST_NS, 2);
	ret->limit_bytes =
		rate->queue_bytes != PARAM_UNSET ? rate->queue_bytes : default_bytes(rate->bits, QUEUE_NS, 10);
}

static const struct shaping shaping = {.shape = shape, .ability = ABILITY_TBF, .proof = RELAY_OVERFLOWED};

static void validate_packets(const struct injector *injector, struct errs *errs)
{
	const struct rate *rate = RATE(injector);

	traffic_validate(TRAFFIC(injector), injector, errs);
	if (rate->burst_bytes != PARAM_UNSET || rate->queue_bytes != PARAM_UNSET)
		errs_add(errs, injector->loc,
			 "burst and queue go with bits; with packets nothing waits, and the burst is burst_packets: N");
	if (rate->shaped.backend != SHAPING_AUTO)
		errs_add(errs, injector->loc, "backend goes with bits: packets are counted by nftables");
	if (injector->ramp_ns != PARAM_UNSET && injector->ramp_ns)
		errs_add(errs, injector->loc,
			 "a rate in packets cannot ramp: each step would begin with a full burst; say it in bits");
}

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct rate *rate = RATE(injector);

	if ((rate->bits == PARAM_UNSET) == (rate->packets == PARAM_UNSET)) {
		errs_add(errs, injector->loc, "rate needs either bits, e.g. bits: 1Mbit/s, or packets: 100/s");
		return;
	}
	if (is_in_packets(injector)) {
		validate_packets(injector, errs);
		return;
	}
	if (rate->burst_packets != PARAM_UNSET)
		errs_add(errs, injector->loc, "burst_packets goes with packets; with bits it is burst: 16KiB");
	shaping_validate(&shaping, injector, errs);
}

static int available(const struct injector *injector, const struct abilities *abilities, struct err *err)
{
	if (!is_in_packets(injector))
		return shaping_available(&shaping, injector, abilities, err);
	return ability_demand(abilities, ABILITY_NFT_LIMIT, injector->loc, "rate in packets", "say it in bits", err);
}

/* One bucket for all rules of the fault. */
static void objects(const struct injector *injector, struct buf *out)
{
	const struct rate *rate = RATE(injector);
	int64_t burst = rate->burst_packets != PARAM_UNSET ? rate->burst_packets : BURST_PACKETS_DEFAULT;

	buf_printf(out,
		   "add limit " CORE_TABLE " fault_%" PRId64 "_limit { rate over %" PRId64 "/second burst %" PRId64
		   " packets; }\n",
		   injector->id, rate->packets, burst);
}

static void rules(const struct injector *injector, struct buf *out)
{
	char over[48];

	snprintf(over, sizeof(over), "limit name fault_%" PRId64 "_limit", injector->id);
	traffic_rules(TRAFFIC(injector), injector,
		      &(struct traffic_rule){.ipv4 = over, .ipv6 = over, .verdict = "drop"}, out);
}

static const struct chain packets_chain = {.rules = rules, .objects = objects};

static int prepare(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return is_in_packets(injector) ? 0 : shaping_prepare(&shaping, injector, ctx, err);
}

static int release(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return is_in_packets(injector) ? 0 : shaping_release(injector, ctx, err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	if (!is_in_packets(injector))
		return shaping_apply(&shaping, injector, ctx, err);
	return chain_apply(&packets_chain, injector, ctx, err);
}

static int adjust(struct injector *injector, struct injector_ctx *ctx, int64_t progress_ppm, struct err *err)
{
	return is_in_packets(injector) ? 0 : shaping_adjust(&shaping, injector, ctx, progress_ppm, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	if (!is_in_packets(injector))
		return shaping_revert(&shaping, injector, ctx, err);
	return chain_revert(&packets_chain, injector, ctx, err);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	int r;

	if (!is_in_packets(injector))
		return shaping_effect(&shaping, injector, ctx, ret, err);
	r = chain_effect(injector, "dropped", ctx, ret, err);
	if (!r && !ret->took_effect)
		snprintf(ret->text, sizeof(ret->text), "never more than %" PRId64 " packets a second came by",
			 RATE(injector)->packets);
	return r;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	if (!is_in_packets(injector)) {
		buf_printf(out, "lets through no more than %" PRId64 " bits a second of ", RATE(injector)->bits);
		shaping_describe(injector, out);
		return;
	}
	buf_printf(out, "lets through no more than %" PRId64 " packets a second of ", RATE(injector)->packets);
	traffic_describe(TRAFFIC(injector), injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	if (!is_in_packets(injector))
		shaping_commands(&shaping, injector, to_apply, to_revert);
	else
		chain_commands(&packets_chain, injector, to_apply, to_revert);
}

const struct injector_ops rate_ops = {
	.kind = "rate",
	.summary = "no more than so many bits or packets a second come through",
	.params = params,
	.size = sizeof(struct rate),
	.validate = validate,
	SHAPING_OPS,
	.sentence = sentence,
};
