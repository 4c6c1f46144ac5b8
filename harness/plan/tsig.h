/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The secrets of a lab's TSIG keys (RFC 8945). They follow from the run's seed and the key's name: servers, steps and faults come to the same one. Pure.
 */
#pragma once
#include <stdint.h>

#define TSIG_SECRET_SIZE 32 /* as long as the digest of hmac-sha256: RFC 8945 section 10 */

/* name: without its last dot. */
void tsig_secret(uint64_t seed, const char *name, uint8_t ret[TSIG_SECRET_SIZE]);
