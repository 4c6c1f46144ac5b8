/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/array.h"

/* Room for len more bytes and the NUL. */
static bool reserve(struct buf *buf, size_t len)
{
	if (!buf->failed &&
	    (len > SIZE_MAX - buf->len - 1 || array_reserve((void **)&buf->data, &buf->cap, buf->len + len + 1, 1)))
		buf->failed = true;
	return !buf->failed;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void buf_putc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0) {
		buf->failed = true;
	} else if (reserve(buf, (size_t)len)) {
		vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_fini(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}
