/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dynamic update (RFC 2136) says: from a plan's words to the records of its prerequisite and update sections. Pure. Of use inside actions/.
 */
#pragma once
#include "harness/api/param.h"
#include "harness/base/buf.h"
#include "harness/plan/zone.h"

struct update_records {
	/* as the plan says it */
	struct texts add, delete, if_present, if_absent;
	int64_t if_serial;
	/* By update_records_read; they live as long as the plan. */
	ldns_rr_list *prerequisites, *changes; /* as they go into the message */
	ldns_rr_list *added, *removed; /* of the zone as it is then */
};

/* zone: what it holds before the update. Adds every error to errs. */
void update_records_read(struct update_records *records, const struct zone *zone, struct arena *arena,
			 struct errs *errs);
/* Whether the zone is another afterwards. */
bool update_records_change(const struct update_records *records, const struct zone *zone);
/* As nsupdate takes them, one a line. */
void update_records_print(const struct update_records *records, struct buf *out);
