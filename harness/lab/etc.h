/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each host's own /etc: the machine's, by symbolic links, but for the files that decide how names are resolved.
 * The machine's stays reachable under LAB_DIR/.etc; a host's is a real directory on the lab's tmpfs, so that replacing a file in it works as anywhere.
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/plan/topology.h"

/* Once per lab: LAB_DIR and the bind of /etc under it. */
int etc_prepare(struct err *err);
/* Makes the host's directory and returns its path in *ret (malloc'd, the caller's). Binding it over /etc is the host's business. */
int etc_make(const struct topology *topology, const struct topo_host *host, char **ret, struct err *err);

/* resolv.conf(5) of a host. Pure. */
void etc_resolv_conf(const struct topology *topology, const struct topo_host *host, struct buf *out);
