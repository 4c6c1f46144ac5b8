/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Versions of the lab's zones: what each is to hold after each step of the timeline that changes one. Pure; in the plan's arena.
 *
 * Version 0 is what the zones' files say. Every change makes the next one, in the order of time, of one zone; the others stay as they are. That every change before
 * it went well is taken for granted: whether it did, only the run knows.
 */
#pragma once
#include "harness/api/zone_job.h"
#include "harness/plan/plan.h"

struct action;

/* At most so many changes in a plan: a sample says by the bits of an int64_t which versions its answer fits. */
#define VERSIONS_MAX 60

struct zone_version {
	int64_t id; /* 1… */
	const struct zone_spec *spec;
	const struct zone *zone; /* as the plan says */
	const struct plan *plan;
	uint32_t serial, serial_before;
	struct zone_question question;
};

/* The zone of that name; NULL after an error at name's place. */
const struct zone_spec *version_find_zone(const struct plan *plan, const struct text *name, struct arena *arena,
					  struct errs *errs);
/* The zone of that name, which can be changed by steps; NULL after an error at name's place. */
const struct zone_spec *version_zone(const struct plan *plan, const struct text *name, struct arena *arena,
				     struct errs *errs);
/* True after an error at name's place: the lab signs the zone, and what cannot cope with that ("servers cannot sign what they are sent"). */
bool version_refuse_signed(const struct plan *plan, const struct zone_spec *spec, const struct text *name,
			   const char *what, struct errs *errs);
struct topo_zone;
const struct topo_zone *topo_zone_of(const struct plan *plan, const struct zone_spec *spec);

/* What the zone holds once every change added so far was made; never NULL for a zone that could be loaded. */
const struct zone *version_content(const struct plan *plan, const struct zone_spec *spec);
/* The serial it is served with then: that of its content, or what the end of a fault raised it to. */
uint32_t version_serial(const struct plan *plan, const struct zone_spec *spec);
uint32_t zone_serial(const struct zone *zone);
/* The zone is the plan's from now on, and freed with it. */
struct zone *version_keep(struct plan *plan, struct zone *zone, struct arena *arena);

/* A zone file that a step names, loaded once for all of a matrix; NULL after an error. */
struct zone *version_load(struct plan *plan, const struct zone_spec *spec, const struct text *file, struct arena *arena,
			  struct errs *errs);
/* A copy of a zone with another serial, and with records added and taken away; the lists may be NULL. what: a phrase that errors call it. NULL after an error at
 * loc. */
struct zone *version_edit(struct plan *plan, const struct zone *from, uint32_t serial, const ldns_rr_list *add,
			  const ldns_rr_list *remove, const char *what, struct loc loc, struct arena *arena,
			  struct errs *errs);
/* Appends the zone as the plan's next version. NULL after an error at loc: too many, or the same as before. */
const struct zone_version *version_add(struct plan *plan, const struct zone_spec *spec, const struct zone *zone,
				       struct loc loc, struct arena *arena, struct errs *errs);

/* A serial under which the newest version of a zone so far is to be served again: a fault's end may have to raise it, and so does whoever signs a zone anew. */
void version_alias(struct plan *plan, const struct zone_spec *spec, uint32_t serial, struct arena *arena);
/* Primaries of the zone are about to sign it anew, each raising its serial by one: that is an alias, if all of them have its newest version. Else nobody could tell by a
 * serial who shows which version: an error at loc. */
struct version_signers {
	const char *const *hosts;
	size_t count;
	struct loc loc;
	const char *kind; /* of the step or fault */
};
void version_resigned(struct plan *plan, const struct zone_spec *spec, const struct version_signers *signers,
		      struct arena *arena, struct errs *errs);
/* Every serial of a zone, by version, and those aliases. In arena. */
const struct probe_serial *version_serials(const struct plan *plan, const struct zone_spec *spec, struct arena *arena,
					   size_t *ret_count);

/* Appends the master file a primary of the zone gets: the content, with the apex NS set and the addresses of nameservers as the lab has them; where the lab signs the zone, yet to be signed. Written anew each time, in
 * the job that needs it: of a large zone the text takes more memory than its records' share of an edited one. */
void version_master_text(const struct plan *plan, const struct zone_spec *spec, const struct zone *content,
			 struct buf *out);
void version_zone_text(const struct zone_version *version, struct buf *out);
/* A question that tells the two apart, the SOA if its serial does. False: they are the same. */
bool version_question(const struct zone *from, const struct zone *to, struct arena *arena, struct zone_question *ret);
/* The same, but of records other than the SOA. */
bool version_record_question(const struct zone *from, const struct zone *to, struct arena *arena,
			     struct zone_question *ret);
