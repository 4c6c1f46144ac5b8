/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/dns_wire.h"
#include "harness/base/pkt.h"
#include "harness/base/rr.h"
#include "harness/base/text.h"
#include "harness/plan/zone.h"
#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>

#define DNS_HEADER 12
#define DNS_EDE 15 /* option code, RFC 8914 section 2 */

static ldns_pkt *dns_query_packet(const struct dns_question *question, ldns_rdf *name)
{
	ldns_pkt *packet = ldns_pkt_query_new(name, question->qtype, LDNS_RR_CLASS_IN, 0);

	if (!packet) {
		ldns_rdf_deep_free(name);
		return NULL;
	}
	ldns_pkt_set_rd(packet, question->recursion);
	ldns_pkt_set_ad(packet, question->authentic);
	if (question->edns_size > 0) {
		ldns_pkt_set_edns_udp_size(packet, question->edns_size);
		ldns_pkt_set_edns_do(packet, question->dnssec);
	}
	return packet;
}

int dns_query_new(struct dns_query *ret, const struct dns_question *question, struct err *err)
{
	const char *qname = question->qname[0] ? question->qname : ".";
	ldns_rdf *name = ldns_dname_new_frm_str(qname);
	struct dns_query query = {.qtype = question->qtype};
	ldns_pkt *packet;
	ldns_status status;

	if (!name)
		return err_set(err, -EINVAL, LOC_NONE,
			       "\"%s\" is not a domain name (RFC 1035: labels of at most 63 "
			       "octets, 255 in all)",
			       qname);
	query.question_len = ldns_rdf_size(name) + 4;
	packet = dns_query_packet(question, name);
	if (!packet)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	status = ldns_pkt2wire(&query.wire, packet, &query.len);
	ldns_pkt_free(packet);
	if (status != LDNS_STATUS_OK)
		return err_set(err, -EINVAL, LOC_NONE, "cannot encode the query: %s", ldns_get_errorstr_by_id(status));
	*ret = query;
	return 0;
}

void dns_query_fini(struct dns_query *query)
{
	free(query->wire);
	*query = (struct dns_query){0};
}

void dns_query_set_id(struct dns_query *query, uint16_t id)
{
	query->wire[0] = (uint8_t)(id >> 8);
	query->wire[1] = (uint8_t)id;
}

void dns_query_set_label(struct dns_query *query, const char *label)
{
	memcpy(query->wire + DNS_HEADER + 1, label, query->wire[DNS_HEADER]);
}

static uint16_t dns_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint8_t dns_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* Names are compared without regard to case; octets of type and class lie outside the letters' use here and compare exactly. */
static bool dns_is_same_question(const struct dns_query *query, const uint8_t *wire, size_t len)
{
	size_t name_len = query->question_len - 4;

	if (len < DNS_HEADER + query->question_len)
		return false;
	for (size_t i = DNS_HEADER; i < DNS_HEADER + name_len; i++) {
		if (dns_lower(wire[i]) != dns_lower(query->wire[i]))
			return false;
	}
	return memcmp(wire + DNS_HEADER + name_len, query->wire + DNS_HEADER + name_len, 4) == 0;
}

enum dns_match dns_match(const struct dns_query *query, const uint8_t *wire, size_t len)
{
	unsigned rcode, qdcount;

	if (len < 2 || memcmp(wire, query->wire, 2) != 0)
		return DNS_OTHER;
	if (len < DNS_HEADER)
		return DNS_MALFORMED;
	if (!(wire[2] & 0x80)) /* QR: a query, perhaps our own, reflected */
		return DNS_OTHER;
	rcode = wire[3] & 0x0f;
	qdcount = dns_u16(wire + 4);
	if (qdcount == 0)
		return rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN ? DNS_MATCH : DNS_OTHER;
	return qdcount == 1 && dns_is_same_question(query, wire, len) ? DNS_MATCH : DNS_OTHER;
}

bool dns_is_truncated(const uint8_t *wire)
{
	return wire[2] & 0x02;
}

