/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/relay/shape.h"

#include <math.h>

#include "harness/base/macro.h"

#define SPREAD_MAX 4.0 /* where distributions are cut, in jitters */
#define MAC_HEADER 14
#define BITS_NS (8 * NSEC_PER_SEC) /* bytes → bits, seconds → ns */

static int64_t scale(int64_t value, int64_t progress_ppm)
{
	return (int64_t)((double)value * (double)progress_ppm / (double)PPM_ONE);
}

/* What is inversely proportional to the magnitude: 0, which means "not", at none. */
static int64_t scale_down(int64_t value, int64_t progress_ppm)
{
	double grown = progress_ppm ? (double)value * (double)PPM_ONE / (double)progress_ppm : 0;

	return grown < (double)INT64_MAX / 2 ? (int64_t)grown : 0;
}

struct shape shape_scaled(const struct shape *full, int64_t progress_ppm)
{
	struct shape shape = *full;
	int64_t *const growing[] = {
		&shape.delay_ns,         &shape.jitter_ns,     &shape.loss_ppm,
		&shape.bursts.enter_ppm, &shape.duplicate_ppm, &shape.bursts.loss_good_ppm,
		&shape.corrupt_ppm,      &shape.reorder_ppm,
	};

	if (progress_ppm >= PPM_ONE)
		return shape;
	for (size_t i = 0; i < ARRAY_LEN(growing); i++)
		*growing[i] = scale(*growing[i], progress_ppm);
	shape.loss_every = scale_down(shape.loss_every, progress_ppm);
	shape.rate_bits = scale_down(shape.rate_bits, progress_ppm);
	return shape;
}

struct shape_bursts shape_chain(const struct shape *shape)
{
	int64_t fresh_ppm = PPM_ONE - shape->loss_correlation_ppm; /* the chance of drawing anew */

	if (!shape->loss_ppm)
		return shape->bursts;
	return (struct shape_bursts){
		.enter_ppm = scale(shape->loss_ppm, fresh_ppm),
		.leave_ppm = scale(PPM_ONE - shape->loss_ppm, fresh_ppm),
		.loss_bad_ppm = PPM_ONE,
	};
}

/* Of shape 3, moved and stretched so that its mean is 0 and its deviation 1 before it is cut. */
static double pareto(double z)
{
	double above = erfc(z / M_SQRT2) / 2; /* the share of draws greater than this one */

	return (pow(above, -1.0 / 3) - 1.5) * 4 / 3;
}

static double cut(double value)
{
	return fmax(-SPREAD_MAX, fmin(SPREAD_MAX, value));
}

double shape_spread(enum shape_distribution distribution, double z)
{
	switch (distribution) {
	case SHAPE_UNIFORM:
		return erf(z / M_SQRT2);
	case SHAPE_NORMAL:
		return cut(z);
	case SHAPE_PARETO:
		return cut(pareto(z));
	case SHAPE_PARETONORMAL: /* at each quantile, a quarter normal and three quarters Pareto */
		return cut(cut(z) / 4 + cut(pareto(z)) * 3 / 4);
	}
	return 0;
}

struct shape_state shape_begin(uint64_t seed)
{
	return (struct shape_state){
		.rng = rng_stream(seed, "shape"), .bucket_ns = INT64_MIN, .departure_ns = INT64_MIN};
}

static bool draw(struct shape_state *state, int64_t share_ppm)
{
	return share_ppm > 0 && (int64_t)rng_below(&state->rng, PPM_ONE) < share_ppm;
}

