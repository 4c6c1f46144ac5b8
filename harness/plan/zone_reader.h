/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Master file text (RFC 1035 section 5.1) to records, one at a time, each with the line it begins on. Zero-initialise with data, len
 * and origin set; zone_reader_fini frees.
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include <ldns/ldns.h>
#include <stdbool.h>

struct zone_reader {
	const char *data; /* borrowed */
	size_t len, pos;
	const char *file; /* borrowed: what errors call it */
	unsigned line; /* that the last record begins on */
	unsigned next_line; /* counts from 0 */
	ldns_rdf *origin, *owner; /* owned; owner: of the last record */
	uint32_t ttl; /* for records that give none */
	bool has_ttl, has_directive; /* has_directive: from $TTL, not from the last record (RFC 2308 section 4) */
	struct buf entry;
};

/* 1 and the next record, which the caller frees; 0 at the end; -EINVAL with err for a record that is wrong: reading can go on after it. */
int zone_reader_next(struct zone_reader *reader, ldns_rr **ret_rr, struct err *err);
void zone_reader_fini(struct zone_reader *reader);

/* Why ldns refused something, in plain words. */
const char *zone_status_text(ldns_status status);
