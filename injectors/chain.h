/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault that is one chain of nft rules on the core's forward hook: chain `fault_<id>` and counter `fault_<id>_packets` in dnsdrill's own table.
 * What blackhole and reject share; only the verdict differs.
 */
#pragma once
#include "injectors/traffic.h"

/* Applied as one transaction. */
int chain_apply(const struct injector *injector, const struct traffic *traffic, const char *verdict,
		struct injector_ctx *ctx, struct err *err);
/* Works without apply, twice, and after a half-done one. */
int chain_revert(const struct injector *injector, struct injector_ctx *ctx, struct err *err);
/* took_effect: the counter saw a packet. verb: "dropped". */
int chain_effect(const struct injector *injector, const char *verb, struct injector_ctx *ctx, struct effect *ret,
		 struct err *err);
/* The nft commands of both, each as a shell would take it. */
void chain_commands(const struct injector *injector, const struct traffic *traffic, const char *verdict,
		    struct buf *apply, struct buf *revert);
