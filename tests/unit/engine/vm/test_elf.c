/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/engine/vm/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static int read_bytes(const void *data, size_t len, struct arena *arena, struct elf_needs *ret)
{
	CLEANUP_CLOSE int fd = memfd_create("elf", MFD_CLOEXEC);

	assert_int_equal(fd_write_all(fd, data, len), 0);
	return elf_read_needs(fd, arena, ret);
}

static void this_program_names_libc_and_its_interpreter(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf_needs needs;
	bool found = false;

	(void)state;
	assert_int_equal(elf_read_needs(fd, arena, &needs), 0);
	assert_non_null(needs.interpreter);
	assert_int_equal(access(needs.interpreter, X_OK), 0);
	for (size_t i = 0; i < needs.needed_count; i++)
		found = found || !strcmp(needs.needed[i], "libc.so.6");
	assert_true(found);
}

static void what_is_no_program_is_said_to_be_none(void **state)
{
	static const char *const texts[] = {"", "#!/bin/sh\n", "\177ELF"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct elf_needs needs;
	char zeros[200] = "\177ELF";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(read_bytes(texts[i], strlen(texts[i]), arena, &needs), -ENOEXEC);
	assert_int_equal(read_bytes(zeros, sizeof(zeros), arena, &needs), -ENOEXEC);
}

/* A header, one PT_INTERP and one PT_DYNAMIC that point where the test says. */
struct tiny {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	Elf64_Dyn dynamic[3];
	char names[16];
};

static struct tiny make_tiny(void)
{
	struct tiny tiny = {
		.header = {.e_ident = ELFMAG,
			   .e_phoff = offsetof(struct tiny, segments),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 3},
		.segments = {{.p_type = PT_LOAD, .p_filesz = sizeof(tiny)},
			     {.p_type = PT_INTERP, .p_offset = offsetof(struct tiny, names)},
			     {.p_type = PT_DYNAMIC,
			      .p_offset = offsetof(struct tiny, dynamic),
			      .p_filesz = sizeof(tiny.dynamic)}},
		.dynamic = {{.d_tag = DT_STRTAB, .d_un.d_ptr = offsetof(struct tiny, names)},
			    {.d_tag = DT_NEEDED, .d_un.d_val = 3}},
		.names = "/i\0lib.so",
	};

	tiny.header.e_ident[EI_CLASS] = ELFCLASS64;
	tiny.header.e_ident[EI_DATA] = ELFDATA2LSB;
	tiny.header.e_ident[EI_VERSION] = EV_CURRENT;
	return tiny;
}

static void a_made_up_program_is_read(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct tiny tiny = make_tiny();
	struct elf_needs needs;

	(void)state;
	assert_int_equal(read_bytes(&tiny, sizeof(tiny), arena, &needs), 0);
	assert_string_equal(needs.interpreter, "/i");
	assert_int_equal(needs.needed_count, 1);
	assert_string_equal(needs.needed[0], "lib.so");
}

static void pointers_out_of_the_file_are_refused(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct elf_needs needs;
	struct tiny tiny;

	(void)state;
	tiny = make_tiny();
	tiny.segments[1].p_offset = UINT64_MAX;
	assert_int_equal(read_bytes(&tiny, sizeof(tiny), arena, &needs), -EBADMSG);
	tiny = make_tiny();
	tiny.segments[2].p_offset = sizeof(tiny) - 8;
	assert_int_equal(read_bytes(&tiny, sizeof(tiny), arena, &needs), -EBADMSG);
	tiny = make_tiny();
	tiny.dynamic[1].d_un.d_val = UINT64_MAX - 2;
	assert_int_equal(read_bytes(&tiny, sizeof(tiny), arena, &needs), -EBADMSG);
	tiny = make_tiny();
	tiny.dynamic[0].d_tag = DT_NULL;
	tiny.dynamic[0].d_un.d_ptr = 0;
	assert_int_equal(read_bytes(&tiny, sizeof(tiny), arena, &needs), 0);
	assert_int_equal(needs.needed_count, 0);
	tiny = make_tiny();
	memset(tiny.names, 'x', sizeof(tiny.names)); /* no end in sight */
	assert_int_equal(read_bytes(&tiny, sizeof(tiny), arena, &needs), -EBADMSG);
}

/* What modinfo(8) would show, were this program a module. */
__attribute__((section(".modinfo"), used)) static const char modinfo[] =
	"depends=nfnetlink,libcrc32c\0softdep=\0name=tiny";

static void a_module_tells_what_it_depends_on(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const char *value;

	(void)state;
	assert_int_equal(elf_read_modinfo(fd, "depends", arena, &value), 0);
	assert_string_equal(value, "nfnetlink,libcrc32c");
	assert_int_equal(elf_read_modinfo(fd, "softdep", arena, &value), 0);
	assert_string_equal(value, "");
	assert_int_equal(elf_read_modinfo(fd, "depend", arena, &value), 0);
	assert_null(value);
}

static void what_has_no_module_information_is_a_broken_module(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_CLOSE int fd = open("/lib64/ld-linux-x86-64.so.2", O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int text = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	const char *value;

	(void)state;
	assert_int_equal(elf_read_modinfo(fd, "depends", arena, &value), -EBADMSG);
	assert_int_equal(elf_read_modinfo(text, "depends", arena, &value), -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_program_names_libc_and_its_interpreter),
		cmocka_unit_test(what_is_no_program_is_said_to_be_none),
		cmocka_unit_test(a_made_up_program_is_read),
		cmocka_unit_test(pointers_out_of_the_file_are_refused),
		cmocka_unit_test(a_module_tells_what_it_depends_on),
		cmocka_unit_test(what_has_no_module_information_is_a_broken_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
