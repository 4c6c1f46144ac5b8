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
	/* By zone, then by index of topology->hosts: of a server that has a file, or keys, of its own. NULL, as a whole or for one: zone_files, or none. */
	const char ***host_files, ***key_dirs;
	const char **
		catalog_files; /* by index of topology->hosts: of a primary that has a catalog zone (plan/catalog.h); NULL: none */
	const char *root_hints;
	const char *trust_anchor; /* NULL if nothing is signed */
};

/* The file that a primary loads. */
const char *tree_zone_file(const struct tree_files *files, size_t zone, size_t host);
/* The catalog zone of a primary; NULL: it has none. */
const char *tree_catalog_file(const struct tree_files *files, size_t host);
/* The directory (dnssec/key.h) with the keys of a zone the lab signs, or has signed by its server; NULL: there are none. */
const char *tree_key_dir(const struct tree_files *files, size_t zone, size_t host);

/* Writes every zone's master file, the root hints, the trust anchor and the keys into dir (absolute, exists). Zones signed as the plan says (`sign:`); keys are
 * fresh. */
int tree_write(const struct topology *topology, const char *dir, struct arena *arena, struct tree_files *ret,
	       struct err *err);

/* Errors a plan's own `delegation:` texts hold, each at its place; touches nothing. */
void tree_check(const struct topology *topology, struct errs *errs);
