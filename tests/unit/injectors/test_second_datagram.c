/* SPDX-License-Identifier: GPL-2.0-or-later */
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

static void rejects_a_time_that_is_no_race(void **state UNUSED)
{
	talk_rejects(arena, &second_datagram_ops, KEYS("within", "1m"), "within");
}

static void describes_itself(void **state UNUSED)
{
	talk_says(talk_fault(arena, &second_datagram_ops, 1, KEYS("port", "53")),
		  "drops what follows within 5ms of another from the same port, of UDP packets to port 53 of " SERVER4
		  " and " SERVER6);
}

static void says_which_ability_a_kernel_lacks(void **state UNUSED)
{
	const struct abilities none = {0};
	struct err err = {0};

	assert_int_equal(second_datagram_ops.available(talk_fault(arena, &second_datagram_ops, 1, NULL), &none, &err),
			 -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "nft-limit"));
}

/* Half a second: no machine is so slow that two datagrams sent one after the other are that far apart. */
#define LONG "500ms"

static int loses_the_second(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &second_datagram_ops, 1, KEYS("within", LONG));

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 40, 2) == 1);
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 40, 2) == 1);
	CHECK(talk_hits(lab, fault) == 2);
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 40, 1) == 1); /* from another port */
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 40, 1) == 1);
	CHECK(talk_send(lab, "server", "client", CLIENT4, 53, 40, 2) == 2); /* answers are not questions */
	CHECK(talk_hits(lab, fault) == 2);
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 40, 2) == 2);
	return 0;
}

/* Also two questions of one port that go to different servers or ports are no race. */
static int keeps_flows_apart(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &second_datagram_ops, 1, KEYS("within", LONG));
	struct talk one = {-1, -1}, two = {-1, -1};
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(!talk_open(lab, "client", "server", SERVER4, 53, SOCK_DGRAM, &one));
	CHECK(talk_datagrams(&one, 40, 1) == 1);
	CHECK(!talk_open(lab, "client", "server", SERVER4, 54, SOCK_DGRAM, &two));
	CHECK(!getsockname(one.sender, (struct sockaddr *)&sa, &len));
	close(two.sender);
	two.sender = one.sender; /* the same port, to another one */
	CHECK(!getsockname(two.listener, (struct sockaddr *)&sa, &len));
	CHECK(!connect(two.sender, (struct sockaddr *)&sa, len) && talk_datagrams(&two, 40, 1) == 1);
	CHECK(talk_hits(lab, fault) == 0);
	close(two.listener);
	talk_close(&one);
	return talk_revert(lab, fault, err);
}

/* What comes later than `within` passes; the clock is the kernel's, not a timer's tick. */
static int lets_pass_what_is_later(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &second_datagram_ops, 1, KEYS("within", "1ms"));
	struct talk talk = {-1, -1};

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(!talk_open(lab, "client", "server", SERVER6, 53, SOCK_DGRAM, &talk));
	for (int i = 0; i < 20; i++) {
		CHECK(talk_datagrams(&talk, 40, 1) == 1);
		CHECK(poll(NULL, 0, 2) == 0);
	}
	CHECK(talk_hits(lab, fault) == 0);
	talk_close(&talk);
	return talk_revert(lab, fault, err);
}

static int leaves_no_trace(struct lab *lab, struct err *err)
{
	return talk_leaves_no_trace(lab, talk_fault(arena, &second_datagram_ops, 1, NULL), err);
}

static void takes_effect_on_the_second_of_one_port_in_both_families(void **state UNUSED)
{
	talk_in_lab(loses_the_second);
}

static void other_flows_of_the_port_are_left_alone(void **state UNUSED)
{
	talk_in_lab(keeps_flows_apart);
}

static void what_comes_later_passes(void **state UNUSED)
{
	talk_in_lab(lets_pass_what_is_later);
}

static void apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply(void **state UNUSED)
{
	talk_in_lab(leaves_no_trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_a_time_that_is_no_race),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(says_which_ability_a_kernel_lacks),
		cmocka_unit_test(takes_effect_on_the_second_of_one_port_in_both_families),
		cmocka_unit_test(other_flows_of_the_port_are_left_alone),
		cmocka_unit_test(what_comes_later_passes),
		cmocka_unit_test(apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
