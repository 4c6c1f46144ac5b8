/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fresh labels for `unique: true`: "q" and twelve hexadecimal digits, a function of the seed, the probe's name and i. Within a probe no label comes twice
 * (the digits are a permutation of i), so no cache can know one.
 */
#pragma once
#include <stdint.h>

#define UNIQUE_LABEL_LEN 13

struct unique {
	uint64_t key;
};

struct unique unique_new(uint64_t seed, const char *probe_name);
void unique_label(const struct unique *unique, int64_t i, char ret[UNIQUE_LABEL_LEN + 1]);