/* In (0, 1). */
static double draw_unit(struct shape_state *state)
{
	return ((double)(rng_next(&state->rng) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller, 1958. */
static double draw_normal(struct shape_state *state)
{
	double radius = sqrt(-2 * log(draw_unit(state)));

	return radius * cos(2 * M_PI * draw_unit(state));
}

static double draw_score(const struct shape *shape, struct shape_state *state)
{
	double rho = (double)shape->correlation_ppm / (double)PPM_ONE, fresh = draw_normal(state);

	state->z = state->has_z ? rho * state->z + sqrt(1 - rho * rho) * fresh : fresh;
	state->has_z = true;
	return state->z;
}

static int64_t draw_delay(const struct shape *shape, struct shape_state *state)
{
	double delay = (double)shape->delay_ns;

	if (shape->jitter_ns)
		delay += (double)shape->jitter_ns *
			 shape_spread((enum shape_distribution)shape->distribution, draw_score(shape, state));
	return delay > 0 ? (int64_t)delay : 0;
}

static bool is_lost(const struct shape *shape, struct shape_state *state)
{
	struct shape_bursts chain = shape_chain(shape);

	if (shape->loss_every && ++state->kept >= shape->loss_every) {
		state->kept = 0;
		return true;
	}
	if (draw(state, state->is_bad ? chain.leave_ppm : chain.enter_ppm))
		state->is_bad = !state->is_bad;
	return draw(state, state->is_bad ? chain.loss_bad_ppm : chain.loss_good_ppm);
}

/* Whether this one overtakes those that wait. */
static bool is_first(const struct shape *shape, struct shape_state *state)
{
	if (!shape->reorder_ppm)
		return false;
	if (++state->waited < shape->reorder_gap || !draw(state, shape->reorder_ppm))
		return false;
	state->waited = 0;
	return true;
}

static int64_t time_of(const struct shape *shape, int64_t bytes)
{
	return (int64_t)((double)bytes * (double)BITS_NS / (double)shape->rate_bits);
}

/* When the bucket has tokens for it, behind all that came before. -1: never, or its place in the queue would be past the limit. */
static int64_t take_tokens(const struct shape *shape, struct shape_state *state, int64_t now_ns, int64_t len)
{
	int64_t full_ns = time_of(shape, shape->burst_bytes), cost_ns = time_of(shape, len);
	int64_t ready_ns = now_ns > state->departure_ns ? now_ns : state->departure_ns;
	int64_t empty_ns = state->bucket_ns > ready_ns - full_ns ? state->bucket_ns : ready_ns - full_ns;

	if (ready_ns < empty_ns + cost_ns)
		ready_ns = empty_ns + cost_ns;
	if (len > shape->burst_bytes || ready_ns - now_ns > time_of(shape, shape->limit_bytes))
		return -1;
	state->bucket_ns = empty_ns + cost_ns;
	state->departure_ns = ready_ns;
	return ready_ns;
}

static void decide_copy(const struct shape *shape, struct shape_state *state, int64_t now_ns, size_t len,
			size_t payload_len, struct shape_fate *io)
{
	struct shape_copy copy = {.send_ns = now_ns, .flip_bit = -1};

	if (payload_len && draw(state, shape->corrupt_ppm))
		copy.flip_bit = (int64_t)rng_below(&state->rng, payload_len * 8);
	if (is_first(shape, state))
		io->is_reordered = true;
	else
		copy.send_ns += draw_delay(shape, state);
	if (shape->rate_bits)
		copy.send_ns = take_tokens(shape, state, copy.send_ns, (int64_t)len);
	if (copy.send_ns < 0)
		io->overflowed++;
	else
		io->copies[io->count++] = copy;
}

void shape_decide(const struct shape *shape, struct shape_state *state, int64_t now_ns, size_t len, size_t payload_len,
		  struct shape_fate *ret)
{
	struct shape_fate fate = {.is_lost = is_lost(shape, state)};

	if (!fate.is_lost) {
		size_t wanted = draw(state, shape->duplicate_ppm) ? 2 : 1;

		for (size_t i = 0; i < wanted; i++)
			decide_copy(shape, state, now_ns, len, payload_len, &fate);
	}
	*ret = fate;
}

size_t shape_payload(const unsigned char *frame, size_t len)
{
	static const size_t ipv6_header = 40;
	unsigned type = len > MAC_HEADER ? (unsigned)frame[12] << 8 | frame[13] : 0;
	size_t header = len;

	if (type == 0x0800) /* RFC 894 */
		header = MAC_HEADER + (size_t)(frame[MAC_HEADER] & 0xf) * 4;
	else if (type == 0x86dd) /* RFC 2464 */
		header = MAC_HEADER + ipv6_header;
	return header < len ? header : len;
}
