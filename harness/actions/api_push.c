/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/api_push.h"

#include <string.h>

#include "harness/actions/api_sets.h"
#include "harness/base/clock.h"
#include "harness/plan/topology.h"

#define LAST_LOOK_NS (200 * MSEC) /* at what it serves, after a push that failed */

void api_push_check(const struct action *action, const struct zone_spec *spec, const struct plan *plan,
		    struct errs *errs)
{
	if (!spec->api)
		errs_add(errs, action->zone.loc, "zone: %s cannot be pushed by an API; give it api: true in lab.zones",
			 spec->name.value);
	for (size_t i = 0; i < action->host_count; i++) {
		const struct topo_host *host = topology_host(plan->topology, action->hosts[i]);

		if (!host->server->has_api)
			errs_add(errs, action->loc, "push: %s runs %s, which has no HTTP API for zones; powerdns does",
				 host->name, host->server->name);
	}
}

static const char *make_url(const struct server_spec *spec, const char *zone, struct arena *arena)
{
	const struct address *address = &spec->listen.v[0];
	bool is_ipv6 = strchr(address->text, ':');

	return arena_printf(arena, "http://%s%s%s:%d/api/v1/servers/localhost/zones/%s.", is_ipv6 ? "[" : "",
			    address->text, is_ipv6 ? "]" : "", API_PORT, zone);
}

static int send_changes(struct api_client *client, const struct api_changes *changes, struct arena *arena)
{
	size_t batch = (size_t)client->options->batch;

	for (size_t i = 0; i < changes->count; i += batch) {
		if (api_request(client, "PATCH", "", api_patch(changes, i, batch, arena)))
			return 1;
	}
	return api_request(client, "PUT", "/notify", "");
}

static int put_version(struct api_client *client, const struct zone_version *version, struct arena *arena,
		       struct job_report *report)
{
	struct errs ignored = {0};
	struct zone *zone =
		zone_load_bytes(version->spec->name.value, "the new zone", version->text, version->len, &ignored);
	struct api_records from, to;
	struct api_changes changes;
	int status;

	errs_fini(&ignored);
	if (!zone) {
		job_say(report, "the new zone cannot be read");
		return 1;
	}
	to = api_records_of(zone->rrs, arena);
	zone_free(zone);
	status = api_request(client, "GET", "", NULL);
	if (!status && !api_records_read(client->body.data ? client->body.data : "", client->body.len, arena, &from)) {
		buf_puts(&client->log, " with something that is no zone");
		status = 1;
	}
	if (status)
		return status;
	changes = api_difference(&from, &to, arena);
	buf_printf(&client->log, ", %zu record sets differ", changes.count);
	return send_changes(client, &changes, arena);
}

static void say_all(const struct api_client *client, struct job_report *report)
{
	char said[200];

	snprintf(said, sizeof(said), "%.199s", report->text);
	job_say(report, "%.700s%s%s", client->log.data ? client->log.data : "", *said ? "; " : "", said);
}

int api_push_perform(const struct action *action, const struct api_options *options, const struct action_place *place,
		     struct job_report *report)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct server_spec *spec = place->server ? server_process_spec(place->server) : NULL;
	struct api_client client = {.options = options, .deadline_ns = action_deadline(action) - 2 * LAST_LOOK_NS};
	int64_t deadline_ns = client.deadline_ns;
	int status;

	if (!spec || !spec->api_key) {
		job_say(report, "it has no HTTP API");
		return 1;
	}
	client.key = spec->api_key;
	client.url = make_url(spec, action->zone.value, arena);
	status = put_version(&client, action->version, arena, report);
	if (!status)
		status = zone_job_wait(place->server, action->zone.value, &action->version->question, deadline_ns,
				       report);
	if (status)
		zone_job_serial(place->server, action->zone.value, clock_now_ns() + LAST_LOOK_NS, report);
	say_all(&client, report);
	api_client_fini(&client);
	return status;
}

void api_push_commands(const struct action *action, struct buf *out)
{
	for (size_t i = 0; i < action->host_count; i++)
		buf_printf(out,
			   "# on %s: curl -H \"X-API-Key: $KEY\" $ZONE; curl -X PATCH -H \"X-API-Key: $KEY\" --data "
			   "@changes.json $ZONE; curl -X PUT -H \"X-API-Key: $KEY\" $ZONE/notify, with "
			   "ZONE=http://ADDRESS:%d/api/v1/servers/localhost/zones/%s.\n",
			   action->hosts[i], API_PORT, action->zone.value);
}
