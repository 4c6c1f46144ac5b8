/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/outdir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/fd.h"

static char top[] = "/tmp/dnsdrill-test-XXXXXX";

static int make_top(void **state UNUSED)
{
	return mkdtemp(top) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED, struct FTW *at UNUSED)
{
	return remove(path);
}

static int remove_top(void **state UNUSED)
{
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *under_top(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s", top, name);
	return buf;
}

static void makes_the_directory_and_its_parents(void **state UNUSED)
{
	char path[256], file[300];
	struct outdir outdir;
	struct outdir_case files;
	struct err err = {0};
	struct stat st;

	assert_int_equal(outdir_open(under_top("a/b/c", path, sizeof(path)), &outdir, &err), 0);
	assert_int_equal(outdir_case_open(&outdir, NULL, &files, &err), 0);
	assert_string_equal(files.capture_name, "capture.pcap");
	snprintf(file, sizeof(file), "%s/logs", path);
	assert_int_equal(stat(file, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	outdir_case_close(&files);
	outdir_close(&outdir);
}

static void a_case_of_a_matrix_has_a_directory_of_its_own(void **state UNUSED)
{
	char path[256];
	struct outdir outdir;
	struct outdir_case files;
	struct err err = {0};

	assert_int_equal(outdir_open(under_top("matrix", path, sizeof(path)), &outdir, &err), 0);
	assert_int_equal(outdir_case_open(&outdir, "resolver=unbound, size=1/2", &files, &err), 0);
	assert_string_equal(files.capture_name, "resolver=unbound-size=1-2/capture.pcap");
	assert_int_equal(faccessat(outdir.fd, files.capture_name, F_OK, 0), 0);
	outdir_case_close(&files);
	outdir_close(&outdir);
}

static void cases_whose_file_names_are_the_same_keep_their_own_captures(void **state UNUSED)
{
	/* "/" and " " both become "-"; names longer than a file's may be are cut, here before they differ. */
	char path[256], long_a[400], long_b[400];
	const char *labels[] = {"v=a b", "v=a/b", long_a, long_b};
	char names[ARRAY_LEN(labels)][300];
	struct outdir outdir;
	struct outdir_case files;
	struct err err = {0};

	memset(long_a, 'x', sizeof(long_a));
	memset(long_b, 'x', sizeof(long_b));
	long_a[399] = long_b[399] = '\0';
	long_b[398] = 'y';
	assert_int_equal(outdir_open(under_top("same", path, sizeof(path)), &outdir, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		assert_int_equal(outdir_case_open(&outdir, labels[i], &files, &err), 0);
		strcpy(names[i], files.capture_name);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(names[i], names[j]);
		outdir_case_close(&files);
	}
	assert_string_equal(names[1], "v=a-b-2/capture.pcap");
	outdir_close(&outdir);
}

static void never_writes_over_a_run(void **state UNUSED)
{
	char path[256];
	struct outdir outdir;
	struct err err = {0};

	assert_int_equal(outdir_open(under_top("twice", path, sizeof(path)), &outdir, &err), 0);
	outdir_close(&outdir);
	assert_int_equal(outdir_open(path, &outdir, &err), -EEXIST);
	assert_string_equal(err.loc.file, path);
	assert_non_null(strstr(err.text, "already holds a run"));
}

static void a_file_in_the_way_is_named(void **state UNUSED)
{
	char path[256];
	struct outdir outdir;
	struct err err = {0};

	assert_int_equal(fd_write_file(AT_FDCWD, under_top("file", path, sizeof(path)), "", 0, 0600), 0);
	under_top("file/sub", path, sizeof(path));
	assert_true(outdir_open(path, &outdir, &err) < 0);
	assert_string_equal(err.loc.file, path);
	assert_non_null(strstr(err.text, "Not a directory"));
}

static void file_names_cannot_leave_their_directory(void **state UNUSED)
{
	char buf[16];

	assert_string_equal(outdir_file_name("../../etc", buf, sizeof(buf)), "run");
	assert_string_equal(outdir_file_name("", buf, sizeof(buf)), "run");
	assert_string_equal(outdir_file_name("a b//c", buf, sizeof(buf)), "a-b-c");
	assert_string_equal(outdir_file_name("0123456789abcdefgh", buf, sizeof(buf)), "0123456789abcde");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_the_directory_and_its_parents),
		cmocka_unit_test(a_case_of_a_matrix_has_a_directory_of_its_own),
		cmocka_unit_test(cases_whose_file_names_are_the_same_keep_their_own_captures),
		cmocka_unit_test(never_writes_over_a_run),
		cmocka_unit_test(a_file_in_the_way_is_named),
		cmocka_unit_test(file_names_cannot_leave_their_directory),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
