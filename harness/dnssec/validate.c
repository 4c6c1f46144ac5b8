/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/dnssec/validate_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ALIASES_MAX 16

int validation_anchor(const char *path, ldns_rr_list **ret, struct err *err)
{
	FILE *in = path ? fopen(path, "re") : NULL;
	ldns_rr_list *list;
	ldns_rr *rr = NULL;

	if (!in)
		return err_set(err, -ENOENT, LOC_NONE, "there is no trust anchor: %s",
			       path ? strerror(errno) : "nothing is signed");
	list = ldns_rr_list_new();
	while (list && ldns_rr_new_frm_fp(&rr, in, NULL, NULL, NULL) == LDNS_STATUS_OK)
		ldns_rr_list_push_rr(list, rr);
	fclose(in);
	if (!list)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	*ret = list;
	return 0;
}

struct validation *validation_new(const ldns_rr_list *anchor, const char *qname, uint16_t qtype, int64_t now_s)
{
	struct validation *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	*v = (struct validation){.anchor = anchor, .qtype = (ldns_rr_type)qtype, .now_s = now_s};
	v->qname = ldns_dname_new_frm_str(qname);
	if (v->qname)
		return v;
	free(v);
	return NULL;
}

void validation_set_direct(struct validation *v)
{
	v->is_direct = true;
}

void validation_free(struct validation *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->answer_count; i++) {
		ldns_rdf_deep_free(v->answers[i].name);
		ldns_pkt_free(v->answers[i].packet);
	}
	for (size_t i = 0; i < v->cut_count; i++) {
		ldns_rdf_deep_free(v->cuts[i].name);
		ldns_rr_list_free(v->cuts[i].keys);
	}
	ldns_rdf_deep_free(v->wanted.name);
	ldns_rdf_deep_free(v->qname);
	free(v);
}

bool validation_add(struct validation *v, ldns_pkt *answer)
{
	if (!v->wanted.name || v->answer_count == ANSWERS_MAX) {
		ldns_pkt_free(answer);
		return false;
	}
	v->wanted.packet = answer;
	v->answers[v->answer_count++] = v->wanted;
	v->wanted = (struct evidence){0};
	return true;
}

enum step answer_to(struct validation *v, const ldns_rdf *name, ldns_rr_type type, const ldns_pkt **ret)
{
	char text[NAME_TEXT], *kind;
	ldns_pkt_rcode rcode;

	for (size_t i = 0; i < v->answer_count; i++) {
		const struct evidence *at = &v->answers[i];

		if (at->type != type || ldns_dname_compare(at->name, name) != 0)
			continue;
		rcode = ldns_pkt_get_rcode(at->packet);
		*ret = at->packet;
		if (rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN)
			return STEP_OK;
		kind = ldns_rr_type2str(type);
		conclude(&v->verdict, STEP_FAILED, 0, "the answer to %s %s is an error (rcode %d)",
			 name_text(name, text), kind ? kind : "", rcode);
		free(kind);
		return STEP_FAILED;
	}
	if (v->answer_count == ANSWERS_MAX)
		return conclude(&v->verdict, STEP_FAILED, 0, "more than %d questions would be needed", ANSWERS_MAX);
	ldns_rdf_deep_free(v->wanted.name);
	v->wanted = (struct evidence){.name = ldns_rdf_clone(name), .type = type};
	return STEP_NEEDS;
}

enum step blame(struct validation *v, enum step step, const ldns_pkt *answer, const ldns_rdf *name, ldns_rr_type type)
{
	if (step != STEP_BOGUS || v->verdict.from)
		return step;
	v->verdict.from = answer;
	for (size_t i = 0; name && i < v->answer_count; i++)
		if (v->answers[i].type == type && ldns_dname_compare(v->answers[i].name, name) == 0)
			v->verdict.against = v->answers[i].packet;
	return step;
}

/* ---- the answer ---- */

/* Whoever signed says where the chain must lead; without any signature, the name does. */
static enum step zone_of_signer(struct validation *v, const ldns_rdf *owner, const ldns_rr_list *signatures,
				const struct cut **ret)
{
	const ldns_rdf *signer =
		ldns_rr_list_rr_count(signatures) ? ldns_rr_rrsig_signame(ldns_rr_list_rr(signatures, 0)) : NULL;
	enum step step = zone_of(v, signer && is_within(owner, signer) ? signer : owner, ret);

	if (step == STEP_OK && (*ret)->is_insecure)
		return conclude(&v->verdict, STEP_INSECURE, 0, "%s", (*ret)->why);
	return step;
}

