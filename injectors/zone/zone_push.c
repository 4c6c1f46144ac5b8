/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault `zone-push`: a zone is pushed to nameservers, and something is wrong with it. Its end pushes what is right, with a serial that secondaries take.
 *
 * Telling servers takes time, so jobs do it: apply and revert start them, and what each server did is known when they end. See docs/plan.md.
 */
#include <errno.h>
#include <string.h>

#include "harness/api/zone_job.h"
#include "harness/base/clock.h"
#include "harness/plan/topology.h"
#include "harness/plan/versions.h"
#include "injectors/zone/damage.h"

static const char *const serials[] = {"raised", "kept", "lower", "far", NULL};
enum serial { SERIAL_RAISED, SERIAL_KEPT, SERIAL_LOWER, SERIAL_FAR };
#define RECORD_NS \
	(300 * MSEC) /* at least, to look at a record once the serial shows: the server may be slow, and has it */
#define SERIAL_FAR_STEP INT32_MAX /* the most that still counts as higher (RFC 1982 section 3.2) */

static const char *const expectations[] = {"served", "refused", "either", NULL};
enum expectation { EXPECT_SERVED, EXPECT_REFUSED, EXPECT_EITHER };

struct zone_push_server { /* that it is pushed to */
	struct zone_push *push;
	struct server_process *process;
	const char *host;
	bool is_over, changed;
	char text[300];
};

struct zone_push {
	struct injector injector;
	struct text zone, file, record, data, origin;
	int64_t damage, serial, settle_ns, ttl_ns, keep_ppm;
	int64_t expect;
	/* Worked out beforehand. */
	const struct zone_spec *spec;
	const struct plan *plan;
	const char *bad;
	size_t bad_len;
	const struct zone *good; /* what its end pushes */
	uint32_t bad_serial, good_serial;
	struct zone_question bad_question, good_question;
	struct zone_question bad_record; /* a damaged record: what is answered for it now */
	bool is_readable; /* the damaged zone still is one: bad_question tells it */
	bool has_record; /* and bad_record shows the damage: more than serial and TTLs are others */
	/* While it stands. */
	struct injector_ctx *ctx;
	struct zone_push_server *servers;
};

static const struct param zone_push_params[] = {
	P_TEXT_REQUIRED(struct zone_push, zone, "zone", "zone of the lab; target must mean primaries of it"),
	P_ENUM(struct zone_push, damage, "damage", damage_names, DAMAGE_NONE, "what is wrong with it"),
	P_TEXT(struct zone_push, file, "file",
	       "master file that is pushed, damaged; by default what the zone holds at that time"),
	P_ENUM(struct zone_push, serial, "serial", serials, SERIAL_RAISED,
	       "the SOA's serial, against the one before: one higher, the same, one lower, or far ahead (by "
	       "2147483647)"),
	P_TEXT(struct zone_push, record, "record",
	       "records that are missing, wrong, or lack their dot: a name, or a name and a type, as in "
	       "\"www.example.com A\""),
	P_TEXT(struct zone_push, data, "data",
	       "damage typo: the data they get; ns: the only nameserver's name; cname-at-apex: where the alias leads"),
	P_TEXT(struct zone_push, origin, "origin", "damage wrong-origin: the name everything stands below"),
	P_DURATION(struct zone_push, ttl_ns, "ttl", 0, INT32_MAX *SEC, 86400 * SEC, "damage ttl: every record's TTL"),
	P_SHARE(struct zone_push, keep_ppm, "keep", 1, PPM_ONE - 1, 600000,
		"damage truncated: how much of the file is left"),
	P_DURATION(struct zone_push, settle_ns, "settle", 100 * MSEC, 60 * SEC, 1 * SEC,
		   "how long each server may take before it counts as one that does not serve it"),
	P_ENUM(struct zone_push, expect, "expect", expectations, EXPECT_SERVED,
	       "what the servers are to make of it: serve it, or no more answer for the zone; refuse it and keep what "
	       "they "
	       "had; either. Anything else is a fault without effect"),
	PARAM_END,
};

