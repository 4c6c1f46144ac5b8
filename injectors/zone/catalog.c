/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault `catalog`: the catalog zone (RFC 9432) that a primary serves is damaged, and with it what its secondaries think they are to serve. Its end puts the right one in place, with a higher
 * serial; when the secondaries have their zones again is what a drill measures.
 *
 * Telling the primary and looking at its secondaries takes time, so jobs do it: apply and revert start them, and what came of it is known when they end.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/plan/names.h"
#include "harness/plan/plan.h"
#include "injectors/process/servers.h"
#include "injectors/zone/catalog_look.h"

static const char *const damages[] = {
	"empty",         "member-missing",  "member-other", "member-twice", "member-relabelled",
	"version-wrong", "version-missing", NULL,
};
static const char *const expectations[] = {"either", "dropped", "kept", NULL};
enum expectation { EXPECT_EITHER, EXPECT_DROPPED, EXPECT_KEPT };

struct catalog_consumer {
	struct catalog_look look;
	bool is_over;
	enum catalog_reaction reaction;
	char text[200];
};

struct catalog_fault {
	struct injector injector;
	struct text zone;
	int64_t damage, settle_ns, expect;
	/* Worked out beforehand. */
	struct catalog catalog;
	size_t member;
	uint32_t bad_serial, good_serial;
	const char *bad, *good;
	/* While it stands. */
	struct injector_ctx *ctx;
	struct server_process *primary;
	bool is_pushed, is_served; /* the damaged one */
	char push_text[200];
	struct catalog_consumer *consumers;
};

extern const struct injector_ops catalog_ops;

static const struct param params[] = {
	P_ENUM(struct catalog_fault, damage, "damage", damages, 0,
	       "what is wrong: it has no members; one is missing; its record names another zone (typo.<zone>); it is "
	       "there twice; it is there under another label, which resets it; the version property is one that nobody "
	       "knows, or missing"),
	P_TEXT(struct catalog_fault, zone, "zone", "the member that is damaged; by default the first"),
	P_DURATION(struct catalog_fault, settle_ns, "settle", 100 * MSEC, 60 * SEC, 2 * SEC,
		   "after what time the secondaries are looked at; named waits 5 s between two versions of a catalog "
		   "(min-update-interval)"),
	P_ENUM(struct catalog_fault, expect, "expect", expectations, EXPECT_EITHER,
	       "what every secondary is to make of it, once it has transferred it: drop a member, or keep all; either. "
	       "Anything else is a fault without effect"),
	PARAM_END,
};

static enum catalog_damage damage_of(const struct catalog_fault *fault)
{
	return (enum catalog_damage)(fault->damage + CATALOG_EMPTY);
}

static bool is_of_member(const struct catalog_fault *fault)
{
	enum catalog_damage damage = damage_of(fault);

	return damage >= CATALOG_MEMBER_MISSING && damage <= CATALOG_MEMBER_RELABELLED;
}

/* ---- worked out from the plan ---- */

static bool is_before(int64_t a_ns, int64_t a_id, int64_t b_ns, int64_t b_id)
{
	return a_ns < b_ns || (a_ns == b_ns && a_id < b_id);
}

static int64_t end_of(const struct injector *injector)
{
	return injector->for_ns == PARAM_UNSET ? INT64_MAX : injector->at_ns + injector->for_ns;
}

/* Each beginning and end of such a fault raises it by one, in the order of time; the lab begins with 1. */
static uint32_t serial_at(const struct plan *plan, const struct injector *injector, int64_t at_ns)
{
	uint32_t serial = 2;

	for (size_t i = 0; i < plan->fault_count; i++) {
		const struct injector *other = plan->faults[i];

		if (other->ops != &catalog_ops)
			continue;
		serial += is_before(other->at_ns, other->id, at_ns, injector->id);
		serial += is_before(end_of(other), other->id, at_ns, injector->id);
	}
	return serial;
}

static void find_member(struct catalog_fault *fault, struct arena *arena, struct errs *errs)
{
	struct names known = {0};

	for (size_t i = 0; fault->zone.value && i < fault->catalog.member_count; i++) {
		names_add(&known, arena, fault->catalog.members[i]);
		if (!strcmp(fault->catalog.members[i], fault->zone.value)) {
			fault->member = i;
			return;
		}
	}
	if (fault->zone.value)
		names_unknown(&known, "member of the catalog", fault->zone.value, fault->zone.loc, errs);
}

static const char *make_text(const struct catalog_fault *fault, enum catalog_damage damage, uint32_t serial,
			     struct arena *arena)
{
	struct buf out = {0};
	const char *text;

	catalog_text(&fault->catalog, damage, fault->member, serial, &out);
	text = arena_strdup(arena, out.data ? out.data : "");
	buf_fini(&out);
	return text;
}

