/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packs a guest: the kernel's initial file system as two cpio archives. The base (this program, servers, their libraries and data, kernel modules) is kept in the cache, by the key of
 * its contents; the plan's own part is small and written anew each time behind a copy of the base.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/err.h"
#include "harness/engine/vm/kernel.h"

/* In the guest. */
#define PACK_PROGRAM "/usr/bin/dnsdrill"
#define PACK_MODULES "/drill/modules" /* lines of paths, in the order of loading */
#define PACK_ARGS "/drill/args" /* the guest command's arguments, each with a NUL behind it */
#define PACK_CWD \
	"/drill/1/2/3/4/5/6/7/8" /* stands for the maker's working directory, wherever that is; as deep as a plan may say ../ */

struct pack {
	const char *const *programs; /* absolute paths, directories or glob(7) patterns; packed with what they need */
	size_t program_count;
	const char *const *files; /* of the plan, as it names them: relative ones from the working directory */
	size_t file_count;
	const char *const *args;
	size_t arg_count;
	int memory_mib; /* that the servers take beyond what a small lab does */
};

/* "$XDG_CACHE_HOME/dnsdrill" or "$HOME/.cache/dnsdrill", made if need be; in arena. A machine without either has a place below /var/tmp. */
int pack_cache(struct arena *arena, const char **ret, struct err *err);

/* *ret_fd: the archives, an unnamed file open for reading, the caller's. *ret_bytes: how much memory they take in the guest. */
int pack_guest(const struct pack *pack, const struct kernel *kernel, const char *cache, int *ret_fd, size_t *ret_bytes,
	       struct err *err);
