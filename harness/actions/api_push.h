/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A push by PowerDNS's HTTP API, as octoDNS and its like do it: GET the zone, PATCH what differs in batches, PUT notify. Of use inside actions/.
 */
#pragma once
#include "harness/actions/api_client.h"

struct plan;

/* Adds an error for what cannot be pushed so: the zone has no API, a host's software has none. */
void api_push_check(const struct action *action, const struct zone_spec *spec, const struct plan *plan,
		    struct errs *errs);
/* A perform that pushes the version. */
int api_push_perform(const struct action *action, const struct zone_version *version, const struct api_options *options,
		     const struct action_place *place, struct job_report *report);
/* The same by hand. */
void api_push_commands(const struct action *action, struct buf *out);
