/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each damage on a small zone, signed; what became of it is looked at with ldns. */
#include "injectors/dnssec/damage.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ZONE                                                                            \
	"example.com. 300 IN SOA ns1.example.com. h.example.com. 7 3600 600 86400 60\n" \
	"example.com. 300 IN NS ns1.example.com.\n"                                     \
	"ns1.example.com. 300 IN A 192.0.2.1\n"                                         \
	"www.example.com. 300 IN A 192.0.2.80\n"

struct fixture {
	struct server_signing as;
	struct server_zone zone;
	struct zone_change change;
	struct dnssec_keys keys;
	struct dnssec_key_use uses[8];
	struct dnssec_signing signing;
	struct zone_edit edit;
	ldns_rr_list *good;
};

static ldns_rr_list *parse(void)
{
	ldns_rr_list *list = ldns_rr_list_new();
	char text[] = ZONE;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		ldns_rr *rr = NULL;

		assert_int_equal(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
		ldns_rr_list_push_rr(list, rr);
	}
	return list;
}

static void begin(struct fixture *f, bool is_nsec3)
{
	struct err err;

	*f = (struct fixture){.as = {.algorithm = 13, .is_nsec3 = is_nsec3}};
	f->zone = (struct server_zone){.name = "example.com", .signing = &f->as};
	for (int is_sep = 1; is_sep >= 0; is_sep--) {
		struct dnssec_key *key;

		assert_int_equal(dnssec_key_new("example.com", 13, is_sep, &key, &err), 0);
		assert_int_equal(dnssec_keys_add(&f->keys, key, &err), 0);
	}
	f->signing = (struct dnssec_signing){.zone = "example.com", .is_nsec3 = is_nsec3, .dnskey_ttl = 300};
	f->signing.inception_s = time(NULL) - 3600;
	f->signing.expiration_s = time(NULL) + 86400;
	dnssec_use_all(&f->keys, f->uses, &f->signing);
	f->good = parse();
	f->edit = (struct zone_edit){.change = &f->change,
				     .zone = &f->zone,
				     .state = ZONE_CHANGED,
				     .rrs = f->good,
				     .signing = &f->signing,
				     .keys = &f->keys};
}

static void end(struct fixture *f)
{
	dnssec_keys_fini(&f->keys);
	dnssec_keys_fini(&f->change.fresh);
	ldns_rr_list_deep_free(f->good);
}

/* The zone as it would be served; the caller's. */
static ldns_rr_list *damaged(struct fixture *f, enum signing_what what)
{
	ldns_rr_list *ret = NULL;
	struct err err = {0};

	assert_int_equal(signing_fresh_keys(&f->zone, what, &f->change.fresh, &err), 0);
	if (signing_damage(&f->edit, what, &err) < 0 || dnssec_sign(f->good, &f->signing, &ret, &err) < 0)
		fail_msg("%s", err.text);
	return ret;
}

static ldns_rr *signature_of(const ldns_rr_list *rrs, ldns_rr_type covered)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG &&
		    ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == covered)
			return rr;
	}
	fail_msg("no signature of type %d", (int)covered);
	return NULL;
}

static bool has_key(const ldns_rr_list *rrs, uint16_t tag)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY && ldns_calc_keytag(rr) == tag)
			return true;
	}
	return false;
}

static uint16_t signer_of(const ldns_rr_list *rrs, ldns_rr_type covered)
{
	return ldns_rdf2native_int16(ldns_rr_rrsig_keytag(signature_of(rrs, covered)));
}

/* RFC 4034 section 3.1.5: the moment lies between inception and expiration. */
static void expired_signatures_ended_and_early_ones_have_not_begun(void **state)
{
	struct fixture f;
	ldns_rr_list *rrs;

	(void)state;
	begin(&f, false);
	rrs = damaged(&f, SIGNING_EXPIRED);
	assert_true(ldns_rdf2native_int32(ldns_rr_rrsig_expiration(signature_of(rrs, LDNS_RR_TYPE_A))) < time(NULL));
	ldns_rr_list_deep_free(rrs);
	rrs = damaged(&f, SIGNING_NOT_YET);
	assert_true(ldns_rdf2native_int32(ldns_rr_rrsig_inception(signature_of(rrs, LDNS_RR_TYPE_A))) > time(NULL));
	ldns_rr_list_deep_free(rrs);
	end(&f);
}

