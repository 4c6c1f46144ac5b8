/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kinds that shape packets share: latency, loss, reorder, duplicate, corrupt, and rate in bits. Their packets take a detour (injectors/detour.h), and there
 * the kernel's netem or tbf, or dnsdrill's own relay, does what the kind's shape says. A kind gives its rows, its shape and which number proves its effect.
 */
#pragma once
#include "injectors/chain.h"
#include "injectors/detour.h"
#include "injectors/netem.h"
#include "injectors/relay/relay.h"

enum shaping_backend { SHAPING_AUTO, SHAPING_NETEM, SHAPING_RELAY };
extern const char *const shaping_backends[], *const shaping_distributions[];

/* A kind's struct embeds this first. */
struct shaped {
	struct injector injector;
	struct traffic traffic;
	int64_t backend;
	/* While the detour is there: */
	bool is_prepared; /* before the fault, and until it is released */
	struct relay *relay; /* NULL: the kernel does it */
	struct netem_counters before; /* the kernel's, when the fault was applied */
	int64_t starts; /* a flap's spans do not repeat each other's choices */
};

#define SHAPED_PARAMS(T, f)                                                                                       \
	TRAFFIC_PARAMS(T, f.traffic, TRAFFIC_EITHER),                                                             \
		P_ENUM(T, f.backend, "backend", shaping_backends, SHAPING_AUTO,                                   \
		       "who does it: the kernel (netem, or tbf for rates), dnsdrill's own relay, or, by itself, " \
		       "the kernel where it can and else the relay")

struct shaping {
	/* What the plan says, at full magnitude; ret is all zeroes. */
	void (*shape)(const struct injector *injector, struct shape *ret);
	enum ability ability; /* without which the kernel cannot: ABILITY_NETEM, ABILITY_TBF */
	enum relay_count proof; /* what shows that it took effect; RELAY_OVERFLOWED: or RELAY_DELAYED */
	chain_text *as_rules; /* what does it with nft alone, to show where netem cannot; NULL: nothing does */
};

void shaping_validate(const struct shaping *shaping, const struct injector *injector, struct errs *errs);
int shaping_available(const struct shaping *shaping, const struct injector *injector, const struct abilities *abilities,
		      struct err *err);
/* The detour, with nothing done to what takes it. */
int shaping_prepare(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx,
		    struct err *err);
int shaping_release(struct injector *injector, struct injector_ctx *ctx, struct err *err);
int shaping_apply(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx, struct err *err);
int shaping_adjust(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx,
		   int64_t progress_ppm, struct err *err);
/* What the relay holds when the packets' rules go still comes out, at once: no packet is lost by the end of a fault. What netem or tbf holds comes out when it would
 * have, or, where the fault was not prepared, is lost, as when a qdisc is removed by hand. */
int shaping_revert(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx, struct err *err);
int shaping_effect(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx,
		   struct effect *ret, struct err *err);
/* "UDP packets to 192.0.2.1, by the relay": the end of a kind's sentence; the backend only if the plan demands one. */
void shaping_describe(const struct injector *injector, struct buf *out);
void shaping_commands(const struct shaping *shaping, const struct injector *injector, struct buf *to_apply,
		      struct buf *to_revert);

/* Defines a kind's static functions available, prepare, release, apply, adjust, revert, effect and commands, of its struct shaping. */
#define SHAPING_FUNCTIONS(shaping)                                                                                    \
	static int available(const struct injector *injector, const struct abilities *abilities, struct err *err)     \
	{                                                                                                             \
		return shaping_available(&(shaping), injector, abilities, err);                                       \
	}                                                                                                             \
	static int prepare(struct injector *injector, struct injector_ctx *ctx, struct err *err)                      \
	{                                                                                                             \
		return shaping_prepare(&(shaping), injector, ctx, err);                                               \
	}                                                                                                             \
	static int release(struct injector *injector, struct injector_ctx *ctx, struct err *err)                      \
	{                                                                                                             \
		return shaping_release(injector, ctx, err);                                                           \
	}                                                                                                             \
	static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)                        \
	{                                                                                                             \
		return shaping_apply(&(shaping), injector, ctx, err);                                                 \
	}                                                                                                             \
	static int adjust(struct injector *injector, struct injector_ctx *ctx, int64_t progress_ppm, struct err *err) \
	{                                                                                                             \
		return shaping_adjust(&(shaping), injector, ctx, progress_ppm, err);                                  \
	}                                                                                                             \
	static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)                       \
	{                                                                                                             \
		return shaping_revert(&(shaping), injector, ctx, err);                                                \
	}                                                                                                             \
	static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)   \
	{                                                                                                             \
		return shaping_effect(&(shaping), injector, ctx, ret, err);                                           \
	}                                                                                                             \
	static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)            \
	{                                                                                                             \
		shaping_commands(&(shaping), injector, to_apply, to_revert);                                          \
	}                                                                                                             \
	struct dnsdrill_swallow_semicolon
#define SHAPING_OPS                                                                                       \
	.available = available, .prepare = prepare, .release = release, .apply = apply, .adjust = adjust, \
	.revert = revert, .effect = effect, .commands = commands
