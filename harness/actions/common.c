/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/common.h"

#include "harness/api/zone_rework.h"
#include "harness/base/clock.h"
#include <string.h>

int64_t action_deadline(const struct action *action)
{
	return clock_now_ns() + action->timeout_ns;
}

/* As the zone is signed: in its file already, or by the lab, with the keys and in the state that they have by now. */
static int put_text(const struct server_process *server, const char *zone, const struct buf *text,
		    struct job_report *report)
{
	const struct server_spec *spec = server_process_spec(server);

	for (size_t i = 0; i < spec->zone_count; i++) {
		if (!strcmp(spec->zones[i].name, zone) && spec->zones[i].signing)
			return zone_resign(server, &spec->zones[i], text->data, text->len, report);
	}
	return zone_job_push(server, zone, text->data, text->len, report);
}

int action_push_version(const struct action *action, const struct action_place *place, struct job_report *report)
{
	const struct zone_version *version = action->version;
	int64_t deadline_ns = action_deadline(action);
	struct buf text = {0};
	int status;

	if (!place->server) {
		job_say(report, "it has no server");
		return 1;
	}
	version_zone_text(version, &text);
	if (text.failed) {
		buf_fini(&text);
		job_say(report, "out of memory");
		return 1;
	}
	status = put_text(place->server, version->spec->name.value, &text, report);
	buf_fini(&text);
	if (status)
		return status;
	status = zone_job_wait(place->server, version->spec->name.value, &version->question, deadline_ns, report);
	if (status)
		job_say_before(report, "the new file is in place, but is not what is served: ");
	return status;
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