static void find_catalog(struct catalog_fault *fault, const struct plan *plan, struct arena *arena, struct errs *errs)
{
	const struct injector *injector = &fault->injector;
	const struct injector_server *server = injector->servers;

	if (injector->server_count != 1) {
		if (injector->server_count)
			errs_add(errs, server->loc, "target: name the one primary whose catalog is damaged, such as %s",
				 server->host);
		return;
	}
	catalog_of(plan->topology, topology_host(plan->topology, server->host), arena, &fault->catalog);
	if (!fault->catalog.name)
		errs_add(errs, server->loc,
			 "target: %s serves no catalog: no nameserver with primary: %s says catalog: true",
			 server->host, server->host);
	else if (!(server->software->verbs & SERVER_CAN(RELOAD_ZONE)))
		errs_add(errs, server->loc, "target: %s runs %s, which cannot be told to read a zone again",
			 server->host, server->software->name);
}

static void resolve(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena, struct errs *errs)
{
	struct catalog_fault *fault = (struct catalog_fault *)injector;

	if (is_end)
		return;
	if (injector->flap.on_ns != PARAM_UNSET)
		errs_add(errs, injector->loc,
			 "flap: a catalog that changes again and again needs a higher serial each time; leave flap: "
			 "out, and write a step for each time");
	if (fault->zone.value && !is_of_member(fault))
		errs_add(errs, fault->zone.loc, "zone: damage %s is not of one member; leave zone: out",
			 damages[fault->damage]);
	find_catalog(fault, plan, arena, errs);
	if (!fault->catalog.name)
		return;
	find_member(fault, arena, errs);
	fault->bad_serial = serial_at(plan, injector, injector->at_ns);
	fault->good_serial = serial_at(plan, injector, end_of(injector));
	fault->bad = make_text(fault, damage_of(fault), fault->bad_serial, arena);
	fault->good = make_text(fault, CATALOG_SOUND, fault->good_serial, arena);
}

/* ---- jobs at the primary ---- */

static int push(const struct catalog_fault *fault, const char *text, uint32_t serial, struct job_report *report)
{
	const char *name = fault->catalog.name;
	int64_t until_ns = clock_now_ns() + 5 * SEC;
	int status = zone_job_push(fault->primary, name, text, strlen(text), report);

	while (!status && zone_job_serial(fault->primary, name, until_ns, report) != serial) {
		if (clock_now_ns() >= until_ns)
			return 1; /* report says what it answers */
		clock_sleep_ns(5 * MSEC);
	}
	return status;
}

static int push_bad(void *arg, struct job_report *report)
{
	const struct catalog_fault *fault = arg;

	return push(fault, fault->bad, fault->bad_serial, report);
}

static int push_good(void *arg, struct job_report *report)
{
	const struct catalog_fault *fault = arg;

	return push(fault, fault->good, fault->good_serial, report);
}

static void bad_done(void *arg, const struct job_end *end)
{
	struct catalog_fault *fault = arg;

	fault->is_pushed = true;
	fault->is_served = end->ok;
	snprintf(fault->push_text, sizeof(fault->push_text), "%.199s", end->report.text);
}

static void good_done(void *arg, const struct job_end *end)
{
	const struct catalog_fault *fault = arg;
	struct err err = {0};

	if (end->ok)
		return;
	err_set(&err, -EIO, fault->injector.loc, "%s does not serve the right catalog again: %s",
		fault->injector.servers[0].host, end->report.text);
	fault->ctx->failed(fault->ctx->failed_arg, &fault->injector, "revert", &err);
}

/* ---- jobs at its secondaries ---- */

static void look_done(void *arg, const struct job_end *end)
{
	struct catalog_consumer *consumer = arg;

	consumer->is_over = end->ok;
	consumer->reaction = (enum catalog_reaction)end->report.serial;
	snprintf(consumer->text, sizeof(consumer->text), "%.199s", end->report.text);
}

/* ---- the fault ---- */

static int find_consumers(struct catalog_fault *fault, struct injector_ctx *ctx, struct err *err)
{
	if (!fault->consumers)
		fault->consumers = calloc(fault->catalog.consumer_count + 1, sizeof(*fault->consumers));
	if (!fault->consumers)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (size_t i = 0; i < fault->catalog.consumer_count; i++) {
		struct server_process *process = ctx->server(ctx->server_arg, fault->catalog.consumers[i]->name);
		off_t end = lseek(server_process_log_fd(process), 0, SEEK_END);

		fault->consumers[i] = (struct catalog_consumer){.look = {.process = process,
									 .catalog = &fault->catalog,
									 .serial = fault->bad_serial,
									 .log_from = end > 0 ? end : 0,
									 .settle_ns = fault->settle_ns}};
	}
	return 0;
}

