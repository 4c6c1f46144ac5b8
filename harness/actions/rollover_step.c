/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step `rollover-step`: the next step of a rollover of a zone's keys, on the zone's primaries or, where it is the DS that changes, on its parent's.
 */
#include "harness/actions/common.h"
#include "harness/api/zone_rework.h"
#include "harness/dnssec/rollover.h"
#include "harness/plan/topology.h"
#include <errno.h>
#include <string.h>

struct rollover_action {
	struct action action;
	int64_t roll; /* enum rollover */
	struct text step; /* its name; no value: whichever is next */
	/* Resolved. */
	size_t number; /* of the step in its rollover */
	int64_t serial; /* among all of the zone's; 0: not resolved */
	const char *parent; /* name of the zone above */
	const char *key_host; /* a primary of the zone: it knows where the keys are */
};

static const struct param rollover_step_params[] = {
	P_ENUM(struct rollover_action, roll, "roll", rollover_names, ROLLOVER_ZSK,
	       "what is rolled, and how; zsk: publish, sign, remove; ksk: publish, ds, remove; ksk-double-ds: ds, "
	       "swap, remove; algorithm: sign, publish, ds, "
	       "remove, remove-signatures"),
	P_TEXT(struct rollover_action, step, "step",
	       "which step of it this is, as a check; steps are taken in their order"),
	PARAM_END,
};

static const struct rollover_step *step_of(const struct rollover_action *rollover)
{
	return rollover_step((enum rollover)rollover->roll, rollover->number);
}

/* ---- in the plan ---- */

/* The last step before this one that the same zone's keys took; NULL: none. */
static const struct rollover_action *find_last(const struct plan *plan, const struct action *of)
{
	const struct rollover_action *last = NULL;

	for (size_t i = 0; i < plan->action_count; i++) {
		const struct rollover_action *other = (const void *)plan->actions[i];

		if (other->action.ops == of->ops && other->serial &&
		    !strcmp(other->action.zone.value, of->zone.value) && (!last || other->serial > last->serial))
			last = other;
	}
	return last;
}

static bool check_signing(const struct rollover_action *rollover, const struct topo_zone *zone, struct errs *errs)
{
	const char *name = rollover->action.zone.value;
	struct loc loc = rollover->action.zone.loc;

	if (!zone || !zone->sign || !zone->signing || zone->has_signature)
		errs_add(errs, loc,
			 "rollover-step: zone %s is not signed by the lab; write sign: true where the zone is", name);
	else if (zone->signing->by != SIGN_BY_LDNS)
		errs_add(errs, loc,
			 "rollover-step: zone %s is signed by its servers or providers, whose keys the lab does not "
			 "roll; write sign: {by: ldns}",
			 name);
	else if (zone->signing->keys != SIGN_KSK_ZSK)
		errs_add(errs, loc,
			 "rollover-step: zone %s has one key for all (keys: csk), which the lab does not roll; write "
			 "keys: ksk+zsk",
			 name);
	else if (rollover->action.to.count)
		errs_add(errs, rollover->action.to.v[0].loc,
			 "to: a step of a rollover is taken on every primary of the zone, or of its parent; leave it "
			 "out");
	else
		return true;
	return false;
}

/* Where it stands in its rollover. */
static bool find_number(struct rollover_action *rollover, const struct plan *plan, struct errs *errs)
{
	const struct rollover_action *last = find_last(plan, &rollover->action);
	bool is_under_way = last && rollover_step((enum rollover)last->roll, last->number + 1);
	const struct rollover_step *step;

	if (is_under_way && last->roll != rollover->roll) {
		errs_add(errs, rollover->action.loc,
			 "rollover-step: the rollover %s of %s is under way, its next step is '%s'; finish it before "
			 "another one begins",
			 rollover_names[last->roll], rollover->action.zone.value,
			 rollover_step((enum rollover)last->roll, last->number + 1)->name);
		return false;
	}
	rollover->number = is_under_way ? last->number + 1 : 0;
	step = step_of(rollover);
	if (rollover->step.value && strcmp(rollover->step.value, step->name) != 0) {
		errs_add(errs, rollover->step.loc,
			 "step: '%s' is out of order: the next step of the rollover %s of %s is '%s'",
			 rollover->step.value, rollover_names[rollover->roll], rollover->action.zone.value, step->name);
		return false;
	}
	rollover->serial = last ? last->serial + 1 : 1;
	return true;
}

static void set_hosts(struct action *action, const struct topo_zone *zone, struct errs *errs)
{
	action->host_count = 0;
	for (size_t i = 0; i < zone->primary_count; i++) {
		const struct topo_host *host = zone->primaries[i];

		if (!(host->server->verbs & SERVER_CAN(RELOAD_ZONE)))
			errs_add(errs, action->loc, "rollover-step: %s runs %s, which cannot be told to %s", host->name,
				 host->server->name, server_verb_name(SERVER_RELOAD_ZONE));
		action->hosts[action->host_count++] = host->name;
	}
}

