/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/engine/vm/files.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

/* An archive, read as the kernel's description of the format says. */
struct member {
	char name[256];
	unsigned mode;
	size_t len;
	const char *data;
};

static unsigned field(const char *header, int index)
{
	char text[9] = "";

	memcpy(text, header + 6 + 8 * index, 8);
	return (unsigned)strtoul(text, NULL, 16);
}

static size_t even(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* Moves *io_at on; false at the trailer. */
static bool next_member(const char *data, size_t *io_at, struct member *ret)
{
	const char *header = data + *io_at;
	unsigned name_len = field(header, 11);

	assert_memory_equal(header, "070701", 6);
	assert_in_range(name_len, 2, sizeof(ret->name));
	memcpy(ret->name, header + 110, name_len);
	assert_int_equal(strlen(ret->name) + 1, name_len);
	ret->mode = field(header, 1);
	ret->len = field(header, 6);
	ret->data = header + even(110 + name_len);
	assert_int_equal(field(header, 5), 0); /* no time: the same bytes tomorrow */
	*io_at += even(110 + name_len) + even(ret->len);
	return strcmp(ret->name, "TRAILER!!!");
}

static bool find_member(const char *data, const char *name, struct member *ret)
{
	size_t at = 0;

	while (next_member(data, &at, ret)) {
		if (!strcmp(ret->name, name))
			return true;
	}
	return false;
}

static char *write_all(const struct files *files, size_t *ret_len)
{
	CLEANUP_CLOSE int fd = memfd_create("archive", MFD_CLOEXEC);
	struct err err = {0};
	struct cpio cpio;
	struct stat st;
	char *data;

	cpio_init(&cpio, fd);
	assert_int_equal(files_write(files, &cpio, &err), 0);
	assert_int_equal(cpio_end(&cpio), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size % 4, 0); /* another archive may follow */
	data = malloc((size_t)st.st_size);
	assert_int_equal(pread(fd, data, (size_t)st.st_size, 0), st.st_size);
	*ret_len = (size_t)st.st_size;
	return data;
}

static void data_links_and_directories_are_written_as_given(void **state)
{
	CLEANUP(files_freep) struct files *files = files_new();
	CLEANUP_FREE char *data = NULL;
	struct member member;
	size_t len;

	(void)state;
	files_add_data(files, "/a/b/text", "hello", 5);
	files_add_link(files, "/a/link", "b/text");
	data = write_all(files, &len);
	assert_true(find_member(data, "a/b", &member));
	assert_true(S_ISDIR(member.mode));
	assert_true(find_member(data, "a/b/text", &member));
	assert_int_equal(member.len, 5);
	assert_memory_equal(member.data, "hello", 5);
	assert_true(find_member(data, "a/link", &member));
	assert_true(S_ISLNK(member.mode));
	assert_memory_equal(member.data, "b/text", 6);
}

static void a_directory_comes_before_what_is_in_it(void **state)
{
	CLEANUP(files_freep) struct files *files = files_new();
	CLEANUP_FREE char *data = NULL;
	struct member member;
	size_t len, at = 0;
	bool seen = false;

	(void)state;
	files_add_data(files, "/z/y/x", "", 0);
	data = write_all(files, &len);
	while (next_member(data, &at, &member)) {
		seen = seen || !strcmp(member.name, "z/y");
		assert_true(strcmp(member.name, "z/y/x") || seen);
	}
	assert_true(seen);
}

static void a_program_brings_its_interpreter_and_libraries(void **state)
{
	CLEANUP(files_freep) struct files *files = files_new();
	CLEANUP_FREE char *data = NULL;
	struct member member, real;
	size_t len;

	(void)state;
	files_add(files, "/bin/sh"); /* a link, on most machines below another link */
	data = write_all(files, &len);
	assert_true(find_member(data, "lib64/ld-linux-x86-64.so.2", &member) || find_member(data, "lib64", &member));
	assert_true(find_member(data, "usr/lib/x86_64-linux-gnu/libc.so.6", &member) ||
		    find_member(data, "lib/x86_64-linux-gnu/libc.so.6", &member));
	assert_true(member.len > 100000 || S_ISLNK(member.mode));
	assert_true(find_member(data, "bin", &real) || find_member(data, "bin/sh", &real));
}

static void what_is_missing_is_left_out(void **state)
{
	CLEANUP(files_freep) struct files *files = files_new();

	(void)state;
	files_add(files, "/nonexistent/file");
	files_add_glob(files, "/nonexistent/*");
	files_add_as(files, "/x", "/dev/null");
	assert_int_equal(files_bytes(files), 0);
}

static void the_key_tells_changed_contents_from_the_same(void **state)
{
	char path[] = "/tmp/test-files-XXXXXX", keys[3][FILES_KEY_SIZE];
	CLEANUP_CLOSE int fd = mkostemp(path, O_CLOEXEC);
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		CLEANUP(files_freep) struct files *files = files_new();

		if (i == 2)
			assert_int_equal(write(fd, "x", 1), 1);
		files_add_as(files, "/file", path);
		assert_int_equal(files_key(files, keys[i], &err), 0);
	}
	assert_string_equal(keys[0], keys[1]);
	assert_string_not_equal(keys[1], keys[2]);
	assert_int_equal(strlen(keys[0]), 64);
	unlink(path);
}

static void the_order_of_adding_does_not_matter(void **state)
{
	static const char *const names[] = {"/b", "/a", "/c/d"};
	CLEANUP(files_freep) struct files *one = files_new(), *other = files_new();
	CLEANUP_FREE char *first = NULL, *second = NULL;
	size_t first_len, second_len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		files_add_data(one, names[i], names[i], 2);
		files_add_data(other, names[ARRAY_LEN(names) - 1 - i], names[ARRAY_LEN(names) - 1 - i], 2);
	}
	first = write_all(one, &first_len);
	second = write_all(other, &second_len);
	assert_int_equal(first_len, second_len);
	assert_memory_equal(first, second, first_len);
}

static void a_file_that_shrank_since_is_an_error(void **state)
{
	char path[] = "/tmp/test-files-XXXXXX";
	CLEANUP_CLOSE int fd = mkostemp(path, O_CLOEXEC), out = memfd_create("archive", MFD_CLOEXEC);
	CLEANUP(files_freep) struct files *files = files_new();
	struct err err = {0};
	struct cpio cpio;

	(void)state;
	assert_int_equal(write(fd, "0123456789", 10), 10);
	files_add_as(files, "/file", path);
	assert_int_equal(ftruncate(fd, 3), 0);
	cpio_init(&cpio, out);
	assert_int_equal(files_write(files, &cpio, &err), 0);
	assert_int_equal(cpio_end(&cpio), -EIO);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_links_and_directories_are_written_as_given),
		cmocka_unit_test(a_directory_comes_before_what_is_in_it),
		cmocka_unit_test(a_program_brings_its_interpreter_and_libraries),
		cmocka_unit_test(what_is_missing_is_left_out),
		cmocka_unit_test(the_key_tells_changed_contents_from_the_same),
		cmocka_unit_test(the_order_of_adding_does_not_matter),
		cmocka_unit_test(a_file_that_shrank_since_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
