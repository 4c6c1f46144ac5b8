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

/* Groups as the plan has them: names, and the addresses that they stand for. */
static struct injector *cut(int64_t id, const char *const *keys, const char *const members[][3], size_t count)
{
	struct errs errs = {0};
	struct injector *fault = path_fault(arena, &partition_ops, id, keys, &errs);

	fault->target_addresses = (struct addresses){0};
	fault->groups.v = ARENA_ARRAY(arena, struct texts, count);
	fault->group_addresses = ARENA_ARRAY(arena, struct addresses, count);
	fault->groups.count = count;
	for (size_t i = 0; i < count; i++) {
		fault->groups.v[i].v = ARENA_ARRAY(arena, struct text, 1);
		fault->groups.v[i].v[0].value = members[i][0];
		fault->groups.v[i].count = 1;
		fault->group_addresses[i] = path_addresses(arena, members[i][1], members[i][2]);
	}
	return errs.count ? NULL : fault;
}

static const char *const server_client[][3] = {{"server", SERVER4, SERVER6}, {"client", CLIENT4, CLIENT6}};
static const char *const all_three[][3] = {
	{"server", SERVER4, SERVER6}, {"client", CLIENT4, CLIENT6}, {"other", OTHER4, NULL}};
static const char *const never_meet[][3] = {{"client", CLIENT6, NULL}, {"other", OTHER4, NULL}};

static void rejects_groups_that_never_meet(void **state UNUSED)
{
	struct errs errs = {0};

	partition_ops.validate(cut(1, NULL, never_meet, 2), &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "can cut nothing"));
	partition_ops.validate(cut(1, NULL, all_three, 3), &errs); /* one pair that can is enough */
	assert_int_equal(errs.count, 1);
	errs_fini(&errs);
}

static void describes_itself(void **state UNUSED)
{
	talk_says(cut(1, NULL, all_three, 3), "drops every packet between the groups server | client | other");
	talk_says(cut(1, KEYS("protocol", "tcp", "family", "ipv6"), server_client, 2),
		  "drops TCP packets over IPv6 between the groups server | client");
}

static int cuts_both_ways(struct lab *lab, struct err *err)
{
	struct injector *fault = cut(1, NULL, server_client, 2);

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "server", "client", CLIENT4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_STREAM) == SILENCE);
	CHECK(path_try(lab, "server", "client", CLIENT6, 53, SOCK_DGRAM) == SILENCE);
	CHECK(talk_hits(lab, fault) >= 4); /* a SYN is sent again */
	CHECK(path_try(lab, "other", "server", SERVER4, 53, SOCK_DGRAM) == REACHED); /* in no group */
	CHECK(path_try(lab, "server", "other", OTHER4, 53, SOCK_DGRAM) == REACHED);
	CHECK(path_try(lab, "other", "client", CLIENT4, 53, SOCK_DGRAM) == REACHED);
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_STREAM) == REACHED);
	return 0;
}

static int cuts_every_pair(struct lab *lab, struct err *err)
{
	struct injector *fault = cut(1, NULL, all_three, 3);

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "other", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "other", "client", CLIENT4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "other", OTHER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(talk_hits(lab, fault) == 4);
	return talk_revert(lab, fault, err);
}

static int keeps_a_group_whole(struct lab *lab, struct err *err)
{
	static const char *const groups[][3] = {{"server", SERVER4, NULL}, {"clients", CLIENT4, OTHER4}};
	struct injector *fault = cut(1, NULL, groups, 2);

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "other", "client", CLIENT4, 53, SOCK_DGRAM) == REACHED);
	CHECK(path_try(lab, "other", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	return talk_revert(lab, fault, err);
}

static int hits_only_what_was_chosen(struct lab *lab, struct err *err)
{
	struct injector *fault = cut(1, KEYS("protocol", "udp", "family", "ipv6"), server_client, 2);

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_STREAM) == REACHED);
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == REACHED);
	return talk_revert(lab, fault, err);
}

static int stands_in_plan_order(struct lab *lab, struct err *err)
{
	struct injector *fault = cut(2, NULL, server_client, 2);
	struct injector *before = talk_fault(arena, &blackhole_ops, 1, KEYS("family", "ipv4"));
	struct injector *after = talk_fault(arena, &blackhole_ops, 3, NULL);

	if (talk_apply(lab, after, err) || talk_apply(lab, fault, err) || talk_apply(lab, before, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == SILENCE);
	CHECK(talk_hits(lab, before) == 1 && talk_hits(lab, fault) == 1 && talk_hits(lab, after) == 0);
	return talk_revert(lab, before, err) || talk_revert(lab, after, err) || talk_revert(lab, fault, err) ? err->code
													     : 0;
}

static int leaves_no_trace(struct lab *lab, struct err *err)
{
	return talk_leaves_no_trace(lab, cut(1, NULL, all_three, 3), err);
}

static void takes_effect_both_ways_in_both_families(void **state UNUSED)
{
	talk_in_lab(cuts_both_ways);
}

static void three_groups_are_cut_pair_by_pair(void **state UNUSED)
{
	talk_in_lab(cuts_every_pair);
}

static void within_a_group_all_goes_on(void **state UNUSED)
{
	talk_in_lab(keeps_a_group_whole);
}

static void leaves_alone_what_was_not_chosen(void **state UNUSED)
{
	talk_in_lab(hits_only_what_was_chosen);
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
		cmocka_unit_test(rejects_groups_that_never_meet),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_both_ways_in_both_families),
		cmocka_unit_test(three_groups_are_cut_pair_by_pair),
		cmocka_unit_test(within_a_group_all_goes_on),
		cmocka_unit_test(leaves_alone_what_was_not_chosen),
		cmocka_unit_test(order_is_that_of_the_plan),
		cmocka_unit_test(apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
