/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small things every file wants: scoped clean-up, moving ownership, units of time.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))

#define NSEC_PER_USEC INT64_C(1000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_SEC INT64_C(1000000000)
#define SEC NSEC_PER_SEC
#define MSEC NSEC_PER_MSEC
#define PPM_ONE INT64_C(1000000) /* a share of 100 % in parts per million */

/* Run fn(&variable) when the variable leaves scope. fn takes a pointer to the variable. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Defines TYPE *'s cleanup helper NAMEp from its destructor NAME, which takes NULL. */
#define DEFINE_CLEANUP(type, name)          \
	static inline void name##p(type *p) \
	{                                   \
		if (*p)                     \
			name(*p);           \
	}                                   \
	struct dnsdrill_swallow_semicolon

/* Hands ownership on: yields the pointer and leaves NULL behind. */
#define TAKE(p)                                \
	__extension__({                        \
		__typeof__(p) *take_ = &(p);   \
		__typeof__(p) taken_ = *take_; \
		*take_ = NULL;                 \
		taken_;                        \
	})

static inline void freep(void *p)
{
	free(*(void **)p);
}
#define CLEANUP_FREE CLEANUP(freep)
