/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key rollovers in steps (RFC 6781 section 4, RFC 7583): which key is published, signs, and has a DS at the parent after each.
 *
 * The state is the file `rollover` beside the keys: what was done last, and a line for each key. Without it every key is published, and those with a
 * private part sign. Several processes may take the same step: the first makes it, under a lock, the others find it made.
 */
#pragma once
#include "harness/dnssec/sign.h"

enum rollover {
	ROLLOVER_ZSK, /* pre-publication, RFC 6781 section 4.1.1.1 */
	ROLLOVER_KSK, /* double signature, section 4.1.2 */
	ROLLOVER_KSK_DOUBLE_DS, /* RFC 7583 section 3.3.2 */
	ROLLOVER_ALGORITHM, /* conservative, RFC 6781 section 4.1.4 */
};
extern const char *const rollover_names[]; /* as plans say them; NULL at the end */

#define ROLLOVER_STEPS_MAX 5

enum { ROLLOVER_PUBLISHED = 1, ROLLOVER_SIGNS = 2, ROLLOVER_HAS_DS = 4 };

struct rollover_step {
	const char *name; /* "publish"; NULL: there is none */
	const char *what; /* in words: "publishes a new zone-signing key" */
	bool is_parents; /* it is the parent's DS that changes, not the zone */
	unsigned old, fresh; /* what keys that go, and that come, are: a set of those */
};
/* The step of that number (0…) of a rollover, or NULL after its last. */
const struct rollover_step *rollover_step(enum rollover roll, size_t number);

/* The step to take. serial: its number among all steps of the zone's rollovers, 1…; it can be taken when serial - 1 was the last. */
struct rollover_move {
	const char *dir, *zone; /* zone without trailing dot */
	enum rollover roll;
	size_t number;
	int64_t serial;
};
/* Makes the step: fresh keys at the first one, and the state. 0 also if it was made already. -EINVAL: the step before it was not made. */
int rollover_move(const struct rollover_move *move, struct err *err);

/* After dnssec_use_all: what the state in dir says of the keys. */
int rollover_use(const char *dir, struct dnssec_signing *signing, struct err *err);
/* The DS records that the parent is to hold, the caller's. -ENOENT: dir has no state of a rollover. */
int rollover_ds(const char *dir, const char *zone, uint32_t ttl, ldns_rr_list **ret, struct err *err);
