/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/clock.h"
#include "tests/unit/injectors/path_talk.h"

static struct arena *arena;

static int set_up(void **state UNUSED)
{
	arena = arena_new();
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

static void rejects_a_rate_of_nothing(void **state UNUSED)
{
	talk_rejects(arena, &rate_ops, NULL, "either bits");
	talk_rejects(arena, &rate_ops, KEYS("packets", "0/s"), "packets");
	talk_rejects(arena, &rate_ops, KEYS("bits", "0/s"), "bits");
}

static void rejects_bits_and_packets_together(void **state UNUSED)
{
	talk_rejects(arena, &rate_ops, KEYS("packets", "5/s", "bits", "1Mbit/s"), "either bits");
	talk_rejects(arena, &rate_ops, KEYS("packets", "5/s", "queue", "4KiB"), "go with bits");
	talk_rejects(arena, &rate_ops, KEYS("packets", "5/s", "backend", "relay"), "goes with bits");
	talk_rejects(arena, &rate_ops, KEYS("bits", "1Mbit/s", "burst_packets", "4"), "goes with packets");
}

static void rejects_a_ramp_of_packets(void **state UNUSED)
{
	struct injector *fault = talk_fault(arena, &rate_ops, 1, KEYS("packets", "5/s"));
	struct errs errs = {0};

	fault->ramp_ns = 1000000000;
	rate_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "cannot ramp"));
	errs_fini(&errs);
}

static void describes_itself(void **state UNUSED)
{
	talk_says(talk_fault(arena, &rate_ops, 1, KEYS("packets", "100/s", "direction", "to", "family", "ipv4")),
		  "lets through no more than 100 packets a second of every packet to " SERVER4);
	talk_says(talk_fault(arena, &rate_ops, 1, KEYS("bits", "64kbit/s", "protocol", "udp", "family", "ipv6")),
		  "lets through no more than 64000 bits a second of UDP packets to and from " SERVER6);
}

/* Seven, of both families together, and one more for each second that it takes. */
static int lets_a_burst_pass(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &rate_ops, 1, KEYS("packets", "1/s", "burst_packets", "7"));
	int64_t begin = clock_now_ns();
	int arrived;

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 40, 5) == 5);
	arrived = talk_send(lab, "client", "server", SERVER6, 53, 40, 20);
	CHECK(arrived >= 2 && arrived <= 2 + (clock_now_ns() - begin) / 1000000000);
	CHECK(talk_hits(lab, fault) == 20 - arrived);
	CHECK(talk_send(lab, "other", "client", CLIENT4, 53, 40, 20) == 20); /* not of the target */
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 40, 20) == 20);
	return 0;
}

/* Whatever the machine's speed: no more than the burst, and the rate times the time it took. */
static int holds_the_rate(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &rate_ops, 1, KEYS("packets", "100/s", "burst_packets", "1"));
	int64_t begin, took_ns;
	int arrived = 0, sent = 0;

	if (talk_apply(lab, fault, err))
		return err->code;
	begin = clock_now_ns();
	while (clock_now_ns() - begin < 1000000000) {
		arrived += talk_send(lab, "client", "server", SERVER4, 53, 40, 20);
		sent += 20;
	}
	took_ns = clock_now_ns() - begin;
	CHECK(arrived >= 1 && arrived <= 1 + took_ns / 10000000);
	CHECK(talk_hits(lab, fault) == sent - arrived);
	return talk_revert(lab, fault, err);
}

static int stands_in_plan_order(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &rate_ops, 2, KEYS("packets", "1/s", "burst_packets", "1"));
	struct injector *before = talk_fault(arena, &blackhole_ops, 1, KEYS("family", "ipv4"));
	struct injector *after = talk_fault(arena, &blackhole_ops, 3, NULL);

	if (talk_apply(lab, after, err) || talk_apply(lab, fault, err) || talk_apply(lab, before, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 40, 3) == 0);
	CHECK(talk_hits(lab, before) == 3 && talk_hits(lab, fault) == 0 && talk_hits(lab, after) == 0);
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 40, 10) == 0);
	CHECK(talk_hits(lab, before) == 3 && talk_hits(lab, fault) >= 1 && talk_hits(lab, after) >= 1);
	CHECK(talk_hits(lab, fault) + talk_hits(lab, after) == 10); /* each once */
	return talk_revert(lab, before, err) || talk_revert(lab, after, err) || talk_revert(lab, fault, err) ? err->code
													     : 0;
}

/* 80 kbit/s: 1000 octets of payload are 1042 in a frame, and take 104 ms each. Two full frames pass at once, and nothing is lost while the queue has room. */
static int queues_bits(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &rate_ops, 1, KEYS("bits", "80kbit/s", "direction", "to"));
	struct talk talk = {-1, -1};
	int64_t begin;

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(!talk_open(lab, "client", "server", SERVER4, 53, SOCK_DGRAM, &talk));
	begin = clock_now_ns();
	CHECK(talk_datagrams(&talk, 1000, 8) == 8);
	/* 8 * 1042 - 3028 octets had to wait for tokens, at 10 000 a second. */
	CHECK(clock_now_ns() - begin >= (8 * 1042 - 3028) * 100000LL);
	CHECK(talk_hits(lab, fault) >= 5);
	CHECK(talk_datagrams(&talk, 1000, 60) < 60); /* 60 KB do not fit a queue of 15 140 */
	talk_close(&talk);
	return talk_revert(lab, fault, err);
}

static int leaves_no_trace(struct lab *lab, struct err *err)
{
	int r = talk_leaves_no_trace(lab, talk_fault(arena, &rate_ops, 1, KEYS("packets", "5/s")), err);

	return r ? r : talk_leaves_no_trace(lab, talk_fault(arena, &rate_ops, 2, KEYS("bits", "1Mbit/s")), err);
}

static void packets_share_one_bucket_over_both_families(void **state UNUSED)
{
	talk_in_lab(lets_a_burst_pass);
}

static void takes_effect_as_no_more_packets_than_time_allows(void **state UNUSED)
{
	talk_in_lab(holds_the_rate);
}

static void bits_wait_before_they_are_lost(void **state UNUSED)
{
	talk_in_lab(queues_bits);
}

static void order_is_that_of_the_plan(void **state UNUSED)
{
	talk_in_lab(stands_in_plan_order);
}

static void apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply(void **state UNUSED)
{
	talk_in_lab(leaves_no_trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_a_rate_of_nothing),
		cmocka_unit_test(rejects_bits_and_packets_together),
		cmocka_unit_test(rejects_a_ramp_of_packets),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(packets_share_one_bucket_over_both_families),
		cmocka_unit_test(takes_effect_as_no_more_packets_than_time_allows),
		cmocka_unit_test(bits_wait_before_they_are_lost),
		cmocka_unit_test(order_is_that_of_the_plan),
		cmocka_unit_test(apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
