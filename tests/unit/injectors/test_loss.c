/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/node.h"
#include "tests/unit/injectors/shaped.h"

const struct injector_ops *const shaped_kind = &loss_ops;
const char *const *const shaped_keys = KEYS("share", "100%");

/* bursts: is a mapping within the step, which KEYS cannot say. */
static struct injector *bursty_fault(const char *const *pairs, struct errs *errs)
{
	struct node *step = ARENA_NEW(shaped_arena, struct node), *bursts = ARENA_NEW(shaped_arena, struct node);
	struct injector *fault = arena_alloc(shaped_arena, loss_ops.size);

	step->type = bursts->type = NODE_MAP;
	step->pairs = ARENA_ARRAY(shaped_arena, struct node_pair, 1);
	step->pairs[step->count++] = (struct node_pair){.key = "bursts", .value = bursts};
	bursts->pairs = ARENA_ARRAY(shaped_arena, struct node_pair, 8);
	for (; *pairs; pairs += 2) {
		struct node *value = ARENA_NEW(shaped_arena, struct node);

		value->scalar = pairs[1];
		bursts->pairs[bursts->count++] = (struct node_pair){.key = pairs[0], .value = value};
	}
	parse_mapping(shaped_arena, step, &loss_ops.params, 1, fault, "step", errs);
	fault->ops = &loss_ops;
	fault->id = 1;
	fault->name.value = "test fault";
	fault->target_addresses = path_addresses(shaped_arena, SERVER4, SERVER6);
	if (!errs->count)
		loss_ops.validate(fault, errs);
	return fault;
}

static void rejects_bursts(const char *const *pairs, const char *wanted)
{
	struct errs errs = {0};

	bursty_fault(pairs, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, wanted));
	errs_fini(&errs);
}

static void rejects_no_loss_and_two_kinds_of_loss(void **state UNUSED)
{
	shaped_rejects(NULL, "one of share");
	shaped_rejects(KEYS("share", "10%", "every", "5"), "one of share");
	shaped_rejects(KEYS("every", "5", "correlation", "20%"), "correlation goes with share");
}

static void rejects_shares_that_are_none(void **state UNUSED)
{
	shaped_rejects(KEYS("share", "101%"), "100%");
	shaped_rejects(KEYS("share", "0%"), "share");
	shaped_rejects(KEYS("every", "0"), "every");
}

static void rejects_bursts_that_make_no_sense(void **state UNUSED)
{
	rejects_bursts(KEYS("enter", "10%"), "both enter and leave");
	rejects_bursts(KEYS("enter", "60%", "leave", "50%"), "more than 100%");
	rejects_bursts(KEYS("enter", "0%", "leave", "50%"), "lose nothing");
	rejects_bursts(KEYS("enter", "1%", "leave", "50%", "loss_bad", "0%"), "lose nothing");
}

static void rejects_every_nth_by_netem_which_does_not_count(void **state UNUSED)
{
	shaped_rejects(KEYS("every", "5", "backend", "netem"), "netem cannot do that");
}

static void describes_itself(void **state UNUSED)
{
	struct errs errs = {0};

	talk_says(shaped_fault(KEYS("share", "30%", "protocol", "udp", "direction", "to")),
		  "loses 30% of UDP packets to " SERVER4 " and " SERVER6);
	talk_says(shaped_fault(KEYS("every", "10", "family", "ipv6", "backend", "relay")),
		  "loses one in 10 of every packet to and from " SERVER6 ", by dnsdrill's relay");
	talk_says(bursty_fault(KEYS("enter", "1%", "leave", "25%"), &errs),
		  "loses in bursts (enter 1%, leave 25%; loss 0% and 100%) of every packet to and from " SERVER4
		  " and " SERVER6);
	shaped_commands_have(KEYS("share", "30%"), "netem limit 200000 loss random 30%\n");
	/* 0.3 × (1 - 0.25) and 0.7 × (1 - 0.25): the chain that keeps the share. */
	shaped_commands_have(KEYS("share", "30%", "correlation", "25%"), "loss gemodel 22.5% 52.5% 100% 0%\n");
	shaped_commands_have(KEYS("every", "10"), "numgen inc mod 10 == 0 drop");
}

