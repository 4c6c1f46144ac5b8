/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run inside the guest of the engine `vm`: what session_run is on this machine. The runner writes its events into a port; logs follow at the end.
 */
#pragma once
#include "harness/engine/vm/guest.h"
#include "harness/plan/plan.h"

struct guest_run_options {
	const struct guest *guest;
	const char *capture_name; /* as the host calls it */
	const char *command; /* what repeats this run */
	const struct abilities *abilities;
};

/* Plays the plan to its end and says so in the report. 0, or a negative errno: the run could not be started, and the report does not say that it ended. */
int guest_run(const struct plan *plan, const struct guest_run_options *options, struct err *err);
