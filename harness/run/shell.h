/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lab alone: brings a plan's lab up, runs one command on one of its hosts on the caller's terminal, and takes it down. Inside the engine, as its init.
 */
#pragma once
#include "harness/plan/plan.h"

struct shell_options {
	const char *host; /* NULL: the first client, else the first resolver, else the first host */
	char *const *argv; /* ends with NULL */
};

/* Fills err if the lab did not come up. Otherwise returns the command's exit status, 128 + the signal that killed it, 127 if it was not found. */
int shell_run(const struct plan *plan, const struct shell_options *options, struct err *err);

/* The host that options->host names, or stands for when it names none. NULL if there is no such host. */
const struct topo_host *shell_host(const struct plan *plan, const char *name);
