/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the libraries stand that a program or library names, as ld.so(8) looks for them: DT_RUNPATH, the default directories, those of /etc/ld.so.conf.d.
 */
#pragma once
#include "harness/base/arena.h"

struct library {
	const char *path; /* of this machine */
	const char *alias; /* where a guest without /etc/ld.so.cache finds it; NULL: at its own path */
};

struct libraries {
	struct library *v; /* the interpreter among them */
	size_t count;
};

/* Directly named ones only, in arena. One that is nowhere is left out: it is missing on this machine, too. -ENOEXEC: neither program nor library; else a negative errno. */
int libraries_of(const char *path, struct arena *arena, struct libraries *ret);
