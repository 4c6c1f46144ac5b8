/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"
#include <fcntl.h>

extern const struct injector_ops root_hints_ops, trust_anchor_ops;

static void rejects_a_nameserver(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &root_hints_ops, "alpha.ns1", &server_knot, SERVER_AUTHORITATIVE, NULL, &errs);

	root_hints_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "name a resolver without forward:"));
	errs_fini(&errs);
	arena_free(arena);
}

static void rejects_an_unsigned_lab(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &trust_anchor_ops, "r1", &server_unbound, SERVER_RESOLVER, NULL, &errs);

	fault->servers[0].validates = false;
	trust_anchor_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "add sign: true to a zone"));
	errs_fini(&errs);
	arena_free(arena);
}

static void both_describe_themselves(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *hints = bed_fault(arena, &root_hints_ops, "r1", &server_bind, SERVER_RESOLVER, NULL, &errs);
	struct buf one = {0}, two = {0};

	root_hints_ops.sentence(hints, &one);
	trust_anchor_ops.sentence(hints, &two);
	assert_string_equal(one.data, "restarts with root hints that lead nowhere r1 (named)");
	assert_string_equal(two.data, "restarts with a trust anchor that is not the root's key r1 (named)");
	buf_fini(&one), buf_fini(&two);
	arena_free(arena);
}

/* What unbound is configured with, from its own file. */
static bool configuration_says(const char *word)
{
	char path[512], text[8192];
	CLEANUP_CLOSE int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/unbound.conf", server_process_spec(bed_server())->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, word) != NULL;
}

static bool has_effect(void *arg UNUSED)
{
	return bed_effect().took_effect;
}

static int restarts_twice(struct trial *trial, struct err *err)
{
	const char *word = bed_of->fault->ops == &root_hints_ops ? "stale-hints" : "stale-anchor";
	pid_t pid = server_process_pid(bed_server());

	if (bed_apply(err))
		return err->code;
	CHECK(configuration_says(word));
	CHECK(trial_turn(trial, has_effect, NULL) && server_process_pid(bed_server()) != pid);
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(!configuration_says(word));
	CHECK(trial_turn(trial, bed_answers, NULL));
	bed_pass(100 * MSEC);
	CHECK(server_process_pid(bed_server()) != pid && bringup_is_settled(trial->bringup));
	CHECK(trial->report.excused == 2);
	return 0;
}

static void stale_hints_are_read_and_replaced(void **state UNUSED)
{
	bed_run(&root_hints_ops, "r1", "knot", NULL, restarts_twice);
}

static void stale_anchor_is_read_and_replaced(void **state UNUSED)
{
	bed_run(&trust_anchor_ops, "r1", "knot", NULL, restarts_twice);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&root_hints_ops, "r1", "knot", NULL, bed_reverts_without_apply);
	bed_run(&trust_anchor_ops, "r1", "knot", NULL, bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_a_nameserver),
		cmocka_unit_test(rejects_an_unsigned_lab),
		cmocka_unit_test(both_describe_themselves),
		cmocka_unit_test(stale_hints_are_read_and_replaced),
		cmocka_unit_test(stale_anchor_is_read_and_replaced),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
