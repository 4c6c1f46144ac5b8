/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/rng.h"
#include "harness/base/hash.h"

#include <string.h>

/* SplitMix64 (Steele, Lea, Flood 2014): passes BigCrush, and a stream is one word. */
uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct rng rng_stream(uint64_t seed, const char *name)
{
	struct rng rng = {seed};

	rng.state = rng_next(&rng) ^ hash_bytes(HASH_START, name, strlen(name)); /* the name keeps streams apart */
	rng_next(&rng);
	return rng;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	uint64_t floor = -bound % bound, x; /* 2^64 mod bound: the uneven rest is drawn again */

	do
		x = rng_next(rng);
	while (x < floor);
	return x % bound;
}
