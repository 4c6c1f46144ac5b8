/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/shaped.h"

const struct injector_ops *const shaped_kind = &latency_ops;
const char *const *const shaped_keys = KEYS("delay", "100ms");

#define DELAY_NS (400 * MSEC) /* longer than any machine takes for one packet */

static void rejects_jitter_above_delay(void **state UNUSED)
{
	shaped_rejects(KEYS("delay", "10ms", "jitter", "11ms"), "jitter is larger than delay");
}

static void rejects_a_missing_delay(void **state UNUSED)
{
	shaped_rejects(NULL, "delay: 100ms");
	shaped_rejects(KEYS("delay", "0ms"), "delay");
}

static void rejects_a_distribution_of_no_jitter(void **state UNUSED)
{
	shaped_rejects(KEYS("delay", "10ms", "distribution", "normal"), "add e.g. jitter: 20ms");
}

static void rejects_correlation_by_netem_which_has_none(void **state UNUSED)
{
	shaped_rejects(KEYS("delay", "10ms", "jitter", "1ms", "correlation", "25%", "backend", "netem"),
		       "netem cannot do that");
}

static void describes_itself(void **state UNUSED)
{
	talk_says(shaped_fault(KEYS("delay", "100ms", "jitter", "20ms", "distribution", "normal", "direction", "to")),
		  "delays by 100ms ± 20ms (normal) every packet to " SERVER4 " and " SERVER6);
	talk_says(shaped_fault(KEYS("delay", "1.5s", "backend", "relay", "family", "ipv4")),
		  "delays by 1.5s every packet to and from " SERVER4 ", by dnsdrill's relay");
	shaped_commands_have(KEYS("delay", "100ms", "jitter", "20ms", "distribution", "normal"),
			     "tc qdisc replace dev d1 root netem limit 200000 delay 100ms 20ms distribution normal\n");
	shaped_commands_have(KEYS("delay", "1.5ms"), " delay 1500us\n");
}

static int delays(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(KEYS("delay", "400ms", "direction", "to"));

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(talk_hits(lab, fault) == 0);
	CHECK(shaped_took(lab, "client", "server", SERVER4) >= DELAY_NS);
	CHECK(shaped_took(lab, "client", "server", SERVER6) >= DELAY_NS);
	CHECK(talk_hits(lab, fault) == 2);
	CHECK(shaped_took(lab, "server", "client", CLIENT4) < DELAY_NS); /* the other direction */
	CHECK(shaped_took(lab, "other", "client", CLIENT4) < DELAY_NS); /* others */
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(shaped_took(lab, "client", "server", SERVER4) < DELAY_NS);
	return 0;
}

static void takes_effect_on_both_families(void **state UNUSED)
{
	talk_in_lab(delays);
}

/* In many segments, whose checksums must be right when they come out. */
static int delays_streams(struct lab *lab, struct err *err)
{
	static const char *const addresses[] = {SERVER4, SERVER6};
	struct injector *fault = shaped_fault(KEYS("delay", "20ms"));

	if (talk_apply(lab, fault, err))
		return err->code;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct talk talk = {-1, -1};

		CHECK(talk_connect(lab, "client", "server", addresses[i], 53, &talk) == REACHED);
		CHECK(talk_write(talk.sender, talk.listener, 20000) == REACHED);
		talk_close(&talk);
	}
	CHECK(talk_hits(lab, fault) > 40);
	return talk_revert(lab, fault, err);
}

static void takes_effect_on_tcp(void **state UNUSED)
{
	talk_in_lab(delays_streams);
}

static int keeps_to_one_family(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(KEYS("delay", "400ms", "family", "ipv4"));

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(shaped_took(lab, "client", "server", SERVER4) >= DELAY_NS);
	CHECK(shaped_took(lab, "client", "server", SERVER6) < DELAY_NS);
	return talk_revert(lab, fault, err);
}

static void fault_of_one_family_leaves_the_other_alone(void **state UNUSED)
{
	talk_in_lab(keeps_to_one_family);
}

static int grows(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(KEYS("delay", "800ms"));
	struct injector_ctx ctx = talk_ctx(lab);

	ctx.progress_ppm = 0;
	if (fault->ops->apply(fault, &ctx, err))
		return err->code;
	CHECK(shaped_took(lab, "client", "server", SERVER4) < DELAY_NS);
	if (fault->ops->adjust(fault, &ctx, 500000, err))
		return err->code;
	CHECK(shaped_took(lab, "client", "server", SERVER4) >= DELAY_NS);
	if (fault->ops->adjust(fault, &ctx, 1000000, err))
		return err->code;
	CHECK(shaped_took(lab, "client", "server", SERVER6) >= 2 * DELAY_NS);
	return talk_revert(lab, fault, err);
}

static void ramp_grows_the_delay(void **state UNUSED)
{
	talk_in_lab(grows);
}

/* Ten are on their way, for ten minutes, when the fault ends. */
static int loses_nothing_at_its_end(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(KEYS("delay", "10m"));
	struct talk talk = {-1, -1};
	struct pollfd ready;
	int number;

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(!talk_open(lab, "client", "server", SERVER4, 53, SOCK_DGRAM, &talk));
	for (int i = 0; i < 10; i++)
		CHECK(send(talk.sender, &i, sizeof(i), 0) == sizeof(i));
	if (talk_revert(lab, fault, err))
		return err->code;
	ready = (struct pollfd){.fd = talk.listener, .events = POLLIN};
	for (int i = 0; i < 10; i++) {
		CHECK(poll(&ready, 1, 2000) == 1);
		CHECK(recv(talk.listener, &number, sizeof(number), 0) == sizeof(number) && number == i);
	}
	talk_close(&talk);
	return 0;
}

static void packets_under_way_at_its_end_arrive(void **state UNUSED)
{
	talk_in_lab(loses_nothing_at_its_end);
}

/* Latency and loss on the same packets, each seen by its own effect. */
static int stacks(struct lab *lab, struct err *err)
{
	struct injector *slow = talk_fault(shaped_arena, &latency_ops, 1, KEYS("delay", "400ms", "direction", "to"));
	struct injector *lossy = talk_fault(shaped_arena, &loss_ops, 2, KEYS("every", "2", "direction", "to"));
	int64_t start_ns;

	if (talk_apply(lab, slow, err) || talk_apply(lab, lossy, err))
		return err->code;
	start_ns = clock_now_ns();
	CHECK(shaped_count(lab, SERVER6, 40, 1000) == 20);
	CHECK(clock_now_ns() - start_ns >= DELAY_NS);
	CHECK(talk_hits(lab, slow) == 40 && talk_hits(lab, lossy) == 20);
	return talk_revert(lab, lossy, err) || talk_revert(lab, slow, err) ? err->code : 0;
}

static void stacked_pair_shows_both(void **state UNUSED)
{
	talk_in_lab(stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_jitter_above_delay),
		cmocka_unit_test(rejects_a_missing_delay),
		cmocka_unit_test(rejects_a_distribution_of_no_jitter),
		cmocka_unit_test(rejects_correlation_by_netem_which_has_none),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_on_both_families),
		cmocka_unit_test(takes_effect_on_tcp),
		cmocka_unit_test(fault_of_one_family_leaves_the_other_alone),
		cmocka_unit_test(ramp_grows_the_delay),
		cmocka_unit_test(packets_under_way_at_its_end_arrive),
		cmocka_unit_test(stacked_pair_shows_both),
		SHAPED_CASES,
	};

	return cmocka_run_group_tests(tests, shaped_set_up, shaped_tear_down);
}