/* An answer made from a wildcard must come with the proof that nothing closer exists (RFC 4035 section 5.3.4). */
static enum step check_wildcard(struct validation *v, const ldns_pkt *answer, const ldns_rr_list *rrset,
				const ldns_rr *signature, const struct cut *zone)
{
	size_t labels = ldns_rdf2native_int8(ldns_rr_rrsig_labels(signature));
	ldns_rdf *next = ldns_rdf_clone(ldns_rr_list_owner(rrset));
	struct validation_verdict why = {0};
	ldns_rr_list *denials;
	struct denial denial;
	bool is_proven;
	char name[NAME_TEXT];

	if (ldns_dname_label_count(next) <= labels || ldns_dname_is_wildcard(next)) {
		ldns_rdf_deep_free(next);
		return STEP_OK;
	}
	while (ldns_dname_label_count(next) > labels + 1) {
		ldns_rdf *up = ldns_dname_left_chop(next);

		ldns_rdf_deep_free(next);
		next = up;
	}
	denials = verified_denials(ldns_pkt_authority(answer), zone->name, zone->keys, v->now_s, &why);
	denial = denial_of(denials, next, zone->name);
	is_proven = denial_covers(denials, next, zone->name);
	ldns_rr_list_free(denials);
	ldns_rdf_deep_free(next);
	if (is_proven || denial.is_too_costly)
		return STEP_OK;
	return conclude(&v->verdict, STEP_BOGUS, *why.reason ? why.ede : EDE_NO_NSEC,
			"%s comes from a wildcard, without proof that nothing closer exists%s%s",
			name_text(ldns_rr_list_owner(rrset), name), *why.reason ? ": " : "", why.reason);
}

static enum step check_rrset(struct validation *v, const ldns_pkt *answer, ldns_rr_list *rrset)
{
	ldns_rr_list *signatures =
		signatures_of(ldns_pkt_answer(answer), ldns_rr_list_owner(rrset), ldns_rr_list_type(rrset));
	const struct cut *zone = NULL;
	const ldns_rr *signature = NULL;
	enum step step = zone_of_signer(v, ldns_rr_list_owner(rrset), signatures, &zone);

	if (step == STEP_OK)
		step = verify_rrset(rrset, signatures, zone->name, zone->keys, v->now_s, &signature, &v->verdict);
	if (step == STEP_OK)
		step = check_wildcard(v, answer, rrset, signature, zone);
	ldns_rr_list_free(signatures);
	return blame(v, step, answer, zone ? zone->name : NULL, LDNS_RR_TYPE_DNSKEY);
}

/* Who denies: the signer of the first proof there is, else the zone of the name. */
static enum step zone_of_denial(struct validation *v, const ldns_pkt *answer, const ldns_rdf *name,
				const struct cut **ret)
{
	ldns_rr_list *authority = ldns_pkt_authority(answer), *signatures = ldns_rr_list_new();
	enum step step;

	for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
		ldns_rr *rr = ldns_rr_list_rr(authority, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && ldns_rr_rd_count(rr) == 9)
			ldns_rr_list_push_rr(signatures, rr);
	}
	step = zone_of_signer(v, name, signatures, ret);
	ldns_rr_list_free(signatures);
	return step;
}

static enum step check_absence(struct validation *v, const ldns_pkt *answer, const ldns_rdf *name)
{
	struct validation_verdict why = {0};
	const struct cut *zone = NULL;
	enum step step = zone_of_denial(v, answer, name, &zone);
	char text[NAME_TEXT], apex[NAME_TEXT];
	ldns_rr_list *denials;
	struct denial denial;
	bool is_nxdomain = ldns_pkt_get_rcode(answer) == LDNS_RCODE_NXDOMAIN, is_proven;

	if (step != STEP_OK)
		return step;
	denials = verified_denials(ldns_pkt_authority(answer), zone->name, zone->keys, v->now_s, &why);
	denial = denial_of(denials, name, zone->name);
	is_proven = is_nxdomain ? denial.has_no_name
				: denial.is_empty_nonterminal || denial.is_opt_out ||
					  (denial.match && !denial_has_type(denial.match, v->qtype) &&
					   !denial_has_type(denial.match, LDNS_RR_TYPE_CNAME));
	ldns_rr_list_free(denials);
	if (is_proven)
		return STEP_OK;
	if (denial.is_opt_out || denial.is_too_costly)
		return conclude(&v->verdict, STEP_INSECURE, 0,
				"%s proves it only by NSEC3 records that prove little (%s)",
				name_text(zone->name, apex), denial.is_opt_out ? "opt-out" : "too many iterations");
	step = conclude(&v->verdict, STEP_BOGUS, *why.reason ? why.ede : EDE_NO_NSEC,
			"%s does not prove that %s %s%s%s", name_text(zone->name, apex), name_text(name, text),
			is_nxdomain ? "does not exist" : "has no such record", *why.reason ? ": " : "", why.reason);
	return blame(v, step, answer, zone->name, LDNS_RR_TYPE_DNSKEY);
}

