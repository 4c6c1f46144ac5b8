/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's kernel: Debian's cloud image unpacked into the cache, or one of this machine's own, and those of its modules that a lab needs.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/err.h"

struct kernel {
	const char *image; /* path of a bzImage */
	const char *release; /* "6.1.0-56-cloud-amd64" */
	const char **modules; /* paths of .ko files, each behind those it depends on */
	size_t module_count;
};

/* How an ordinary user gets the kernel, as one line for a shell. */
#define KERNEL_HOW                                                                                            \
	"mkdir -p ~/.cache/dnsdrill/kernel && cd \"$(mktemp -d)\" && apt-get download \"$(apt-cache depends " \
	"linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')\" && dpkg-deb -x linux-image-*.deb "            \
	"~/.cache/dnsdrill/kernel"

/* Looks below cache/kernel, then in the root directory; the newest that has its modules. Everything in arena. -ENOENT with how to get one. */
int kernel_find(const char *cache, struct arena *arena, struct kernel *ret, struct err *err);
