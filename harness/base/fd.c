/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Reads to the end, at most max bytes, into *io, which grows. */
static int read_to_end(int fd, size_t max, char **io, size_t *ret_len)
{
	size_t len = 0, cap = 0;

	for (;;) {
		ssize_t n;

		if (len + 1 >= cap) {
			char *grown;

			cap = cap ? cap * 2 : 16384;
			grown = realloc(*io, cap);
			if (!grown)
				return -ENOMEM;
			*io = grown;
		}
		n = read(fd, *io + len, cap - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
		if (!n)
			break;
	}
	(*io)[len] = '\0';
	*ret_len = len;
	return 0;
}

int fd_read_file(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len)
{
	int fd CLEANUP_CLOSE = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	char *data CLEANUP_FREE = NULL;
	size_t len = 0;
	int r;

	if (fd < 0)
		return -errno;
	r = read_to_end(fd, max, &data, &len);
	if (r)
		return r;
	*ret = TAKE(data);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int fd_write_file(int dirfd, const char *path, const void *data, size_t len, mode_t mode)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (close(fd) && !r) /* a full disk may show only now */
		r = -errno;
	return r;
}

int fd_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

void fd_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
