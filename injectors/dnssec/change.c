/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/dnssec/change.h"
#include "harness/api/control.h"
#include "harness/api/zone_rework.h"
#include "harness/base/clock.h"
#include "harness/base/units.h"
#include <errno.h>
#include <string.h>

#define JOB_TIMEOUT (20 * SEC)
#define SHOW_TIMEOUT (15 * SEC)

/* What a job takes with it into the child. */
struct work {
	const struct zone_place *place;
	zone_edit_fn *edit;
};

static bool is_below(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);

	if (!strcmp(zone, "."))
		return true;
	return n > z && !strcasecmp(name + n - z, zone) && name[n - z - 1] == '.';
}

const struct server_zone *zone_change_zone(const struct zone_place *place)
{
	const struct server_spec *spec = server_process_spec(place->process);
	const char *name = place->change->zone.value;
	const struct server_zone *best = NULL;

	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];
		bool fits = place->change->is_parents ? is_below(name, zone->name) : !strcasecmp(zone->name, name);

		if (fits && !zone->primary_count && (!best || strlen(zone->name) > strlen(best->name)))
			best = zone;
	}
	return best;
}

/* ---- in the child ---- */

static int edit_zone(struct zone_rework *rework, void *arg, struct err *err)
{
	const struct work *work = arg;
	struct zone_edit edit = {.change = work->place->change,
				 .zone = rework->zone,
				 .state = work->place->making,
				 .rrs = rework->rrs,
				 .signing = rework->signing,
				 .keys = rework->keys};
	int r = work->edit(&edit, err);

	rework->rrs = edit.rrs;
	rework->is_unsigned = edit.is_unsigned;
	rework->witness = edit.witness;
	return r;
}

static int perform(void *arg, struct job_report *report)
{
	const struct work *work = arg;

	return zone_rework(work->place->process, zone_change_zone(work->place), edit_zone, arg,
			   clock_now_ns() + SHOW_TIMEOUT, report);
}

/* ---- in the loop ---- */

struct pending {
	struct zone_place *place;
	zone_edit_fn *edit;
};

static int begin(struct zone_place *place, zone_edit_fn *edit, struct err *err);

static void job_done(void *arg, const struct job_end *end)
{
	struct pending *pending = arg;
	struct zone_place *place = pending->place;
	zone_edit_fn *edit = pending->edit;
	struct err err;

	free(pending);
	place->is_busy = false;
	if (place->making == ZONE_CHANGED) {
		place->shown_ns = end->ok ? end->report.shown_ns - place->asked_ns : -1;
		snprintf(place->why, sizeof(place->why), "%.399s", end->report.text);
	}
	place->has_failed = place->making == ZONE_RIGHT && !end->ok;
	if (place->has_failed)
		snprintf(place->why, sizeof(place->why), "%.399s", end->report.text);
	place->made = place->making; /* or half of it: the next one begins with the file as it is */
	if (place->wanted != place->made)
		(void)begin(place, edit, &err);
}

static int begin(struct zone_place *place, zone_edit_fn *edit, struct err *err)
{
	struct work work = {place, edit};
	struct pending *pending = malloc(sizeof(*pending));
	struct host_job job = {.host = server_process_host(place->process),
			       .run = perform,
			       .arg = &work,
			       .timeout_ns = JOB_TIMEOUT,
			       .done = job_done,
			       .done_arg = pending};
	int r;

	if (!pending)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	*pending = (struct pending){place, edit};
	place->making = place->wanted;
	place->asked_ns = clock_now_ns();
	r = job_start(place->control->jobs, &job, err);
	place->is_busy = r == 0;
	if (r < 0)
		free(pending);
	return r;
}

int zone_change_start(struct zone_change *change, zone_edit_fn *edit, enum zone_state state, struct err *err)
{
	int first = 0;

	for (size_t i = 0; change->places && i < change->injector.server_count; i++) {
		struct zone_place *place = &change->places[i];
		struct err one;
		int r = 0;

		place->wanted = state;
		if (!place->is_busy && place->made != state)
			r = begin(place, edit, &one);
		if (r && !first) {
			first = r;
			*err = one;
		}
	}
	return first;
}

