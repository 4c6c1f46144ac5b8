/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fault says of itself, and its undoing without a lab; that it takes effect is for tests/scenario/test_notify.py, what it refuses for tests/golden.
 */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops notify_ops;

static struct injector *make(struct arena *arena, const char *const *keys)
{
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &notify_ops, "beta.ns1", &server_knot, SERVER_AUTHORITATIVE, keys, &errs);

	assert_int_equal(errs.count, 0);
	errs_fini(&errs);
	return fault;
}

static void describes_itself(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct injector *fault = make(arena, KEYS("zone", "example.com", "by", "office", "rate", "200/s", "serial",
						  "4294967295", "tsig", "wrong"));
	struct buf sentence = {0};

	notify_ops.sentence(fault, &sentence);
	assert_string_equal(sentence.data, "tells beta.ns1 (knotd) from office, 200 times a second and with a wrong "
					   "TSIG, that example.com has changed to serial 4294967295");
	buf_fini(&sentence);
	arena_free(arena);
}

static void revert_without_apply_does_nothing_twice(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct injector *fault = make(arena, KEYS("zone", "example.com", "by", "office"));
	struct injector_ctx ctx = {0};
	struct effect effect;
	struct err err = {0};

	for (int i = 0; i < 2; i++)
		assert_int_equal(notify_ops.revert(fault, &ctx, &err), 0);
	assert_int_equal(notify_ops.effect(fault, &ctx, &effect, &err), 0);
	assert_false(effect.took_effect);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(revert_without_apply_does_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
