/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault `delegation`: what the parent says of a zone is wrong.
 */
#include "harness/plan/topology.h"
#include "injectors/dnssec/check.h"
#include "injectors/dnssec/damage.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct delegation_fault {
	struct zone_change change; /* of the parent; its zone is worked out */
	struct text child; /* row `zone` */
	int64_t what;
	struct texts ns;
	struct addresses addresses;
};

static const struct param delegation_params[] = {
	P_TEXT_REQUIRED(struct delegation_fault, child, "zone",
			"zone whose delegation is damaged; target is a server of its parent, such as tld.com"),
	P_ENUM(struct delegation_fault, what, "what", delegation_whats, DELEGATION_HOLD, "what is wrong with it"),
	P_TEXTS(struct delegation_fault, ns, "ns",
		"ns-removed: the nameservers that go; ns-wrong: those that come in the place of all"),
	P_ADDRESSES(struct delegation_fault, addresses, "address",
		    "glue-stale: of the past; by default ones at which nobody is"),
	PARAM_END,
};

static const struct delegation_fault *fault_of(const struct injector *injector)
{
	return (const struct delegation_fault *)(const void *)injector;
}

static void delegation_compile(struct injector *injector, struct arena *arena, struct errs *errs)
{
	struct delegation_fault *fault = (struct delegation_fault *)injector;

	(void)errs;
	fault->change.zone = fault->child;
	fault->change.is_parents = true;
	zone_change_compile(&fault->change, arena);
	fault->child = fault->change.zone;
}

/* Whose DS is written by the plan itself (delegation:), or made of a signed file, is not known here. */
static bool has_no_ds(const struct topo_zone *child)
{
	return child && !child->sign && !child->has_signature && !(child->spec && child->spec->delegation.value);
}

static void delegation_resolve(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena,
			       struct errs *errs)
{
	struct delegation_fault *fault = (struct delegation_fault *)injector;
	bool needs_ds = fault->what == DELEGATION_DS_REMOVED || fault->what == DELEGATION_DS_WRONG ||
			fault->what == DELEGATION_DS_NEXT;

	if (is_end || zone_change_check(&fault->change, plan, false, errs))
		zone_change_raise(&fault->change, plan, arena, errs);
	else
		return; /* said already */
	if (is_end)
		return;
	if (needs_ds && has_no_ds(check_find_zone(plan, fault->child.value)))
		errs_add(errs, injector->loc,
			 "delegation: what: %s needs a DS, and %s is not signed; write sign: true there",
			 delegation_whats[fault->what], fault->child.value);
}

static void delegation_validate(const struct injector *injector, struct errs *errs)
{
	const struct delegation_fault *fault = fault_of(injector);
	bool takes_ns = fault->what == DELEGATION_NS_REMOVED || fault->what == DELEGATION_NS_WRONG;

	if (fault->what == DELEGATION_NS_REMOVED && !fault->ns.count)
		errs_add(errs, injector->loc, "what: ns-removed needs the key 'ns': which nameservers go");
	if (!takes_ns && fault->ns.count)
		errs_add(errs, fault->ns.v[0].loc, "ns: is for what: ns-removed and ns-wrong");
	if (fault->what != DELEGATION_GLUE_STALE && fault->addresses.count)
		errs_add(errs, fault->addresses.v[0].loc, "address: is for what: glue-stale");
}

/* ---- in the child ---- */

static void before_path(const struct zone_edit *edit, char *buf, size_t size)
{
	snprintf(buf, size, "%s.before-fault-%lld", edit->zone->file, (long long)edit->change->injector.id);
}

static int save(const struct zone_edit *edit, const struct delegation_fault *fault, struct err *err)
{
	ldns_rr_list *records = delegation_records(edit->rrs, fault->child.value);
	char path[4096];
	FILE *out;
	int r = 0;

	before_path(edit, path, sizeof(path));
	out = access(path, F_OK) == 0 ? NULL : fopen(path, "we");
	if (out) {
		ldns_rr_list_print_fmt(out, ldns_output_format_nocomments, records);
		r = fclose(out) ? -errno : 0;
	} else if (access(path, F_OK) != 0) {
		r = -errno;
	}
	ldns_rr_list_deep_free(records);
	return r ? err_set(err, r, LOC_NONE, "cannot write %s: %s", path, strerror(-r)) : 0;
}

static int restore(struct zone_edit *edit, const struct delegation_fault *fault, struct err *err)
{
	ldns_rr_list *records = ldns_rr_list_new();
	ldns_rr *rr = NULL;
	char path[4096];
	FILE *in;
	int r = 0;

	before_path(edit, path, sizeof(path));
	in = fopen(path, "re");
	while (in && records && ldns_rr_new_frm_fp(&rr, in, NULL, NULL, NULL) == LDNS_STATUS_OK)
		ldns_rr_list_push_rr(records, rr);
	if (in && records) {
		fclose(in);
		r = delegation_restore(edit->rrs, fault->child.value, records, err);
		if (r == 0)
			unlink(path);
	}
	ldns_rr_list_deep_free(records);
	return r;
}

