/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics: each bound is where a right generator would land with all but one in a million seeds (4.9 standard deviations of a normal; two sides), and
 * seeds are fixed, so that a right one never flickers. A share p of n draws has the deviation sqrt(p (1 - p) / n), a mean σ / sqrt(n), a standard
 * deviation of a normal σ / sqrt(2 n).
 */
#include "harness/base/macro.h"
#include "injectors/relay/shape.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SIGMAS 4.9
#define DRAWS 20000
#define SEED 42
#define LEN 100 /* octets of a frame */
#define PAYLOAD 66

static void assert_near(double got, double wanted, double sigma)
{
	if (fabs(got - wanted) > SIGMAS * sigma)
		fail_msg("%g is not %g ± %g", got, wanted, SIGMAS * sigma);
}

static void assert_share(double hits, double n, double share)
{
	assert_near(hits / n, share, sqrt(share * (1 - share) / n));
}

/* Decides for DRAWS packets, one each `every`. */
static void decide_all(const struct shape *shape, int64_t every_ns, struct shape_fate *fates)
{
	struct shape_state state = shape_begin(SEED);

	for (int i = 0; i < DRAWS; i++)
		shape_decide(shape, &state, i * every_ns, LEN, PAYLOAD, &fates[i]);
}

static struct shape_fate fates[DRAWS];

static void nothing_asked_for_is_nothing_done(void **state UNUSED)
{
	decide_all(&(struct shape){0}, MSEC, fates);
	for (int i = 0; i < DRAWS; i++) {
		assert_int_equal(fates[i].count, 1);
		assert_int_equal(fates[i].copies[0].send_ns, i * MSEC);
		assert_int_equal(fates[i].copies[0].flip_bit, -1);
		assert_false(fates[i].is_lost || fates[i].is_reordered || fates[i].overflowed);
	}
}

static void same_seed_decides_the_same(void **state UNUSED)
{
	static struct shape_fate again[DRAWS];
	struct shape shape = {.delay_ns = 100 * MSEC, .jitter_ns = 20 * MSEC, .loss_ppm = 300000};

	decide_all(&shape, MSEC, fates);
	decide_all(&shape, MSEC, again);
	for (int i = 0; i < DRAWS; i++) {
		assert_int_equal(fates[i].count, again[i].count);
		assert_int_equal(fates[i].copies[0].send_ns, again[i].copies[0].send_ns);
	}
}

struct moments {
	double mean, deviation, lag1; /* correlation of each with the next */
};

/* Of the delays, in ms. */
static struct moments delays(const struct shape *shape)
{
	struct moments m = {0};
	double d[DRAWS], squares = 0, products = 0;

	decide_all(shape, MSEC, fates);
	for (int i = 0; i < DRAWS; i++) {
		d[i] = (double)(fates[i].copies[0].send_ns - i * MSEC) / (double)MSEC;
		m.mean += d[i] / DRAWS;
	}
	for (int i = 0; i < DRAWS; i++) {
		squares += (d[i] - m.mean) * (d[i] - m.mean);
		products += i ? (d[i] - m.mean) * (d[i - 1] - m.mean) : 0;
	}
	m.deviation = sqrt(squares / DRAWS);
	m.lag1 = squares > 0 ? products / squares : 0;
	return m;
}

static struct shape jittery(enum shape_distribution distribution)
{
	return (struct shape){.delay_ns = 100 * MSEC, .jitter_ns = 20 * MSEC, .distribution = distribution};
}

static void delay_without_jitter_is_exact(void **state UNUSED)
{
	decide_all(&(struct shape){.delay_ns = 100 * MSEC}, MSEC, fates);
	for (int i = 0; i < DRAWS; i++)
		assert_int_equal(fates[i].copies[0].send_ns, (i + 100) * MSEC);
}

static void normal_jitter_has_its_mean_and_deviation(void **state UNUSED)
{
	struct shape shape = jittery(SHAPE_NORMAL);
	struct moments m = delays(&shape);

	assert_near(m.mean, 100, 20 / sqrt(DRAWS));
	assert_near(m.deviation, 20, 20 / sqrt(2.0 * DRAWS)); /* the cut at 4 deviations takes 0.05 % of it away */
	assert_near(m.lag1, 0, 1 / sqrt(DRAWS));
}

