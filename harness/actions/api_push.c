/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/api_push.h"

#include <string.h>

#include "harness/actions/api_sets.h"
#include "harness/base/clock.h"
#include "harness/plan/topology.h"

#define HEAD_MAX 300 /* of what was asked and answered, in the report */
#define TAIL_MAX 500
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

/* One push under way. */
struct job {
	struct api_client client;
	const char *zone;
	struct api_records to;
	size_t count; /* record sets that differed at first */
	bool is_refused; /* by if_serial */
	bool is_patching; /* a PATCH was sent: something may have been applied */
	struct arena *arena;
};

/* GET, as long as retries: what the zone has. */
static int read_zone(struct job *job, struct api_records *ret)
{
	struct api_client *client = &job->client;
	struct err err = {0};

	if (api_request(client, "GET", "", NULL))
		return 1;
	if (!api_records_read(client->body.data ? client->body.data : "", client->body.len, job->zone, job->arena, ret,
			      &err))
		return 0;
	buf_printf(&client->log, " that is %s", err.text);
	return 1;
}

/* What others do between this and the PATCH it does not see: the API knows no precondition. */
static int check_serial(struct job *job, const struct api_records *from)
{
	int64_t wanted = job->client.options->if_serial, serial = api_records_serial(from);

	if (wanted == PARAM_UNSET || serial == wanted)
		return 0;
	buf_printf(&job->client.log, ", it has serial %lld, not %lld: nothing was sent", (long long)serial,
		   (long long)wanted);
	job->is_refused = true;
	return 1;
}

static int send_changes(struct job *job, const struct api_changes *changes)
{
	struct api_client *client = &job->client;
	size_t batch = (size_t)client->options->batch;

	for (size_t i = 0; i < changes->count; i += batch) {
		job->is_patching = true;
		if (api_request(client, "PATCH", "", api_patch(changes, i, batch, job->arena)))
			return 1;
	}
	return api_request(client, "PUT", "/notify", "");
}

static int put_version(struct job *job, const struct zone_version *version)
{
	struct errs ignored = {0};
	struct buf text = {0};
	struct zone *zone;
	struct api_records from;
	struct api_changes changes;

	version_zone_text(version, &text);
	zone = zone_load_bytes(job->zone, "the new zone", text.data, text.len, &ignored);
	buf_fini(&text);
	errs_fini(&ignored);
	if (!zone) {
		buf_puts(&job->client.log, "the new zone cannot be read");
		return 1;
	}
	job->to = api_records_of(zone->rrs, job->arena);
	zone_free(zone);
	if (read_zone(job, &from) || check_serial(job, &from))
		return 1;
	changes = api_difference(&from, &job->to, job->arena);
	job->count = changes.count;
	buf_printf(&job->client.log, ", %zu record sets differ", changes.count);
	return send_changes(job, &changes);
}

/* How far it has come, as the API shows it. 0: to its end, and nothing else is there. */
static int look_again(struct job *job)
{
	struct api_options once = *job->client.options;
	struct api_client *client = &job->client;
	struct api_records now;
	size_t left;

	once.retries = 0;
	client->options = &once;
	buf_puts(&client->log, "; looked at again");
	if (read_zone(job, &now)) {
		buf_puts(&client->log, ", so how much of it was applied is not known");
		return 1;
	}
	left = api_difference(&now, &job->to, job->arena).count;
	if (left)
		buf_printf(&client->log, ", record sets that are not as pushed: %zu (%zu had differed before)", left,
			   job->count);
	else
		buf_puts(&client->log, ", all is as pushed");
	return left ? 1 : 0;
}

/* Of a long story the beginning and the end. */
static void say_all(const struct api_client *client, struct job_report *report)
{
	const struct buf *log = &client->log;
	const char *end = log->len > HEAD_MAX + TAIL_MAX ? log->data + log->len - TAIL_MAX : "";
	char said[200];

	snprintf(said, sizeof(said), "%.199s", report->text);
	job_say(report, "%.*s%s%s%s%s", *end ? HEAD_MAX : HEAD_MAX + TAIL_MAX, log->data ? log->data : "",
		*end ? " … " : "", end, *said ? "; " : "", said);
}

/* 0: it has come to what it was to come to. */
static int push(struct job *job, const struct zone_version *version, const struct action_place *place,
		struct job_report *report)
{
	const struct api_options *options = job->client.options;
	int64_t deadline_ns = job->client.deadline_ns;
	int status = put_version(job, version);

	job->client.deadline_ns += LAST_LOOK_NS;
	if (options->expect == API_REFUSED && !status)
		buf_puts(&job->client.log, ", and was to be refused");
	else if (!status)
		status = zone_job_wait(place->server, job->zone, &version->question, deadline_ns, report);
	if (status && job->is_patching)
		look_again(job);
	else if (!status && options->verify)
		status = look_again(job);
	if (status || options->expect == API_REFUSED)
		zone_job_serial(place->server, job->zone, clock_now_ns() + LAST_LOOK_NS, report);
	return options->expect == API_REFUSED ? !job->is_refused : status;
}

int api_push_perform(const struct action *action, const struct zone_version *version, const struct api_options *options,
		     const struct action_place *place, struct job_report *report)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct server_spec *spec = place->server ? server_process_spec(place->server) : NULL;
	struct job job = {.arena = arena, .zone = action->zone.value};
	int status;

	if (!spec || !spec->api_key) {
		job_say(report, "it has no HTTP API");
		return 1;
	}
	job.client = (struct api_client){
		.options = options,
		.deadline_ns = action_deadline(action) - 2 * LAST_LOOK_NS,
		.key = spec->api_key,
		.url = make_url(spec, job.zone, arena),
	};
	status = push(&job, version, place, report);
	say_all(&job.client, report);
	api_client_fini(&job.client);
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
