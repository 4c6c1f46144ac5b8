/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault `signing`: a zone that is signed wrongly, on servers that load it.
 */
#include "harness/plan/topology.h"
#include "injectors/dnssec/check.h"
#include "injectors/dnssec/damage.h"
#include <stdio.h>

struct signing_fault {
	struct zone_change change;
	int64_t what;
};

static const struct param signing_params[] = {
	ZONE_CHANGE_ROWS(struct signing_fault,
			 "zone that is signed wrongly; the lab signs it (sign: by ldns or providers)"),
	P_ENUM(struct signing_fault, what, "what", signing_whats, SIGNING_EXPIRED, "what is wrong with it"),
	PARAM_END,
};

static enum signing_what what_of(const struct injector *injector)
{
	return (enum signing_what)((const struct signing_fault *)(const void *)injector)->what;
}

static void signing_compile(struct injector *injector, struct arena *arena, struct errs *errs)
{
	(void)errs;
	zone_change_compile((struct zone_change *)injector, arena);
}

static void signing_resolve(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena,
			    struct errs *errs)
{
	struct zone_change *change = (struct zone_change *)injector;
	const struct topo_zone *zone = is_end ? NULL : zone_change_check(change, plan, true, errs);
	enum signing_what what = what_of(injector);
	bool needs_nsec3 = what == SIGNING_NSEC3_PARAMETERS || what == SIGNING_NSEC3_ITERATIONS;

	zone_change_raise(change, plan, arena, errs);
	if (!zone)
		return; /* said already, or its end */
	if (needs_nsec3 && zone->signing->nsec != SIGN_NSEC3)
		errs_add(errs, injector->loc,
			 "signing: what: %s needs NSEC3 records, and %s has NSEC; write sign: {nsec: nsec3} there",
			 signing_whats[what], zone->name);
	if (what == SIGNING_FOREIGN_KEY_MISSING && zone->signing->by != SIGN_BY_PROVIDERS)
		errs_add(errs, injector->loc,
			 "signing: what: %s needs keys of another provider, which %s has not; write sign: {by: "
			 "providers} there",
			 signing_whats[what], zone->name);
}

/* Keys and their signatures show most of what can be wrong. */
static void set_witness(struct zone_edit *edit, enum signing_what what)
{
	struct zone_witness *witness = &edit->witness;

	snprintf(witness->name, sizeof(witness->name), "%s.", edit->zone->name);
	snprintf(witness->record, sizeof(witness->record), "%s.", edit->zone->name);
	witness->type = LDNS_RR_TYPE_DNSKEY;
	if (what == SIGNING_NSEC3_PARAMETERS || what == SIGNING_NSEC3_ITERATIONS)
		witness->type = LDNS_RR_TYPE_NSEC3PARAM;
	else if (what == SIGNING_ZONEMD_WRONG)
		witness->type = LDNS_RR_TYPE_ZONEMD;
	witness->record_type = witness->type;
}

static int edit(struct zone_edit *zone, struct err *err)
{
	if (zone->state == ZONE_RIGHT) /* to sign it as ever is all it takes */
		return 0;
	set_witness(zone, what_of(&zone->change->injector));
	return signing_damage(zone, what_of(&zone->change->injector), err);
}

static int signing_prepare(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct zone_change *change = (struct zone_change *)injector;
	int r = zone_change_prepare(change, ctx, true, err);

	if (r < 0 || !injector->server_count)
		return r;
	return signing_fresh_keys(zone_change_zone(&change->places[0]), what_of(injector), &change->fresh, err);
}

static int signing_apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	(void)ctx;
	return zone_change_start((struct zone_change *)injector, edit, ZONE_CHANGED, err);
}

static int signing_revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	(void)ctx;
	return zone_change_start((struct zone_change *)injector, edit, ZONE_RIGHT, err);
}

static int signing_effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	(void)ctx;
	(void)err;
	return zone_change_effect((const struct zone_change *)injector, signing_sentence(what_of(injector)), ret);
}

static void signing_say(const struct injector *injector, struct buf *out)
{
	const struct zone_change *change = (const struct zone_change *)injector;

	buf_printf(out, "puts zone %s %s on", change->zone.value, signing_sentence(what_of(injector)));
	for (size_t i = 0; i < injector->server_count; i++)
		buf_printf(out, "%s %s", i ? "," : "", injector->servers[i].host);
}

static void signing_commands(const struct injector *injector, struct buf *apply, struct buf *revert)
{
	zone_change_commands((const struct zone_change *)injector, signing_sentence(what_of(injector)), apply, revert);
}

extern const struct injector_ops signing_ops;
const struct injector_ops signing_ops = {
	.kind = "signing",
	.summary = "a zone's servers serve it signed wrongly: run out, by a key that is gone, in the middle of a "
		   "rollover…",
	.hits = INJECTOR_HITS_SERVERS,
	.params = signing_params,
	.size = sizeof(struct signing_fault),
	.compile = signing_compile,
	.resolve = signing_resolve,
	.prepare = signing_prepare,
	.release = zone_change_release,
	.apply = signing_apply,
	.revert = signing_revert,
	.effect = signing_effect,
	.sentence = signing_say,
	.commands = signing_commands,
};