/* ---- worked out from the plan ---- */

static void check_servers(const struct zone_push *push, const struct plan *plan, struct errs *errs)
{
	const struct topo_zone *zone = topo_zone_of(plan, push->spec);

	for (size_t i = 0; i < push->injector.server_count; i++) {
		const struct injector_server *server = &push->injector.servers[i];
		bool is_primary = false;

		for (size_t k = 0; zone && k < zone->primary_count; k++)
			is_primary |= !strcmp(zone->primaries[k]->name, server->host);
		if (!is_primary)
			errs_add(errs, server->loc,
				 "target: %s is no primary of %s: it transfers it, or does not serve it", server->host,
				 push->zone.value);
		else if (!(server->software->verbs & SERVER_CAN(RELOAD_ZONE)))
			errs_add(errs, server->loc, "target: %s runs %s, which cannot be told to read a zone again",
				 server->host, server->software->name);
	}
}

static void say_needed(const struct text *given, const char *key, bool is_needed, const struct zone_push *push,
		       struct errs *errs)
{
	if (is_needed && !given->value)
		errs_add(errs, push->injector.loc, "damage %s needs the key '%s'", damage_names[push->damage], key);
}

static void check_keys(const struct zone_push *push, struct errs *errs)
{
	enum damage damage = (enum damage)push->damage;
	bool is_plain = damage == DAMAGE_NONE || damage == DAMAGE_NOT_APPLIED;

	if (push->injector.flap.on_ns != PARAM_UNSET)
		errs_add(errs, push->injector.loc,
			 "flap: a zone that is pushed again and again needs a higher serial each time; leave flap: "
			 "out, and "
			 "write a zone-push for each time");
	if (push->record.value && !(damage == DAMAGE_MISSING || damage == DAMAGE_TYPO || damage == DAMAGE_MISSING_DOT))
		errs_add(errs, push->record.loc,
			 "record: damage %s does nothing to single records; leave record: out, or write damage: "
			 "missing, "
			 "typo or missing-dot",
			 damage_names[damage]);
	say_needed(&push->record, "record",
		   damage == DAMAGE_MISSING || damage == DAMAGE_TYPO || damage == DAMAGE_MISSING_DOT, push, errs);
	say_needed(&push->data, "data", damage == DAMAGE_TYPO || damage == DAMAGE_NS || damage == DAMAGE_CNAME_AT_APEX,
		   push, errs);
	say_needed(&push->origin, "origin", damage == DAMAGE_WRONG_ORIGIN, push, errs);
	if (is_plain && push->serial == SERIAL_KEPT && !push->file.value)
		errs_add(errs, push->injector.loc,
			 "the same zone with the same serial is no fault; give file:, what is pushed, or a damage:");
}

static uint32_t serial_of(const struct zone_push *push, uint32_t before)
{
	switch ((enum serial)push->serial) {
	case SERIAL_RAISED:
		break;
	case SERIAL_KEPT:
		return before;
	case SERIAL_LOWER:
		return before - 1;
	case SERIAL_FAR:
		return before + SERIAL_FAR_STEP;
	}
	return before + 1;
}

static void set_record(const struct zone_push *push, struct arena *arena, struct damage_args *args)
{
	char *name = arena_strdup(arena, push->record.value ? push->record.value : ""), *type = strchr(name, ' ');
	size_t len;

	if (type) {
		*type++ = '\0';
		type += strspn(type, " ");
	}
	len = strlen(name);
	if (len && name[len - 1] == '.')
		name[len - 1] = '\0';
	args->name = name;
	args->type = type;
}

/* Reads the damaged zone as a server would: a question tells it from what was there, if it can be read at all. */
static void find_question(struct zone_push *push, const struct zone *before, struct plan *plan, struct arena *arena)
{
	struct errs ignored = {0};
	struct zone *zone = zone_load_bytes(before->name, "the damaged zone", push->bad, push->bad_len, &ignored);

	errs_fini(&ignored);
	if (!zone)
		return;
	version_keep(plan, zone, arena);
	push->is_readable = version_question(before, zone, arena, &push->bad_question);
	push->has_record = push->is_readable && version_record_question(before, zone, arena, &push->bad_record);
}

