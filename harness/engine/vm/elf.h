/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program or library says it needs to run (gABI chapter 5): its interpreter, the names of its libraries, where to look for them. And what a kernel module says of itself. Read with libelf.
 */
#pragma once
#include "harness/base/arena.h"

struct elf_needs {
	const char *interpreter; /* absolute path, or NULL */
	const char **needed; /* libraries, DT_NEEDED: "libldns.so.3" */
	size_t needed_count;
	const char *runpath; /* DT_RUNPATH or DT_RPATH, $ORIGIN not expanded; NULL: none */
};

/* Everything lives in arena. -ENOEXEC: not an ELF file of this machine's kind; -EBADMSG: a broken one; else a negative errno. */
int elf_read_needs(int fd, struct arena *arena, struct elf_needs *ret);

/* The value of key in the section .modinfo of a kernel module ("depends": "a,b"), in arena; *ret NULL: it says nothing. Errors as above. */
int elf_read_modinfo(int fd, const char *key, struct arena *arena, const char **ret);
