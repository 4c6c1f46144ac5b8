/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fault says of itself and refuses; that it takes effect is for tests/scenario/test_api.py.
 */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops api_ops;

static struct injector *make(struct arena *arena, const char *const *keys, struct errs *errs)
{
	return bed_fault(arena, &api_ops, "alpha.ns1", &server_powerdns, SERVER_AUTHORITATIVE, keys, errs);
}

static void assert_refused(const char *const *keys, const char *words)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault = make(arena, keys, &errs);

	assert_int_equal(errs.count, 0);
	api_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, words));
	errs_fini(&errs);
	arena_free(arena);
}

static void rejects_methods_that_a_fault_cannot_act_on(void **state UNUSED)
{
	assert_refused(KEYS("what", "stale", "method", "PATCH"), "for GET alone");
	assert_refused(KEYS("what", "partial", "method", "PUT"), "for PATCH alone");
	assert_refused(KEYS("what", "not-applied", "method", "GET"), "not for GET");
}

static void rejects_a_retry_after_that_http_cannot_say(void **state UNUSED)
{
	assert_refused(KEYS("retry_after", "1500ms"), "whole seconds");
	assert_refused(KEYS("what", "timeout", "retry_after", "1s"), "no error status");
}

static void describes_itself(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault = make(arena, KEYS("status", "429", "first", "2", "method", "PATCH"), &errs);
	struct buf sentence = {0};

	api_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 0);
	api_ops.sentence(fault, &sentence);
	assert_string_equal(sentence.data, "answers the first 2 PATCH requests to the HTTP API of alpha.ns1 "
					   "(pdns_server) with status 429");
	buf_fini(&sentence);
	arena_free(arena);
}

static void revert_and_release_without_apply_do_nothing(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault = make(arena, NULL, &errs);
	struct injector_ctx ctx = {0};
	struct effect effect;
	struct err err = {0};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(api_ops.revert(fault, &ctx, &err), 0);
		assert_int_equal(api_ops.release(fault, &ctx, &err), 0);
	}
	assert_int_equal(api_ops.effect(fault, &ctx, &effect, &err), 0);
	assert_false(effect.took_effect);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_methods_that_a_fault_cannot_act_on),
		cmocka_unit_test(rejects_a_retry_after_that_http_cannot_say),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(revert_and_release_without_apply_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