static void resolve_begin(struct zone_push *push, struct plan *plan, struct arena *arena, struct errs *errs)
{
	const struct zone *before, *pushed;
	uint32_t serial;
	struct damage_args args = {
		.damage = (enum damage)push->damage,
		.data = push->data.value,
		.origin = push->origin.value,
		.ttl_s = push->ttl_ns / SEC,
		.keep_ppm = push->keep_ppm,
	};
	struct buf text = {0}, out = {0};
	struct err err = {0};

	push->spec = version_zone(plan, &push->zone, arena, errs);
	if (push->spec && version_refuse_signed(plan, push->spec, &push->zone,
						"what is damaged here would be served without signatures (the fault "
						"signing damages signed zones)",
						errs))
		push->spec = NULL;
	if (!push->spec)
		return;
	check_servers(push, plan, errs);
	check_keys(push, errs);
	before = pushed = version_content(plan, push->spec);
	if (push->file.value)
		pushed = version_load(plan, push->spec, &push->file, arena, errs);
	if (!pushed || errs->count)
		return;
	serial = version_serial(plan, push->spec);
	args.zone = push->spec->name.value;
	args.serial = push->bad_serial = serial_of(push, serial);
	set_record(push, arena, &args);
	version_master_text(plan, push->spec, pushed, &text);
	if (damage_zone(&args, text.data, text.len, &out, &err))
		errs_add(errs, push->record.value ? push->record.loc : push->injector.loc, "zone-push: %s", err.text);
	push->bad_len = out.len;
	push->bad = arena_strndup(arena, out.data ? out.data : "", out.len);
	buf_fini(&text);
	buf_fini(&out);
	find_question(push, before, plan, arena);
}

/* What its end pushes: what is right by then, with a serial higher than both. */
static void resolve_end(struct zone_push *push, struct plan *plan, struct arena *arena, struct errs *errs)
{
	const struct zone *content;
	struct zone *zone;
	uint32_t serial;

	if (!push->spec || errs->count)
		return;
	content = version_content(plan, push->spec);
	serial = version_serial(plan, push->spec);
	push->good_serial =
		(push->serial == SERIAL_FAR || push->bad_serial == serial + 1 ? push->bad_serial : serial) + 1;
	zone = version_edit(plan, content, push->good_serial, NULL, NULL, "as it was", push->injector.loc, arena, errs);
	if (!zone)
		return;
	version_alias(plan, push->spec, push->good_serial, arena);
	push->plan = plan;
	push->good = zone;
	version_question(content, zone, arena, &push->good_question);
}

static void zone_push_resolve(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena,
			      struct errs *errs)
{
	struct zone_push *push = (struct zone_push *)injector;

	if (is_end)
		resolve_end(push, plan, arena, errs);
	else
		resolve_begin(push, plan, arena, errs);
}

/* ---- jobs ---- */

/* What the server answers once it had its time, against what it had before. Returns whether that is anything else. */
static int judge_silence(const struct zone_push_server *server, int64_t before, struct job_report *report)
{
	char said[200];
	int64_t now;

	snprintf(said, sizeof(said), "%.199s", report->text);
	now = zone_job_serial(server->process, server->push->spec->name.value, clock_now_ns() + SEC, report);
	if (now >= 0 && now == before) {
		job_say(report, "did not take it and kept serial %lld%s%s", (long long)before, *said ? ": " : "", said);
		return 1;
	}
	if (now >= 0)
		job_say(report, "serves serial %lld, before %lld", (long long)now, (long long)before);
	else
		job_say(report, "answers for it no more, before with serial %lld", (long long)before);
	return 0;
}

static int64_t remaining(int64_t until_ns)
{
	int64_t left = until_ns - clock_now_ns();

	return left > 0 ? left : 0;
}