/* A CNAME without a signature is good if a signed DNAME above gives the same (RFC 6672 section 5.3.1): then that is what is checked. */
static enum step check_alias(struct validation *v, const ldns_pkt *answer, ldns_rr_list *cname)
{
	const ldns_rdf *owner = ldns_rr_list_owner(cname);
	ldns_rr_list *signatures = signatures_of(ldns_pkt_answer(answer), owner, LDNS_RR_TYPE_CNAME);
	bool is_signed = ldns_rr_list_rr_count(signatures);
	ldns_rr_list *all = ldns_pkt_answer(answer);

	ldns_rr_list_free(signatures);
	for (size_t i = 0; !is_signed && i < ldns_rr_list_rr_count(all); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(all, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNAME && ldns_dname_is_subdomain(owner, ldns_rr_owner(rr))) {
			ldns_rr_list *dname = rrset_of(all, ldns_rr_owner(rr), LDNS_RR_TYPE_DNAME);
			enum step step = check_rrset(v, answer, dname);

			ldns_rr_list_free(dname);
			return step;
		}
	}
	return check_rrset(v, answer, cname);
}

/* From the question's name along its aliases to the records, or to the proof that there are none. */
static enum step check_answer(struct validation *v)
{
	const ldns_pkt *answer = NULL;
	const ldns_rdf *name = v->qname;
	enum step step = answer_to(v, v->qname, v->qtype, &answer);

	for (int i = 0; step == STEP_OK && i < ALIASES_MAX; i++) {
		ldns_rr_list *rrset = rrset_of(ldns_pkt_answer(answer), name, v->qtype);
		ldns_rr_list *cname = rrset_of(ldns_pkt_answer(answer), name, LDNS_RR_TYPE_CNAME);
		bool is_last = ldns_rr_list_rr_count(rrset) || !ldns_rr_list_rr_count(cname);

		if (ldns_rr_list_rr_count(rrset))
			step = check_rrset(v, answer, rrset);
		else if (is_last)
			step = check_absence(v, answer, name);
		else
			step = check_alias(v, answer, cname);
		if (!is_last)
			name = ldns_rr_rdf(ldns_rr_list_rr(cname, 0), 0);
		ldns_rr_list_free(rrset);
		ldns_rr_list_free(cname);
		if (is_last)
			return step;
		if (step == STEP_OK && v->is_direct)
			step = answer_to(v, name, v->qtype, &answer);
	}
	return step == STEP_OK ? conclude(&v->verdict, STEP_FAILED, 0, "more than %d aliases", ALIASES_MAX) : step;
}

void validation_next(struct validation *v, struct validation_verdict *ret)
{
	static const enum validation_status statuses[] = {
		[STEP_OK] = VALIDATION_SECURE,         [STEP_NEEDS] = VALIDATION_NEEDS,
		[STEP_INSECURE] = VALIDATION_INSECURE, [STEP_BOGUS] = VALIDATION_BOGUS,
		[STEP_FAILED] = VALIDATION_FAILED,
	};
	enum step step;

	v->verdict = (struct validation_verdict){0};
	step = check_answer(v);
	v->verdict.status = statuses[step];
	if (step == STEP_NEEDS) {
		char *text = ldns_rdf2str(v->wanted.name);

		snprintf(v->verdict.name, sizeof(v->verdict.name), "%s", text ? text : ".");
		v->verdict.type = (uint16_t)v->wanted.type;
		free(text);
	}
	*ret = v->verdict;
}

const char *validation_ede_name(unsigned ede)
{
	switch (ede) {
	case EDE_UNSUPPORTED_ALGORITHM:
		return "Unsupported DNSKEY Algorithm";
	case EDE_BOGUS:
		return "DNSSEC Bogus";
	case EDE_EXPIRED:
		return "Signature Expired";
	case EDE_NOT_YET:
		return "Signature Not Yet Valid";
	case EDE_NO_DNSKEY:
		return "DNSKEY Missing";
	case EDE_NO_RRSIG:
		return "RRSIGs Missing";
	case EDE_NO_NSEC:
		return "NSEC Missing";
	default:
		return NULL;
	}
}
