/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parameter tables of rules.
 */
#include "injectors/proxy/rule.h"

#include "harness/plan/parse.h"
#include "injectors/shaping.h"

#define DELAY_MAX (600 * SEC)
#define TTL_MAX (INT64_C(0x7fffffff) * SEC) /* RFC 2181 section 8 */

static const char *const tristates[] = {"any", "true", "false", NULL};
static const char *const transports[] = {"any", "udp", "tcp", "dot", "doh", NULL};
static const char *const drops[] = {"query", "answer", NULL};
static const char *const flags[] = {"set", "clear", "flip", NULL};
static const char *const soas[] = {"right-soa", "no-soa", "wrong-soa", NULL};
static const char *const questions[] = {"missing", "other-name", "other-case", "twice", "lower-case", NULL};
static const char *const bad_names[] = {"loop", "forward", "long-label", "long-name", NULL};
static const char *const lames[] = {"not-aa", "upward-referral", "self-referral", "referral-loop", NULL};
static const char *const ednses[] = {"strip", "formerr", "silence", "badvers", NULL};
static const char *const answers[] = {"any", "positive", "nodata", "referral", NULL};
static const char *const cases[] = {"any", "mixed", "uniform", NULL};
static const char *const tcps[] = {"refuse", "reset", "stall", "close", NULL};
static const char *const glues[] = {"missing", "wrong", NULL};
static const char *const cookies[] = {"missing", "wrong", "badcookie", NULL};
static const char *const subnets[] = {"missing", "other-network", NULL};
static const char *const nsids[] = {"missing", "wrong", NULL};
static const char *const signatures[] = {"corrupt",         "expired",      "not-yet-valid", "wrong-key-tag",
					 "wrong-algorithm", "wrong-labels", "wrong-signer",  NULL};
static const char *const denials[] = {"wrong-next", "wrong-types", "other-name", NULL};

const struct param rule_match_params[] = {
	P_TEXTS(struct rule_match, qname, "qname",
		"the name asked for: www.example.com, *.example.com (below it), .example.com (it and all below), or an "
		"extended POSIX regular expression /^ns[0-9]/ on the name without its last dot; case does not matter"),
	P_TEXTS(struct rule_match, qtype, "qtype", "the type asked for: A, HTTPS, TYPE65"),
	P_TEXTS(struct rule_match, qclass, "class", "the class asked for: IN, CH, CLASS255"),
	P_TEXTS(struct rule_match, opcode, "opcode", "QUERY, STATUS, NOTIFY, UPDATE, DSO, or a number"),
	P_TEXTS(struct rule_match, client, "client", "who asks: an address or a prefix, 192.0.2.0/24"),
	P_ADDRESSES(struct rule_match, server, "server", "who is asked"),
	P_ENUM(struct rule_match, transport, "transport", transports, RULE_TRANSPORT_ANY, "how it is asked"),
	P_ENUM(struct rule_match, edns, "edns", tristates, RULE_ANY, "whether the query has an OPT record"),
	P_ENUM(struct rule_match, dnssec_ok, "do", tristates, RULE_ANY, "whether the query has the DO flag"),
	P_ENUM(struct rule_match, letters, "case", cases, RULE_CASE_ANY,
	       "whether the name asked for has letters of both cases, as resolvers send it that check by 0x20"),
	P_INT(struct rule_match, labels, "max_labels", 0, 127, PARAM_UNSET,
	      "names of at most so many labels (www.example.com has 3): with qname minimisation, RFC 9156, those are "
	      "asked for first"),
	P_TEXTS(struct rule_match, rcode, "rcode", "the answer's RCODE: NOERROR, SERVFAIL, RCODE24"),
	P_SIZE(struct rule_match, min_size_bytes, "min_size", 0, MSG_MAX, PARAM_UNSET,
	       "answers of at least that many bytes"),
	P_SIZE(struct rule_match, max_size_bytes, "max_size", 0, MSG_MAX, PARAM_UNSET,
	       "answers of at most that many bytes"),
	P_ENUM(struct rule_match, answer, "answer", answers, RULE_ANSWER_ANY,
	       "what the answer, NOERROR, is: with records, without (an empty non-terminal too), or a referral"),
	PARAM_END,
};

