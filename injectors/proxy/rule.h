/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of the DNS proxy: which messages, and what to do with them. Read by parameter tables from a plan's step (`match:`, `do:`, …) or from a file, which is a YAML list of
 * such mappings.
 *
 * Life: parsed into an arena (parse_table with rule_table, or a struct of one's own with RULE_ROWS) → rule_prepare → decide… → rule_fini.
 *
 * A query and its answer are hit by one rule at most: the first that matches and that chance and counts (share, every, first, after) choose. Its actions compose.
 */
#pragma once
#include "harness/api/param.h"
#include "harness/plan/node.h"
#include "injectors/proxy/msg.h"

#include <regex.h>
#include <stdatomic.h>

enum rule_tristate { RULE_ANY, RULE_TRUE, RULE_FALSE };
enum rule_transport { RULE_TRANSPORT_ANY, RULE_UDP, RULE_TCP, RULE_DOT, RULE_DOH };
enum rule_drop { RULE_DROP_QUERY, RULE_DROP_ANSWER };
enum rule_flag { RULE_SET, RULE_CLEAR, RULE_FLIP };
enum rule_soa { RULE_SOA_RIGHT, RULE_SOA_NONE, RULE_SOA_WRONG };
enum rule_question {
	RULE_QUESTION_MISSING,
	RULE_QUESTION_OTHER,
	RULE_QUESTION_CASE,
	RULE_QUESTION_TWICE,
	RULE_QUESTION_LOWER
};
enum rule_name { RULE_NAME_LOOP, RULE_NAME_FORWARD, RULE_NAME_LONG_LABEL, RULE_NAME_LONG };
enum rule_lame { RULE_LAME_NOT_AA, RULE_LAME_UPWARD, RULE_LAME_SELF, RULE_LAME_LOOP };
enum rule_edns { RULE_EDNS_STRIP, RULE_EDNS_FORMERR, RULE_EDNS_SILENCE, RULE_EDNS_BADVERS };
enum rule_answer { RULE_ANSWER_ANY, RULE_ANSWER_POSITIVE, RULE_ANSWER_NODATA, RULE_ANSWER_REFERRAL };
enum rule_case { RULE_CASE_ANY, RULE_CASE_MIXED, RULE_CASE_UNIFORM };
enum rule_tcp { RULE_TCP_REFUSE, RULE_TCP_RESET, RULE_TCP_STALL, RULE_TCP_CLOSE };
enum rule_glue { RULE_GLUE_MISSING, RULE_GLUE_WRONG };
enum rule_cookie { RULE_COOKIE_MISSING, RULE_COOKIE_WRONG, RULE_COOKIE_BAD };
enum rule_subnet { RULE_SUBNET_MISSING, RULE_SUBNET_OTHER };
enum rule_nsid { RULE_NSID_MISSING, RULE_NSID_WRONG };
enum rule_signatures {
	RULE_SIGNATURES_CORRUPT,
	RULE_SIGNATURES_EXPIRED,
	RULE_SIGNATURES_EARLY,
	RULE_SIGNATURES_TAG,
	RULE_SIGNATURES_ALGORITHM,
	RULE_SIGNATURES_LABELS,
	RULE_SIGNATURES_SIGNER
};
enum rule_denial { RULE_DENIAL_NEXT, RULE_DENIAL_TYPES, RULE_DENIAL_OWNER };

enum rule_handshake { RULE_HANDSHAKE_STALL, RULE_HANDSHAKE_RESET, RULE_HANDSHAKE_ALERT };
enum rule_version { RULE_TLS_1_0, RULE_TLS_1_1, RULE_TLS_1_2 };
enum rule_abort { RULE_ABORT_STREAM, RULE_ABORT_GOAWAY };

struct rule_list16 {
	uint16_t *v;
	size_t count;
};

struct rule_prefix {
	struct address address;
	unsigned bits;
};

enum rule_qname_kind { RULE_QNAME_EXACT, RULE_QNAME_BELOW, RULE_QNAME_SUFFIX, RULE_QNAME_REGEX };
struct rule_qname {
	enum rule_qname_kind kind;
	struct msg_name name;
	regex_t regex; /* owned */
};

/* Every key given must fit. All that a message, or the query it answers, says. */
struct rule_match {
	struct loc loc;
	struct texts qname, qtype, qclass, opcode, client, rcode;
	struct addresses server;
	int64_t transport, edns, dnssec_ok; /* rule_transport, rule_tristate */
	int64_t letters, labels; /* rule_case; at most so many labels */
	int64_t min_size_bytes, max_size_bytes, answer; /* of the answer; rule_answer */
	/* by rule_prepare */
	struct rule_qname *names;
	size_t name_count;
	struct rule_prefix *clients;
	size_t client_count;
	struct rule_list16 qtypes, qclasses, opcodes, rcodes;
	bool needs_answer; /* rcode, size, answer: decided when the answer comes */
	/* Besides, where the rule stands among servers and clients that are others' business. NULL, none: any. Borrowed. */
	const struct addresses *among_servers, *among_clients;
};

/* Records that a rule invents. */
struct rule_record {
	bool is_qname; /* its owner is the name asked for */
	struct msg_name owner;
	uint16_t type, klass, rdlen;
	uint32_t ttl;
	const uint8_t *rdata; /* names in it are not compressed */
};

struct rule_records {
	struct rule_record *v;
	size_t count;
};

enum rule_tsig { RULE_TSIG_LEFT, RULE_TSIG_RESIGNED, RULE_TSIG_MISSING, RULE_TSIG_WRONG_KEY, RULE_TSIG_WRONG_TIME };

/* Of an answer of any number of messages: a zone transfer (RFC 5936, RFC 1995). */
struct rule_transfer {
	struct loc loc;
	struct text record, data;
	bool no_end, other_start;
	int64_t cut_bytes, tsig; /* PARAM_UNSET; rule_tsig */
	/* by rule_prepare */
	bool is_given;
	struct rule_record *altered; /* of no data: it is left out; NULL: none */
	/* Of the lab whose keys sign; by the injector. */
	bool has_seed;
	uint64_t seed;
};

/* Of a connection over TLS. PARAM_UNSET: as it should be. */
struct rule_tls {
	struct loc loc;
	int64_t certificate; /* enum ca_flaw - 1 */
	int64_t handshake, newest; /* rule_handshake, rule_version */
};

/* Of an answer over HTTPS. */
struct rule_http {
	struct loc loc;
	int64_t status, truncate_bytes, abort;
	struct text body_rate, content_type;
	int64_t body_rate_bytes; /* per second; by rule_prepare; PARAM_UNSET: not given */
};
#define RULE_CONTENT_TYPE_MAX 63

/* Choices and numbers not given are PARAM_UNSET. */
struct rule_do {
	struct loc loc;
	struct rule_tls tls;
	struct rule_http http;
	struct rule_transfer transfer;
	int64_t drop, slip, delay_ns, jitter_ns, distribution, again_ns;
	bool twice;
	struct text rcode, ede_text, zone;
	int64_t ede, nodata, nxdomain;
	bool ede_strip;
	int64_t qr, aa, tc, ra, ad, cd, opcode, qdcount, ancount, nscount, arcount;
	bool wrong_id;
	int64_t question;
	int64_t truncate_bytes, append_bytes, flip_bits, bad_name;
	bool garbage;
	int64_t ttl_ns, ttl_cap_ns, ttl_jitter_ns, lame;
	struct texts remove, add, add_authority, add_additional, replace;
	struct addresses spoof;
	int64_t cname_chain, cname_loop, huge_bytes, glue;
	bool empty, shuffle;
	int64_t signatures, denial;
	int64_t edns, edns_size_bytes, cookie, subnet, subnet_scope, nsid;
	bool edns_echo, ignore_do;
	struct addresses source;
	int64_t source_port;
	int64_t tcp, tcp_cut_bytes, tcp_length, tcp_piece_bytes, tcp_pause_ns;
	/* by rule_prepare */
	struct rule_list16 remove_types;
	int64_t rcode_value; /* PARAM_UNSET: not given */
	bool has_zone;
	struct msg_name zone_name;
	struct rule_records added[3] /* by msg_section */, replaced;
};

struct rate;

/* Each of the first threads has one of its own, which it alone writes; the last is for all others. */
#define RULE_SEEN_COUNTERS 8

struct rule {
	struct loc loc;
	struct text name; /* for people; may be missing */
	struct rule_match match;
	struct rule_do todo;
	int64_t share_ppm, every, first, after; /* of what matches; PARAM_UNSET: not given */
	int64_t above; /* per second and client network */
	bool is_unsafe; /* spoofed addresses may be any */
	bool is_tls; /* for connections, not for messages; by rule_prepare */
	struct rate *rate; /* by rule_prepare, if above is given; counted by decide, from any thread */
	uint32_t id; /* 1…, by rules_add */
	/* How much of it is in force: 0: it does nothing, not even count; in between, that much of its share. PPM_ONE by rule_prepare; changed by any thread at any time. */
	_Atomic int64_t progress_ppm;
	uint64_t
		name_hash; /* of the only name it is for; 0: it is for several, or for a pattern. Beside progress_ppm: most queries read no more of a rule */
	/* Counted by decide, from any thread. seen: messages it was asked about; matched: those that fit; done: those that it made different, late or vanish. */
	struct rule_seen {
		_Atomic uint64_t count;
		char apart[56]; /* each on a cache line of its own: this one is counted for every rule and query */
	} seen[RULE_SEEN_COUNTERS];
	_Atomic uint64_t matched, done, limited; /* limited: those that slip counts */
};

/* In the order in which they are asked. rules_add and rules_remove must not run beside decide: that is the caller's lock. */
struct rules {
	struct rule **v; /* owned; the rules are borrowed */
	size_t count, cap;
	uint32_t last_id;
	size_t needing_answer; /* how many rules look at the answer */
	size_t tls; /* how many are for connections */
};

extern const struct param rule_match_params[], rule_do_params[], rule_params[];
extern const struct table rule_match_table, rule_do_table, rule_tls_table, rule_http_table, rule_transfer_table,
	rule_table;

/* Names of struct rule_tls.certificate. */
extern const char *const rule_certificates[];

#define RULE_EVERY_MAX 1000000000
#define RULE_RATE_MAX 1000000

/* The rows of a rule for a struct T that holds one as its member f. */
#define RULE_ROWS(T, f)                                                                                              \
	P_TABLE(T, f.match, "match", struct rule_match, &rule_match_table,                                           \
		"which messages; every key given must fit; by default all"),                                         \
		P_TABLE(T, f.todo, "do", struct rule_do, &rule_do_table, "what is done with them; several compose"), \
		P_SHARE(T, f.share_ppm, "share", 1, PPM_ONE, PARAM_UNSET, "by chance, that much of what matches"),   \
		P_INT(T, f.every, "every", 1, RULE_EVERY_MAX, PARAM_UNSET, "one in so many of what matches"),        \
		P_INT(T, f.first, "first", 1, RULE_EVERY_MAX, PARAM_UNSET,                                           \
		      "only so many of what matches, from the first on (or from the end of after)"),                 \
		P_INT(T, f.after, "after", 1, RULE_EVERY_MAX, PARAM_UNSET, "only once so many have matched"),        \
		P_RATE(T, f.above, "above", 1, RULE_RATE_MAX, PARAM_UNSET,                                           \
		       "only what exceeds that rate, per client network (IPv4 /24, IPv6 /56) and second"),           \
		P_BOOL(T, f.is_unsafe, "unsafe", false,                                                              \
		       "invented addresses may lie outside the ranges for documentation (RFC 5737, RFC 3849, RFC "   \
		       "9637)")

/* Turns texts into numbers and checks everything, one rule for itself. loc: the rule's place. Adds every error to errs; what it needs is in arena. 0 or -EINVAL. In either
 * case rule_fini. */
int rule_prepare(struct rule *rule, struct arena *arena, struct errs *errs);
/* How many messages it was asked about. */
uint64_t rule_seen(const struct rule *rule);
/* Counts begin anew. */
void rule_reset(struct rule *rule);

void rule_fini(struct rule *rule); /* zeroed, half-prepared: fine */

/* A mapping → a prepared rule in arena. NULL after an error, of which all are in errs. */
struct rule *rule_parse(struct arena *arena, const struct node *node, struct errs *errs);

/* 0 or -ENOMEM. Gives the rule its id. */
int rules_add(struct rules *rules, struct rule *rule);
/* Takes the rule out and returns it; NULL: no such id. */
struct rule *rules_remove(struct rules *rules, uint32_t id);
void rules_fini(struct rules *rules); /* and every rule in it; NULL-safe members */

/* Reads a YAML list of rules and adds them. file is what errors call it. 0, or -EINVAL with every error in errs and rules as they were. Warnings (a rule that another one hides) go to
 * warnings. */
int rules_load_bytes(struct rules *rules, struct arena *arena, const char *file, const char *data, size_t len,
		     struct errs *errs, struct errs *warnings);
/* Which rules, of those behind the first `from`, can never act because one before them takes all they match. */
void rules_check(const struct rules *rules, size_t from, struct errs *warnings);