static void rollover_step_resolve(struct action *action, struct plan *plan, struct arena *arena, struct errs *errs)
{
	struct rollover_action *rollover = (struct rollover_action *)action;
	const struct zone_spec *spec = version_find_zone(plan, &action->zone, arena, errs);
	const struct topo_zone *zone = spec ? topo_zone_of(plan, spec) : NULL;
	struct version_signers signers;

	if (spec)
		action->zone.value = spec->name.value;
	if (!spec || !check_signing(rollover, zone, errs) || !find_number(rollover, plan, errs))
		return; /* said already */
	rollover->parent = zone->parent->name;
	rollover->key_host = zone->primaries[0]->name;
	set_hosts(action, step_of(rollover)->is_parents ? zone->parent : zone, errs);
	signers = (struct version_signers){action->hosts, action->host_count, action->loc, action->ops->kind};
	if (!step_of(rollover)->is_parents)
		version_resigned(plan, spec, &signers, arena, errs);
}

/* ---- in a child, on a host ---- */

static const struct server_zone *loaded_zone(const struct server_process *server, const char *name)
{
	const struct server_spec *spec = server ? server_process_spec(server) : NULL;

	for (size_t i = 0; spec && i < spec->zone_count; i++)
		if (!strcasecmp(spec->zones[i].name, name) && !spec->zones[i].primary_count)
			return &spec->zones[i];
	return NULL;
}

/* The parent's, too, is told where the child's keys are. */
static const struct server_signing *find_signing(const struct rollover_action *rollover, const struct control *control)
{
	const struct server_zone *zone =
		loaded_zone(control->server(control->arg, rollover->key_host), rollover->action.zone.value);

	return zone ? zone->signing : NULL;
}

struct ds_change {
	const char *child;
	const struct server_signing *signing; /* the child's */
};

static int replace_ds(struct zone_rework *parent, void *arg, struct err *err)
{
	const struct ds_change *change = arg;
	ldns_rdf *name = ldns_dname_new_frm_str(change->child);
	size_t kept = 0, count = ldns_rr_list_rr_count(parent->rrs);
	ldns_rr_list *fresh = NULL;
	int r = rollover_ds(change->signing->key_dir, change->child, change->signing->ds_ttl, &fresh, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		ldns_rr *rr = ldns_rr_list_rr(parent->rrs, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS && ldns_dname_compare(ldns_rr_owner(rr), name) == 0)
			ldns_rr_free(rr);
		else
			ldns_rr_list_set_rr(parent->rrs, rr, kept++);
	}
	if (r == 0) {
		ldns_rr_list_set_rr_count(parent->rrs, kept);
		ldns_rr_list_push_rr_list(parent->rrs, fresh);
		ldns_rr_list_free(fresh);
	}
	ldns_rdf_deep_free(name);
	return r;
}

static int rollover_step_perform(const struct action *action, const struct action_place *place,
				 struct job_report *report)
{
	const struct rollover_action *rollover = (const struct rollover_action *)action;
	bool is_parents = step_of(rollover)->is_parents;
	const struct server_zone *zone = loaded_zone(place->server, is_parents ? rollover->parent : action->zone.value);
	const struct server_signing *signing = find_signing(rollover, place->control);
	struct ds_change change = {action->zone.value, signing};
	struct rollover_move move = {.zone = action->zone.value,
				     .roll = (enum rollover)rollover->roll,
				     .number = rollover->number,
				     .serial = rollover->serial};
	struct err err = {0};

	if (!zone || !signing) {
		job_say(report, "it does not load the zone, or its keys are not known");
		return 1;
	}
	move.dir = signing->key_dir;
	if (rollover_move(&move, &err) < 0) {
		job_say(report, "%s", err.text);
		return 1;
	}
	return zone_rework(place->server, zone, is_parents ? replace_ds : NULL, &change, action_deadline(action),
			   report);
}

/* ---- in words ---- */

static void rollover_step_sentence(const struct action *action, struct buf *out)
{
	const struct rollover_action *rollover = (const struct rollover_action *)action;

	buf_printf(out, "%s of %s (%s, step '%s') on ", step_of(rollover)->what, action->zone.value,
		   rollover_names[rollover->roll], step_of(rollover)->name);
	action_add_hosts(action, out);
}

static void rollover_step_commands(const struct action *action, struct buf *out)
{
	const struct rollover_action *rollover = (const struct rollover_action *)action;
	bool is_parents = step_of(rollover)->is_parents;

	for (size_t i = 0; i < action->host_count; i++)
		buf_printf(out, "# on %s: %s: sign zone %s so, raise its serial, and have its file read again\n",
			   action->hosts[i], step_of(rollover)->what,
			   is_parents ? rollover->parent : action->zone.value);
}

extern const struct action_ops rollover_step_ops;
const struct action_ops rollover_step_ops = {
	.kind = "rollover-step",
	.summary = "takes the next step of a rollover of a zone's keys, or of its algorithm: in the zone, or in its "
		   "parent's DS",
	.on = ACTION_ON_SIGNED_ZONE,
	.params = rollover_step_params,
	.size = sizeof(struct rollover_action),
	.resolve = rollover_step_resolve,
	.perform = rollover_step_perform,
	.sentence = rollover_step_sentence,
	.commands = rollover_step_commands,
};
