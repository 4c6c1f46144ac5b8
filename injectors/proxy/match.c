/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/match.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "harness/base/hash.h"

#define UDP_SIZE 512 /* RFC 1035 section 4.2.1 */
#define OPT_DO 0x8000u /* RFC 3225 section 3: of an OPT record's TTL, the low half */

uint64_t match_name_hash(const struct msg_name *name)
{
	uint64_t hash = hash_bytes(HASH_START, name->wire, name->len);

	return hash ? hash : 1;
}

int match_query_init(struct match_query *ret, const uint8_t *bytes, size_t len)
{
	struct msg_record opt;

	if (!bytes || msg_parse(&ret->msg, bytes, len))
		return -EBADMSG;
	ret->name_hash = ret->msg.has_question ? match_name_hash(&ret->msg.qname) : 0;
	ret->has_opt = msg_opt(&ret->msg, &opt);
	ret->is_dnssec_ok = ret->has_opt && (opt.ttl & OPT_DO);
	ret->udp_size = ret->has_opt && opt.klass > UDP_SIZE ? opt.klass : UDP_SIZE;
	ret->has_text = false;
	return 0;
}

static bool is_listed(const struct rule_list16 *list, uint16_t value)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->v[i] == value)
			return true;
	}
	return false;
}

static bool fits_regex(const regex_t *regex, struct match_query *query)
{
	if (!query->has_text) {
		msg_name_to_text(&query->msg.qname, query->text, sizeof(query->text));
		query->has_text = true;
	}
	return !regexec(regex, query->text, 0, NULL, 0);
}

static bool fits_name(const struct rule_qname *pattern, struct match_query *query)
{
	const struct msg_name *qname = &query->msg.qname;

	switch (pattern->kind) {
	case RULE_QNAME_EXACT:
		return msg_name_is_equal(qname, &pattern->name);
	case RULE_QNAME_BELOW:
		return msg_name_is_below(qname, &pattern->name);
	case RULE_QNAME_SUFFIX:
		return msg_name_is_equal(qname, &pattern->name) || msg_name_is_below(qname, &pattern->name);
	case RULE_QNAME_REGEX:
		return fits_regex(&pattern->regex, query);
	}
	return false;
}

static bool fits_question(const struct rule_match *match, struct match_query *query)
{
	const struct msg *msg = &query->msg;

	if (!match->name_count && !match->qtypes.count && !match->qclasses.count)
		return true;
	if (!msg->has_question || (match->qtypes.count && !is_listed(&match->qtypes, msg->qtype)) ||
	    (match->qclasses.count && !is_listed(&match->qclasses, msg->qclass)))
		return false;
	for (size_t i = 0; i < match->name_count; i++) {
		if (fits_name(&match->names[i], query))
			return true;
	}
	return !match->name_count;
}

static bool is_within(const struct rule_prefix *prefix, const struct address *address)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (address->family != prefix->address.family || memcmp(address->bytes, prefix->address.bytes, whole) != 0)
		return false;
	return !rest || !((address->bytes[whole] ^ prefix->address.bytes[whole]) >> (8 - rest));
}

static bool is_same_address(const struct address *a, const struct address *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, a->family == AF_INET ? 4 : 16);
}

static bool is_among(const struct addresses *list, const struct address *address)
{
	for (size_t i = 0; list && i < list->count; i++) {
		if (address && is_same_address(&list->v[i], address))
			return true;
	}
	return !list || !list->count;
}

static bool fits_client(const struct rule_match *match, const struct address *client)
{
	if (!is_among(match->among_clients, client))
		return false;
	for (size_t i = 0; i < match->client_count; i++) {
		if (client && is_within(&match->clients[i], client))
			return true;
	}
	return !match->client_count;
}

static bool fits_server(const struct rule_match *match, const struct address *server)
{
	if (!is_among(match->among_servers, server))
		return false;
	for (size_t i = 0; i < match->server.count; i++) {
		if (server && is_same_address(&match->server.v[i], server))
			return true;
	}
	return !match->server.count;
}

static bool fits_tristate(int64_t want, bool is)
{
	return want == RULE_ANY || (want == RULE_TRUE) == is;
}

static bool fits_transport(const struct rule_match *match, enum decide_transport transport)
{
	static const int64_t keys[] = {
		[DECIDE_UDP] = RULE_UDP, [DECIDE_TCP] = RULE_TCP, [DECIDE_DOT] = RULE_DOT, [DECIDE_DOH] = RULE_DOH};

	return match->transport == RULE_TRANSPORT_ANY || match->transport == keys[transport];
}

/* The first name of a message cannot be a pointer: nothing is before it. */
static bool fits_letters(const struct rule_match *match, const struct msg *msg)
{
	bool has_upper = false, has_lower = false;
	const uint8_t *at = msg->bytes + MSG_HEADER;

	if (match->letters == RULE_CASE_ANY)
		return true;
	if (!msg->has_question)
		return false;
	for (; *at; at += 1u + *at) {
		for (unsigned i = 1; i <= *at; i++) {
			has_upper |= isupper(at[i]) != 0;
			has_lower |= islower(at[i]) != 0;
		}
	}
	return (match->letters == RULE_CASE_MIXED) == (has_upper && has_lower);
}

static bool fits_labels(const struct rule_match *match, const struct msg *msg)
{
	int64_t labels = 0;

	if (match->labels == PARAM_UNSET)
		return true;
	for (size_t at = 0; msg->has_question && msg->qname.wire[at]; at += 1u + msg->qname.wire[at])
		labels++;
	return msg->has_question && labels <= match->labels;
}

