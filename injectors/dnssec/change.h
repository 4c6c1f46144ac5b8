/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults that put a changed zone on the servers that load it, and the right one back.
 *
 * apply and revert only start a job (api/job.h) on each server's host: it reads the zone's file as it is then, lets the kind edit the records, raises the serial, signs the
 * zone where the lab does, puts the file in place, has the server read it and waits until the server answers with the new serial. So nobody
 * is held up, other changes made meanwhile stay, and secondaries follow. A revert that comes while a change is still under way is done after it.
 * A kind embeds struct zone_change first.
 */
#pragma once
#include "harness/api/injector.h"
#include "harness/api/zone_rework.h"
#include "harness/dnssec/sign.h"

enum zone_state { ZONE_RIGHT, ZONE_CHANGED };

/* One server's part. */
struct zone_place {
	struct zone_change *change;
	struct server_process *process;
	const char *host;
	const struct control *control;
	enum zone_state wanted, made; /* made: what the last job that went well left */
	bool is_busy, has_failed; /* has_failed: to put the right one back */
	int64_t shown_ns; /* after the change was asked for, until the server showed it; -1: it did not */
	int64_t asked_ns;
	char why[400]; /* not; or, once it showed, with which records */
	enum zone_state making; /* by the job under way */
};

struct zone_change {
	struct injector injector;
	struct text zone; /* row `zone` */
	bool is_parents; /* it is the zone above that is changed: the closest that a server loads */
	const struct zone_spec *spec; /* of the zone that is changed; NULL: it is generated. From zone_change_check */
	struct dnssec_keys fresh; /* that come with the change, the same for all servers; freed by release */
	struct zone_place *places; /* by injector.servers; made by zone_change_prepare, freed by release */
};

/* How one zone is changed. */
struct zone_edit {
	const struct zone_change *change;
	const struct server_zone *zone; /* that the server loads */
	enum zone_state state; /* to be made */
	ldns_rr_list *rrs; /* without DNSSEC records if the lab signs the zone; to be changed */
	struct dnssec_signing *signing; /* as the lab signs it; may be changed. NULL: unsigned */
	struct dnssec_keys *keys; /* of the zone */
	bool is_unsigned; /* set: is not to be signed, though it could be */
	struct zone_witness witness; /* set by a change: records that prove it, as the server gives them */
};

/* What a kind gives: what it does to the zone before it is signed, be it to damage or, where that takes more than signing it well, to restore it. In a
 * child. */
typedef int zone_edit_fn(struct zone_edit *edit, struct err *err);

#define ZONE_CHANGE_ROWS(T, doc) P_TEXT_REQUIRED(T, change.zone, "zone", doc)

/* needs_keys: only a zone that the lab signs will do. */
int zone_change_prepare(struct zone_change *change, struct injector_ctx *ctx, bool needs_keys, struct err *err);
/* The zone itself, as the server loads it, or the closest of its parents; NULL: it loads none. */
const struct server_zone *zone_change_zone(const struct zone_place *place);
int zone_change_release(struct injector *injector, struct injector_ctx *ctx, struct err *err);
int zone_change_start(struct zone_change *change, zone_edit_fn *edit, enum zone_state state, struct err *err);
int zone_change_effect(const struct zone_change *change, const char *what, struct effect *ret);

/* The commands that pushing a zone equals. */
void zone_change_commands(const struct zone_change *change, const char *what, struct buf *apply, struct buf *revert);
