/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing a zone on a server and seeing that it shows, in a job (api/job.h). Implemented in run/zone_job.c.
 */
#pragma once
#include "harness/api/control.h"

/* A question whose answer tells one version of a zone from another. */
struct zone_question {
	const char *name; /* without trailing dot */
	uint16_t type;
	const char *const *rdata; /* of the answer, sorted (zone_rdata_text); none: NXDOMAIN or no data */
	size_t rdata_count;
};

/* Puts text in the place of the file from which the server, a primary of the zone, loads it (whole or not at all), and has it read again. 0 or an exit
 * status, with report->text. */
int zone_job_push(const struct server_process *server, const char *zone, const char *text, size_t len,
		  struct job_report *report);

/* Of changes that meet in one file, one comes after the other: who reads it, changes it and puts it back holds it all the while. A descriptor, to be closed; -1 with
 * report->text. */
int zone_job_hold(const struct server_process *server, const char *zone, struct job_report *report);
/* zone_job_push for who holds the file. */
int zone_job_replace(const struct server_process *server, const char *zone, const char *text, size_t len,
		     struct job_report *report);

/* The file alone: the server is not told. */
int zone_job_write(const struct server_process *server, const char *zone, const char *text, size_t len,
		   struct job_report *report);

/* Asks the server, at its first address, every few milliseconds until it gives that answer: then report->shown_ns is set, and its serial. 0, or 1 if it did not until
 * the moment until_ns of CLOCK_MONOTONIC: report->text says what it answered last. */
int zone_job_wait(const struct server_process *server, const char *zone, const struct zone_question *question,
		  int64_t until_ns, struct job_report *report);

/* The SOA serial the server answers with now, waiting up to until_ns for any answer; -1: none, and report->text says what came. */
int64_t zone_job_serial(const struct server_process *server, const char *zone, int64_t until_ns,
			struct job_report *report);
