/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a server gives, to whoever asks, the records that a change was about: its serial alone does not say that. In a job: it blocks.
 */
#pragma once
#include "harness/api/zone_rework.h"

/* Asks the server, at its first address, over TCP and with DO, until it gives the records that rrs hold, or until_ns of CLOCK_MONOTONIC is over. 0, or 1; report->text says what it
 * gave. Of signatures it is compared whose they are, and whether they are valid by now: who signs the same again is no other. */
int zone_witness_look(const struct server_process *server, const struct zone_witness *witness, const ldns_rr_list *rrs,
		      int64_t until_ns, struct job_report *report);
