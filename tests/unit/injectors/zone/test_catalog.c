/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fault says of itself, and its undoing without a lab; that it takes effect is for tests/scenario/test_catalog.py, what it refuses for tests/golden.
 */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops catalog_ops;

static struct injector *make(struct arena *arena, const char *const *keys)
{
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &catalog_ops, "alpha.ns1", &server_knot, SERVER_AUTHORITATIVE, keys, &errs);

	assert_int_equal(errs.count, 0);
	errs_fini(&errs);
	return fault;
}

static void assert_says(const char *const *keys, const char *words)
{
	struct arena *arena = arena_new();
	struct buf sentence = {0};

	catalog_ops.sentence(make(arena, keys), &sentence);
	assert_string_equal(sentence.data, words);
	buf_fini(&sentence);
	arena_free(arena);
}

static void describes_itself(void **state UNUSED)
{
	assert_says(KEYS("damage", "empty"), "has alpha.ns1 (knotd) serve a catalog zone that has no members");
	assert_says(KEYS("damage", "member-twice", "zone", "example.com"),
		    "has alpha.ns1 (knotd) serve a catalog zone that has example.com twice");
	assert_says(KEYS("damage", "version-missing"),
		    "has alpha.ns1 (knotd) serve a catalog zone that has no version");
}

static void revert_without_apply_does_nothing_twice(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct injector *fault = make(arena, NULL);
	struct injector_ctx ctx = {0};
	struct effect effect;
	struct err err = {0};

	for (int i = 0; i < 2; i++)
		assert_int_equal(catalog_ops.revert(fault, &ctx, &err), 0);
	assert_int_equal(catalog_ops.effect(fault, &ctx, &effect, &err), 0);
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
