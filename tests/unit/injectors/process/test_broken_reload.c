/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops broken_reload_ops;

static void rejects_software_that_reads_nothing_again(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &broken_reload_ops, "r1", &server_knot_resolver, SERVER_RESOLVER, NULL, &errs);

	broken_reload_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "kresd of r1 does not read its configuration again"));
	errs_fini(&errs);
	arena_free(arena);
}

static void describes_itself(void **state UNUSED)
{
	bed_describes(&broken_reload_ops, "alpha.ns1", &server_nsd, NULL,
		      "has a configuration that does not parse read by alpha.ns1 (nsd)", NULL, NULL);
}

/* unbound ends of it; what is started again reads the good one. */
static int ends_of_it(struct trial *trial, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());

	CHECK(!bed_effect().took_effect);
	if (bed_apply(err))
		return err->code;
	CHECK(trial_turn(trial, bed_is_gone, NULL));
	CHECK(bed_effect().took_effect && trial->report.excused == 1);
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(trial_turn(trial, bed_answers, NULL) && server_process_pid(bed_server()) != pid);
	return 0;
}

static void server_that_ends_of_it_comes_back_with_the_good_one(void **state UNUSED)
{
	bed_run(&broken_reload_ops, "r1", "knot", KEYS("hup", "true"), ends_of_it);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&broken_reload_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_software_that_reads_nothing_again),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(server_that_ends_of_it_comes_back_with_the_good_one),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
