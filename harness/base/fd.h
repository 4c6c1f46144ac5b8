/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File descriptors: scoped closing, whole reads and writes, files under a directory descriptor.
 */
#pragma once
#include "harness/base/err.h"
#include "harness/base/macro.h"
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

static inline void fd_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define CLEANUP_CLOSE CLEANUP(fd_closep)
#define TAKE_FD(fd)                \
	__extension__({            \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

/* Writes all of data, going on after EINTR and short writes. 0 or a negative errno. */
int fd_write_all(int fd, const void *data, size_t len);

/* Reads the whole file (at most max bytes) into a malloc'd, NUL-terminated *ret, owned by the caller. -EFBIG above max. */
int fd_read_file(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len);

/* Creates or replaces dirfd/path with data, mode bits as given. 0 or a negative errno. */
int fd_write_file(int dirfd, const char *path, const void *data, size_t len, mode_t mode);

int fd_set_nonblocking(int fd);

/* Raises RLIMIT_NOFILE's soft limit to its hard one. */
void fd_raise_limit(void);
