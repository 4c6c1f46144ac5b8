/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each server of a lab has to be: the topology turned into the server_spec its driver is given. Pure, but for the certificates it has the CA issue.
 */
#pragma once
#include "harness/api/ca.h"
#include "harness/lab/tree.h"
#include "harness/plan/topology.h"

/*
 * dirs[i]: the directory of topology->hosts[i]'s server. ret_specs: count of hosts, in arena; those of clients stay empty.
 * ca: knows every host that serves an encrypted transport; may be NULL where none does.
 * A secondary and its primary share a TSIG key of their own, made from the topology's seed.
 */
int server_specs_new(const struct topology *topology, const struct tree_files *files, const char *const *dirs,
		     struct ca *ca, struct arena *arena, struct server_spec **ret_specs, struct err *err);