static void uniform_jitter_fills_its_width(void **state UNUSED)
{
	struct shape shape = jittery(SHAPE_UNIFORM);
	struct moments m = delays(&shape);
	double deviation = 20 / sqrt(3.0);
	int64_t least = INT64_MAX, most = 0;

	assert_near(m.mean, 100, deviation / sqrt(DRAWS));
	assert_near(m.deviation, deviation, deviation * sqrt(0.8 / (4.0 * DRAWS))); /* kurtosis 1.8 */
	for (int i = 0; i < DRAWS; i++) {
		int64_t delay = fates[i].copies[0].send_ns - i * MSEC;

		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	/* 20,000 draws leave a gap of 0.02 ms at an end with a chance of e^-10. */
	assert_in_range(least, 80 * MSEC, 80 * MSEC + 20000);
	assert_in_range(most, 120 * MSEC - 20000, 120 * MSEC);
}

/* The mean of what is cut at 4, E[min(X, 4)] with X = (4/3)(U^(-1/3) - 3/2): U below u0 = 4.5^-3 is cut, so
 * 4 u0 + (4/3)(3/2 (1 - u0^(2/3)) - 3/2 (1 - u0)) = 4 u0 + 2 (u0 - u0^(2/3)). */
static void pareto_jitter_has_a_long_tail_on_one_side(void **state UNUSED)
{
	struct shape shape = jittery(SHAPE_PARETO);
	struct moments m = delays(&shape);
	double u0 = pow(4.5, -3), mean = 4 * u0 + 2 * (u0 - pow(u0, 2.0 / 3));
	int above = 0, below = 0;

	assert_near(m.mean, 100 + 20 * mean, m.deviation / sqrt(DRAWS));
	for (int i = 0; i < DRAWS; i++) {
		int64_t delay = fates[i].copies[0].send_ns - i * MSEC;

		above += delay > 140 * MSEC; /* two jitters: U < 3^-3 */
		below += delay < 100 * MSEC - 20 * MSEC * 2 / 3; /* the least: U = 1, -2/3 */
		assert_true(delay <= 180 * MSEC);
	}
	assert_share(above, DRAWS, pow(3, -3));
	assert_int_equal(below, 0);
}

static void correlated_jitter_keeps_its_distribution(void **state UNUSED)
{
	struct shape shape = jittery(SHAPE_NORMAL);
	struct moments m;
	double rho = 0.6, fewer = (1 + rho) / (1 - rho); /* draws that follow each other count for so many fewer */

	shape.correlation_ppm = 600000;
	m = delays(&shape);
	assert_near(m.lag1, rho, sqrt((1 - rho * rho) / DRAWS)); /* Bartlett 1946 */
	assert_near(m.mean, 100, 20 * sqrt(fewer / DRAWS));
	assert_near(m.deviation, 20, 20 * sqrt((1 + rho * rho) / (1 - rho * rho) / (2.0 * DRAWS)));
}

static void delays_are_never_negative(void **state UNUSED)
{
	struct shape shape = {.delay_ns = MSEC, .jitter_ns = MSEC, .distribution = SHAPE_NORMAL};

	decide_all(&shape, MSEC, fates);
	for (int i = 0; i < DRAWS; i++)
		assert_true(fates[i].copies[0].send_ns >= i * MSEC);
}

static int lost_of(const struct shape *shape)
{
	int lost = 0;

	decide_all(shape, MSEC, fates);
	for (int i = 0; i < DRAWS; i++) {
		lost += fates[i].is_lost;
		assert_int_equal(fates[i].count, fates[i].is_lost ? 0 : 1);
	}
	return lost;
}

static void loses_its_share(void **state UNUSED)
{
	assert_share(lost_of(&(struct shape){.loss_ppm = 300000}), DRAWS, 0.3);
	assert_int_equal(lost_of(&(struct shape){.loss_ppm = PPM_ONE}), DRAWS);
}

/* Runs of lost packets: how many, and how long on average. */
static double bursts_of(double *ret_mean)
{
	int count = 0, lost = 0;

	for (int i = 0; i < DRAWS; i++) {
		lost += fates[i].is_lost;
		count += fates[i].is_lost && (!i || !fates[i - 1].is_lost);
	}
	*ret_mean = (double)lost / count;
	return count;
}

static void correlated_loss_keeps_its_share_and_comes_in_runs(void **state UNUSED)
{
	double rho = 0.5, fewer = (1 + rho) / (1 - rho), mean, count;
	int lost = lost_of(&(struct shape){.loss_ppm = 300000, .loss_correlation_ppm = 500000});

	assert_near((double)lost / DRAWS, 0.3, sqrt(0.3 * 0.7 * fewer / DRAWS));
	count = bursts_of(&mean); /* a run goes on with 0.5 + 0.5 × 0.3: geometric, mean 1 / 0.35 */
	assert_near(mean, 1 / 0.35, sqrt(0.65) / 0.35 / sqrt(count));
}

static void loses_every_nth(void **state UNUSED)
{
	assert_int_equal(lost_of(&(struct shape){.loss_every = 10}), DRAWS / 10);
	for (int i = 0; i < DRAWS; i++)
		assert_int_equal(fates[i].is_lost, i % 10 == 9);
}

/* Gilbert-Elliott: in the bad state p / (p + r) of the time, for 1 / r packets at a time. */
static void bursts_are_as_long_and_as_many_as_asked(void **state UNUSED)
{
	struct shape shape = {.bursts = {.enter_ppm = 20000, .leave_ppm = 250000, .loss_bad_ppm = PPM_ONE}};
	double p = 0.02, r = 0.25, share = p / (p + r), rho = 1 - p - r, mean, count;
	int lost = lost_of(&shape);

	assert_near((double)lost / DRAWS, share, sqrt(share * (1 - share) * (1 + rho) / (1 - rho) / DRAWS));
	count = bursts_of(&mean);
	assert_near(mean, 1 / r, sqrt(1 - r) / r / sqrt(count));
}

static void each_state_has_a_loss_of_its_own(void **state UNUSED)
{
	struct shape shape = {
		.bursts = {.enter_ppm = 100000, .leave_ppm = 300000, .loss_good_ppm = 50000, .loss_bad_ppm = 500000}};
	double bad = 0.25, share = bad * 0.5 + (1 - bad) * 0.05, rho = 0.6, variance;

	/* Of the sum: the coin's own, and that of the state, whose draws follow each other. */
	variance = share * (1 - share) + 2 * bad * (1 - bad) * (0.5 - 0.05) * (0.5 - 0.05) * rho / (1 - rho);
	assert_near((double)lost_of(&shape) / DRAWS, share, sqrt(variance / DRAWS));
}

static void duplicates_its_share(void **state UNUSED)
{
	int twice = 0;

	decide_all(&(struct shape){.duplicate_ppm = 50000}, MSEC, fates);
	for (int i = 0; i < DRAWS; i++)
		twice += fates[i].count == 2;
	assert_share(twice, DRAWS, 0.05);
}

static void flips_one_bit_of_its_share_anywhere_in_the_payload(void **state UNUSED)
{
	int flipped = 0, low = 0;

	decide_all(&(struct shape){.corrupt_ppm = 100000}, MSEC, fates);
	for (int i = 0; i < DRAWS; i++) {
		int64_t bit = fates[i].copies[0].flip_bit;

		assert_true(bit >= -1 && bit < PAYLOAD * 8);
		flipped += bit >= 0;
		low += bit >= 0 && bit < PAYLOAD * 4;
	}
	assert_share(flipped, DRAWS, 0.1);
	assert_share(low, flipped, 0.5);
}

static void packet_without_payload_is_not_corrupted(void **state UNUSED)
{
	struct shape shape = {.corrupt_ppm = PPM_ONE};
	struct shape_state random = shape_begin(SEED);
	struct shape_fate fate;

	shape_decide(&shape, &random, 0, LEN, 0, &fate);
	assert_int_equal(fate.copies[0].flip_bit, -1);
}

static void lets_its_share_ahead_of_the_others(void **state UNUSED)
{
	int ahead = 0;

	decide_all(&(struct shape){.delay_ns = 50 * MSEC, .reorder_ppm = 250000, .reorder_gap = 1}, MSEC, fates);
	for (int i = 0; i < DRAWS; i++) {
		ahead += fates[i].is_reordered;
		assert_int_equal(fates[i].copies[0].send_ns, (i + (fates[i].is_reordered ? 0 : 50)) * MSEC);
	}
	assert_share(ahead, DRAWS, 0.25);
}

static void gap_leaves_at_least_so_many_between(void **state UNUSED)
{
	int last = -5, ahead = 0;

	decide_all(&(struct shape){.delay_ns = MSEC, .reorder_ppm = 999999, .reorder_gap = 5}, MSEC, fates);
	for (int i = 0; i < DRAWS; i++) {
		if (!fates[i].is_reordered)
			continue;
		assert_true(i - last >= 5);
		last = i;
		ahead++;
	}
	assert_in_range(ahead, DRAWS / 5 - 1, DRAWS / 5); /* all but one in a million of the chances are taken */
}

/* 100 octets are 800 bits: at 1 Mbit/s one each 0.8 ms, whatever comes faster. */
static void rate_lets_through_so_many_bits_a_second(void **state UNUSED)
{
	struct shape shape = {.rate_bits = 1000000, .burst_bytes = 1000, .limit_bytes = 1 << 30};

	decide_all(&shape, MSEC / 10, fates);
	for (int i = 0; i < 10; i++) /* the burst: a bucket that is full */
		assert_int_equal(fates[i].copies[0].send_ns, i * MSEC / 10);
	/* Of the n-th, n × 800 bits less the bucket's 8,000 have been paid for by then. */
	assert_int_equal(fates[DRAWS - 1].copies[0].send_ns, (DRAWS - 10) * MSEC * 8 / 10);
}

static void rate_that_is_not_reached_delays_nothing(void **state UNUSED)
{
	decide_all(&(struct shape){.rate_bits = 1000000, .burst_bytes = 1000, .limit_bytes = 10000}, MSEC, fates);
	for (int i = 0; i < DRAWS; i++)
		assert_int_equal(fates[i].copies[0].send_ns, i * MSEC);
}

static void queue_beyond_its_limit_is_lost(void **state UNUSED)
{
	struct shape shape = {.rate_bits = 1000000, .burst_bytes = 1000, .limit_bytes = 5000};
	int64_t passed = 0, span_ns = (DRAWS - 1) * MSEC / 10;

	decide_all(&shape, MSEC / 10, fates);
	for (int i = 0; i < DRAWS; i++) {
		passed += (int64_t)fates[i].count;
		assert_int_equal(fates[i].count + fates[i].overflowed, 1);
		if (fates[i].count) /* 5,000 octets take 40 ms */
			assert_in_range(fates[i].copies[0].send_ns - i * MSEC / 10, 0, 40 * MSEC);
	}
	/* What the link carried in that time, the bucket, and the queue that is left: 2 s × 1,250 + 10 + 50, to within one. */
	assert_in_range(passed, span_ns / (MSEC * 8 / 10) + 59, span_ns / (MSEC * 8 / 10) + 61);
}

static void packet_larger_than_the_bucket_never_passes(void **state UNUSED)
{
	struct shape shape = {.rate_bits = 1000000, .burst_bytes = LEN - 1, .limit_bytes = 5000};
	struct shape_state random = shape_begin(SEED);
	struct shape_fate fate;

	shape_decide(&shape, &random, 0, LEN, PAYLOAD, &fate);
	assert_int_equal(fate.count, 0);
	assert_int_equal(fate.overflowed, 1);
}

static void ramp_grows_by_straight_lines(void **state UNUSED)
{
	struct shape full = {.delay_ns = 100 * MSEC, .loss_ppm = 300000, .loss_every = 10, .rate_bits = 1000000};
	struct shape none = shape_scaled(&full, 0), half = shape_scaled(&full, PPM_ONE / 2),
		     all = shape_scaled(&full, PPM_ONE);

	assert_int_equal(half.delay_ns, 50 * MSEC);
	assert_int_equal(half.loss_ppm, 150000);
	assert_int_equal(half.loss_every, 20);
	assert_int_equal(half.rate_bits, 2000000);
	assert_true(!none.delay_ns && !none.loss_ppm && !none.loss_every && !none.rate_bits);
	assert_memory_equal(&all, &full, sizeof(full));
}

static void payload_begins_behind_the_ip_header(void **state UNUSED)
{
	unsigned char frame[60] = {[12] = 0x08, [13] = 0x00, [14] = 0x46}; /* IPv4 with one option word */

	assert_int_equal(shape_payload(frame, sizeof(frame)), 14 + 24);
	assert_int_equal(shape_payload(frame, 30), 30); /* cut before it */
	frame[12] = 0x86;
	frame[13] = 0xdd;
	assert_int_equal(shape_payload(frame, sizeof(frame)), 14 + 40);
	frame[13] = 0;
	assert_int_equal(shape_payload(frame, sizeof(frame)), sizeof(frame)); /* not IP */
	assert_int_equal(shape_payload(frame, 5), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_asked_for_is_nothing_done),
		cmocka_unit_test(same_seed_decides_the_same),
		cmocka_unit_test(delay_without_jitter_is_exact),
		cmocka_unit_test(normal_jitter_has_its_mean_and_deviation),
		cmocka_unit_test(uniform_jitter_fills_its_width),
		cmocka_unit_test(pareto_jitter_has_a_long_tail_on_one_side),
		cmocka_unit_test(correlated_jitter_keeps_its_distribution),
		cmocka_unit_test(delays_are_never_negative),
		cmocka_unit_test(loses_its_share),
		cmocka_unit_test(correlated_loss_keeps_its_share_and_comes_in_runs),
		cmocka_unit_test(loses_every_nth),
		cmocka_unit_test(bursts_are_as_long_and_as_many_as_asked),
		cmocka_unit_test(each_state_has_a_loss_of_its_own),
		cmocka_unit_test(duplicates_its_share),
		cmocka_unit_test(flips_one_bit_of_its_share_anywhere_in_the_payload),
		cmocka_unit_test(packet_without_payload_is_not_corrupted),
		cmocka_unit_test(lets_its_share_ahead_of_the_others),
		cmocka_unit_test(gap_leaves_at_least_so_many_between),
		cmocka_unit_test(rate_lets_through_so_many_bits_a_second),
		cmocka_unit_test(rate_that_is_not_reached_delays_nothing),
		cmocka_unit_test(queue_beyond_its_limit_is_lost),
		cmocka_unit_test(packet_larger_than_the_bucket_never_passes),
		cmocka_unit_test(ramp_grows_by_straight_lines),
		cmocka_unit_test(payload_begins_behind_the_ip_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
