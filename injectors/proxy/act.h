/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rules do to an answer (and act_query to a query): each group of keys is one function on bytes. Pure.
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
	const struct address *server; /* who answers; NULL: unknown */
	enum decide_transport transport;
	const struct decide_in *in; /* as it came; NULL: unknown */
	bool is_slip; /* of a limited rate: only TC and the question are left */
	struct rng *rng;
	uint8_t *bytes; /* the answer so far; MSG_MAX bytes */
	size_t len;
	uint8_t *spare; /* MSG_MAX bytes; act_take makes it the answer */
};

int act_answer(
	struct act *act); /* slip, rcode, nodata, nxdomain, empty, lame, cookie: badcookie, edns: formerr and badvers */
int act_records(struct act *act); /* remove, shuffle, spoof, ttl, ttl_cap, ttl_jitter */
int act_add(struct act *act); /* replace, add, add_authority, add_additional, glue */
int act_chain(struct act *act); /* cname_chain, cname_loop */
int act_dnssec(struct act *act); /* signatures, denial */
int act_edns(struct act *act); /* edns: strip, ede, ede_strip */
int act_options(struct act *act); /* edns_echo, cookie, subnet, subnet_scope, nsid */
int act_huge(struct act *act);
int act_question(struct act *act);
int act_name(struct act *act); /* bad_name */
int act_header(struct act *act);
int act_transfer(struct act *act);
int act_bytes(struct act *act); /* truncate, append, flip_bits, garbage */

/* Copies the query to ret (MSG_MAX bytes) and changes it there: edns_size, ignore_do. False: it stays as it is. */
bool act_query(const struct rule_do *todo, const struct match_query *query, uint8_t *ret);

/* All of them in turn. 0 or the first error. */
int act_all(struct act *act);

/* The answer so far, parsed; -EBADMSG. */
int act_parse(const struct act *act, struct msg *ret);
/* Makes what was built in spare the answer. 0 or -EMSGSIZE. */
int act_take(struct act *act, const struct build *build);

/* What a referral of the kind that lame says holds: its NS records and glue. 0 or a negative errno. */
int act_refer(const struct act *act, struct build *build, const struct msg *msg);

/* Keeps the records that keep says; leaves the bytes alone if that is all of them. */
typedef bool act_keep_fn(const struct act *act, const struct msg *msg, const struct msg_record *record);
int act_keep(struct act *act, act_keep_fn *keep);

/* Options of OPT records: RFC 5001, RFC 7871, RFC 7873, RFC 8914. */
enum act_option { OPTION_NSID = 3, OPTION_SUBNET = 8, OPTION_COOKIE = 10, OPTION_EDE = 15 };
struct act_data {
	const uint8_t *v; /* borrowed */
	size_t len;
};
/* Whether the query has this option. ret may be NULL. */
bool act_asked(const struct act *act, enum act_option option, struct act_data *ret);

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
/* The message with this OPT record, last, in place of its own. */
int act_opt_replace(struct act *act, const struct msg *msg, const struct act_opt *opt);

/* The zone of an answer: what the rule says; else the owner of its SOA or NS records; else the name asked for without its first label, or whole if only one would be left. 0 or -EBADMSG. */
int act_zone(const struct act *act, const struct msg *msg, struct msg_name *ret);
/* label in front of name. -EMSGSIZE: longer than 255. */
int act_prepend(struct msg_name *ret, const char *label, const struct msg_name *name);
