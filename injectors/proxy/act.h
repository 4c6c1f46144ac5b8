/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rules do to an answer: each group of keys is one function on bytes. Pure.
 *
 * They run in the order of act_functions, each on what the one before it left. One that cannot do what it should returns a negative errno, and then the whole answer goes as it came.
 */
#pragma once
#include "harness/base/rng.h"
#include "injectors/proxy/build.h"
#include "injectors/proxy/match.h"

struct act {
	const struct rule_do *todo;
	const struct match_query *query; /* that is answered */
	struct rng *rng;
	uint8_t *bytes; /* the answer so far; MSG_MAX bytes */
	size_t len;
	uint8_t *spare; /* MSG_MAX bytes; act_take makes it the answer */
};

int act_answer(struct act *act); /* rcode, nodata, nxdomain, empty, lame, edns: formerr and badvers */
int act_records(struct act *act); /* remove, spoof, shuffle, ttl, ttl_cap, corrupt_signatures */
int act_edns(struct act *act); /* edns: strip, ede, ede_strip */
int act_question(struct act *act);
int act_name(struct act *act); /* bad_name */
int act_header(struct act *act);
int act_bytes(struct act *act); /* truncate, append, flip_bits, garbage */

/* All of them in turn. 0 or the first error. */
int act_all(struct act *act);

/* The answer so far, parsed; -EBADMSG. */
int act_parse(const struct act *act, struct msg *ret);
/* Makes what was built in spare the answer. 0 or -EMSGSIZE. */
int act_take(struct act *act, const struct build *build);

/* Keeps the records that keep says; leaves the bytes alone if that is all of them. */
typedef bool act_keep_fn(const struct act *act, const struct msg *msg, const struct msg_record *record);
int act_keep(struct act *act, act_keep_fn *keep);

/* The OPT record of an answer. */
struct act_opt {
	uint16_t udp_size;
	uint32_t ttl; /* extended RCODE, version, flags */
	uint8_t rdata[4096];
	uint16_t rdlen;
};
/* That of msg; if there is none, a new one as a server with EDNS would send it to this query. 0 or -EMSGSIZE. */
int act_opt_read(const struct act *act, const struct msg *msg, struct act_opt *ret);
void act_opt_build(struct build *build, const struct act_opt *opt);