/* The serial alone does not say that the damage is there. */
static int look_at_record(const struct zone_push_server *server, int64_t serial, int64_t until_ns,
			  struct job_report *report)
{
	const struct zone_push *push = server->push;
	const struct zone_question *record = &push->bad_record;
	char *type;
	int status;

	if (!push->has_record) {
		job_say(report, "serves it, with serial %lld", (long long)serial);
		return 0;
	}
	type = ldns_rr_type2str((ldns_rr_type)record->type);
	if (until_ns < clock_now_ns() + RECORD_NS)
		until_ns = clock_now_ns() + RECORD_NS;
	status = zone_job_wait(server->process, push->spec->name.value, record, until_ns, report);
	if (status)
		job_say(report, "shows serial %lld, and yet not what was pushed of %s %s", (long long)serial,
			record->name, type ? type : "");
	else
		job_say(report, "serves it, with serial %lld: %s %s is %s%s", (long long)serial, record->name,
			type ? type : "", record->rdata_count ? record->rdata[0] : "gone",
			record->rdata_count > 1 ? "…" : "");
	free(type);
	return status;
}

static int push_bad(void *arg, struct job_report *report)
{
	const struct zone_push_server *server = arg;
	const struct zone_push *push = server->push;
	const char *zone = push->spec->name.value;
	int64_t until_ns = clock_now_ns() + push->settle_ns;
	int64_t before = zone_job_serial(server->process, zone, clock_now_ns() + SEC, report);
	int status;

	report->text[0] = '\0';
	if (push->damage == DAMAGE_NOT_APPLIED)
		status = zone_job_write(server->process, zone, push->bad, push->bad_len, report);
	else
		status = zone_job_push(server->process, zone, push->bad, push->bad_len, report);
	if (push->is_readable && push->damage != DAMAGE_NOT_APPLIED &&
	    !zone_job_wait(server->process, zone, &push->bad_question, until_ns, report)) {
		return look_at_record(server, report->serial, until_ns, report);
	}
	clock_sleep_ns(remaining(until_ns));
	if (push->damage != DAMAGE_NOT_APPLIED)
		return judge_silence(server, before, report);
	if (status || zone_job_serial(server->process, zone, clock_now_ns() + SEC, report) != before)
		return 1; /* somebody told it: this is not what the fault is about */
	job_say(report, "has the file with serial %u, was not told, and still serves serial %lld", push->bad_serial,
		(long long)before);
	return 0;
}

static int push_good(void *arg, struct job_report *report)
{
	const struct zone_push_server *server = arg;
	const struct zone_push *push = server->push;
	const char *zone = push->spec->name.value;
	struct buf text = {0};
	int status;

	version_master_text(push->plan, push->spec, push->good, &text);
	status = zone_job_push(server->process, zone, text.data, text.len, report);
	buf_fini(&text);
	return status ? status
		      : zone_job_wait(server->process, zone, &push->good_question, clock_now_ns() + 8 * SEC, report);
}

static void bad_done(void *arg, const struct job_end *end)
{
	struct zone_push_server *server = arg;

	server->is_over = true;
	server->changed = end->ok;
	snprintf(server->text, sizeof(server->text), "%.299s", end->report.text);
}

static void good_done(void *arg, const struct job_end *end)
{
	const struct zone_push_server *server = arg;
	const struct injector_ctx *ctx = server->push->ctx;
	struct err err = {0};

	if (end->ok)
		return;
	err_set(&err, -EIO, server->push->injector.loc, "%s does not serve the right zone again: %s", server->host,
		end->report.text);
	ctx->failed(ctx->failed_arg, &server->push->injector, "revert", &err);
}

static int start_jobs(struct zone_push *push, int (*run)(void *, struct job_report *),
		      void (*done)(void *, const struct job_end *), int64_t timeout_ns, struct err *err)
{
	const struct control *control = push->ctx->control;
	int first = 0;

	for (size_t i = 0; i < push->injector.server_count; i++) {
		const struct host_job job = {
			.host = server_process_host(push->servers[i].process),
			.run = run,
			.arg = &push->servers[i],
			.timeout_ns = timeout_ns,
			.done = done,
			.done_arg = &push->servers[i],
		};
		struct err one = {0};
		int r = job_start(control->jobs, &job, &one);

		if (r && !first) {
			first = r;
			*err = one;
		}
	}
	return first;
}

