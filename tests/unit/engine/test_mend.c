/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/start.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct engine_facts nothing_special = {.userns_clone = -1, .max_userns = 10000, .apparmor = -1};

static const char *mend_of(struct engine_facts facts, struct err *err)
{
	*err = (struct err){0};
	err_set(err, -EPERM, LOC_NONE, "making a user namespace: Operation not permitted");
	assert_int_equal(engine_add_mend(&facts, err), -EPERM);
	return err->text;
}

static void an_ordinary_user_is_always_told_that_root_works(void **state UNUSED)
{
	struct err err;

	assert_non_null(strstr(mend_of(nothing_special, &err), "sudo dnsdrill"));
	assert_null(strstr(err.text, "sysctl"));
}

static void root_is_not_told_to_become_root(void **state UNUSED)
{
	struct engine_facts facts = nothing_special;
	struct err err;

	facts.is_root = true;
	assert_null(strstr(mend_of(facts, &err), "sudo dnsdrill"));
}

static void ubuntus_apparmor_rule_comes_with_its_sysctl_and_a_profile(void **state UNUSED)
{
	struct engine_facts facts = nothing_special;
	struct err err;

	facts.apparmor = 1;
	strcpy(facts.program, "/opt/bin/dnsdrill");
	mend_of(facts, &err);
	assert_non_null(strstr(err.text, "kernel.apparmor_restrict_unprivileged_userns=0"));
	assert_non_null(strstr(err.text, "profile dnsdrill /opt/bin/dnsdrill flags=(unconfined) {\n      userns,\n"));
	facts.apparmor = 0;
	assert_null(strstr(mend_of(facts, &err), "AppArmor"));
}

static void switched_off_user_namespaces_name_their_sysctl(void **state UNUSED)
{
	struct engine_facts facts = nothing_special;
	struct err err;

	facts.max_userns = 0;
	assert_non_null(strstr(mend_of(facts, &err), "user.max_user_namespaces="));
	facts = nothing_special;
	facts.userns_clone = 0;
	assert_non_null(strstr(mend_of(facts, &err), "kernel.unprivileged_userns_clone=1"));
}

static void everything_at_once_still_fits_an_error(void **state UNUSED)
{
	struct engine_facts facts = {.in_container = true, .apparmor = 1};
	struct err err;

	memset(facts.program, 'x', sizeof(facts.program) - 1);
	mend_of(facts, &err);
	assert_non_null(strstr(err.text, "--privileged"));
	assert_non_null(strstr(err.text, "sudo dnsdrill")); /* the last line is not cut off */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_user_is_always_told_that_root_works),
		cmocka_unit_test(root_is_not_told_to_become_root),
		cmocka_unit_test(ubuntus_apparmor_rule_comes_with_its_sysctl_and_a_profile),
		cmocka_unit_test(switched_off_user_namespaces_name_their_sysctl),
		cmocka_unit_test(everything_at_once_still_fits_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