static void a_withdrawn_key_signs_and_is_not_published(void **state)
{
	struct fixture f;
	ldns_rr_list *rrs;

	(void)state;
	begin(&f, false);
	rrs = damaged(&f, SIGNING_KEY_WITHDRAWN);
	assert_true(has_key(rrs, f.keys.v[0]->tag));
	assert_false(has_key(rrs, f.keys.v[1]->tag));
	assert_int_equal(signer_of(rrs, LDNS_RR_TYPE_A), f.keys.v[1]->tag);
	ldns_rr_list_deep_free(rrs);
	end(&f);
}

/* The parent's DS names the old key-signing key, which is gone. */
static void a_stopped_rollover_has_another_key_signing_key_only(void **state)
{
	struct fixture f;
	ldns_rr_list *rrs;

	(void)state;
	begin(&f, false);
	rrs = damaged(&f, SIGNING_ROLLOVER_STOPPED);
	assert_false(has_key(rrs, f.keys.v[0]->tag));
	assert_true(has_key(rrs, f.keys.v[1]->tag));
	assert_true(has_key(rrs, f.change.fresh.v[0]->tag));
	assert_int_equal(signer_of(rrs, LDNS_RR_TYPE_DNSKEY), f.change.fresh.v[0]->tag);
	assert_int_equal(signer_of(rrs, LDNS_RR_TYPE_A), f.keys.v[1]->tag);
	ldns_rr_list_deep_free(rrs);
	end(&f);
}

static void half_an_algorithm_roll_has_no_key_and_no_signature_of_the_old_one(void **state)
{
	struct fixture f;
	ldns_rr_list *rrs;
	size_t signatures = 0;

	(void)state;
	begin(&f, false);
	rrs = damaged(&f, SIGNING_ALGORITHM_HALF);
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY)
			assert_int_equal(ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(rr)), 15);
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG)
			continue;
		assert_int_equal(ldns_rdf2native_int8(ldns_rr_rrsig_algorithm(rr)), 15);
		signatures++;
	}
	assert_true(signatures > 0);
	ldns_rr_list_deep_free(rrs);
	end(&f);
}

static void another_providers_key_is_missing_or_there_was_none(void **state)
{
	struct dnssec_key *foreign, *public;
	struct err err = {0};
	struct fixture f;
	ldns_rr_list *rrs;

	(void)state;
	begin(&f, false);
	assert_int_equal(signing_damage(&f.edit, SIGNING_FOREIGN_KEY_MISSING, &err), -EINVAL);
	assert_non_null(strstr(err.text, "other provider"));
	assert_int_equal(dnssec_key_new("example.com", 13, false, &foreign, &err), 0);
	assert_int_equal(dnssec_key_public(foreign->dnskey, &public, &err), 0);
	assert_int_equal(dnssec_keys_add(&f.keys, public, &err), 0);
	dnssec_use_all(&f.keys, f.uses, &f.signing);
	rrs = damaged(&f, SIGNING_FOREIGN_KEY_MISSING);
	assert_false(has_key(rrs, foreign->tag));
	assert_true(has_key(rrs, f.keys.v[1]->tag));
	ldns_rr_list_deep_free(rrs);
	dnssec_key_free(foreign);
	end(&f);
}

static const ldns_rr *first(const ldns_rr_list *rrs, ldns_rr_type type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(rrs, i)) == type)
			return ldns_rr_list_rr(rrs, i);
	return NULL;
}