const char *dns_rcode_name(unsigned rcode, struct arena *arena)
{
	static const char *const names[] = {
		[0] = "NOERROR",  [1] = "FORMERR",    [2] = "SERVFAIL", [3] = "NXDOMAIN",  [4] = "NOTIMP",
		[5] = "REFUSED",  [6] = "YXDOMAIN",   [7] = "YXRRSET",  [8] = "NXRRSET",   [9] = "NOTAUTH",
		[10] = "NOTZONE", [11] = "DSOTYPENI", [16] = "BADVERS", [17] = "BADKEY",   [18] = "BADTIME",
		[19] = "BADMODE", [20] = "BADNAME",   [21] = "BADALG",  [22] = "BADTRUNC", [23] = "BADCOOKIE",
	};

	if (rcode < ARRAY_LEN(names) && names[rcode])
		return names[rcode];
	return arena_printf(arena, "RCODE%u", rcode);
}

static const char *dns_ede_name(unsigned code)
{
	static const char *const names[] = {
		/* IANA, Extended DNS Error Codes */
		"Other",
		"Unsupported DNSKEY Algorithm",
		"Unsupported DS Digest Type",
		"Stale Answer",
		"Forged Answer",
		"DNSSEC Indeterminate",
		"DNSSEC Bogus",
		"Signature Expired",
		"Signature Not Yet Valid",
		"DNSKEY Missing",
		"RRSIGs Missing",
		"No Zone Key Bit Set",
		"NSEC Missing",
		"Cached Error",
		"Not Ready",
		"Blocked",
		"Censored",
		"Filtered",
		"Prohibited",
		"Stale NXDOMAIN Answer",
		"Not Authoritative",
		"Not Supported",
		"No Reachable Authority",
		"Network Error",
		"Invalid Data",
		"Signature Expired before Valid",
		"Too Early",
		"Unsupported NSEC3 Iterations Value",
		"Unable to conform to policy",
		"Synthesized",
	};

	return code < ARRAY_LEN(names) ? names[code] : NULL;
}

/* One option's data: INFO-CODE, then EXTRA-TEXT that need not end with NUL. */
static void dns_add_ede(struct buf *out, const uint8_t *data, size_t len)
{
	unsigned code = dns_u16(data);
	const char *name = dns_ede_name(code);
	char text[256];
	size_t text_len = len - 2 < sizeof(text) - 1 ? len - 2 : sizeof(text) - 1;

	memcpy(text, data + 2, text_len);
	text[text_len] = '\0';
	buf_printf(out, "%sEDE %u", out->len > 0 ? "; " : "", code);
	if (name)
		buf_printf(out, " %s", name);
	if (text[0]) {
		buf_puts(out, ": ");
		text_add_printable(out, text);
	}
}

static void dns_read_options(const ldns_pkt *packet, struct buf *out)
{
	const ldns_rdf *options = ldns_pkt_edns_data(packet);
	const uint8_t *p = options ? ldns_rdf_data(options) : NULL;
	size_t left = options ? ldns_rdf_size(options) : 0;

	while (left >= 4) {
		unsigned code = dns_u16(p);
		size_t len = dns_u16(p + 2);

		if (len > left - 4)
			return;
		if (code == DNS_EDE && len >= 2)
			dns_add_ede(out, p + 4, len);
		p += 4 + len;
		left -= 4 + len;
	}
}

/* The owner that records of the wanted type must have: the question's name, or where its chain of CNAMEs leads. */
static const ldns_rdf *dns_chain_end(const ldns_rr_list *rrs, const ldns_rdf *owner, uint16_t qtype)
{
	size_t count = ldns_rr_list_rr_count(rrs);
	bool has_moved = qtype != LDNS_RR_TYPE_CNAME && qtype != LDNS_RR_TYPE_ANY;

	/* A chain visits no record twice, so a loop ends after count steps. */
	for (size_t step = 0; has_moved && step < count; step++) {
		has_moved = false;
		for (size_t i = 0; i < count && !has_moved; i++) {
			const ldns_rr *rr = ldns_rr_list_rr(rrs, i);

			if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_CNAME || ldns_dname_compare(ldns_rr_owner(rr), owner))
				continue;
			owner = ldns_rr_rdf(rr, 0);
			has_moved = true;
		}
	}
	return owner;
}