static int start_job(const struct catalog_fault *fault, const struct host_job *job, struct err *err)
{
	return job_start(fault->ctx->control->jobs, job, err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct catalog_fault *fault = (struct catalog_fault *)injector;
	int r = find_consumers(fault, ctx, err);

	fault->ctx = ctx;
	fault->primary = ctx->server(ctx->server_arg, injector->servers[0].host);
	for (size_t i = 0; !r && i < fault->catalog.consumer_count; i++) {
		struct catalog_consumer *consumer = &fault->consumers[i];

		r = start_job(fault,
			      &(struct host_job){.host = server_process_host(consumer->look.process),
						 .run = catalog_look,
						 .arg = &consumer->look,
						 .timeout_ns = fault->settle_ns + 5 * SEC,
						 .done = look_done,
						 .done_arg = consumer},
			      err);
	}
	if (r)
		return r;
	return start_job(fault,
			 &(struct host_job){.host = server_process_host(fault->primary),
					    .run = push_bad,
					    .arg = fault,
					    .timeout_ns = 10 * SEC,
					    .done = bad_done,
					    .done_arg = fault},
			 err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct catalog_fault *fault = (struct catalog_fault *)injector;

	if (!fault->primary)
		return 0; /* it was never applied */
	fault->ctx = ctx;
	return start_job(fault,
			 &(struct host_job){.host = server_process_host(fault->primary),
					    .run = push_good,
					    .arg = fault,
					    .timeout_ns = 10 * SEC,
					    .done = good_done,
					    .done_arg = fault},
			 err);
}

static bool is_as_expected(const struct catalog_fault *fault, const struct catalog_consumer *consumer)
{
	switch ((enum expectation)fault->expect) {
	case EXPECT_EITHER:
		break;
	case EXPECT_DROPPED:
		return consumer->reaction == CATALOG_HEEDED;
	case EXPECT_KEPT:
		return consumer->reaction == CATALOG_REFUSED || consumer->reaction == CATALOG_TAKEN;
	}
	return consumer->reaction != CATALOG_NOT_SEEN;
}

static void say_consumers(const struct catalog_fault *fault, struct buf *out)
{
	for (size_t i = 0; i < fault->catalog.consumer_count; i++) {
		const struct catalog_consumer *consumer = &fault->consumers[i];
		const char *host = fault->catalog.consumers[i]->name;

		if (consumer->is_over)
			buf_printf(out, "; %s %s", host, consumer->text);
		else
			buf_printf(out, "; %s was not yet looked at: lengthen for:, or shorten settle:", host);
	}
}

static int effect(struct injector *injector, struct injector_ctx *ctx UNUSED, struct effect *ret,
		  struct err *err UNUSED)
{
	const struct catalog_fault *fault = (const struct catalog_fault *)injector;
	struct effect effect = {.took_effect = fault->is_served, .unit = "server"};
	struct buf text = {0};

	for (size_t i = 0; fault->consumers && i < fault->catalog.consumer_count; i++) {
		const struct catalog_consumer *consumer = &fault->consumers[i];
		bool is_hit = consumer->is_over && is_as_expected(fault, consumer);

		effect.packets += is_hit;
		effect.took_effect = effect.took_effect && is_hit;
	}
	if (fault->is_served)
		buf_printf(&text, "%s serves it with serial %u", injector->servers[0].host, fault->bad_serial);
	else
		buf_printf(&text, "%s does not serve it: %s",
			   injector->server_count ? injector->servers[0].host : "nobody",
			   fault->is_pushed ? fault->push_text : "it was not pushed");
	if (fault->consumers)
		say_consumers(fault, &text);
	snprintf(effect.text, sizeof(effect.text), "%s", text.data ? text.data : "");
	buf_fini(&text);
	*ret = effect;
	return 0;
}

/* ---- words ---- */

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct catalog_fault *fault = (const struct catalog_fault *)injector;
	static const char *const what[] = {
		"has no members",
		"lacks %s",
		"has another zone in the place of %s",
		"has %s twice",
		"has %s under another label",
		"has a version that nobody knows",
		"has no version",
	};
	const char *member = fault->zone.value             ? fault->zone.value
			     : fault->catalog.member_count ? fault->catalog.members[fault->member]
							   : "its first member";
	const char *at = strstr(what[fault->damage], "%s");

	buf_puts(out, "has ");
	servers_list(injector, out);
	buf_puts(out, " serve a catalog zone that ");
	if (at)
		buf_printf(out, "%.*s%s%s", (int)(at - what[fault->damage]), what[fault->damage], member, at + 2);
	else
		buf_puts(out, what[fault->damage]);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	const struct catalog_fault *fault = (const struct catalog_fault *)injector;

	for (size_t i = 0; i < injector->server_count; i++) {
		buf_printf(to_apply, "# on %s: put a damaged file of %s in place (%s), and have it read again\n",
			   injector->servers[i].host, fault->catalog.name ? fault->catalog.name : "its catalog",
			   damages[fault->damage]);
		buf_printf(to_revert, "# on %s: put the right file in place with serial %u, and have it read again\n",
			   injector->servers[i].host, fault->good_serial);
	}
}

const struct injector_ops catalog_ops = {
	.kind = "catalog",
	.summary = "the catalog zone that tells secondaries which zones to serve is damaged",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct catalog_fault),
	.resolve = resolve,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
