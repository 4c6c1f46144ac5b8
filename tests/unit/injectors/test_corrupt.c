/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/shaped.h"

const struct injector_ops *const shaped_kind = &corrupt_ops;
const char *const *const shaped_keys = KEYS("share", "10%");

static void rejects_a_missing_share_and_one_above_all(void **state UNUSED)
{
	shaped_rejects(NULL, "share: 10%");
	shaped_rejects(KEYS("share", "101%"), "100%");
}

static void describes_itself(void **state UNUSED)
{
	talk_says(shaped_fault(KEYS("share", "10%", "direction", "to", "family", "ipv4")),
		  "flips one bit of 10% of every packet to " SERVER4);
	shaped_commands_have(KEYS("share", "10%"), "netem limit 200000 corrupt 10%\n");
}

/* One flipped bit is what the Internet checksum always finds, in the header and the data alike: nothing arrives. */
static int spoils(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(KEYS("share", "100%", "direction", "to"));

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(shaped_count(lab, SERVER4, 50, 300) == 0);
	CHECK(shaped_count(lab, SERVER6, 50, 300) == 0);
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_STREAM) == SILENCE);
	CHECK(talk_hits(lab, fault) >= 101);
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(shaped_count(lab, SERVER4, 50, 300) == 50);
	return 0;
}

static void takes_effect_on_both_families_and_all_protocols(void **state UNUSED)
{
	talk_in_lab(spoils);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_a_missing_share_and_one_above_all),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_on_both_families_and_all_protocols),
		SHAPED_CASES,
	};

	return cmocka_run_group_tests(tests, shaped_set_up, shaped_tear_down);
}
