/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/engine/vm/report.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

struct rig {
	char path[64];
	int from, to; /* directories: the guest's logs and the host's */
	int port;
};

static int open_dir(const char *top, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0755), 0);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int make_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	strcpy(rig->path, "/tmp/test-report-XXXXXX");
	assert_non_null(mkdtemp(rig->path));
	rig->from = open_dir(rig->path, "from");
	rig->to = open_dir(rig->path, "to");
	rig->port = memfd_create("port", MFD_CLOEXEC);
	*state = rig;
	return 0;
}

static int remove_rig(void **state)
{
	static const char *const names[] = {"a.log", "b.log"};
	struct rig *rig = *state;
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unlinkat(rig->from, names[i], 0);
		unlinkat(rig->to, names[i], 0);
	}
	snprintf(path, sizeof(path), "%s/from", rig->path);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/to", rig->path);
	rmdir(path);
	assert_int_equal(rmdir(rig->path), 0); /* nothing else was written */
	close(rig->from);
	close(rig->to);
	close(rig->port);
	free(rig);
	return 0;
}

static int read_back(struct rig *rig, const char *text, int *ret_status)
{
	struct err err = {0};
	int r;

	if (text)
		assert_int_equal(fd_write_all(rig->port, text, strlen(text)), 0);
	r = report_read(rig->port, rig->to, ret_status, &err);
	assert_int_equal(r, err.code);
	return r;
}

static void logs_and_the_end_come_back_as_they_were(void **state)
{
	struct rig *rig = *state;
	char *text CLEANUP_FREE = NULL;
	size_t len;
	int status;

	assert_int_equal(fd_write_file(rig->from, "a.log", "one\nend 0\n\0two", 14, 0644), 0);
	assert_int_equal(fd_write_file(rig->from, "b.log", "", 0, 0644), 0);
	assert_int_equal(report_tick(rig->port), 0);
	assert_int_equal(report_logs(rig->port, rig->from), 0);
	assert_int_equal(report_end(rig->port, 1), 0);
	assert_int_equal(read_back(rig, NULL, &status), 0);
	assert_int_equal(status, 1);
	assert_int_equal(fd_read_file(rig->to, "a.log", 100, &text, &len), 0);
	assert_int_equal(len, 14);
	assert_memory_equal(text, "one\nend 0\n\0two", 14);
	assert_int_equal(faccessat(rig->to, "b.log", R_OK, 0), 0);
}

static void a_report_without_an_end_is_told_apart(void **state)
{
	int status = 7;

	assert_int_equal(read_back(*state, "tick\ntick\nen", &status), 0);
	assert_int_equal(status, -1);
}

static void an_empty_report_is_one_without_an_end(void **state)
{
	int status = 7;

	assert_int_equal(read_back(*state, NULL, &status), 0);
	assert_int_equal(status, -1);
}

static void a_log_that_is_cut_short_is_an_error(void **state)
{
	int status;

	assert_int_equal(read_back(*state, "log a.log 10\nabc", &status), -EBADMSG);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const lines[] = {"log ../a 1\nx",    "log /tmp/a 1\nx",
					    "log .hidden 1\nx", "log a/b 1\nx",
					    "log  1\nx",        "log a.log -1\n",
					    "log a.log 1 x\nx", "hello\n",
					    "end x\n",          "log a.log 999999999999999999999\n"};
	struct rig *rig = *state;
	int status;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_int_equal(ftruncate(rig->port, 0), 0);
		lseek(rig->port, 0, SEEK_SET);
		assert_int_equal(read_back(rig, lines[i], &status), -EBADMSG);
		assert_int_equal(status, -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(logs_and_the_end_come_back_as_they_were, make_rig, remove_rig),
		cmocka_unit_test_setup_teardown(a_report_without_an_end_is_told_apart, make_rig, remove_rig),
		cmocka_unit_test_setup_teardown(an_empty_report_is_one_without_an_end, make_rig, remove_rig),
		cmocka_unit_test_setup_teardown(a_log_that_is_cut_short_is_an_error, make_rig, remove_rig),
		cmocka_unit_test_setup_teardown(names_that_lead_elsewhere_are_refused, make_rig, remove_rig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
