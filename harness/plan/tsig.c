/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/tsig.h"

#include "harness/base/rng.h"

void tsig_secret(uint64_t seed, const char *name, uint8_t ret[TSIG_SECRET_SIZE])
{
	struct rng rng = rng_stream(seed, name);

	for (int i = 0; i < TSIG_SECRET_SIZE; i++)
		ret[i] = (uint8_t)rng_below(&rng, 256);
}
