/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a zone file: read, checked, and asked for everything it holds. Nothing may crash or take long; a zone that is refused has an
 * error, one that is not answers for each of its names.
 */
#include <stdint.h>
#include <stdlib.h>

#include "harness/plan/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct zone *zone, const ldns_rr *rr, struct arena *arena)
{
	char *owner = ldns_rdf2str(ldns_rr_owner(rr));
	ldns_rr_list *rrs = NULL;
	const char *cname = NULL;

	zone_rdata_text(rr, arena);
	/* what stands in a zone exists there, be it below a delegation */
	if (owner && zone_lookup(zone, owner, (uint16_t)ldns_rr_get_type(rr), arena, &rrs, &cname) == ZONE_NXDOMAIN)
		abort();
	ldns_rr_list_free(rrs);
	free(owner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct errs errs = {0};
	struct zone *zone = zone_load_bytes("example.com", "fuzz.zone", (const char *)data, size, &errs);

	if (!zone != (errs.count + errs.dropped > 0))
		abort();
	for (size_t i = 0; zone && i < ldns_rr_list_rr_count(zone->rrs); i++)
		ask(zone, ldns_rr_list_rr(zone->rrs, i), arena);
	zone_free(zone);
	errs_fini(&errs);
	return 0;
}