/* RFC 5155 section 4: NSEC3PARAM tells the parameters of the chain. */
static void nsec3_parameters_name_another_salt_than_the_chain(void **state)
{
	struct fixture f;
	ldns_rr_list *rrs;

	(void)state;
	begin(&f, true);
	rrs = damaged(&f, SIGNING_NSEC3_PARAMETERS);
	assert_non_null(first(rrs, LDNS_RR_TYPE_NSEC3PARAM));
	assert_int_not_equal(ldns_rdf_compare(ldns_rr_rdf(first(rrs, LDNS_RR_TYPE_NSEC3PARAM), 3),
					      ldns_rr_rdf(first(rrs, LDNS_RR_TYPE_NSEC3), 3)),
			     0);
	ldns_rr_list_deep_free(rrs);
	end(&f);
}

static void nsec3_iterations_are_500_in_chain_and_parameters(void **state)
{
	struct fixture f;
	ldns_rr_list *rrs;

	(void)state;
	begin(&f, true);
	rrs = damaged(&f, SIGNING_NSEC3_ITERATIONS);
	assert_int_equal(ldns_rdf2native_int16(ldns_rr_rdf(first(rrs, LDNS_RR_TYPE_NSEC3), 2)), 500);
	assert_int_equal(ldns_rdf2native_int16(ldns_rr_rdf(first(rrs, LDNS_RR_TYPE_NSEC3PARAM), 2)), 500);
	ldns_rr_list_deep_free(rrs);
	end(&f);
}

static void a_zone_with_nsec_has_no_nsec3_to_damage(void **state)
{
	struct err err = {0};
	struct fixture f;

	(void)state;
	begin(&f, false);
	assert_int_equal(signing_damage(&f.edit, SIGNING_NSEC3_PARAMETERS, &err), -EINVAL);
	assert_int_equal(signing_damage(&f.edit, SIGNING_NSEC3_ITERATIONS, &err), -EINVAL);
	end(&f);
}

/* RFC 8976 section 3: the digest is of the zone without itself. */
static void a_wrong_zonemd_is_there_and_does_not_fit(void **state)
{
	uint8_t digest[48];
	struct err err = {0};
	struct fixture f;
	ldns_rr_list *rrs;
	const ldns_rr *zonemd;

	(void)state;
	begin(&f, false);
	rrs = damaged(&f, SIGNING_ZONEMD_WRONG);
	zonemd = first(rrs, LDNS_RR_TYPE_ZONEMD);
	assert_non_null(zonemd);
	assert_int_equal(dnssec_zonemd(rrs, ldns_rr_owner(zonemd), digest, &err), 0);
	assert_int_equal(ldns_rdf_size(ldns_rr_rdf(zonemd, 3)), sizeof(digest));
	assert_memory_not_equal(ldns_rdf_data(ldns_rr_rdf(zonemd, 3)), digest, sizeof(digest));
	ldns_rr_list_deep_free(rrs);
	end(&f);
}

static void an_unsigned_zone_is_not_to_be_signed(void **state)
{
	struct err err = {0};
	struct fixture f;

	(void)state;
	begin(&f, false);
	assert_int_equal(signing_damage(&f.edit, SIGNING_UNSIGNED, &err), 0);
	assert_true(f.edit.is_unsigned);
	assert_int_equal(ldns_rr_list_rr_count(f.good), 4);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expired_signatures_ended_and_early_ones_have_not_begun),
		cmocka_unit_test(a_withdrawn_key_signs_and_is_not_published),
		cmocka_unit_test(a_stopped_rollover_has_another_key_signing_key_only),
		cmocka_unit_test(half_an_algorithm_roll_has_no_key_and_no_signature_of_the_old_one),
		cmocka_unit_test(another_providers_key_is_missing_or_there_was_none),
		cmocka_unit_test(nsec3_parameters_name_another_salt_than_the_chain),
		cmocka_unit_test(nsec3_iterations_are_500_in_chain_and_parameters),
		cmocka_unit_test(a_zone_with_nsec_has_no_nsec3_to_damage),
		cmocka_unit_test(a_wrong_zonemd_is_there_and_does_not_fit),
		cmocka_unit_test(an_unsigned_zone_is_not_to_be_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
