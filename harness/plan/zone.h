/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zones from master files (RFC 1035 section 5), read and checked with ldns.
 *
 * Made for a million records: reading takes O(n log n) and about 330 bytes a record, an edited copy 40. `make bench` has the figures.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/err.h"
#include <ldns/ldns.h>
#include <stdbool.h>

struct zone {
	const char *name; /* lower case, without trailing dot; "." for the root */
	const char *file; /* path as opened */
	ldns_rr_list *rrs; /* every record, SOA first; borrowed: the zone frees them */
	bool is_signed; /* holds DNSKEY and RRSIG at its apex */
};

/* Loads and checks: syntax, in-zone owner names, exactly one SOA at the apex, an NS at the apex, no CNAME beside other data, NS targets in the zone have addresses.
 * Adds every error to errs with the zone file's path and line (where: the plan's mention, for a file that cannot be opened). NULL if there was one. */
struct zone *zone_load(const char *name, const char *path, struct loc where, struct errs *errs);
/* The same from memory (a fuzzer's, a test's); path is what errors call it. */
struct zone *zone_load_bytes(const char *name, const char *path, const char *data, size_t len, struct errs *errs);
/* A copy with another serial, with records added and taken away; the lists may be NULL. A record to be taken away that is not there is none, one to be
 * added that is there stays as it is. The rest is shared: from must outlive it. file: what errors call it. Checked like a file; NULL after errors. */
struct zone *zone_edit(const struct zone *from, const char *file, uint32_t serial, const ldns_rr_list *add,
		       const ldns_rr_list *remove, struct errs *errs);
void zone_free(struct zone *zone);

/* Whether it holds a record; its TTL does not matter. Takes O(log n), as all that looks for a name does. */
bool zone_has(const struct zone *zone, const ldns_rr *rr);
/* Whether a name, without trailing dot, has an address record. */
bool zone_has_address(const struct zone *zone, const char *name);

enum zone_answer {
	ZONE_ANSWER,
	ZONE_NODATA,
	ZONE_NXDOMAIN,
	ZONE_DELEGATION,
	ZONE_CNAME_OUT /* chain leaves the zone */
};

/* What the zone answers (RFC 1034 section 4.3.2, RFC 4592 wildcards), CNAMEs followed inside it. ret_rrs: the records of
 * the wanted type (borrowed from zone), caller frees the list with ldns_rr_list_free. ret_cname: the name at which a chain leaves, or meets a
 * delegation (the question itself if there is no chain); in arena. */
enum zone_answer zone_lookup(const struct zone *zone, const char *qname, uint16_t qtype, struct arena *arena,
			     ldns_rr_list **ret_rrs, const char **ret_cname);

/* Record data as results carry it: canonical text, lower-case names, without trailing newline. In arena. */
const char *zone_rdata_text(const ldns_rr *rr, struct arena *arena);