/* A nameserver with glue: below the zone itself, else its parent says nothing of it. */
static void set_glue(const struct zone_edit *edit, const char *child, struct zone_witness *witness)
{
	ldns_rdf *apex = ldns_dname_new_frm_str(child);

	for (size_t i = 0; apex && i < ldns_rr_list_rr_count(edit->rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(edit->rrs, i);
		ldns_rr_type type = ldns_rr_get_type(rr);
		char *owner;

		if ((type != LDNS_RR_TYPE_A && type != LDNS_RR_TYPE_AAAA) ||
		    !(ldns_dname_is_subdomain(ldns_rr_owner(rr), apex) ||
		      ldns_dname_compare(ldns_rr_owner(rr), apex) == 0))
			continue;
		owner = ldns_rdf2str(ldns_rr_owner(rr));
		snprintf(witness->record, sizeof(witness->record), "%s", owner ? owner : "");
		witness->record_type = (uint16_t)type;
		free(owner);
		break;
	}
	ldns_rdf_deep_free(apex);
}

static void set_witness(struct zone_edit *edit, const struct delegation_damage *damage)
{
	struct zone_witness *witness = &edit->witness;
	bool is_ds = damage->what == DELEGATION_DS_REMOVED || damage->what == DELEGATION_DS_WRONG ||
		     damage->what == DELEGATION_DS_NEXT || damage->what == DELEGATION_DS_LEFT_BEHIND;

	witness->type = witness->record_type = is_ds ? LDNS_RR_TYPE_DS : LDNS_RR_TYPE_NS;
	snprintf(witness->name, sizeof(witness->name), "%s.", damage->child);
	snprintf(witness->record, sizeof(witness->record), "%s.", damage->child);
	if (damage->what == DELEGATION_GLUE_STALE)
		set_glue(edit, damage->child, witness);
}

static int edit_parent(struct zone_edit *edit, struct err *err)
{
	const struct delegation_fault *fault = fault_of(&edit->change->injector);
	struct delegation_damage damage = {
		.child = fault->child.value, .what = (enum delegation_what)fault->what, .addresses = &fault->addresses};
	const char *names[16];
	int r;

	if (edit->state == ZONE_RIGHT)
		return restore(edit, fault, err);
	damage.ns = names;
	while (damage.ns_count < fault->ns.count && damage.ns_count < ARRAY_LEN(names)) {
		names[damage.ns_count] = fault->ns.v[damage.ns_count].value;
		damage.ns_count++;
	}
	r = save(edit, fault, err);
	if (r == 0)
		r = delegation_damage(edit->rrs, &damage, err);
	if (r == 0)
		set_witness(edit, &damage);
	return r;
}

/* ---- the plug ---- */

static int delegation_prepare(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return zone_change_prepare((struct zone_change *)injector, ctx, false, err);
}

static int delegation_apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	(void)ctx;
	return zone_change_start((struct zone_change *)injector, edit_parent, ZONE_CHANGED, err);
}

static int delegation_revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	(void)ctx;
	return zone_change_start((struct zone_change *)injector, edit_parent, ZONE_RIGHT, err);
}

static void describe(const struct injector *injector, char *buf, size_t size)
{
	snprintf(buf, size, "in which the delegation of %s %s", fault_of(injector)->child.value,
		 delegation_sentence((enum delegation_what)fault_of(injector)->what));
}

static int delegation_effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	char what[400];

	(void)ctx;
	(void)err;
	describe(injector, what, sizeof(what));
	return zone_change_effect((const struct zone_change *)injector, what, ret);
}

static void delegation_say(const struct injector *injector, struct buf *out)
{
	char what[400];

	describe(injector, what, sizeof(what));
	buf_printf(out, "puts a zone %s on", what);
	for (size_t i = 0; i < injector->server_count; i++)
		buf_printf(out, "%s %s", i ? "," : "", injector->servers[i].host);
}

static void delegation_commands(const struct injector *injector, struct buf *apply, struct buf *revert)
{
	char what[400];

	describe(injector, what, sizeof(what));
	zone_change_commands((const struct zone_change *)injector, what, apply, revert);
}

extern const struct injector_ops delegation_ops;
const struct injector_ops delegation_ops = {
	.kind = "delegation",
	.summary = "what the parent says of a zone is wrong: its nameservers, glue or DS, or it is gone",
	.hits = INJECTOR_HITS_SERVERS,
	.params = delegation_params,
	.size = sizeof(struct delegation_fault),
	.compile = delegation_compile,
	.resolve = delegation_resolve,
	.validate = delegation_validate,
	.prepare = delegation_prepare,
	.release = zone_change_release,
	.apply = delegation_apply,
	.revert = delegation_revert,
	.effect = delegation_effect,
	.sentence = delegation_say,
	.commands = delegation_commands,
};
