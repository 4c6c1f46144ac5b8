/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/common.h"

#include "harness/base/clock.h"

int64_t action_deadline(const struct action *action)
{
	return clock_now_ns() + action->timeout_ns;
}

int action_push_version(const struct action *action, const struct action_place *place, struct job_report *report)
{
	const struct zone_version *version = action->version;
	int64_t deadline_ns = action_deadline(action);
	int status;

	if (!place->server) {
		job_say(report, "it has no server");
		return 1;
	}
	status = zone_job_push(place->server, version->spec->name.value, version->text, version->len, report);
	if (status)
		return status;
	return zone_job_wait(place->server, version->spec->name.value, &version->question, deadline_ns, report);
}

void action_push_commands(const struct action *action, struct buf *out)
{
	const char *zone = action->zone.value;

	for (size_t i = 0; i < action->host_count; i++)
		buf_printf(out,
			   "# on %s: replace the file of %s, then what its software has for it: rndc reload %s | knotc "
			   "zone-reload %s | nsd-control reload %s | pdns_control bind-reload-now %s\n",
			   action->hosts[i], zone, zone, zone, zone, zone);
}

void action_add_hosts(const struct action *action, struct buf *out)
{
	for (size_t i = 0; i < action->host_count; i++)
		buf_printf(out, "%s%s", i ? ", " : "", action->hosts[i]);
}
