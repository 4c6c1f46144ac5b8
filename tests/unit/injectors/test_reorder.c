/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/shaped.h"

const struct injector_ops *const shaped_kind = &reorder_ops;
const char *const *const shaped_keys = KEYS("share", "25%");

static void rejects_a_missing_share_and_one_of_all(void **state UNUSED)
{
	shaped_rejects(NULL, "share: 25%");
	shaped_rejects(KEYS("share", "100%"), "share"); /* all of them overtake nobody */
}

static void rejects_a_gap_of_none(void **state UNUSED)
{
	shaped_rejects(KEYS("share", "25%", "gap", "0"), "gap");
}

static void describes_itself(void **state UNUSED)
{
	talk_says(shaped_fault(KEYS("share", "25%", "gap", "5", "delay", "20ms", "family", "ipv4")),
		  "lets 25% of every 5th overtake the others, which it delays by 20ms, of every packet to and "
		  "from " SERVER4);
	shaped_commands_have(KEYS("share", "25%"), "netem limit 200000 delay 50ms reorder 25% gap 1\n");
}

/* The third of each three goes ahead of all that wait. */
static int overtakes(struct lab *lab, struct err *err)
{
	static const int wanted[] = {2, 5, 8, 0, 1, 3, 4, 6, 7};
	struct injector *fault = shaped_fault(KEYS("share", "99.9999%", "gap", "3", "delay", "300ms"));
	static const char *const addresses[] = {SERVER4, SERVER6};
	int numbers[ARRIVALS_MAX];

	if (talk_apply(lab, fault, err))
		return err->code;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		CHECK(shaped_arrivals(lab, addresses[i], 9, 1000, numbers) == 9);
		CHECK(!memcmp(numbers, wanted, sizeof(wanted)));
	}
	CHECK(talk_hits(lab, fault) == 6);
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(shaped_arrivals(lab, SERVER4, 2, 300, numbers) == 2 && numbers[0] == 0 && numbers[1] == 1);
	return 0;
}

static void takes_effect_on_both_families(void **state UNUSED)
{
	talk_in_lab(overtakes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_a_missing_share_and_one_of_all),
		cmocka_unit_test(rejects_a_gap_of_none),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_on_both_families),
		SHAPED_CASES,
	};

	return cmocka_run_group_tests(tests, shaped_set_up, shaped_tear_down);
}
