/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes cpio archives in the "newc" format, as the kernel unpacks them at boot (its Documentation/driver-api/early-userspace/buffer-format.rst). The same entries give the same
 * bytes: owner 0, times 0, inode numbers in order. Archives may stand one behind the other in a file; later entries win.
 *
 * cpio_init → cpio_dir, cpio_file, … → cpio_end. The first failure is kept and returned by cpio_end; what comes after it does nothing.
 */
#pragma once
#include "harness/base/buf.h"
#include <sys/types.h>

struct cpio {
	int fd; /* borrowed */
	struct buf pending; /* not yet written */
	unsigned ino;
	int error; /* negative errno */
};

void cpio_init(struct cpio *cpio, int fd);
/* Names are without a leading slash. mode: permission bits. */
void cpio_dir(struct cpio *cpio, const char *name, mode_t mode);
void cpio_link(struct cpio *cpio, const char *name, const char *target);
void cpio_data(struct cpio *cpio, const char *name, mode_t mode, const void *data, size_t len);
/* Exactly len bytes from the start of file: one that has become shorter is -EIO. */
void cpio_file(struct cpio *cpio, const char *name, mode_t mode, int file, size_t len);
/* The trailer, and everything written. 0 or the first failure. */
int cpio_end(struct cpio *cpio);
