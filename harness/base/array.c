/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int array_reserve(void **v, size_t *cap, size_t need, size_t elem)
{
	size_t want = *cap ? *cap : 8;
	void *grown;

	if (need <= *cap)
		return 0;
	while (want < need)
		want = want > SIZE_MAX / 2 ? need : want * 2;
	if (want > SIZE_MAX / elem)
		return -ENOMEM;
	grown = realloc(*v, want * elem);
	if (!grown)
		return -ENOMEM;
	*v = grown;
	*cap = want;
	return 0;
}