bool match_fits_connection(const struct rule_match *match, const struct decide_in *in)
{
	return fits_transport(match, in->transport) && fits_client(match, in->client) && fits_server(match, in->server);
}

bool match_fits_query(const struct rule_match *match, struct match_query *query, const struct decide_in *in)
{
	unsigned opcode = query->msg.flags >> MSG_OPCODE_SHIFT & 0xf;

	return fits_tristate(match->edns, query->has_opt) && fits_tristate(match->dnssec_ok, query->is_dnssec_ok) &&
	       (!match->opcodes.count || is_listed(&match->opcodes, (uint16_t)opcode)) && fits_question(match, query) &&
	       fits_letters(match, &query->msg) && fits_labels(match, &query->msg) && match_fits_connection(match, in);
}

/* RFC 2308 section 2.2: what has no answer is a referral if it has NS records and no SOA, and is not authoritative. */
static bool is_referral(const struct msg *answer)
{
	struct msg_record record = {0};
	bool has_ns = false;

	while (msg_next(answer, &record) > 0) {
		if (record.section == MSG_AUTHORITY && record.type == MSG_SOA)
			return false;
		has_ns |= record.section == MSG_AUTHORITY && record.type == MSG_NS;
	}
	return has_ns && !(answer->flags & MSG_AA);
}

static bool fits_kind(const struct rule_match *match, const struct msg *answer)
{
	if (match->answer == RULE_ANSWER_ANY)
		return true;
	if (msg_rcode(answer))
		return false;
	if (match->answer == RULE_ANSWER_POSITIVE)
		return answer->counts[MSG_ANCOUNT] > 0;
	return !answer->counts[MSG_ANCOUNT] && is_referral(answer) == (match->answer == RULE_ANSWER_REFERRAL);
}

bool match_fits_answer(const struct rule_match *match, const struct msg *answer)
{
	if (match->min_size_bytes != PARAM_UNSET && (int64_t)answer->len < match->min_size_bytes)
		return false;
	if (match->max_size_bytes != PARAM_UNSET && (int64_t)answer->len > match->max_size_bytes)
		return false;
	return fits_kind(match, answer) &&
	       (!match->rcodes.count || is_listed(&match->rcodes, (uint16_t)msg_rcode(answer)));
}

/* Of lists where none given means all. */
static bool covers_list(const struct rule_list16 *a, const struct rule_list16 *b)
{
	for (size_t i = 0; i < b->count; i++) {
		if (a->count && !is_listed(a, b->v[i]))
			return false;
	}
	return !a->count || b->count;
}

static bool covers_name(const struct rule_qname *a, const struct rule_qname *b)
{
	if (a->kind == RULE_QNAME_REGEX || b->kind == RULE_QNAME_REGEX)
		return false;
	if (msg_name_is_equal(&a->name, &b->name))
		return a->kind == b->kind || a->kind == RULE_QNAME_SUFFIX;
	return a->kind != RULE_QNAME_EXACT && msg_name_is_below(&b->name, &a->name);
}

static bool covers_names(const struct rule_match *a, const struct rule_match *b)
{
	for (size_t i = 0; i < b->name_count && a->name_count; i++) {
		bool is_covered = false;

		for (size_t j = 0; j < a->name_count && !is_covered; j++)
			is_covered = covers_name(&a->names[j], &b->names[i]) ||
				     !strcmp(a->qname.v[j].value, b->qname.v[i].value);
		if (!is_covered)
			return false;
	}
	return !a->name_count || b->name_count;
}

static bool covers_clients(const struct rule_match *a, const struct rule_match *b)
{
	for (size_t i = 0; i < b->client_count && a->client_count; i++) {
		bool is_covered = false;

		for (size_t j = 0; j < a->client_count && !is_covered; j++)
			is_covered = a->clients[j].bits <= b->clients[i].bits &&
				     is_within(&a->clients[j], &b->clients[i].address);
		if (!is_covered)
			return false;
	}
	return !a->client_count || b->client_count;
}

static bool covers_servers(const struct rule_match *a, const struct rule_match *b)
{
	for (size_t i = 0; i < b->server.count; i++) {
		if (!fits_server(a, &b->server.v[i]))
			return false;
	}
	return !a->server.count || b->server.count;
}

static bool covers_sizes(const struct rule_match *a, const struct rule_match *b)
{
	if (a->min_size_bytes != PARAM_UNSET &&
	    (b->min_size_bytes == PARAM_UNSET || b->min_size_bytes < a->min_size_bytes))
		return false;
	return a->max_size_bytes == PARAM_UNSET ||
	       (b->max_size_bytes != PARAM_UNSET && b->max_size_bytes <= a->max_size_bytes);
}

bool match_covers(const struct rule_match *a, const struct rule_match *b)
{
	return !a->among_servers && !a->among_clients &&
	       (a->transport == RULE_TRANSPORT_ANY || a->transport == b->transport) &&
	       (a->edns == RULE_ANY || a->edns == b->edns) &&
	       (a->dnssec_ok == RULE_ANY || a->dnssec_ok == b->dnssec_ok) && covers_list(&a->opcodes, &b->opcodes) &&
	       covers_list(&a->qtypes, &b->qtypes) && covers_list(&a->qclasses, &b->qclasses) &&
	       covers_list(&a->rcodes, &b->rcodes) && covers_names(a, b) && covers_clients(a, b) &&
	       covers_servers(a, b) && covers_sizes(a, b) &&
	       (a->letters == RULE_CASE_ANY || a->letters == b->letters) &&
	       (a->answer == RULE_ANSWER_ANY || a->answer == b->answer) &&
	       (a->labels == PARAM_UNSET || (b->labels != PARAM_UNSET && b->labels <= a->labels));
}