static int check_place(const struct zone_place *place, bool needs_keys, struct err *err)
{
	const struct zone_change *change = place->change;
	const struct server_zone *zone = zone_change_zone(place);

	if (!zone)
		return err_set(err, -EINVAL, change->zone.loc,
			       "%s does not load zone %s from a file: name its primaries", place->host,
			       change->zone.value);
	if (!(server_process_software(place->process)->verbs & SERVER_CAN(RELOAD_ZONE)))
		return err_set(err, -EINVAL, change->injector.loc, "%s cannot be told to read a zone's file again",
			       place->host);
	if (zone->is_signed && !zone->signing)
		return err_set(err, -EINVAL, change->zone.loc,
			       "zone %s is signed in its file: the lab has no keys of it", zone->name);
	if (needs_keys && (!zone->signing || zone->signing->is_by_server))
		return err_set(err, -EINVAL, change->zone.loc,
			       "zone %s is not signed by the lab: say sign: true, or sign: {by: providers}",
			       zone->name);
	return 0;
}

int zone_change_prepare(struct zone_change *change, struct injector_ctx *ctx, bool needs_keys, struct err *err)
{
	size_t count = change->injector.server_count;
	int r = 0;

	change->places = calloc(count + 1, sizeof(*change->places));
	if (!change->places || !ctx->control)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct zone_place *place = &change->places[i];

		*place = (struct zone_place){.change = change,
					     .host = change->injector.servers[i].host,
					     .control = ctx->control,
					     .shown_ns = -1};
		place->process = ctx->server(ctx->server_arg, place->host);
		r = check_place(place, needs_keys, err);
	}
	return r;
}

int zone_change_release(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct zone_change *change = (struct zone_change *)injector;
	int r = 0;

	if (change->places && ctx->control)
		jobs_wait(ctx->control->jobs); /* they know our places */
	for (size_t i = 0; change->places && i < injector->server_count; i++)
		if (change->places[i].has_failed)
			r = err_set(err, -EIO, injector->loc, "%s did not take zone %s back as it should be: %s",
				    change->places[i].host, change->zone.value, change->places[i].why);
	free(change->places);
	change->places = NULL;
	dnssec_keys_fini(&change->fresh);
	return r;
}

int zone_change_effect(const struct zone_change *change, const char *what, struct effect *ret)
{
	struct buf text = {0};
	char after[32];

	*ret = (struct effect){.unit = "server"};
	for (size_t i = 0; change->places && i < change->injector.server_count; i++) {
		const struct zone_place *place = &change->places[i];

		buf_puts(&text, i ? "; " : "");
		if (place->shown_ns >= 0) {
			ret->packets++;
			buf_printf(&text, "%s has served it after %s (%s)", place->host,
				   units_human_duration(place->shown_ns, after, sizeof(after)), place->why);
		} else {
			buf_printf(&text, "%s has not taken it%s%s", place->host, *place->why ? ": " : "", place->why);
		}
	}
	ret->took_effect = ret->packets > 0 && (size_t)ret->packets == change->injector.server_count;
	snprintf(ret->text, sizeof(ret->text), "%s: %s", what, text.data ? text.data : "");
	buf_fini(&text);
	return 0;
}

void zone_change_commands(const struct zone_change *change, const char *what, struct buf *apply, struct buf *revert)
{
	for (size_t i = 0; i < change->injector.server_count; i++) {
		const char *host = change->injector.servers[i].host;

		buf_printf(apply, "# on %s: write the file of zone %s %s, raise its serial, and have it read again\n",
			   host, change->zone.value, what);
		buf_printf(revert,
			   "# on %s: write the file of zone %s as it should be, raise its serial, and have it read "
			   "again\n",
			   host, change->zone.value);
	}
}
