/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Injectors: the code for one kind of fault.
 *
 * Life: parsed from the plan by the common rows (plan/steps.c) and the kind's own → validate → { apply → effect → revert }*.
 * The instance lives in the plan's arena: no free. validate touches nothing. revert works twice, after a half-done apply, and with
 * nothing but the parameters. effect is asked before revert, while the fault still stands.
 */
#pragma once
#include "harness/api/core.h"
#include "harness/api/param.h"
#include "harness/base/buf.h"

struct injector_ops;

/* What every fault has. A kind's struct embeds this first. */
struct injector {
	struct loc loc;
	const struct injector_ops *ops;
	int64_t id; /* 1… in the order of the plan */
	int64_t at_ns; /* planned, from the start of the timeline */
	int64_t for_ns; /* PARAM_UNSET: until the run ends */
	struct text kind; /* `fault:` */
	struct text name; /* unique in the plan; by default "<kind> <target>" */
	struct texts target, from; /* as the plan names them */
	/* Resolved by plan/topology.c: every address of every host named. from empty: anybody. */
	struct addresses target_addresses, from_addresses;
};

struct injector_ctx {
	struct core *core;
};

struct effect {
	bool took_effect;
	int64_t packets, bytes; /* that the fault acted on */
	char text[256]; /* the proof in words */
};

struct injector_ops {
	const char *kind, *summary; /* summary: one sentence, as for a row */
	const struct param *params; /* the kind's own rows; ends with PARAM_END */
	size_t size; /* of the struct that embeds struct injector */

	/* Cross-field checks only. Adds every error it finds. May be NULL. */
	void (*validate)(const struct injector *injector, struct errs *errs);
	int (*apply)(struct injector *injector, struct injector_ctx *ctx, struct err *err);
	int (*revert)(struct injector *injector, struct injector_ctx *ctx, struct err *err);
	int (*effect)(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err);

	/* A sentence that says what it does ("drops every packet to and from 192.0.2.1 and 2001:db8:1::1"). */
	void (*sentence)(const struct injector *injector, struct buf *out);
	/* The commands apply and revert equal, one per line, as a person would paste them. */
	void (*commands)(const struct injector *injector, struct buf *apply, struct buf *revert);
};
