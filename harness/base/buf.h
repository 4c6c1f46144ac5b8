/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing text buffer. Zero-initialise; buf_fini frees. data is NUL-terminated whenever it is not NULL.
 * Out of memory is remembered in `failed` and later appends do nothing: check once, at the end.
 */
#pragma once
#include "harness/base/macro.h"
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len, cap;
	bool failed;
};

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *s);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF(2, 3);
void buf_clear(struct buf *buf); /* keeps the memory */
void buf_fini(struct buf *buf);
