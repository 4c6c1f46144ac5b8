/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of three zones, each signed as a case wants it, and a server of them that answers from memory. */
#include "harness/dnssec/sign.h"
#include "harness/dnssec/validate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1800000000
#define DAY 86400

enum { ROOT, TLD, ZONE, LEVELS };
static const char *const names[LEVELS] = {".", "com.", "example.com."};

struct level {
	struct dnssec_keys keys;
	struct dnssec_key_use uses[2];
	struct dnssec_signing signing;
	bool is_unsigned, has_no_ds, has_foreign_ds;
	ldns_rr_list *rrs;
};

struct chain {
	struct level levels[LEVELS];
	ldns_rr_list *anchor;
	bool hides_signatures, hides_denials;
};

static void add(ldns_rr_list *list, const char *text)
{
	ldns_rr *rr = NULL;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	ldns_rr_list_push_rr(list, rr);
}

static struct dnssec_key *new_key(const char *zone, bool is_sep)
{
	struct dnssec_key *key;
	struct err err;

	assert_int_equal(dnssec_key_new(zone, 13, is_sep, &key, &err), 0);
	return key;
}

static void chain_init(struct chain *c)
{
	struct err err;

	memset(c, 0, sizeof(*c));
	for (int i = 0; i < LEVELS; i++) {
		struct level *level = &c->levels[i];

		for (int k = 0; k < 2; k++) {
			assert_int_equal(dnssec_keys_add(&level->keys, new_key(names[i], k == 0), &err), 0);
			level->uses[k] = (struct dnssec_key_use){level->keys.v[k], true, true};
		}
		level->signing = (struct dnssec_signing){
			.zone = names[i], .keys = level->uses, .key_count = 2, .dnskey_ttl = 60};
		level->signing.inception_s = NOW - DAY;
		level->signing.expiration_s = NOW + DAY;
	}
	c->anchor = ldns_rr_list_new();
	ldns_rr_list_push_rr(c->anchor, ldns_rr_clone(c->levels[ROOT].keys.v[0]->dnskey));
}

/* The records of a zone, signed; a DS of the next one is in it unless the case says otherwise. */
static void make_level(struct chain *c, int i)
{
	struct level *level = &c->levels[i];
	ldns_rr_list *plain = ldns_rr_list_new();
	char text[256];
	struct err err = {0};

	snprintf(text, sizeof(text), "%s 60 IN SOA ns. h. 1 2 3 4 5", names[i]);
	add(plain, text);
	snprintf(text, sizeof(text), "%s 60 IN NS ns.nowhere.", names[i]);
	add(plain, text);
	if (i == ZONE) {
		add(plain, "www.example.com. 60 IN A 192.0.2.1");
		add(plain, "alias.example.com. 60 IN CNAME www.example.com.");
		add(plain, "*.wild.example.com. 60 IN A 192.0.2.2");
		add(plain, "a.deep.example.com. 60 IN A 192.0.2.3");
	} else {
		snprintf(text, sizeof(text), "%s 60 IN NS ns.nowhere.", names[i + 1]);
		add(plain, text);
		if (!c->levels[i + 1].has_no_ds)
			ldns_rr_list_push_rr(plain, dnssec_key_ds(c->levels[i + 1].keys.v[0]->dnskey, 60));
	}
	if (level->is_unsigned)
		level->rrs = ldns_rr_list_clone(plain);
	else if (dnssec_sign(plain, &level->signing, &level->rrs, &err) < 0)
		fail_msg("%s", err.text);
	if (level->has_foreign_ds) {
		dnssec_key_free(level->keys.v[0]);
		level->keys.v[0] = level->uses[0].key = new_key(names[i], true);
	}
	ldns_rr_list_deep_free(plain);
}

static void chain_fini(struct chain *c)
{
	for (int i = 0; i < LEVELS; i++) {
		ldns_rr_list_deep_free(c->levels[i].rrs);
		dnssec_keys_fini(&c->levels[i].keys);
	}
	ldns_rr_list_deep_free(c->anchor);
}

