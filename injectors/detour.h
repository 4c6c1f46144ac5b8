/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A detour: a way out of the core and back into it that a fault's packets are sent over, so that something can be done to them there.
 *
 * The fault's chain (injectors/chain.h) ends in DETOUR's verdict, which marks what it chose 0x10000 + <id>. A rule sends that mark to a routing table of the fault's own,
 * and that out by the link d<id>. What comes back in by b<id> is marked <id>: the faults up to this one let it pass, the later ones still see it, and
 * no fault's rule routes it any more. A packet on a detour has been forwarded once more: its TTL or hop limit is lower by one.
 *
 * Apply: detour_open, then the damage, then chain_apply: from then on packets take the detour. Revert: chain_revert, then wait for what is under way or give it
 * up, then take away the damage, then detour_close, which loses what is still on it.
 */
#pragma once
#include "injectors/traffic.h"

enum detour_way {
	DETOUR_QDISC, /* d<id> and b<id> are the two ends of one pair: what is done to packets a qdisc at d<id> does */
	DETOUR_HOST, /* as DETOUR_RELAY, to a namespace that takes the packets itself, as a host does, and sends others */
	DETOUR_RELAY, /* d<id> leads to x<id> and y<id> to b<id>: x and y are in a namespace of the relay's, which moves whole frames from x to y, as they are */
};

struct detour_names {
	char out[16], back[16]; /* d<id>, b<id>: in the core */
	char relay_in[16], relay_out[16]; /* x<id>, y<id>: in the relay's namespace */
	unsigned char back_mac[6]; /* of b<id>: what leaves by y<id> is for it */
};
void detour_names(const struct injector *injector, struct detour_names *ret);

/*
 * Makes links, neighbours, routes, rules, and the chain that marks what comes back; returns when the links carry packets, x and y included.
 * relay_netns_fd: borrowed; not looked at for DETOUR_QDISC. mtu: of all links; 0: 1500. Frames on them have finished checksums and are never longer.
 * After an error detour_close takes away what is there.
 */
int detour_open(const struct injector *injector, struct injector_ctx *ctx, enum detour_way way, int relay_netns_fd,
		unsigned mtu, struct err *err);
/* Works without detour_open, twice, and after a half-done one. */
int detour_close(const struct injector *injector, struct injector_ctx *ctx, struct err *err);

/* The rules of a fault's chain that send everything `traffic` chooses on the detour. */
void detour_rules(const struct traffic *traffic, const struct injector *injector, struct buf *out);
/* For other rules: "meta mark set 0x10001 accept". */
#define DETOUR_VERDICT_SIZE 64
const char *detour_verdict(const struct injector *injector, char buf[DETOUR_VERDICT_SIZE]);

/* -EOPNOTSUPP where the kernel cannot route by mark. */
int detour_available(const struct injector *injector, const struct abilities *abilities, struct err *err);

/* Appends the ip and nft commands that detour_open of a DETOUR_QDISC, and detour_close, equal. */
void detour_commands(const struct injector *injector, unsigned mtu, struct buf *apply, struct buf *revert);
