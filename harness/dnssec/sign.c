/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/dnssec/sign.h"
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define ZONEMD_DIGEST 48

/* What signs: keys are borrowed, so the lists are emptied before they are freed. */
struct signer {
	const struct dnssec_signing *signing;
	ldns_rdf *apex;
	ldns_key_list *for_dnskey, *for_data;
	ldns_rr_list
		*made; /* records that signing adds before it signs; owned. The zone's own are borrowed all the while */
	ldns_rr_list *all; /* copies of what was handed out, for its digest; NULL: no ZONEMD is made */
	dnssec_take_fn *take;
	void *arg;
};

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
}

static int failed(const struct signer *signer, ldns_status status, struct err *err)
{
	return err_set(err, status == LDNS_STATUS_MEM_ERR ? -ENOMEM : -EINVAL, LOC_NONE, "cannot sign %s: %s",
		       signer->signing->zone, ldns_get_errorstr_by_id(status));
}

bool dnssec_is_added(ldns_rr_type type)
{
	switch ((int)type) {
	case LDNS_RR_TYPE_DNSKEY:
	case LDNS_RR_TYPE_CDS:
	case LDNS_RR_TYPE_CDNSKEY:
	case LDNS_RR_TYPE_RRSIG:
	case LDNS_RR_TYPE_NSEC:
	case LDNS_RR_TYPE_NSEC3:
	case LDNS_RR_TYPE_NSEC3PARAM:
	case LDNS_RR_TYPE_ZONEMD:
		return true;
	default:
		return false;
	}
}

static bool push_copy(ldns_rr_list *list, const ldns_rr *rr)
{
	ldns_rr *copy = ldns_rr_clone(rr);

	if (copy && ldns_rr_list_push_rr(list, copy))
		return true;
	ldns_rr_free(copy);
	return false;
}

void dnssec_use_all(const struct dnssec_keys *keys, struct dnssec_key_use *uses, struct dnssec_signing *signing)
{
	for (size_t i = 0; i < keys->count; i++)
		uses[i] = (struct dnssec_key_use){.key = keys->v[i], .is_published = true, .signs = keys->v[i]->key};
	signing->keys = uses;
	signing->key_count = keys->count;
}

void dnssec_set_salt(struct dnssec_signing *signing, const char *text)
{
	unsigned byte;

	signing->salt_len = 0;
	while (signing->salt_len < sizeof(signing->salt) && sscanf(text, "%2x", &byte) == 1 && *text != '-') {
		signing->salt[signing->salt_len++] = (uint8_t)byte;
		text += 2;
	}
}

/* ---- which key signs what ---- */

static bool is_covered(const struct dnssec_signing *signing, uint8_t algorithm, bool is_sep)
{
	for (size_t i = 0; i < signing->key_count; i++) {
		const struct dnssec_key_use *use = &signing->keys[i];

		if (use->signs && use->key->algorithm == algorithm && use->key->is_sep == is_sep)
			return true;
	}
	return false;
}

static int choose_keys(struct signer *signer, ldns_key_list *list, bool wants_sep, struct err *err)
{
	const struct dnssec_signing *signing = signer->signing;

	for (size_t i = 0; i < signing->key_count; i++) {
		struct dnssec_key *key = signing->keys[i].key;

		if (!signing->keys[i].signs ||
		    (key->is_sep != wants_sep && is_covered(signing, key->algorithm, wants_sep)))
			continue;
		if (!key->key)
			return err_set(err, -EINVAL, LOC_NONE, "cannot sign %s: the private part of key %u is not here",
				       signing->zone, key->tag);
		ldns_key_set_inception(key->key, (uint32_t)signing->inception_s);
		ldns_key_set_expiration(key->key, (uint32_t)signing->expiration_s);
		ldns_key_set_use(key->key, true);
		if (!ldns_key_list_push_key(list, key->key))
			return out_of_memory(err);
	}
	if (!ldns_key_list_key_count(list))
		return err_set(err, -EINVAL, LOC_NONE, "cannot sign %s: no key signs", signing->zone);
	return 0;
}

static void free_keys(ldns_key_list *list)
{
	if (list)
		ldns_key_list_set_key_count(list, 0);
	ldns_key_list_free(list);
}

/* ---- the zone as a tree ---- */

