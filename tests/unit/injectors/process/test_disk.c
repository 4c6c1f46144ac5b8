/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"
#include <fcntl.h>

extern const struct injector_ops disk_full_ops, disk_read_only_ops;

static void both_describe_themselves(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *full = bed_fault(arena, &disk_full_ops, "alpha.ns1", &server_knot, SERVER_AUTHORITATIVE,
					  KEYS("spare", "4KiB"), &errs);
	struct buf one = {0}, two = {0};

	disk_full_ops.sentence(full, &one);
	disk_read_only_ops.sentence(full, &two);
	assert_string_equal(one.data, "leaves 4KiB on the disk of alpha.ns1 (knotd)");
	assert_string_equal(two.data, "makes read-only the directory of alpha.ns1 (knotd)");
	buf_fini(&one), buf_fini(&two);
	arena_free(arena);
}

static void rejects_more_room_than_there_is(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};

	bed_fault(arena, &disk_full_ops, "alpha.ns1", &server_knot, SERVER_AUTHORITATIVE, KEYS("spare", "1GiB"), &errs);
	assert_int_equal(errs.count, 1);
	errs_fini(&errs);
	arena_free(arena);
}

/* What somebody on the host gets who writes 64 KiB below its directory: 0 or an errno. */
static int write_there(void)
{
	static const char block[65536];
	char path[512];
	int status = 0;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/test", server_process_spec(bed_server())->dir);
	pid = host_fork(server_process_host(bed_server()));
	if (!pid) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		int failed = fd < 0 || write(fd, block, sizeof(block)) != (ssize_t)sizeof(block) ? errno : 0;

		unlink(path);
		_exit(failed);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WEXITSTATUS(status);
}

static int spoils_writing(int expected, struct err *err)
{
	CHECK(write_there() == 0);
	if (bed_apply(err))
		return err->code;
	CHECK(write_there() == expected);
	CHECK(!bed_effect().took_effect); /* the server has not tried */
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(write_there() == 0 && bed_runs());
	return 0;
}

static int fills(struct trial *trial UNUSED, struct err *err)
{
	return spoils_writing(ENOSPC, err);
}

static int forbids(struct trial *trial UNUSED, struct err *err)
{
	return spoils_writing(EROFS, err);
}

static void full_disk_takes_nothing_and_then_everything(void **state UNUSED)
{
	bed_run(&disk_full_ops, "alpha.ns1", "nsd", NULL, fills);
}

static void read_only_disk_takes_nothing_and_then_everything(void **state UNUSED)
{
	bed_run(&disk_read_only_ops, "alpha.ns1", "nsd", NULL, forbids);
}

static int is_noticed(struct trial *trial UNUSED, struct err *err)
{
	if (bed_apply(err))
		return err->code;
	/* nsd writes its state when it ends, and says that it cannot. */
	CHECK(!server_process_signal(bed_server(), SIGTERM, err));
	CHECK(trial_turn(trial, bed_is_gone, NULL));
	CHECK(bed_effect().took_effect && strstr(bed_effect().text, "Read-only file system"));
	if (bed_revert(err))
		return err->code;
	CHECK(trial_turn(trial, bed_answers, NULL));
	return 0;
}

static void takes_effect_when_the_server_notices(void **state UNUSED)
{
	bed_run(&disk_read_only_ops, "alpha.ns1", "nsd", NULL, is_noticed);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&disk_full_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
	bed_run(&disk_read_only_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_describe_themselves),
		cmocka_unit_test(rejects_more_room_than_there_is),
		cmocka_unit_test(full_disk_takes_nothing_and_then_everything),
		cmocka_unit_test(read_only_disk_takes_nothing_and_then_everything),
		cmocka_unit_test(takes_effect_when_the_server_notices),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
