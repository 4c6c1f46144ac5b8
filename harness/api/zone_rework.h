/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing what a zone holds, or how it is signed, on a server that loads it, in a job (api/job.h): its file is read as it is then, the records are edited,
 * the serial is raised, the zone is signed where the lab does, put in place, and read by the server, until that answers with the new serial.
 * Implemented in run/zone_rework.c.
 */
#pragma once
#include "harness/api/job.h"
#include "harness/api/server_process.h"
#include <stdbool.h> /* before ldns, which else makes bool a char of its own */

#include <ldns/ldns.h>

struct dnssec_keys;
struct dnssec_signing;

/* Records by which to see that a change shows: what is asked for, and which records of the answer are looked at. */
struct zone_witness {
	char name[256], record[256]; /* with or without trailing dot; record: owner of those */
	uint16_t type, record_type; /* type 0: nothing is asked beyond the serial */
};

struct zone_rework {
	const struct server_process *server;
	const struct server_zone *zone; /* of its spec, which it loads from a file */
	ldns_rr_list *rrs; /* without DNSSEC records if the lab signs the zone; to be changed */
	struct dnssec_signing
		*signing; /* as the lab signs it; may be changed, with room for 7 keys more. NULL: unsigned */
	struct dnssec_keys *keys; /* of the zone */
	bool is_unsigned; /* set: is not to be signed, though it could be */
	struct zone_witness witness; /* may be set */
};
typedef int zone_rework_fn(struct zone_rework *rework, void *arg, struct err *err);

/* 0 or an exit status, with report->text; report->shown_ns once the server shows it, which it has time for until until_ns of CLOCK_MONOTONIC. edit may be NULL: it is
 * signed again. With a witness it must show those records, too, as they were put there, and report->text says what it shows. */
int zone_rework(const struct server_process *server, const struct server_zone *zone, zone_rework_fn *edit, void *arg,
		int64_t until_ns, struct job_report *report);

/* Puts a zone that the lab signs in the place of what the server has: text is its master file without signatures, with its serial. 0 or an exit status, with report->text.
 * Whether the server shows it then, zone_job_wait tells. */
int zone_resign(const struct server_process *server, const struct server_zone *zone, const char *text, size_t len,
		struct job_report *report);