static void dns_note_ttl(struct answer *answer, uint32_t wire_ttl)
{
	int64_t ttl = wire_ttl > INT32_MAX ? 0 : wire_ttl; /* RFC 2181 section 8 */

	if (answer->min_ttl == PARAM_UNSET || ttl < answer->min_ttl)
		answer->min_ttl = ttl;
	if (answer->max_ttl == PARAM_UNSET || ttl > answer->max_ttl)
		answer->max_ttl = ttl;
}

static int dns_compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void dns_sort(struct dns_reply *reply)
{
	size_t kept = 0;

	if (reply->answer.count == 0)
		return;
	qsort(reply->sorted, reply->answer.count, sizeof(*reply->sorted), dns_compare_texts);
	for (size_t i = 0; i < reply->answer.count; i++) {
		if (kept == 0 || strcmp(reply->sorted[i], reply->sorted[kept - 1]) != 0)
			reply->sorted[kept++] = reply->sorted[i];
	}
	reply->answer.count = kept;
}

static void dns_read_answer(struct dns_reply *reply, const ldns_pkt *packet, const ldns_rdf *qname, uint16_t qtype,
			    struct arena *arena)
{
	const ldns_rr_list *rrs = ldns_pkt_answer(packet);
	size_t count = ldns_rr_list_rr_count(rrs);
	const ldns_rdf *owner = dns_chain_end(rrs, qname, qtype);

	reply->sorted = ARENA_ARRAY(arena, const char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (qtype != LDNS_RR_TYPE_ANY && ldns_rr_get_type(rr) != qtype)
			continue;
		if (ldns_dname_compare(ldns_rr_owner(rr), owner) != 0)
			continue;
		reply->sorted[reply->answer.count++] = zone_rdata_text(rr, arena);
		dns_note_ttl(&reply->answer, ldns_rr_ttl(rr));
	}
	dns_sort(reply);
	reply->answer.rdata = reply->sorted;
}

int dns_reply_parse(struct dns_reply *ret, const struct dns_query *query, const uint8_t *wire, size_t len,
		    struct arena *arena)
{
	struct dns_reply reply = {.answer = {.min_ttl = PARAM_UNSET, .max_ttl = PARAM_UNSET}};
	ldns_rdf *qname;
	ldns_pkt *packet;

	if (pkt_from_wire(&packet, wire, len) != LDNS_STATUS_OK)
		return -EBADMSG;
	qname = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, query->question_len - 4, query->wire + DNS_HEADER);
	if (!qname) {
		ldns_pkt_free(packet);
		return -ENOMEM;
	}
	reply.answer.rcode = dns_rcode_name(
		(unsigned)ldns_pkt_get_rcode(packet) | (unsigned)ldns_pkt_edns_extended_rcode(packet) << 4, arena);
	reply.answer.aa = ldns_pkt_aa(packet) ? TRISTATE_TRUE : TRISTATE_FALSE;
	reply.answer.ad = ldns_pkt_ad(packet) ? TRISTATE_TRUE : TRISTATE_FALSE;
	dns_read_answer(&reply, packet, qname, query->qtype, arena);
	dns_read_options(packet, &reply.ede);
	ldns_rdf_deep_free(qname);
	ldns_pkt_free(packet);
	*ret = reply;
	return 0;
}

void dns_reply_fini(struct dns_reply *reply)
{
	buf_fini(&reply->ede);
}

struct texts dns_canonical(const struct texts *texts, uint16_t qtype, struct arena *arena)
{
	struct texts ret = {.v = ARENA_ARRAY(arena, struct text, texts->count + 1), .count = texts->count};

	for (size_t i = 0; i < texts->count; i++) {
		char *type = ldns_rr_type2str(qtype);
		char *line = arena_printf(arena, ". 0 IN %s %s", type ? type : "", texts->v[i].value);
		ldns_rr *rr = NULL;

		ret.v[i] = texts->v[i];
		if (rr_from_text(&rr, line, 0, NULL) == LDNS_STATUS_OK) {
			ret.v[i].value = zone_rdata_text(rr, arena);
			ldns_rr_free(rr);
		}
		free(type);
	}
	return ret;
}
