/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

struct folder {
	char path[64];
	int fd;
};

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	strcpy(folder->path, "/tmp/test-fd-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder->fd >= 0);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	unlinkat(folder->fd, "f", 0);
	close(folder->fd);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static void a_file_reads_back_as_written(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	char *text CLEANUP_FREE = NULL;
	size_t len = 0;

	assert_int_equal(fd_write_file(dir, "f", "a\0b\n", 4, 0600), 0);
	assert_int_equal(fd_read_file(dir, "f", 100, &text, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(text, "a\0b\n", 5); /* its NUL included */
}

static void writing_again_replaces_the_whole(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	char *text CLEANUP_FREE = NULL;

	assert_int_equal(fd_write_file(dir, "f", "a long one", 10, 0600), 0);
	assert_int_equal(fd_write_file(dir, "f", "short", 5, 0600), 0);
	assert_int_equal(fd_read_file(dir, "f", 100, &text, NULL), 0);
	assert_string_equal(text, "short");
}

static void an_empty_file_is_an_empty_string(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	char *text CLEANUP_FREE = NULL;
	size_t len = 9;

	assert_int_equal(fd_write_file(dir, "f", NULL, 0, 0600), 0);
	assert_int_equal(fd_read_file(dir, "f", 0, &text, &len), 0);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
}

/* The limit is inclusive; around the size of the reader's first buffer too. */
static void a_file_over_the_limit_is_refused(void **state)
{
	static const size_t limits[] = {1, 100, 16382, 16383, 16384, 16385, 100000};
	int dir = ((struct folder *)*state)->fd;
	char *data = calloc(1, 200000);

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		char *text = NULL;
		size_t len = 77;

		fd_write_file(dir, "f", data, limits[i], 0600);
		assert_int_equal(fd_read_file(dir, "f", limits[i], &text, &len), 0);
		assert_int_equal(len, limits[i]);
		free(text);
		text = NULL;
		fd_write_file(dir, "f", data, limits[i] + 1, 0600);
		assert_int_equal(fd_read_file(dir, "f", limits[i], &text, &len), -EFBIG);
		assert_null(text);
		assert_int_equal(len, limits[i]);
	}
	free(data);
}

static void an_endless_file_is_refused(UNUSED void **state)
{
	char *text = NULL;

	assert_int_equal(fd_read_file(AT_FDCWD, "/dev/zero", 1 << 20, &text, NULL), -EFBIG);
	assert_null(text);
}

static void what_cannot_be_read_says_why(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	char *text = NULL;

	assert_int_equal(fd_read_file(dir, "missing", 10, &text, NULL), -ENOENT);
	assert_int_equal(fd_read_file(dir, ".", 10, &text, NULL), -EISDIR);
	assert_int_equal(fd_write_file(dir, "no/such", "x", 1, 0600), -ENOENT);
	assert_null(text);
}

static void a_full_disk_is_an_error(UNUSED void **state)
{
	assert_int_equal(fd_write_file(AT_FDCWD, "/dev/full", "x", 1, 0600), -ENOSPC);
}

/* A megabyte does not fit a pipe: the writer must go on after each part that did. */
static void everything_is_written_through_a_narrow_pipe(UNUSED void **state)
{
	enum { SIZE = 1 << 20 };
	char *data = malloc(SIZE);
	int ends[2], status;
	pid_t child;
	ssize_t n, total = 0;
	char part[777];

	memset(data, 'd', SIZE);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		_exit(fd_write_all(ends[1], data, SIZE) ? 1 : 0);
	}
	close(ends[1]);
	while ((n = read(ends[0], part, sizeof(part))) > 0)
		total += n;
	assert_int_equal(total, SIZE);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ends[0]);
	free(data);
}

static void writing_to_nobody_is_an_error(UNUSED void **state)
{
	assert_int_equal(fd_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(fd_write_all(-1, "", 0), 0);
}

static void a_descriptor_closes_when_its_scope_ends_unless_taken(UNUSED void **state)
{
	int closed, kept;

	{
		int a CLEANUP_CLOSE = open("/dev/null", O_RDONLY | O_CLOEXEC);
		int b CLEANUP_CLOSE = open("/dev/null", O_RDONLY | O_CLOEXEC);

		closed = a;
		kept = TAKE_FD(b);
		assert_int_equal(b, -1);
	}
	assert_int_equal(fcntl(closed, F_GETFD), -1);
	assert_true(fcntl(kept, F_GETFD) >= 0);
	close(kept);
}

static void a_nonblocking_descriptor_does_not_wait(UNUSED void **state)
{
	int ends[2];
	char c;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_set_nonblocking(ends[0]), 0);
	assert_int_equal(read(ends[0], &c, 1), -1);
	assert_int_equal(errno, EAGAIN);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(fd_set_nonblocking(-1), -EBADF);
}

static void the_limit_of_descriptors_rises_to_what_is_allowed(UNUSED void **state)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fd_raise_limit();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur == limit.rlim_max);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_file_reads_back_as_written),
		IN_FOLDER(writing_again_replaces_the_whole),
		IN_FOLDER(an_empty_file_is_an_empty_string),
		IN_FOLDER(a_file_over_the_limit_is_refused),
		cmocka_unit_test(an_endless_file_is_refused),
		IN_FOLDER(what_cannot_be_read_says_why),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(everything_is_written_through_a_narrow_pipe),
		cmocka_unit_test(writing_to_nobody_is_an_error),
		cmocka_unit_test(a_descriptor_closes_when_its_scope_ends_unless_taken),
		cmocka_unit_test(a_nonblocking_descriptor_does_not_wait),
		cmocka_unit_test(the_limit_of_descriptors_rises_to_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
