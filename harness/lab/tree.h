/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name tree around a lab's zones: root and TLD zones with delegations, glue and DS; zones of the nameservers' own names where the plan has none;
 * plan zones with apex_ns: from-lab or sign: true. As in life, so that resolvers iterate from root hints.
 */
#pragma once
#include "harness/plan/topology.h"

/* Where the written files are. In arena. */
struct tree_files {
	const char **zone_files; /* by index of topology->zones: absolute path of the master file a primary loads */
	const char *root_hints;
	const char *trust_anchor; /* NULL if nothing is signed */
};

/* Writes every zone's master file, the root hints and the trust anchor into dir (absolute, exists). Signed zones get fresh keys by ldns;
 * signatures are valid from an hour ago for 30 days. */
int tree_write(const struct topology *topology, const char *dir, struct arena *arena, struct tree_files *ret,
	       struct err *err);

/* Errors a plan's own `delegation:` texts hold, each at its place; touches nothing. */
void tree_check(const struct topology *topology, struct errs *errs);
