/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be wrong with a signed zone, and with a delegation: pure changes of what is about to be signed.
 */
#pragma once
#include "injectors/dnssec/change.h"

enum signing_what {
	SIGNING_EXPIRED,
	SIGNING_NOT_YET,
	SIGNING_KEY_WITHDRAWN,
	SIGNING_ROLLOVER_STOPPED,
	SIGNING_ALGORITHM_HALF,
	SIGNING_FOREIGN_KEY_MISSING,
	SIGNING_NSEC3_PARAMETERS,
	SIGNING_NSEC3_ITERATIONS,
	SIGNING_ZONEMD_WRONG,
	SIGNING_UNSIGNED,
};
extern const char *const signing_whats[]; /* as plans say them; NULL at the end */
const char *signing_sentence(enum signing_what what); /* "the zone's signatures have run out" */

/* The keys that come with it, appended: made once, as all servers of a zone get the same. */
int signing_fresh_keys(const struct server_zone *zone, enum signing_what what, struct dnssec_keys *keys,
		       struct err *err);
/* -EINVAL: this zone has nothing that could be damaged so. */
int signing_damage(struct zone_edit *edit, enum signing_what what, struct err *err);

enum delegation_what {
	DELEGATION_HOLD,
	DELEGATION_NS_REMOVED,
	DELEGATION_NS_WRONG,
	DELEGATION_GLUE_STALE,
	DELEGATION_DS_REMOVED,
	DELEGATION_DS_WRONG,
	DELEGATION_DS_NEXT,
	DELEGATION_DS_LEFT_BEHIND,
};
extern const char *const delegation_whats[];
const char *delegation_sentence(enum delegation_what what);

struct delegation_damage {
	const char *child; /* without trailing dot */
	enum delegation_what what;
	const char *const *ns; /* that are removed, or put in the place of the right ones; without trailing dot */
	size_t ns_count;
	const struct addresses *addresses; /* stale ones; of each family the first */
};

/* rrs: the parent's zone, changed. -EINVAL: it has nothing that could be damaged so. */
int delegation_damage(ldns_rr_list *rrs, const struct delegation_damage *damage, struct err *err);
/* The records that delegate child: at or below it, and the addresses of its nameservers. Copies, the caller's. */
ldns_rr_list *delegation_records(const ldns_rr_list *rrs, const char *child);
/* Puts records that delegation_records gave in the place of what delegates child now. */
int delegation_restore(ldns_rr_list *rrs, const char *child, const ldns_rr_list *records, struct err *err);