static ldns_rr *zonemd_record(const struct signer *signer, uint32_t serial, const uint8_t digest[ZONEMD_DIGEST])
{
	ldns_rr *rr = ldns_rr_new_frm_type(LDNS_RR_TYPE_ZONEMD);

	ldns_rr_set_owner(rr, ldns_rdf_clone(signer->apex));
	ldns_rr_set_ttl(rr, DNSSEC_KEY_TTL);
	ldns_rr_set_rdf(rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, serial), 0);
	ldns_rr_set_rdf(rr, ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, 1), 1);
	ldns_rr_set_rdf(rr, ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, 1), 2);
	ldns_rr_set_rdf(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_HEX, ZONEMD_DIGEST, digest), 3);
	return rr;
}

static uint32_t serial_of(const ldns_rr_list *rrs)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(rrs, i)) == LDNS_RR_TYPE_SOA)
			return ldns_rdf2native_int32(ldns_rr_rdf(ldns_rr_list_rr(rrs, i), 2));
	return 0;
}

/* Takes rr over, also where it fails. */
static ldns_status add_made(struct signer *signer, ldns_dnssec_zone *zone, ldns_rr *rr)
{
	if (!rr || !ldns_rr_list_push_rr(signer->made, rr)) {
		ldns_rr_free(rr);
		return LDNS_STATUS_MEM_ERR;
	}
	return ldns_dnssec_zone_add_rr(zone, rr);
}

static ldns_status add_keys(struct signer *signer, ldns_dnssec_zone *zone)
{
	const struct dnssec_signing *signing = signer->signing;
	ldns_status status = LDNS_STATUS_OK;

	for (size_t i = 0; status == LDNS_STATUS_OK && i < signing->key_count; i++) {
		ldns_rr *copy;

		if (!signing->keys[i].is_published)
			continue;
		copy = ldns_rr_clone(signing->keys[i].key->dnskey);
		if (copy)
			ldns_rr_set_ttl(copy, signing->dnskey_ttl);
		status = add_made(signer, zone, copy);
	}
	return status;
}

/* What is signed: the records without what an earlier signing left, and the keys. Of equal records ldns's tree takes one. */
static ldns_status build(struct signer *signer, const ldns_rr_list *rrs, ldns_dnssec_zone *zone)
{
	static const uint8_t nothing[ZONEMD_DIGEST];
	ldns_status status = LDNS_STATUS_OK;

	for (size_t i = 0; status == LDNS_STATUS_OK && i < ldns_rr_list_rr_count(rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (!dnssec_is_added(ldns_rr_get_type(rr)))
			status = ldns_dnssec_zone_add_rr(zone, rr);
	}
	if (status == LDNS_STATUS_OK)
		status = add_keys(signer, zone);
	if (status == LDNS_STATUS_OK && signer->signing->has_zonemd) /* so that the NSEC chain knows of it */
		status = add_made(signer, zone, zonemd_record(signer, serial_of(rrs), nothing));
	return status;
}

/* The records in it are others'. ldns frees the hashes of names only together with the records. */
static void free_zone(ldns_dnssec_zone *zone)
{
	ldns_rbtree_t *names = zone ? zone->names : NULL;

	for (ldns_rbnode_t *node = names ? ldns_rbtree_first(names) : LDNS_RBTREE_NULL; node != LDNS_RBTREE_NULL;
	     node = ldns_rbtree_next(node)) {
		ldns_dnssec_name *name = (ldns_dnssec_name *)(uintptr_t)node->data;

		ldns_rdf_deep_free(name->hashed_name);
		name->hashed_name = NULL;
	}
	ldns_dnssec_zone_free(zone);
}

static ldns_status add_denial(struct signer *signer, ldns_dnssec_zone *zone)
{
	const struct dnssec_signing *signing = signer->signing;
	uint8_t salt[sizeof(signing->salt)], other[] = {0xde, 0xad, 0xbe, 0xef};
	ldns_status status = ldns_dnssec_zone_mark_glue(zone);

	memcpy(salt, signing->salt, sizeof(salt));
	if (status == LDNS_STATUS_OK &&
	    signing->is_nsec3) /* these have an NSEC3 record (RFC 5155 section 7.1), but no NSEC */
		status = ldns_dnssec_zone_add_empty_nonterminals(zone);
	if (status == LDNS_STATUS_OK && signing->is_nsec3) {
		ldns_rr *param = ldns_rr_new_frm_type(LDNS_RR_TYPE_NSEC3PARAM);

		ldns_rr_set_owner(param, ldns_rdf_clone(ldns_dnssec_name_name(zone->soa)));
		if (signing->has_wrong_nsec3param)
			ldns_nsec3_add_param_rdfs(param, LDNS_SHA1, 0, signing->iterations, sizeof(other), other);
		else
			ldns_nsec3_add_param_rdfs(param, LDNS_SHA1, 0, signing->iterations, signing->salt_len, salt);
		status = add_made(signer, zone, param);
		if (status == LDNS_STATUS_OK)
			status = ldns_dnssec_zone_create_nsec3s(zone, signer->made, LDNS_SHA1, 0, signing->iterations,
								signing->salt_len, salt);
	} else if (status == LDNS_STATUS_OK) {
		status = ldns_dnssec_zone_create_nsecs(zone, signer->made);
	}
	return status;
}

/* ---- signatures ---- */

static int hand_out(struct signer *signer, const ldns_rr *rr, struct err *err)
{
	int r = signer->take(signer->arg, rr);

	if (r == 0 && signer->all && !push_copy(signer->all, rr))
		r = -ENOMEM;
	if (r == -ENOMEM)
		return out_of_memory(err);
	return r < 0 ? err_set(err, r, LOC_NONE, "cannot take the signed %s: %s", signer->signing->zone, strerror(-r))
		     : 0;
}

static int hand_out_all(struct signer *signer, const ldns_rr_list *rrs, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ldns_rr_list_rr_count(rrs); i++)
		r = hand_out(signer, ldns_rr_list_rr(rrs, i), err);
	return r;
}

