/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault of the path is one chain of nft rules in the core, `fault_<id>`, and a counter `fault_<id>_packets` of what it hit.
 *
 * The chains stand on the hook prerouting in the order of the plan: priority -600 + id, before reassembly (-400), so that fragments are fragments still. A packet's
 * mark says how far it has come. Each chain begins with `meta mark >= <id> accept`: the packet has passed this fault already (it comes back from a
 * later one's detour, which gives it the mark <id>), or an earlier fault has claimed it for its detour (0x10000 + <id>). What a rule drops or refuses ends there;
 * what none matches goes on to the next fault.
 */
#pragma once
#include "injectors/traffic.h"

/* Appends lines of nft commands. */
typedef void chain_text(const struct injector *injector, struct buf *out);

/* What differs between the kinds. */
struct chain {
	chain_text *rules; /* `add rule inet dnsdrill fault_<id> …`; traffic_rules() writes them */
	/* What else the rules need, one `add <set|limit|counter|chain> inet dnsdrill fault_<id>_… [{ … }]` a line, in the order in which the one needs the
	 * other; removed with the chain. NULL: nothing. */
	chain_text *objects;
	const char *verb; /* what it does to packets, for chain_effect: "dropped" */
	const char *idle; /* said where it hit none; NULL: the counter's words */
};

/* The operations of a kind that is a chain and nothing else: its ops have .chain and CHAIN_OPS. */
int chain_only_apply(struct injector *injector, struct injector_ctx *ctx, struct err *err);
int chain_only_revert(struct injector *injector, struct injector_ctx *ctx, struct err *err);
int chain_only_effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err);
void chain_only_commands(const struct injector *injector, struct buf *apply, struct buf *revert);
#define CHAIN_OPS                                                                            \
	.apply = chain_only_apply, .revert = chain_only_revert, .effect = chain_only_effect, \
	.commands = chain_only_commands

/* As one transaction. */
int chain_apply(const struct chain *chain, const struct injector *injector, struct injector_ctx *ctx, struct err *err);
/* Works without apply, twice, and after a half-done one. */
int chain_revert(const struct chain *chain, const struct injector *injector, struct injector_ctx *ctx, struct err *err);
/* took_effect: the counter saw a packet. verb: "dropped". */
int chain_effect(const struct injector *injector, const char *verb, struct injector_ctx *ctx, struct effect *ret,
		 struct err *err);
/* Appends the nft commands of both, each as a shell would take it. */
void chain_commands(const struct chain *chain, const struct injector *injector, struct buf *apply, struct buf *revert);
/* Appends lines of nft commands as a shell would take them. */
void chain_as_shell(const char *lines, struct buf *out);
