/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/unique.h"
#include "harness/base/rng.h"
#include <inttypes.h>
#include <stdio.h>

#define UNIQUE_MASK ((UINT64_C(1) << 48) - 1)

struct unique unique_new(uint64_t seed, const char *probe_name)
{
	char stream[256];
	struct rng rng;

	snprintf(stream, sizeof(stream), "probe %s unique", probe_name);
	rng = rng_stream(seed, stream);
	return (struct unique){.key = rng_next(&rng)};
}

void unique_label(const struct unique *unique, int64_t i, char ret[UNIQUE_LABEL_LEN + 1])
{
	uint64_t x = ((uint64_t)i + unique->key) & UNIQUE_MASK;

	/* Every step can be undone modulo 2^48 (odd factors, a shift of half the width): different i stay different. */
	for (int round = 0; round < 3; round++) {
		x = (x * UINT64_C(0x9e3779b97f4b)) & UNIQUE_MASK;
		x ^= x >> 24;
	}
	snprintf(ret, UNIQUE_LABEL_LEN + 1, "q%012" PRIx64, x);
}
