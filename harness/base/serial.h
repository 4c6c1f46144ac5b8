/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial number arithmetic (RFC 1982) for the SOA's 32 bits.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define SERIAL_HALF (UINT32_C(1) << 31)

/* Neither is higher: they lie exactly half of the circle apart (section 3.2). */
static inline bool serial_is_undefined(uint32_t a, uint32_t b)
{
	return a - b == SERIAL_HALF;
}

static inline bool serial_is_higher(uint32_t a, uint32_t b)
{
	return a != b && a - b < SERIAL_HALF;
}
