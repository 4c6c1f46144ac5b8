/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growing arrays of anything: `if (array_reserve((void **)&v, &cap, count + 1, sizeof(*v))) return -ENOMEM;`
 */
#pragma once
#include <stddef.h>

/* Makes room for at least need elements of elem bytes, doubling. 0, or -ENOMEM with the array as it was. */
int array_reserve(void **v, size_t *cap, size_t need, size_t elem);
