/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seeded random numbers: every choice the harness makes comes from one of these, so a seed repeats a run.
 * Each user takes a stream of its own by name, so that adding one user does not shift the choices of another.
 */
#pragma once
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* The stream called name of this seed. */
struct rng rng_stream(uint64_t seed, const char *name);
uint64_t rng_next(struct rng *rng);
/* Uniform in [0, bound); bound > 0. Without modulo bias. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