/* ---- the fault ---- */

static int zone_push_apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct zone_push *push = (struct zone_push *)injector;

	push->ctx = ctx;
	if (!push->servers)
		push->servers = calloc(injector->server_count + 1, sizeof(*push->servers));
	if (!push->servers)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (size_t i = 0; i < injector->server_count; i++)
		push->servers[i] = (struct zone_push_server){
			.push = push,
			.process = ctx->server(ctx->server_arg, injector->servers[i].host),
			.host = injector->servers[i].host,
		};
	return start_jobs(push, push_bad, bad_done, push->settle_ns + 5 * SEC, err);
}

static int zone_push_revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct zone_push *push = (struct zone_push *)injector;

	if (!push->servers)
		return 0; /* it was never applied */
	push->ctx = ctx;
	return start_jobs(push, push_good, good_done, 10 * SEC, err);
}

static int zone_push_effect(struct injector *injector, struct injector_ctx *ctx UNUSED, struct effect *ret,
			    struct err *err UNUSED)
{
	const struct zone_push *push = (const struct zone_push *)injector;
	struct buf text = {0};
	size_t changed = 0, over = 0;

	for (size_t i = 0; push->servers && i < injector->server_count; i++) {
		const struct zone_push_server *server = &push->servers[i];

		over += server->is_over;
		changed += server->is_over && server->changed;
		buf_printf(&text, "%s%s %s", i ? "; " : "", server->host,
			   server->is_over ? server->text
					   : "had not yet ended with it: lengthen for:, or shorten settle:");
	}
	ret->took_effect = over == injector->server_count &&
			   (push->expect == EXPECT_EITHER || (push->expect == EXPECT_REFUSED ? !changed : changed > 0));
	ret->packets = (int64_t)(push->expect == EXPECT_REFUSED ? over - changed : changed);
	ret->unit = "server";
	snprintf(ret->text, sizeof(ret->text), "%s", text.data ? text.data : "nothing was pushed");
	buf_fini(&text);
	return 0;
}

static void zone_push_sentence(const struct injector *injector, struct buf *out)
{
	const struct zone_push *push = (const struct zone_push *)injector;

	buf_printf(out, "pushes %s as zone %s with serial %u (%s)",
		   push->file.value ? push->file.value : "what it holds", push->zone.value, push->bad_serial,
		   serials[push->serial]);
	if (push->damage != DAMAGE_NONE)
		buf_printf(out, ", damaged (%s%s%s)", damage_names[push->damage], push->record.value ? " " : "",
			   push->record.value ? push->record.value : "");
	buf_puts(out, ", to ");
	for (size_t i = 0; i < injector->server_count; i++)
		buf_printf(out, "%s%s", i ? ", " : "", injector->servers[i].host);
}

static void zone_push_commands(const struct injector *injector, struct buf *apply, struct buf *revert)
{
	const struct zone_push *push = (const struct zone_push *)injector;

	for (size_t i = 0; i < injector->server_count; i++) {
		buf_printf(apply, "# on %s: put the damaged file of %s in place, and have it read again\n",
			   injector->servers[i].host, push->zone.value);
		buf_printf(revert,
			   "# on %s: put the right file of %s in place with serial %u, and have it read again\n",
			   injector->servers[i].host, push->zone.value, push->good_serial);
	}
}

extern const struct injector_ops zone_push_ops;
const struct injector_ops zone_push_ops = {
	.kind = "zone-push",
	.summary = "pushes a zone to nameservers, and something is wrong with it",
	.hits = INJECTOR_HITS_SERVERS,
	.params = zone_push_params,
	.size = sizeof(struct zone_push),
	.resolve = zone_push_resolve,
	.apply = zone_push_apply,
	.revert = zone_push_revert,
	.effect = zone_push_effect,
	.sentence = zone_push_sentence,
	.commands = zone_push_commands,
};