const struct param rule_do_params[] = {
	P_ENUM(struct rule_do, drop, "drop", drops, PARAM_UNSET,
	       "the query does not reach the server, or its answer does not reach the client"),
	P_INT(struct rule_do, slip, "slip", 1, 1000, PARAM_UNSET,
	      "over UDP, every so-many-th of the answers dropped comes truncated instead, as from servers that limit "
	      "rates"),
	P_DURATION(struct rule_do, delay_ns, "delay", 1, DELAY_MAX, PARAM_UNSET, "the answer comes that much later"),
	P_DURATION(struct rule_do, jitter_ns, "jitter", 0, DELAY_MAX, PARAM_UNSET,
		   "the delay is that much more or less; not above delay"),
	P_ENUM(struct rule_do, distribution, "distribution", shaping_distributions, PARAM_UNSET,
	       "how the jitter spreads, uniform by default; of a normal one it is the standard deviation; all others "
	       "are cut at four times it, and no delay is below 0"),
	P_BOOL(struct rule_do, twice, "twice", false, "the answer comes twice"),
	P_DURATION(struct rule_do, again_ns, "again", 1, DELAY_MAX, PARAM_UNSET,
		   "the server's answer comes as it is, and so much later a second one, changed by the other keys"),
	P_TEXT(struct rule_do, rcode, "rcode",
	       "an error answer without records: SERVFAIL, REFUSED, BADVERS, RCODE24, a number up to 4095; above 15 "
	       "for "
	       "queries with EDNS only"),
	P_INT(struct rule_do, ede, "ede", 0, 65535, PARAM_UNSET,
	      "an extended DNS error of that code (RFC 8914); for queries with EDNS only"),
	P_TEXT(struct rule_do, ede_text, "ede_text", "the extended error's text"),
	P_BOOL(struct rule_do, ede_strip, "ede_strip", false, "extended errors are taken out"),
	P_ENUM(struct rule_do, nodata, "nodata", soas, PARAM_UNSET, "the name exists, the type does not"),
	P_ENUM(struct rule_do, nxdomain, "nxdomain", soas, PARAM_UNSET, "the name does not exist"),
	P_TEXT(struct rule_do, zone, "zone",
	       "the zone that an invented SOA record or referral is of; by default that of the answer's SOA or NS "
	       "record, else the name asked for without its first label"),
	P_ENUM(struct rule_do, qr, "qr", flags, PARAM_UNSET, "QR; clear: the answer looks like a query"),
	P_ENUM(struct rule_do, aa, "aa", flags, PARAM_UNSET, "AA, authoritative answer"),
	P_ENUM(struct rule_do, tc, "tc", flags, PARAM_UNSET, "TC, truncated; records stay (empty takes them)"),
	P_ENUM(struct rule_do, ra, "ra", flags, PARAM_UNSET, "RA, recursion available"),
	P_ENUM(struct rule_do, ad, "ad", flags, PARAM_UNSET, "AD, authentic data"),
	P_ENUM(struct rule_do, cd, "cd", flags, PARAM_UNSET, "CD, checking disabled"),
	P_INT(struct rule_do, opcode, "opcode", 0, 15, PARAM_UNSET, "the answer's opcode"),
	P_INT(struct rule_do, qdcount, "qdcount", 0, 65535, PARAM_UNSET, "the number of questions the header claims"),
	P_INT(struct rule_do, ancount, "ancount", 0, 65535, PARAM_UNSET, "the number of answer records it claims"),
	P_INT(struct rule_do, nscount, "nscount", 0, 65535, PARAM_UNSET, "the number of authority records it claims"),
	P_INT(struct rule_do, arcount, "arcount", 0, 65535, PARAM_UNSET, "the number of additional records it claims"),
	P_BOOL(struct rule_do, wrong_id, "wrong_id", false, "the answer has another ID than the query"),
	P_ENUM(struct rule_do, question, "question", questions, PARAM_UNSET,
	       "the answer's question: gone, of another name, of another case, there twice, or in lower case whatever "
	       "was "
	       "asked"),
	P_SIZE(struct rule_do, truncate_bytes, "truncate", 0, MSG_MAX, PARAM_UNSET, "cut after that many bytes"),
	P_SIZE(struct rule_do, append_bytes, "append", 1, MSG_MAX, PARAM_UNSET, "so many zero bytes after its end"),
	P_INT(struct rule_do, flip_bits, "flip_bits", 1, MSG_MAX, PARAM_UNSET,
	      "so many bits after the ID are flipped, chosen by chance"),
	P_ENUM(struct rule_do, bad_name, "bad_name", bad_names, PARAM_UNSET,
	       "the only record's name: points to itself, points forward, has a label over 63, is over 255"),
	P_BOOL(struct rule_do, garbage, "garbage", false, "random bytes after the ID"),
	P_DURATION(struct rule_do, ttl_ns, "ttl", 0, TTL_MAX, PARAM_UNSET, "every TTL, in whole seconds; 0s too"),
	P_DURATION(struct rule_do, ttl_cap_ns, "ttl_cap", 0, TTL_MAX, PARAM_UNSET, "no TTL above that"),
	P_DURATION(struct rule_do, ttl_jitter_ns, "ttl_jitter", SEC, TTL_MAX, PARAM_UNSET,
		   "each TTL is up to that much more or less, uniformly"),
	P_ENUM(struct rule_do, lame, "lame", lames, PARAM_UNSET,
	       "a lame answer: not authoritative and empty; a referral to the root; one to the zone itself at the "
	       "server asked; one without glue to a server in a zone whose own server is in a third, and so on in "
	       "circles"),
	P_ENUM(struct rule_do, glue, "glue", glues, PARAM_UNSET,
	       "addresses in the additional section are gone, or those of nobody (203.0.113.254, "
	       "3fff:fff:ffff:ffff:ffff:ffff:ffff:fffe)"),
	P_TEXTS(struct rule_do, remove, "remove",
		"record types that vanish from the answer, with the signatures over them: A, RRSIG, DNSKEY, NSEC"),
	P_ADDRESSES(struct rule_do, spoof, "spoof",
		    "instead of the addresses in A and AAAA records, those of the same family, in turn"),
	P_TEXTS(struct rule_do, add, "add",
		"records added to the answer section, as in a zone file; an owner @ is the name asked for: \"@ 300 IN "
		"MX "
		"10 mail.example.net.\""),
	P_TEXTS(struct rule_do, add_authority, "add_authority", "records added to the authority section"),
	P_TEXTS(struct rule_do, add_additional, "add_additional", "records added to the additional section"),
	P_TEXTS(struct rule_do, replace, "replace",
		"records of the answer section, of whatever type, that come in place of those of their types, of which "
		"the signatures go too"),
	P_INT(struct rule_do, cname_chain, "cname_chain", 1, 500, PARAM_UNSET,
	      "so many CNAME records to the answer: by way of c1, c2, … beside the name asked for"),
	P_INT(struct rule_do, cname_loop, "cname_loop", 1, 500, PARAM_UNSET,
	      "so many CNAME records in a circle; 1: of a name to itself"),
	P_SIZE(struct rule_do, huge_bytes, "huge", MSG_HEADER, MSG_MAX, PARAM_UNSET,
	       "an answer of that size, or a record more, by records of the type asked for (A, AAAA) or TXT; over UDP "
	       "truncated where the client takes less, or edns_size says so"),
	P_BOOL(struct rule_do, empty, "empty", false, "NOERROR without a record, not even the SOA"),
	P_BOOL(struct rule_do, shuffle, "shuffle", false, "answer records in random order"),
	P_ENUM(struct rule_do, signatures, "signatures", signatures, PARAM_UNSET,
	       "RRSIG records that do not verify: one bit wrong; of January 2001; of January 2060; and so on"),
	P_ENUM(struct rule_do, denial, "denial", denials, PARAM_UNSET,
	       "NSEC and NSEC3 records that do not hold: another next name or hash; the type asked for added to, or "
	       "taken from, their types; of another owner"),
	P_ENUM(struct rule_do, edns, "edns", ednses, PARAM_UNSET,
	       "for queries with EDNS only: no OPT in the answer; FORMERR; no answer; BADVERS"),
	P_TABLE(struct rule_do, http, "http", struct rule_http, &rule_http_table,
		"how HTTP carries the answer; DoH only"),
	P_TABLE(struct rule_do, transfer, "transfer", struct rule_transfer, &rule_transfer_table,
		"what becomes of a zone transfer (AXFR, IXFR) over TCP"),
	P_TABLE(struct rule_do, tls, "tls", struct rule_tls, &rule_tls_table,
		"what becomes of a connection over TLS (DoT, DoH) when it is made; in a rule of its own, that matches "
		"by client, server and transport"),
	P_SIZE(struct rule_do, edns_size_bytes, "edns_size", 0, MSG_MAX, PARAM_UNSET,
	       "the server is told that the client takes that much over UDP: 512B for truncation that the client did "
	       "not ask for, 65535B for answers larger than it takes"),
	P_BOOL(struct rule_do, ignore_do, "ignore_do", false, "the server is not told of the DO flag: no signatures"),
	P_BOOL(struct rule_do, edns_echo, "edns_echo", false,
	       "every option of the query that the server did not answer comes back"),
	P_ENUM(struct rule_do, cookie, "cookie", cookies, PARAM_UNSET,
	       "the answer's cookie (RFC 7873): gone; not the client's; an answer BADCOOKIE, to queries with a cookie"),
	P_ENUM(struct rule_do, subnet, "subnet", subnets, PARAM_UNSET,
	       "the answer's client subnet (RFC 7871): gone; of another network than was asked for"),
	P_INT(struct rule_do, subnet_scope, "subnet_scope", 0, 255, PARAM_UNSET,
	      "its scope prefix length; above 32, or 128, there is none"),
	P_ENUM(struct rule_do, nsid, "nsid", nsids, PARAM_UNSET, "the server's name (RFC 5001): gone, or \"wrong\""),
	P_ADDRESSES(struct rule_do, source, "source",
		    "over UDP, the answer comes from this address, of the client's family"),
	P_INT(struct rule_do, source_port, "source_port", 1, 65535, PARAM_UNSET,
	      "over UDP, the answer comes from this port"),
	P_ENUM(struct rule_do, tcp, "tcp", tcps, PARAM_UNSET,
	       "the client's connection: reset as soon as it is made; reset when it asks; nothing more comes; closed "
	       "without an answer"),
	P_SIZE(struct rule_do, tcp_cut_bytes, "tcp_cut", 0, MSG_MAX + 2, PARAM_UNSET,
	       "the connection is closed after so many bytes of the answer, the two of its length among them"),
	P_INT(struct rule_do, tcp_length, "tcp_length", -MSG_MAX, MSG_MAX, PARAM_UNSET,
	      "the length before the answer is too large by that, or too small (-10)"),
	P_SIZE(struct rule_do, tcp_piece_bytes, "tcp_pieces", 1, MSG_MAX, PARAM_UNSET,
	       "the answer is written in pieces of that many bytes"),
	P_DURATION(struct rule_do, tcp_pause_ns, "tcp_pause", MSEC, DELAY_MAX, PARAM_UNSET,
		   "between the pieces; 1ms by default"),
	PARAM_END,
};

