/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/shaped.h"

const struct injector_ops *const shaped_kind = &duplicate_ops;
const char *const *const shaped_keys = KEYS("share", "5%");

static void rejects_a_missing_share_and_one_above_all(void **state UNUSED)
{
	shaped_rejects(NULL, "share: 5%");
	shaped_rejects(KEYS("share", "100.1%"), "100%");
}

static void describes_itself(void **state UNUSED)
{
	talk_says(shaped_fault(KEYS("share", "5%", "direction", "from", "family", "ipv4")),
		  "sends twice 5% of every packet from " SERVER4);
	shaped_commands_have(KEYS("share", "5%"), "netem limit 200000 duplicate 5%\n");
}

static int doubles(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(KEYS("share", "100%", "protocol", "udp"));

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(shaped_count(lab, SERVER4, 20, 300) == 40);
	CHECK(shaped_count(lab, SERVER6, 20, 300) == 40);
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_STREAM) == REACHED);
	CHECK(talk_hits(lab, fault) == 40); /* none of TCP */
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(shaped_count(lab, SERVER4, 20, 300) == 20);
	return 0;
}

static void takes_effect_on_both_families(void **state UNUSED)
{
	talk_in_lab(doubles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_a_missing_share_and_one_above_all),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_on_both_families),
		SHAPED_CASES,
	};

	return cmocka_run_group_tests(tests, shaped_set_up, shaped_tear_down);
}