static bool is_denial(const ldns_rr *rr)
{
	ldns_rr_type type = ldns_rr_get_type(rr);

	if (type == LDNS_RR_TYPE_RRSIG)
		type = ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr));
	return type == LDNS_RR_TYPE_NSEC || type == LDNS_RR_TYPE_NSEC3;
}

static bool is_answer(const ldns_rr *rr, const ldns_rdf *owner, ldns_rr_type type)
{
	ldns_rr_type own = ldns_rr_get_type(rr);

	if (ldns_dname_compare(ldns_rr_owner(rr), owner) != 0)
		return false;
	return own == type || (own == LDNS_RR_TYPE_RRSIG && ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == type);
}

/* The records of one name and type, renamed if a wildcard made them; every proof the zone has stands in the authority section: more than enough. */
static ldns_pkt *answer(const struct chain *c, const char *name, uint16_t type, const char *from, ldns_pkt_rcode rcode)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(from), *shown = ldns_dname_new_frm_str(name);
	ldns_pkt *packet = ldns_pkt_new();
	int i = LEVELS;
	bool found = false;

	while (--i > ROOT) {
		ldns_rdf *zone = ldns_dname_new_frm_str(names[i]);
		bool is_at = ldns_dname_compare(owner, zone) == 0;
		bool fits = is_at ? type != LDNS_RR_TYPE_DS : ldns_dname_is_subdomain(owner, zone);

		ldns_rdf_deep_free(zone);
		if (fits)
			break;
	}
	for (size_t k = 0; k < ldns_rr_list_rr_count(c->levels[i].rrs); k++) {
		ldns_rr *rr = ldns_rr_list_rr(c->levels[i].rrs, k), *copy;

		if (c->hides_signatures && i == ZONE && ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG)
			continue;
		if (is_answer(rr, owner, (ldns_rr_type)type)) {
			copy = ldns_rr_clone(rr);
			ldns_rdf_deep_free(ldns_rr_owner(copy));
			ldns_rr_set_owner(copy, ldns_rdf_clone(shown));
			ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, copy);
			found = true;
		} else if (is_denial(rr) && !(c->hides_denials && i == ZONE)) {
			ldns_pkt_push_rr(packet, LDNS_SECTION_AUTHORITY, ldns_rr_clone(rr));
		}
	}
	ldns_pkt_set_rcode(packet, found ? LDNS_RCODE_NOERROR : rcode);
	ldns_rdf_deep_free(owner);
	ldns_rdf_deep_free(shown);
	return packet;
}

/* from: the owner that the zone has it under, where a wildcard answers. */
static struct validation_verdict validate(struct chain *c, const char *qname, const char *from, ldns_pkt_rcode rcode)
{
	struct validation *v = validation_new(c->anchor, qname, LDNS_RR_TYPE_A, NOW);
	struct validation_verdict verdict;

	for (int i = LEVELS; i-- > 0;)
		make_level(c, i);
	assert_non_null(v);
	validation_next(v, &verdict);
	for (int i = 0; verdict.status == VALIDATION_NEEDS; i++) {
		bool is_question = verdict.type == LDNS_RR_TYPE_A;

		assert_true(i < 20);
		assert_true(validation_add(v, answer(c, verdict.name, verdict.type, is_question ? from : verdict.name,
						     is_question ? rcode : LDNS_RCODE_NOERROR)));
		validation_next(v, &verdict);
	}
	validation_free(v);
	chain_fini(c);
	return verdict;
}

#define ASSERT_VERDICT(c, qname, from, rcode, want, wanted_ede, part)                                         \
	do {                                                                                                  \
		struct validation_verdict verdict = validate(c, qname, from, rcode);                          \
		if (verdict.status != (want) || verdict.ede != (wanted_ede) || !strstr(verdict.reason, part)) \
			fail_msg("%d, EDE %u: %s", verdict.status, verdict.ede, verdict.reason);              \
	} while (0)
