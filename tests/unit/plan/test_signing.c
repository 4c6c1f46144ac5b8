/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/units.h"
#include "tests/unit/plan/plan_text.h"

static int setup(void **state)
{
	int r = plan_text_setup(state);

	write_text("example.com.zone", PLAN_ZONE);
	return r;
}

/* A lab of two providers whose zone is signed as given; software: of alpha's. */
static const char *lab(const char *sign, const char *software, const char *more)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "plan: 1\nlab:\n  zones:\n    example.com:\n      file: example.com.zone\n      apex_ns: from-lab\n"
		 "      sign: %s\n  providers:\n"
		 "    alpha: {nameservers: {ns1: {address: 192.0.2.1, server: %s}}}\n"
		 "    beta: {nameservers: {ns1: {address: 192.0.2.2, server: knot%s}}}\n",
		 sign, software, more);
	return text;
}

static const struct sign_spec *sign_of(const struct plan_set *set)
{
	return &((const struct zone_spec *)set->plans[0]->lab.zones.v)->sign;
}

static void true_means_the_defaults(void **state)
{
	struct plan_set *set = load_good(lab("true", "nsd", ""));
	const struct sign_spec *sign = sign_of(set);

	(void)state;
	assert_true(sign->is_given);
	assert_int_equal(sign->by, SIGN_BY_LDNS);
	assert_int_equal(sign_algorithm(sign), 13);
	assert_int_equal(sign->validity_ns, 14 * 24 * 3600 * SEC);
	assert_int_equal(sign->validity_ns, sign_defaults.validity_ns);
	assert_int_equal(sign->inception_ns, sign_defaults.inception_ns);
	assert_int_equal(sign->dnskey_ttl_ns, sign_defaults.dnskey_ttl_ns);
	assert_int_equal(sign->ds_ttl_ns, sign_defaults.ds_ttl_ns);
	assert_string_equal(sign->salt.value, sign_defaults.salt.value);
	plan_set_free(set);
}

static void false_means_unsigned(void **state)
{
	struct plan_set *set = load_good(lab("false", "nsd", ""));

	(void)state;
	assert_false(sign_of(set)->is_given);
	assert_false(set->plans[0]->topology->is_signed);
	plan_set_free(set);
}

static void algorithms_have_names_and_numbers(void **state)
{
	static const char *const said[] = {"8", "RSASHA256", "13", "ECDSAP256SHA256", "15", "ED25519"};
	static const unsigned numbers[] = {8, 8, 13, 13, 15, 15};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		char sign[64];
		struct plan_set *set;

		snprintf(sign, sizeof(sign), "{algorithm: %s}", said[i]);
		set = load_good(lab(sign, "nsd", ""));
		assert_true(sign_of(set)->is_given);
		assert_int_equal(sign_algorithm(sign_of(set)), numbers[i]);
		plan_set_free(set);
	}
}

static void only_software_that_can_sign_is_told_to(void **state)
{
	(void)state;
	plan_set_free(load_good(lab("{by: server}", "bind", "")));
	assert_refused(lab("{by: server}", "nsd", ""), "alpha.ns1: nsd is not set up to sign example.com");
}

static void providers_that_sign_are_two(void **state)
{
	(void)state;
	plan_set_free(load_good(lab("{by: providers}", "nsd", "")));
	assert_refused(lab("{by: providers}", "nsd", ", primary: alpha.ns1"), "needs two providers");
}

static void what_does_not_fit_together_is_said(void **state)
{
	(void)state;
	assert_refused(lab("{salt: abc}", "nsd", ""), "even number of hexadecimal digits");
	assert_refused(lab("{salt: abcd}", "nsd", ""), "are NSEC3's");
	assert_refused(lab("{iterations: 1}", "nsd", ""), "are NSEC3's");
	assert_refused(lab("{dnskey_ttl: 1500ms}", "nsd", ""), "whole seconds");
	assert_refused(lab("{by: server, validity: 1h}", "bind", ""), "by: ldns");
	assert_refused(lab("yes", "bind", ""), "is not a boolean here");
	plan_set_free(load_good(lab("{nsec: nsec3, salt: AbCd, iterations: 3}", "nsd", "")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(true_means_the_defaults),
		cmocka_unit_test(false_means_unsigned),
		cmocka_unit_test(algorithms_have_names_and_numbers),
		cmocka_unit_test(only_software_that_can_sign_is_told_to),
		cmocka_unit_test(providers_that_sign_are_two),
		cmocka_unit_test(what_does_not_fit_together_is_said),
	};

	return cmocka_run_group_tests(tests, setup, plan_text_teardown);
}
