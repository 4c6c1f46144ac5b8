/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What several kinds of action share. Of use inside actions/.
 */
#pragma once
#include "harness/api/action.h"
#include "harness/plan/versions.h"

/* The moment by which perform has to say what came of it. */
int64_t action_deadline(const struct action *action);

/* A perform: puts action->version's file in place on this primary, and waits until it shows. */
int action_push_version(const struct action *action, const struct action_place *place, struct job_report *report);
/* The commands that equals, for one host of each software: what an operator types there. */
void action_push_commands(const struct action *action, struct buf *out);

/* "alpha.ns1, alpha.ns2" */
void action_add_hosts(const struct action *action, struct buf *out);