static int loses_all(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(KEYS("share", "100%"));

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_STREAM) == SILENCE);
	CHECK(path_try(lab, "server", "client", CLIENT6, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "other", "client", CLIENT4, 53, SOCK_DGRAM) == REACHED);
	CHECK(talk_hits(lab, fault) >= 3);
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == REACHED);
	return 0;
}

static void takes_effect_on_both_families_and_all_protocols(void **state UNUSED)
{
	talk_in_lab(loses_all);
}

static int loses_every_third(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(KEYS("every", "3"));
	int numbers[ARRIVALS_MAX];

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(shaped_arrivals(lab, SERVER4, 90, 300, numbers) == 60);
	for (int i = 0; i < 60; i++)
		CHECK(numbers[i] == i / 2 * 3 + i % 2);
	CHECK(talk_hits(lab, fault) == 30);
	return talk_revert(lab, fault, err);
}

static void every_third_is_every_third(void **state UNUSED)
{
	talk_in_lab(loses_every_third);
}

/* What is lost between two that arrive. Bursts of 1 / 25 % = 4 on average, a tenth of 300 at 1 / (1 + 25/2.8): about 8 of them; with this seed there are some, and
 * test_shape.c has the statistics. */
static int loses_bursts(struct lab *lab, struct err *err)
{
	struct errs errs = {0};
	struct injector *fault = bursty_fault(KEYS("enter", "2.8%", "leave", "25%"), &errs);
	int numbers[ARRIVALS_MAX], n, longest = 0;

	if (talk_apply(lab, fault, err))
		return err->code;
	n = shaped_arrivals(lab, SERVER6, 200, 300, numbers);
	for (int i = 1; i < n; i++)
		longest = numbers[i] - numbers[i - 1] - 1 > longest ? numbers[i] - numbers[i - 1] - 1 : longest;
	CHECK(n < 200 && talk_hits(lab, fault) == 200 - n && longest >= 2);
	return talk_revert(lab, fault, err);
}

static void bursts_lose_runs(void **state UNUSED)
{
	talk_in_lab(loses_bursts);
}

/* The seed decides; another start of the same fault (a flap) decides differently. */
static int follows_the_seed(struct lab *lab, struct err *err)
{
	int numbers[3][ARRIVALS_MAX], n[3];

	for (int i = 0; i < 3; i++) {
		struct injector *fault = shaped_fault(KEYS("share", "50%"));

		if (talk_apply(lab, fault, err))
			return err->code;
		if (i == 2 && (talk_revert(lab, fault, err) || talk_apply(lab, fault, err)))
			return err->code;
		n[i] = shaped_arrivals(lab, SERVER4, 100, 300, numbers[i]);
		if (talk_revert(lab, fault, err))
			return err->code;
	}
	CHECK(n[0] > 0 && n[0] == n[1] && !memcmp(numbers[0], numbers[1], (size_t)n[0] * sizeof(int)));
	CHECK(n[2] > 0 && (n[2] != n[0] || memcmp(numbers[0], numbers[2], (size_t)n[0] * sizeof(int)) != 0));
	return 0;
}

static void same_seed_loses_the_same_but_a_flap_does_not_repeat_itself(void **state UNUSED)
{
	talk_in_lab(follows_the_seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_no_loss_and_two_kinds_of_loss),
		cmocka_unit_test(rejects_shares_that_are_none),
		cmocka_unit_test(rejects_bursts_that_make_no_sense),
		cmocka_unit_test(rejects_every_nth_by_netem_which_does_not_count),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_on_both_families_and_all_protocols),
		cmocka_unit_test(every_third_is_every_third),
		cmocka_unit_test(bursts_lose_runs),
		cmocka_unit_test(same_seed_loses_the_same_but_a_flap_does_not_repeat_itself),
		SHAPED_CASES,
	};

	return cmocka_run_group_tests(tests, shaped_set_up, shaped_tear_down);
}
