/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own shaping. What this kernel does not have is skipped, and says so.
 */
#include "injectors/netem.h"
#include "tests/unit/injectors/shaped.h"

const struct injector_ops *const shaped_kind = &latency_ops;
const char *const *const shaped_keys = KEYS("delay", "400ms");

#define DELAY_NS (400 * MSEC)

static int make_link(struct lab *lab, struct err *err)
{
	struct core_link link = {"d1", "b1", -1, {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, 1500};

	return core_link_add(lab_core(lab), &link, err);
}

/* Whether tc prints it for d1. */
static bool tc_says(const char *wanted)
{
	FILE *pipe = popen("tc -s qdisc show dev d1", "r");
	char text[4096] = "";

	if (!pipe)
		return false;
	text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
	if (!strstr(text, wanted))
		printf("not \"%s\" in: %s", wanted, text);
	return !pclose(pipe) && strstr(text, wanted);
}

static int sets_tbf(struct lab *lab, struct err *err)
{
	struct shape shape = {.rate_bits = 1000000, .burst_bytes = 3028, .limit_bytes = 15140};
	struct netem_counters counters;

	if (make_link(lab, err) || netem_set("d1", &shape, err))
		return err->code;
	CHECK(tc_says("tbf") && tc_says("rate 1Mbit burst 3028b"));
	shape.rate_bits = 20000000000; /* more than 32 bits hold, in bytes */
	if (netem_set("d1", &shape, err))
		return err->code;
	CHECK(tc_says("rate 20Gbit"));
	shape.rate_bits = 0; /* a ramp's beginning */
	if (netem_set("d1", &shape, err) || netem_counters("d1", &counters, err))
		return err->code;
	CHECK(!counters.sent_packets && !counters.dropped && !counters.waiting);
	return 0;
}

static int sets_netem(struct lab *lab, struct err *err)
{
	struct shape shape = {.delay_ns = 100 * MSEC, .jitter_ns = 20 * MSEC, .distribution = SHAPE_NORMAL};

	if (make_link(lab, err) || netem_set("d1", &shape, err))
		return err->code;
	CHECK(tc_says("netem") && tc_says("delay 100ms  20ms"));
	shape = (struct shape){.loss_ppm = 300000, .duplicate_ppm = 50000, .corrupt_ppm = 100000};
	if (netem_set("d1", &shape, err))
		return err->code;
	CHECK(tc_says("loss 30%") && tc_says("duplicate 5%") && tc_says("corrupt 10%"));
	shape = (struct shape){.delay_ns = 50 * MSEC, .reorder_ppm = 250000, .reorder_gap = 5};
	if (netem_set("d1", &shape, err))
		return err->code;
	CHECK(tc_says("delay 50ms reorder 25%") && tc_says("gap 5"));
	shape = (struct shape){.bursts = {20000, 250000, 10000, 900000}};
	if (netem_set("d1", &shape, err))
		return err->code;
	CHECK(tc_says("loss gemodel p 2% r 25% 1-h 90% 1-k 1%"));
	return 0;
}

static struct injector_ctx kernel_ctx(struct lab *lab)
{
	static const struct abilities abilities = {
		.has = {[ABILITY_NETEM] = true, [ABILITY_TBF] = true, [ABILITY_POLICY_ROUTING] = true}};
	struct injector_ctx ctx = talk_ctx(lab);

	ctx.abilities = &abilities;
	return ctx;
}

static int delays_by_netem(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(shaped_keys);
	struct injector_ctx ctx = kernel_ctx(lab);
	struct effect effect;

	if (fault->ops->apply(fault, &ctx, err))
		return err->code;
	CHECK(!strcmp(ctx.backend, "netem"));
	CHECK(shaped_took(lab, "client", "server", SERVER4) >= DELAY_NS);
	CHECK(shaped_took(lab, "server", "client", CLIENT6) >= DELAY_NS);
	if (fault->ops->effect(fault, &ctx, &effect, err))
		return err->code;
	CHECK(effect.took_effect && effect.packets == 2 && strstr(effect.text, "netem delayed 2 of 2 packets"));
	return fault->ops->revert(fault, &ctx, err);
}

/* 60 datagrams of 1,046 octets at 1 Mbit/s: two pass with the bucket, each of the others waits 8.4 ms. */
static int limits_by_tbf(struct lab *lab, struct err *err)
{
	struct injector *fault =
		talk_fault(shaped_arena, &rate_ops, 1, KEYS("bits", "1Mbit/s", "queue", "100KiB", "direction", "to"));
	struct injector_ctx ctx = kernel_ctx(lab);
	struct effect effect;
	int64_t start_ns = clock_now_ns();

	if (fault->ops->apply(fault, &ctx, err))
		return err->code;
	CHECK(!strcmp(ctx.backend, "tbf"));
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 1004, 60) == 60);
	CHECK(clock_now_ns() - start_ns >= 57 * 1046 * 8 * (SEC / 1000000));
	if (fault->ops->effect(fault, &ctx, &effect, err))
		return err->code;
	CHECK(effect.took_effect && effect.packets > 0 && strstr(effect.text, "tbf held back"));
	return fault->ops->revert(fault, &ctx, err);
}

static int names_what_is_missing(struct lab *lab UNUSED, struct err *err)
{
	struct shape shape = {.delay_ns = MSEC};
	struct netem_counters counters;
	struct err refused = {0};

	CHECK(netem_set("d9", &shape, &refused) && strstr(refused.text, "d9"));
	CHECK(netem_counters("d9", &counters, &refused) == -ENOENT);
	memset(err, 0, sizeof(*err));
	return 0;
}

/* As talk_in_lab, but a kernel without the qdisc is no failure. */
static void in_lab_with_qdisc(fixture_body *body)
{
	struct fixture fixture;
	struct err err;

	path_fixture(&fixture);
	fixture_run(&fixture, body, &err);
	if (err.code == -EOPNOTSUPP) {
		printf("%s\n", err.text);
		skip();
	}
	if (err.code)
		fail_msg("%s", err.text);
}

static void puts_a_token_bucket_at_the_link(void **state UNUSED)
{
	in_lab_with_qdisc(sets_tbf);
}

static void puts_each_shape_at_the_link(void **state UNUSED)
{
	in_lab_with_qdisc(sets_netem);
}

static void latency_takes_effect_by_netem(void **state UNUSED)
{
	in_lab_with_qdisc(delays_by_netem);
}

static void rate_takes_effect_by_tbf(void **state UNUSED)
{
	in_lab_with_qdisc(limits_by_tbf);
}

static void missing_link_is_named(void **state UNUSED)
{
	in_lab_with_qdisc(names_what_is_missing);
}

static void knows_what_netem_cannot(void **state UNUSED)
{
	assert_true(netem_can(&(struct shape){.delay_ns = MSEC, .loss_ppm = 1, .loss_correlation_ppm = 1}));
	assert_false(netem_can(&(struct shape){.loss_every = 2}));
	assert_false(netem_can(&(struct shape){.correlation_ppm = 1}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_a_token_bucket_at_the_link), cmocka_unit_test(puts_each_shape_at_the_link),
		cmocka_unit_test(latency_takes_effect_by_netem),   cmocka_unit_test(rate_takes_effect_by_tbf),
		cmocka_unit_test(missing_link_is_named),           cmocka_unit_test(knows_what_netem_cannot),
	};

	return cmocka_run_group_tests(tests, shaped_set_up, shaped_tear_down);
}
