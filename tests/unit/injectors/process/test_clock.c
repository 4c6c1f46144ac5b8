/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops clock_ops;

static void rejects_neither_and_both_directions(void **state UNUSED)
{
	const char *const *const given[] = {NULL, KEYS("ahead", "1s", "behind", "1s")};

	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		struct arena *arena = arena_new();
		struct errs errs = {0};
		struct injector *fault =
			bed_fault(arena, &clock_ops, "r1", &server_unbound, SERVER_RESOLVER, given[i], &errs);

		clock_ops.validate(fault, &errs);
		assert_int_equal(errs.count, 1);
		assert_non_null(strstr(errs.v[0].text, "one of ahead: and behind:"));
		errs_fini(&errs);
		arena_free(arena);
	}
}

static void describes_itself(void **state UNUSED)
{
	bed_describes(&clock_ops, "r1", &server_unbound, KEYS("behind", "1h"),
		      "puts the clock 1h behind for r1 (unbound)",
		      "ssh root@r1 'timedatectl set-ntp false && date -s @$(($(date +%s) + (-3600)))'\n",
		      "ssh root@r1 timedatectl set-ntp true\n");
}

/* The seconds since 1970 in unbound's last line of log: "[1795242773] unbound[52:0] info: …". */
static long long logged_time(void)
{
	char text[4096];
	int fd = server_process_log_fd(bed_server());
	off_t end = lseek(fd, 0, SEEK_END), from = end > 4000 ? end - 4000 : 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, from);
	char *line;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	line = strrchr(text, '[');
	while (line && line > text && line[-1] != '\n')
		line = memrchr(text, '[', (size_t)(line - text));
	return line ? atoll(line + 1) : 0;
}

/* unbound says the time itself, with each line of its log; SIGHUP makes it say something. */
static int says_the_wrong_time(struct trial *trial UNUSED, struct err *err)
{
	long long now = (long long)time(NULL), said;

	CHECK(!bed_effect().took_effect);
	if (bed_apply(err))
		return err->code;
	CHECK(!kill(server_process_pid(bed_server()), SIGHUP));
	bed_pass(300 * MSEC);
	said = logged_time();
	CHECK(said >= now + 40 * 86400 && said < now + 40 * 86400 + 60);
	CHECK(bed_effect().took_effect);
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(!kill(server_process_pid(bed_server()), SIGHUP));
	bed_pass(300 * MSEC);
	said = logged_time();
	CHECK(said >= now && said < now + 60);
	CHECK(!bed_effect().took_effect);
	return 0;
}

static void server_says_the_wrong_time_and_then_the_right_one(void **state UNUSED)
{
	bed_run(&clock_ops, "r1", "knot", KEYS("ahead", "40d"), says_the_wrong_time);
}

/* As of a program that takes no libraries. */
static int has_no_library(struct trial *trial UNUSED, struct err *err)
{
	struct server_clock *clock = server_process_clock(bed_server());

	CHECK(atomic_load(&clock->loads) > 0);
	atomic_store(&clock->loads, 0);
	CHECK(bed_apply(err) == -EOPNOTSUPP && strstr(err->text, "unbound of r1 cannot be given another clock: "));
	*err = (struct err){0};
	CHECK(!atomic_load(&clock->shift_ns));
	return bed_revert(err);
}

static void server_that_has_not_loaded_the_library_is_refused(void **state UNUSED)
{
	bed_run(&clock_ops, "r1", "knot", KEYS("ahead", "40d"), has_no_library);
}

static int drifts(struct trial *trial UNUSED, struct err *err)
{
	bed_of->ctx.progress_ppm = 0;
	if (bed_apply(err))
		return err->code;
	CHECK(atomic_load(&server_process_clock(bed_server())->shift_ns) == 0);
	if (clock_ops.adjust(bed_of->fault, &bed_of->ctx, 250000, err))
		return err->code;
	CHECK(atomic_load(&server_process_clock(bed_server())->shift_ns) == -900 * SEC);
	return bed_revert(err);
}

static void ramp_lets_it_drift(void **state UNUSED)
{
	bed_run(&clock_ops, "r1", "knot", KEYS("behind", "1h"), drifts);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&clock_ops, "r1", "knot", KEYS("ahead", "1h"), bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_neither_and_both_directions),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(server_says_the_wrong_time_and_then_the_right_one),
		cmocka_unit_test(server_that_has_not_loaded_the_library_is_refused),
		cmocka_unit_test(ramp_lets_it_drift),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
