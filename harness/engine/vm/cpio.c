/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/cpio.h"
#include "harness/base/fd.h"
#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define ALIGN 4
#define PENDING_MAX (1u << 20)

void cpio_init(struct cpio *cpio, int fd)
{
	*cpio = (struct cpio){.fd = fd};
}

static void fail(struct cpio *cpio, int error)
{
	if (!cpio->error)
		cpio->error = error;
}

static void flush(struct cpio *cpio)
{
	if (cpio->pending.failed)
		fail(cpio, -ENOMEM);
	if (!cpio->error && cpio->pending.len)
		fail(cpio, fd_write_all(cpio->fd, cpio->pending.data, cpio->pending.len));
	buf_clear(&cpio->pending);
}

static void pad(struct cpio *cpio, size_t len)
{
	while (len++ % ALIGN)
		buf_putc(&cpio->pending, '\0');
}

static void add_header(struct cpio *cpio, const char *name, mode_t mode, size_t len)
{
	size_t name_len = strlen(name) + 1;

	if (len > UINT32_MAX)
		fail(cpio, -EFBIG);
	buf_printf(&cpio->pending, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ++cpio->ino,
		   (unsigned)mode, 0u, 0u, 1u, 0u, (unsigned)len, 0u, 0u, 0u, 0u, (unsigned)name_len, 0u);
	buf_add(&cpio->pending, name, name_len);
	pad(cpio, 110 + name_len);
}

void cpio_data(struct cpio *cpio, const char *name, mode_t mode, const void *data, size_t len)
{
	add_header(cpio, name, S_IFREG | mode, len);
	buf_add(&cpio->pending, data, len);
	pad(cpio, len);
	if (cpio->pending.len > PENDING_MAX)
		flush(cpio);
}

void cpio_dir(struct cpio *cpio, const char *name, mode_t mode)
{
	add_header(cpio, name, S_IFDIR | mode, 0);
}

void cpio_link(struct cpio *cpio, const char *name, const char *target)
{
	size_t len = strlen(target);

	add_header(cpio, name, S_IFLNK | 0777, len);
	buf_add(&cpio->pending, target, len);
	pad(cpio, len);
}

void cpio_file(struct cpio *cpio, const char *name, mode_t mode, int file, size_t len)
{
	off_t at = 0;

	add_header(cpio, name, S_IFREG | mode, len);
	flush(cpio);
	while (!cpio->error && (size_t)at < len) {
		ssize_t n = sendfile(cpio->fd, file, &at, len - (size_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail(cpio, n < 0 ? -errno : -EIO);
	}
	pad(cpio, len);
}

int cpio_end(struct cpio *cpio)
{
	add_header(cpio, "TRAILER!!!", 0, 0);
	flush(cpio);
	buf_fini(&cpio->pending);
	return cpio->error;
}