#define WWW "www.example.com."

static void a_good_chain_is_secure(void **state)
{
	struct chain c;

	(void)state;
	chain_init(&c);
	ASSERT_VERDICT(&c, WWW, WWW, LDNS_RCODE_NOERROR, VALIDATION_SECURE, 0, "");
}

static void proofs_of_absence_are_secure_by_nsec_and_nsec3(void **state)
{
	(void)state;
	for (int is_nsec3 = 0; is_nsec3 < 2; is_nsec3++) {
		struct chain c;

		chain_init(&c);
		c.levels[ZONE].signing.is_nsec3 = is_nsec3;
		ASSERT_VERDICT(&c, "no.example.com.", "no.example.com.", LDNS_RCODE_NXDOMAIN, VALIDATION_SECURE, 0, "");
		chain_init(&c);
		c.levels[ZONE].signing.is_nsec3 = is_nsec3;
		ASSERT_VERDICT(&c, "deep.example.com.", "deep.example.com.", LDNS_RCODE_NOERROR, VALIDATION_SECURE, 0,
			       "");
		chain_init(&c);
		c.levels[ZONE].signing.is_nsec3 = is_nsec3;
		ASSERT_VERDICT(&c, "x.wild.example.com.", "*.wild.example.com.", LDNS_RCODE_NOERROR, VALIDATION_SECURE,
			       0, "");
		/* What exists is not denied by the same records. */
		chain_init(&c);
		c.levels[ZONE].signing.is_nsec3 = is_nsec3;
		ASSERT_VERDICT(&c, WWW, "nothing.example.com.", LDNS_RCODE_NXDOMAIN, VALIDATION_BOGUS, 12,
			       "does not prove that www.example.com does not exist");
	}
}

static void signatures_out_of_time_are_named(void **state)
{
	struct chain c;

	(void)state;
	chain_init(&c);
	c.levels[ZONE].signing.expiration_s = NOW - 60;
	ASSERT_VERDICT(&c, WWW, WWW, LDNS_RCODE_NOERROR, VALIDATION_BOGUS, 7, "example.com DNSKEY by key");
	chain_init(&c);
	c.levels[TLD].signing.inception_s = NOW + 60;
	ASSERT_VERDICT(&c, WWW, WWW, LDNS_RCODE_NOERROR, VALIDATION_BOGUS, 8, "com DNSKEY by key");
}

static void a_key_that_is_not_there_is_named(void **state)
{
	struct chain c;

	(void)state;
	chain_init(&c);
	c.levels[ZONE].uses[1].is_published = false;
	ASSERT_VERDICT(&c, WWW, WWW, LDNS_RCODE_NOERROR, VALIDATION_BOGUS, 9, "www.example.com A is signed by key");
	/* The parent, made after the zone, names a key that came after. */
	chain_init(&c);
	c.levels[ZONE].has_foreign_ds = true;
	ASSERT_VERDICT(&c, WWW, WWW, LDNS_RCODE_NOERROR, VALIDATION_BOGUS, 9,
		       "no DNSKEY of example.com is the one that its DS names");
}

static void a_zone_without_ds_is_insecure_and_one_without_signatures_bogus(void **state)
{
	struct chain c;

	(void)state;
	chain_init(&c);
	c.levels[ZONE].has_no_ds = c.levels[ZONE].is_unsigned = true;
	ASSERT_VERDICT(&c, WWW, WWW, LDNS_RCODE_NOERROR, VALIDATION_INSECURE, 0, "com has no DS for example.com");
	chain_init(&c);
	c.levels[ZONE].is_unsigned = true;
	ASSERT_VERDICT(&c, WWW, WWW, LDNS_RCODE_NOERROR, VALIDATION_BOGUS, 9, "example.com has a DS");
}

