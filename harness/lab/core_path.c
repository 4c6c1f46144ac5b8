/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, routes and rules in the core that faults make: the second half of api/core.h.
 */
#include "harness/api/core.h"
#include "harness/lab/internal.h"
#include <errno.h>

int core_link_add(struct core *core UNUSED, const struct core_link *link UNUSED, struct err *err)
{
	return err_set(err, -ENOSYS, LOC_NONE, "not yet");
}

int core_link_delete(struct core *core UNUSED, const char *ifname UNUSED, struct err *err)
{
	return err_set(err, -ENOSYS, LOC_NONE, "not yet");
}

int core_mark_route_add(struct core *core UNUSED, const struct core_mark_route *route UNUSED, struct err *err)
{
	return err_set(err, -ENOSYS, LOC_NONE, "not yet");
}

int core_mark_route_delete(struct core *core UNUSED, const struct core_mark_route *route UNUSED, struct err *err)
{
	return err_set(err, -ENOSYS, LOC_NONE, "not yet");
}