const struct table rule_match_table = {.name = "match",
				       .doc = "which messages a rule is for",
				       .params = rule_match_params,
				       .size = sizeof(struct rule_match),
				       .loc_offset = offsetof(struct rule_match, loc),
				       .name_offset = PARAM_NO_NAME};
const struct table rule_do_table = {.name = "do",
				    .doc = "what a rule does",
				    .params = rule_do_params,
				    .size = sizeof(struct rule_do),
				    .loc_offset = offsetof(struct rule_do, loc),
				    .name_offset = PARAM_NO_NAME};

/* struct rule itself, for RULE_ROWS. */
struct rule_alone {
	struct rule rule;
};

const struct param rule_params[] = {
	P_TEXT(struct rule_alone, rule.name, "name", "what people call it"),
	RULE_ROWS(struct rule_alone, rule),
	PARAM_END,
};

const struct table rule_table = {.name = "rule",
				 .doc = "a rule of the DNS proxy",
				 .params = rule_params,
				 .size = sizeof(struct rule),
				 .loc_offset = offsetof(struct rule, loc),
				 .name_offset = PARAM_NO_NAME};

struct rule *rule_parse(struct arena *arena, const struct node *node, struct errs *errs)
{
	struct rule *rule = ARENA_NEW(arena, struct rule);
	size_t before = errs->count + errs->dropped;

	parse_table(arena, node, &rule_table, rule, errs);
	if (errs->count + errs->dropped == before && !rule_prepare(rule, arena, errs))
		return rule;
	rule_fini(rule);
	return NULL;
}