static void a_wildcard_needs_its_proof(void **state)
{
	struct chain c;

	(void)state;
	chain_init(&c);
	c.hides_denials = true;
	ASSERT_VERDICT(&c, "x.wild.example.com.", "*.wild.example.com.", LDNS_RCODE_NOERROR, VALIDATION_BOGUS, 12,
		       "comes from a wildcard");
}

static void another_anchor_trusts_nothing(void **state)
{
	struct chain c;
	struct dnssec_key *other = new_key(".", true);

	(void)state;
	chain_init(&c);
	ldns_rr_list_deep_free(c.anchor);
	c.anchor = ldns_rr_list_new();
	ldns_rr_list_push_rr(c.anchor, ldns_rr_clone(other->dnskey));
	dnssec_key_free(other);
	ASSERT_VERDICT(&c, WWW, WWW, LDNS_RCODE_NOERROR, VALIDATION_BOGUS, 9, "the trust anchor names");
}

static void an_alias_is_asked_on_where_answers_come_from_servers(void **state)
{
	struct validation *v;
	struct validation_verdict verdict;
	bool has_asked_on = false;
	struct chain c;

	(void)state;
	chain_init(&c);
	for (int i = LEVELS; i-- > 0;)
		make_level(&c, i);
	v = validation_new(c.anchor, "alias.example.com.", LDNS_RR_TYPE_A, NOW);
	validation_set_direct(v);
	validation_next(v, &verdict);
	for (int i = 0; verdict.status == VALIDATION_NEEDS && i < 20; i++) {
		bool is_alias = verdict.type == LDNS_RR_TYPE_A && !strcmp(verdict.name, "alias.example.com.");

		has_asked_on |= verdict.type == LDNS_RR_TYPE_A && !strcmp(verdict.name, WWW);
		assert_true(validation_add(v, answer(&c, verdict.name, is_alias ? LDNS_RR_TYPE_CNAME : verdict.type,
						     verdict.name, LDNS_RCODE_NOERROR)));
		validation_next(v, &verdict);
	}
	assert_true(has_asked_on);
	assert_int_equal(verdict.status, VALIDATION_SECURE);
	validation_free(v);
	chain_fini(&c);
}

static void what_is_bogus_is_told_with_the_answer_it_stands_in(void **state)
{
	const ldns_pkt *keys = NULL, *ds = NULL;
	struct validation_verdict verdict;
	struct validation *v;
	struct chain c;

	(void)state;
	chain_init(&c);
	c.levels[ZONE].signing.expiration_s = NOW - 60;
	for (int i = LEVELS; i-- > 0;)
		make_level(&c, i);
	v = validation_new(c.anchor, WWW, LDNS_RR_TYPE_A, NOW);
	validation_next(v, &verdict);
	for (int i = 0; verdict.status == VALIDATION_NEEDS && i < 20; i++) {
		ldns_pkt *packet = answer(&c, verdict.name, verdict.type, verdict.name, LDNS_RCODE_NOERROR);

		if (!strcmp(verdict.name, names[ZONE]))
			*(verdict.type == LDNS_RR_TYPE_DS ? &ds : &keys) = packet;
		assert_true(validation_add(v, packet));
		validation_next(v, &verdict);
	}
	assert_int_equal(verdict.status, VALIDATION_BOGUS);
	assert_ptr_equal(verdict.from, keys);
	assert_ptr_equal(verdict.against, ds);
	validation_free(v);
	chain_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_chain_is_secure),
		cmocka_unit_test(proofs_of_absence_are_secure_by_nsec_and_nsec3),
		cmocka_unit_test(signatures_out_of_time_are_named),
		cmocka_unit_test(a_key_that_is_not_there_is_named),
		cmocka_unit_test(a_zone_without_ds_is_insecure_and_one_without_signatures_bogus),
		cmocka_unit_test(a_wildcard_needs_its_proof),
		cmocka_unit_test(another_anchor_trusts_nothing),
		cmocka_unit_test(an_alias_is_asked_on_where_answers_come_from_servers),
		cmocka_unit_test(what_is_bogus_is_told_with_the_answer_it_stands_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