static int sign_rrset(struct signer *signer, ldns_rr_list *rrset, bool is_signed, struct err *err)
{
	bool is_dnskey = ldns_rr_list_type(rrset) == LDNS_RR_TYPE_DNSKEY;
	ldns_rr_list *signatures;
	int r = hand_out_all(signer, rrset, err);

	if (r < 0 || !is_signed)
		return r;
	signatures = ldns_sign_public(rrset, is_dnskey ? signer->for_dnskey : signer->for_data);
	r = ldns_rr_list_rr_count(signatures) ? hand_out_all(signer, signatures, err)
					      : failed(signer, LDNS_STATUS_CRYPTO_UNKNOWN_ALGO, err);
	ldns_rr_list_deep_free(signatures);
	return r;
}

static int sign_records(struct signer *signer, ldns_dnssec_rrs *rrs, bool is_signed, struct err *err)
{
	ldns_rr_list *rrset = ldns_rr_list_new();
	int r = rrset ? 0 : out_of_memory(err);

	for (; r == 0 && rrs; rrs = rrs->next)
		if (!ldns_rr_list_push_rr(rrset, rrs->rr))
			r = out_of_memory(err);
	if (r == 0)
		r = sign_rrset(signer, rrset, is_signed, err);
	ldns_rr_list_free(rrset);
	return r;
}

/* At a zone cut only DS and the denial are the parent's own; below it nothing is (RFC 4035 section 2.2). */
static int sign_name(struct signer *signer, ldns_dnssec_name *name, struct err *err)
{
	bool is_cut = ldns_dnssec_rrsets_contains_type(name->rrsets, LDNS_RR_TYPE_NS) &&
		      !ldns_dnssec_rrsets_contains_type(name->rrsets, LDNS_RR_TYPE_SOA);
	bool is_glue = ldns_dnssec_name_is_glue(name);
	int r = 0;

	for (ldns_dnssec_rrsets *set = name->rrsets; r == 0 && set; set = set->next) {
		bool is_own = !is_glue && (!is_cut || set->type == LDNS_RR_TYPE_DS);

		if (set->type == LDNS_RR_TYPE_ZONEMD && signer->signing->has_zonemd)
			continue; /* added last */
		r = sign_records(signer, set->rrs, is_own, err);
	}
	if (r == 0 && name->nsec) {
		ldns_dnssec_rrs nsec = {.rr = name->nsec};

		r = sign_records(signer, &nsec, true, err);
	}
	return r;
}

static int sign_all(struct signer *signer, ldns_dnssec_zone *zone, struct err *err)
{
	int r = 0;

	for (ldns_rbnode_t *node = ldns_rbtree_first(zone->names); r == 0 && node != LDNS_RBTREE_NULL;
	     node = ldns_rbtree_next(node))
		r = sign_name(signer, (ldns_dnssec_name *)(uintptr_t)node->data, err);
	return r;
}

/* ---- ZONEMD ---- */

static bool is_left_out(const ldns_rr *rr, const ldns_rdf *apex)
{
	ldns_rr_type type = ldns_rr_get_type(rr);

	if (type == LDNS_RR_TYPE_RRSIG)
		type = ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr));
	return type == LDNS_RR_TYPE_ZONEMD && ldns_dname_compare(ldns_rr_owner(rr), apex) == 0;
}

