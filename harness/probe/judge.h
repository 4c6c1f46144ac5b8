/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an answer is good: pure.
 */
#pragma once
#include "harness/api/probe.h"

struct answer {
	const char *rcode; /* mnemonic */
	const char *const
		*rdata; /* records of the wanted type, canonical text (plan/zone.h zone_rdata_text), any order */
	size_t count;
	int64_t min_ttl, max_ttl; /* of these; PARAM_UNSET if there are none or TTLs cannot be seen (stub) */
	int aa, ad; /* enum tristate; TRISTATE_ANY where it cannot be seen */
};

/* OUTCOME_OK, OUTCOME_WRONG or OUTCOME_RCODE; why (appended to detail) unless ok. Answers are compared as sets, names without regard to case.
 * An error rcode where the plan wants another is OUTCOME_RCODE; NOERROR or NXDOMAIN where the plan wants something else is OUTCOME_WRONG
 * (a wrong statement about the zone), every other rcode is an error answer (RFC 1035 section 4.1.1). */
enum outcome judge(const struct good *good, const struct answer *answer, struct buf *detail);

/* The same where the zones have versions: *ret_fits has bit k set for each version k the answer is good of; then it is OUTCOME_OK, and which of them was right at that moment,
 * measure/ finds out. 0 where good has no versions. */
enum outcome judge_versions(const struct good *good, const struct answer *answer, struct buf *detail,
			    int64_t *ret_fits);
