/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/pkt.h"

/* Where a section's records end; 0: they are broken. *ret_tsigs grows by those that are TSIG. */
static size_t walk(const uint8_t *wire, size_t len, size_t at, unsigned count, ldns_pkt_section section,
		   unsigned *ret_tsigs)
{
	for (unsigned i = 0; i < count; i++) {
		ldns_rr *rr;

		if (ldns_wire2rr(&rr, wire, len, &at, section) != LDNS_STATUS_OK)
			return 0;
		*ret_tsigs += ldns_rr_get_type(rr) == LDNS_RR_TYPE_TSIG;
		ldns_rr_free(rr);
	}
	return at;
}

static bool has_several_tsigs(const uint8_t *wire, size_t len)
{
	unsigned tsigs = 0;
	size_t at = LDNS_HEADER_SIZE;

	if (len < LDNS_HEADER_SIZE || LDNS_ARCOUNT(wire) < 2)
		return false; /* as nearly all are */
	at = walk(wire, len, at, LDNS_QDCOUNT(wire), LDNS_SECTION_QUESTION, &tsigs);
	at = at ? walk(wire, len, at, LDNS_ANCOUNT(wire), LDNS_SECTION_ANSWER, &tsigs) : 0;
	at = at ? walk(wire, len, at, LDNS_NSCOUNT(wire), LDNS_SECTION_AUTHORITY, &tsigs) : 0;
	tsigs = 0; /* elsewhere they are records like others */
	if (at)
		walk(wire, len, at, LDNS_ARCOUNT(wire), LDNS_SECTION_ADDITIONAL, &tsigs);
	return tsigs > 1;
}

ldns_status pkt_from_wire(ldns_pkt **ret, const uint8_t *wire, size_t len)
{
	return has_several_tsigs(wire, len) ? LDNS_STATUS_ERR : ldns_wire2pkt(ret, wire, len);
}