static bool digest_records(EVP_MD_CTX *context, const ldns_rr_list *sorted, const ldns_rdf *apex)
{
	ldns_buffer *wire = ldns_buffer_new(LDNS_MAX_PACKETLEN);
	const ldns_rr *previous = NULL;
	bool is_good = wire;

	for (size_t i = 0; is_good && i < ldns_rr_list_rr_count(sorted); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(sorted, i);

		if (is_left_out(rr, apex) || (previous && ldns_rr_compare(previous, rr) == 0))
			continue;
		previous = rr;
		ldns_buffer_clear(wire);
		is_good = ldns_rr2buffer_wire_canonical(wire, rr, LDNS_SECTION_ANSWER) == LDNS_STATUS_OK &&
			  EVP_DigestUpdate(context, ldns_buffer_begin(wire), ldns_buffer_position(wire)) == 1;
	}
	ldns_buffer_free(wire);
	return is_good;
}

int dnssec_zonemd(const ldns_rr_list *rrs, const ldns_rdf *apex, uint8_t ret_digest[ZONEMD_DIGEST], struct err *err)
{
	ldns_rr_list *sorted = ldns_rr_list_clone(rrs);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_good = sorted && context;

	if (is_good)
		ldns_rr_list_sort(sorted);
	is_good = is_good && EVP_DigestInit_ex(context, EVP_sha384(), NULL) == 1 &&
		  digest_records(context, sorted, apex) && EVP_DigestFinal_ex(context, ret_digest, NULL) == 1;
	EVP_MD_CTX_free(context);
	ldns_rr_list_deep_free(sorted);
	return is_good ? 0 : err_set(err, -EINVAL, LOC_NONE, "cannot digest the zone");
}

static int add_zonemd(struct signer *signer, struct err *err)
{
	uint8_t digest[ZONEMD_DIGEST];
	ldns_dnssec_rrs record = {0};
	int r = dnssec_zonemd(signer->all, signer->apex, digest, err);

	if (r < 0)
		return r;
	digest[0] ^= signer->signing->has_wrong_zonemd;
	record.rr = zonemd_record(signer, serial_of(signer->all), digest);
	r = sign_records(signer, &record, true, err);
	ldns_rr_free(record.rr);
	return r;
}

/* ---- all of it ---- */

static int run(struct signer *signer, const ldns_rr_list *rrs, struct err *err)
{
	ldns_dnssec_zone *zone;
	ldns_status status;
	int r = choose_keys(signer, signer->for_dnskey, true, err);

	if (r == 0)
		r = choose_keys(signer, signer->for_data, false, err);
	if (r < 0)
		return r;
	zone = ldns_dnssec_zone_new();
	if (!zone)
		return out_of_memory(err);
	status = build(signer, rrs, zone);
	if (status == LDNS_STATUS_OK)
		status = zone->soa ? add_denial(signer, zone) : LDNS_STATUS_ERR;
	r = status == LDNS_STATUS_OK ? sign_all(signer, zone, err) : failed(signer, status, err);
	if (r == 0 && signer->signing->has_zonemd)
		r = add_zonemd(signer, err);
	free_zone(zone);
	return r;
}

int dnssec_sign_to(const ldns_rr_list *rrs, const struct dnssec_signing *signing, dnssec_take_fn *take, void *arg,
		   struct err *err)
{
	struct signer signer = {
		.signing = signing,
		.apex = ldns_dname_new_frm_str(signing->zone),
		.for_dnskey = ldns_key_list_new(),
		.for_data = ldns_key_list_new(),
		.made = ldns_rr_list_new(),
		.all = signing->has_zonemd ? ldns_rr_list_new() : NULL,
		.take = take,
		.arg = arg,
	};
	bool is_complete = signer.apex && signer.for_dnskey && signer.for_data && signer.made &&
			   (signer.all || !signing->has_zonemd);
	int r = is_complete ? run(&signer, rrs, err) : out_of_memory(err);

	free_keys(signer.for_dnskey);
	free_keys(signer.for_data);
	ldns_rdf_deep_free(signer.apex);
	ldns_rr_list_deep_free(signer.made);
	ldns_rr_list_deep_free(signer.all);
	return r;
}

static int take_copy(void *arg, const ldns_rr *rr)
{
	return push_copy(arg, rr) ? 0 : -ENOMEM;
}

int dnssec_sign(const ldns_rr_list *rrs, const struct dnssec_signing *signing, ldns_rr_list **ret_signed,
		struct err *err)
{
	ldns_rr_list *list = ldns_rr_list_new();
	int r = list ? dnssec_sign_to(rrs, signing, take_copy, list, err) : out_of_memory(err);

	if (r < 0)
		ldns_rr_list_deep_free(list);
	else
		*ret_signed = list;
	return r;
}
