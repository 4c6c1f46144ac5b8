/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/dnssec/change.h"
#include "harness/api/zone_job.h"
#include "harness/base/clock.h"
#include "harness/base/serial.h"
#include "harness/base/units.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define JOB_TIMEOUT (20 * SEC)
#define SHOW_TIMEOUT (15 * SEC)
#define ASK_AGAIN_MS 10

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

static int read_zone(const char *path, ldns_rr_list **ret, struct err *err)
{
	ldns_rr_list *list = ldns_rr_list_new();
	ldns_rdf *origin = NULL, *previous = NULL;
	ldns_status status = LDNS_STATUS_OK;
	FILE *in = fopen(path, "re");
	uint32_t ttl = 3600;

	while (in && list && !feof(in)) {
		ldns_rr *rr = NULL;

		status = ldns_rr_new_frm_fp(&rr, in, &ttl, &origin, &previous);
		if (status == LDNS_STATUS_OK)
			ldns_rr_list_push_rr(list, rr);
		else if (status != LDNS_STATUS_SYNTAX_EMPTY && status != LDNS_STATUS_SYNTAX_TTL &&
			 status != LDNS_STATUS_SYNTAX_ORIGIN)
			break;
		status = LDNS_STATUS_OK;
	}
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	if (in)
		fclose(in);
	*ret = list;
	if (in && list && status == LDNS_STATUS_OK)
		return 0;
	return err_set(err, -EIO, LOC_NONE, "cannot read %s: %s", path,
		       in ? ldns_get_errorstr_by_id(status) : strerror(errno));
}

/* Sets *ret to the serial raised by one, which secondaries take and by which the change is recognised. */
static int raise_serial(ldns_rr_list *rrs, uint32_t *ret, struct err *err)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA)
			continue;
		*ret = ldns_rdf2native_int32(ldns_rr_rdf(rr, 2)) + 1;
		ldns_rdf_deep_free(ldns_rr_set_rdf(rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, *ret), 2));
		return 0;
	}
	return err_set(err, -EINVAL, LOC_NONE, "the zone has no SOA record");
}

static struct dnssec_signing signing_of(const struct server_zone *zone)
{
	const struct server_signing *as = zone->signing;
	struct dnssec_signing ret = {.zone = zone->name,
				     .is_nsec3 = as->is_nsec3,
				     .iterations = (uint16_t)as->iterations,
				     .has_zonemd = as->has_zonemd,
				     .dnskey_ttl = as->dnskey_ttl};

	ret.inception_s = time(NULL) - as->inception_s;
	ret.expiration_s = time(NULL) + as->validity_s;
	dnssec_set_salt(&ret, as->salt);
	return ret;
}

static int sign_zone(struct zone_edit *edit, struct err *err)
{
	ldns_rr_list *signed_rrs = NULL;
	int r;

	if (!edit->signing || edit->is_unsigned)
		return 0;
	r = dnssec_sign(edit->rrs, edit->signing, &signed_rrs, err);
	if (r < 0)
		return r;
	ldns_rr_list_deep_free(edit->rrs);
	edit->rrs = signed_rrs;
	return 0;
}

/* edit->rrs: as read; then as it shall be. */
static int edit_zone(struct zone_edit *edit, zone_edit_fn *change, uint32_t *ret_serial, struct err *err)
{
	struct dnssec_signing signing;
	struct dnssec_keys keys = {0};
	struct dnssec_key_use *uses = NULL;
	int r = raise_serial(edit->rrs, ret_serial, err);

	if (r == 0 && edit->zone->signing) {
		ldns_rr_list *plain = dnssec_strip(edit->rrs);

		ldns_rr_list_deep_free(edit->rrs);
		edit->rrs = plain;
		signing = signing_of(edit->zone);
		r = dnssec_keys_load(&keys, edit->zone->signing->key_dir, edit->zone->name, err);
		uses = calloc(keys.count + 8, sizeof(*uses)); /* a kind may add some */
		if (uses)
			dnssec_use_all(&keys, uses, &signing);
		edit->signing = &signing;
		edit->keys = &keys;
	}
	if (r == 0)
		r = change(edit, err);
	if (r == 0)
		r = sign_zone(edit, err);
	free(uses);
	dnssec_keys_fini(&keys);
	return r;
}

static int push(const struct zone_place *place, const ldns_rr_list *rrs, struct job_report *report)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int status;

	if (!out)
		return 1;
	ldns_rr_list_print_fmt(out, ldns_output_format_nocomments, rrs);
	fclose(out);
	status = zone_job_push(place->process, zone_change_zone(place)->name, text, len, report);
	free(text);
	return status;
}

/* Another server with the same file may have raised it once more. */
static int wait_serial(const struct zone_place *place, uint32_t serial, struct job_report *report)
{
	int64_t until_ns = clock_now_ns() + SHOW_TIMEOUT, seen;

	do {
		seen = zone_job_serial(place->process, zone_change_zone(place)->name, until_ns, report);
		if (seen >= 0 && ((uint32_t)seen == serial || serial_is_higher((uint32_t)seen, serial))) {
			report->shown_ns = clock_now_ns();
			return 0;
		}
		poll(NULL, 0, ASK_AGAIN_MS);
	} while (clock_now_ns() < until_ns);
	job_say(report, "it still answers with serial %lld, not %u", (long long)seen, serial);
	return 1;
}

static int perform(void *arg, struct job_report *report)
{
	const struct work *work = arg;
	const struct zone_place *place = work->place;
	struct zone_edit edit = {.change = place->change, .zone = zone_change_zone(place), .state = place->making};
	uint32_t serial = 0;
	struct err err = {0};
	int status = 1;

	if (read_zone(edit.zone->file, &edit.rrs, &err) < 0 || edit_zone(&edit, work->edit, &serial, &err) < 0)
		job_say(report, "%s", err.text);
	else
		status = push(place, edit.rrs, report);
	ldns_rr_list_deep_free(edit.rrs);
	return status ? status : wait_serial(place, serial, report);
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
		snprintf(place->why, sizeof(place->why), "%.190s", end->report.text);
	}
	place->has_failed = place->making == ZONE_RIGHT && !end->ok;
	if (place->has_failed)
		snprintf(place->why, sizeof(place->why), "%.190s", end->report.text);
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
			buf_printf(&text, "%s has served it after %s", place->host,
				   units_human_duration(place->shown_ns, after, sizeof(after)));
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
