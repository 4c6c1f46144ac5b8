/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step `push`: a new version of a zone on its primaries, as a file or by their HTTP API; secondaries follow by NOTIFY and transfer.
 */
#include "harness/actions/api_push.h"
#include "harness/base/serial.h"

static const char *const serials[] = {"file", "raise", NULL};
enum { SERIAL_FILE, SERIAL_RAISE };

static const char *const expects[] = {"applied", "refused", NULL}; /* enum api_expect */
static const char *const ways[] = {"file", "api", NULL};
enum { BY_FILE, BY_API };

struct push {
	struct action action;
	struct text file;
	int64_t serial, by;
	struct api_options api;
	const struct zone_version *wanted; /* action.version, or what is expected to be refused */
};

static const struct param push_params[] = {
	P_TEXT_REQUIRED(struct push, file, "file",
			"master file with all of the zone's records, relative to the plan file that says it"),
	P_ENUM(struct push, serial, "serial", serials, SERIAL_FILE,
	       "the SOA's serial: as the file has it, which must be higher than the one before; or the one before and "
	       "one "
	       "more"),
	P_ENUM(struct push, by, "by", ways, BY_FILE,
	       "how: the file put in place and the server told by its control channel; or PowerDNS's HTTP API (GET the "
	       "zone, PATCH the record sets that differ, PUT notify), for zones with api: true"),
	P_INT(struct push, api.batch, "batch", 1, 100000, 100, "by api: record sets in one PATCH"),
	P_INT(struct push, api.retries, "retries", 0, 100, 3,
	      "by api: how often a request is repeated after 429, 5xx or no answer; anything else is final"),
	P_DURATION(struct push, api.backoff_ns, "backoff", 1 * MSEC, 3600 * SEC, 500 * MSEC,
		   "by api: the wait before the first repetition, doubled each time; a Retry-After goes before it"),
	P_DURATION(struct push, api.request_timeout_ns, "request_timeout", 10 * MSEC, 3600 * SEC, 2 * SEC,
		   "by api: how long one request may take"),
	P_INT(struct push, api.if_serial, "if_serial", 0, UINT32_MAX, PARAM_UNSET,
	      "by api: only if the zone is read with this serial. The API has no precondition: what others change "
	      "between that and the PATCH is not seen"),
	P_ENUM(struct push, api.expect, "expect", expects, API_APPLIED,
	       "by api: what is to come of it. refused: by if_serial, and the zone stays as it is"),
	P_BOOL(struct push, api.verify, "verify", false,
	       "by api: afterwards the zone is read again, and must hold what was pushed and nothing else"),
	PARAM_END,
};

/* Secondaries take only what is higher (RFC 1982 section 3.2). */
static bool is_serial_fine(const struct push *push, const struct zone *zone, uint32_t before, struct errs *errs)
{
	uint32_t serial = zone_serial(zone);

	if (serial_is_higher(serial, before))
		return true;
	errs_add(errs, push->file.loc,
		 "file: its serial %u %s %u, which %s has at that time: no secondary would take it; raise it in the "
		 "file, or "
		 "write serial: raise (the fault zone-push pushes what is wrong)",
		 serial,
		 serial_is_undefined(serial, before) ? "cannot be compared (RFC 1982) with" : "is not higher than",
		 before, push->action.zone.value);
	return false;
}

static void check_guard(const struct push *push, struct errs *errs)
{
	/* A file in the place of another is put there whatever that held. */
	if (push->by == BY_FILE && (push->api.if_serial != PARAM_UNSET || push->api.verify))
		errs_add(errs, push->action.loc,
			 "push: if_serial: and verify: go with by: api; a file is put in the place of whatever was "
			 "there");
	if (push->api.expect == API_REFUSED && push->api.if_serial == PARAM_UNSET)
		errs_add(errs, push->action.loc, "expect: refused needs if_serial:, which refuses");
}

/* None of the plan's: nobody is ever to see it. */
static const struct zone_version *refused_version(const struct plan *plan, const struct zone_spec *spec,
						  const struct zone *zone, struct arena *arena)
{
	struct zone_version *version = ARENA_NEW(arena, struct zone_version);

	*version = (struct zone_version){.spec = spec, .zone = zone, .plan = plan, .serial = zone_serial(zone)};
	return version;
}

static void push_resolve(struct action *action, struct plan *plan, struct arena *arena, struct errs *errs)
{
	struct push *push = (struct push *)action;
	const struct zone_spec *spec = version_zone(plan, &action->zone, arena, errs);
	const struct zone *zone = spec ? version_load(plan, spec, &push->file, arena, errs) : NULL;
	uint32_t before;

	if (!zone)
		return; /* said already */
	if (push->by == BY_API &&
	    !version_refuse_signed(plan, spec, &action->zone, "its HTTP API takes no signatures", errs))
		api_push_check(action, spec, plan, errs);
	check_guard(push, errs);
	before = version_serial(plan, spec);
	if (push->serial == SERIAL_RAISE)
		zone = version_edit(plan, zone, before + 1, NULL, NULL, "with its serial raised", push->file.loc, arena,
				    errs);
	else if (push->api.expect == API_APPLIED && !is_serial_fine(push, zone, before, errs))
		return;
	if (zone && push->api.expect == API_REFUSED)
		push->wanted = refused_version(plan, spec, zone, arena);
	else if (zone)
		push->wanted = action->version = version_add(plan, spec, zone, push->file.loc, arena, errs);
}

static int push_perform(const struct action *action, const struct action_place *place, struct job_report *report)
{
	const struct push *push = (const struct push *)action;

	if (push->by == BY_API)
		return api_push_perform(action, push->wanted, &push->api, place, report);
	return action_push_version(action, place, report);
}

static void push_commands(const struct action *action, struct buf *out)
{
	if (((const struct push *)action)->by == BY_API)
		api_push_commands(action, out);
	else
		action_push_commands(action, out);
}

static void push_sentence(const struct action *action, struct buf *out)
{
	const struct push *push = (const struct push *)action;

	buf_printf(out, "pushes %s as zone %s, serial %u, to ", push->file.value, action->zone.value,
		   push->wanted->serial);
	action_add_hosts(action, out);
	if (push->by == BY_API)
		buf_puts(out, ", by the HTTP API");
	if (push->api.if_serial != PARAM_UNSET)
		buf_printf(out, ", only if it reads serial %lld", (long long)push->api.if_serial);
}

extern const struct action_ops push_ops;
const struct action_ops push_ops = {
	.kind = "push",
	.summary = "gives a zone's primaries a new version, as a file or by their HTTP API; secondaries follow by "
		   "NOTIFY and transfer",
	.on = ACTION_ON_ZONE,
	.verbs = SERVER_CAN(RELOAD_ZONE),
	.params = push_params,
	.size = sizeof(struct push),
	.resolve = push_resolve,
	.perform = push_perform,
	.sentence = push_sentence,
	.commands = push_commands,
};
