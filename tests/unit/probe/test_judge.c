/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/macro.h"
#include "harness/probe/judge.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LIST(...) ((const char *const[]){__VA_ARGS__})
#define TEXTS(...)                                         \
	((struct texts){.v = (struct text[]){__VA_ARGS__}, \
			.count = sizeof((struct text[]){__VA_ARGS__}) / sizeof(struct text)})
#define T(s)                 \
	{                    \
		.value = (s) \
	}

static const struct good any_answer = {.min_ttl = PARAM_UNSET, .max_ttl = PARAM_UNSET};

static struct good good_of(struct texts texts)
{
	struct good good = any_answer;

	good.answer = texts;
	good.answer_given = true;
	return good;
}

static struct answer answer_of(const char *rcode, const char *const *rdata, size_t count)
{
	return (struct answer){.rcode = rcode,
			       .rdata = rdata,
			       .count = count,
			       .min_ttl = count ? 60 : PARAM_UNSET,
			       .max_ttl = count ? 60 : PARAM_UNSET,
			       .aa = TRISTATE_FALSE,
			       .ad = TRISTATE_FALSE};
}

static void check(const struct good *good, const struct answer *answer, enum outcome outcome, const char *detail)
{
	struct buf why = {0};

	assert_int_equal(judge(good, answer, &why), outcome);
	assert_string_equal(why.data ? why.data : "", detail);
	buf_fini(&why);
}

static void any_record_is_good_where_no_answer_is_given(void **state UNUSED)
{
	struct answer answer = answer_of("NOERROR", LIST("198.51.100.7"), 1);

	check(&any_answer, &answer, OUTCOME_OK, "");
}

static void noerror_without_records_is_wrong_where_no_answer_is_given(void **state UNUSED)
{
	struct answer answer = answer_of("NOERROR", NULL, 0);

	check(&any_answer, &answer, OUTCOME_WRONG, "NOERROR without a record of the wanted type");
}

static void the_same_set_in_another_order_is_good(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("192.0.2.80"), T("192.0.2.81")));
	struct answer answer = answer_of("NOERROR", LIST("192.0.2.81", "192.0.2.80"), 2);

	check(&good, &answer, OUTCOME_OK, "");
}

static void a_set_with_one_record_twice_is_the_same_set(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("192.0.2.80")));
	struct answer answer = answer_of("NOERROR", LIST("192.0.2.80", "192.0.2.80"), 2);

	check(&good, &answer, OUTCOME_OK, "");
}

static void a_missing_record_is_wrong(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("192.0.2.80"), T("192.0.2.81")));
	struct answer answer = answer_of("NOERROR", LIST("192.0.2.80"), 1);

	check(&good, &answer, OUTCOME_WRONG, "got {192.0.2.80}, expected {192.0.2.80, 192.0.2.81}");
}

static void a_record_too_many_is_wrong(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("192.0.2.80")));
	struct answer answer = answer_of("NOERROR", LIST("192.0.2.80", "203.0.113.9"), 2);

	check(&good, &answer, OUTCOME_WRONG, "got {192.0.2.80, 203.0.113.9}, expected {192.0.2.80}");
}

static void an_empty_answer_where_records_are_expected_is_wrong(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("192.0.2.80")));
	struct answer answer = answer_of("NOERROR", NULL, 0);

	check(&good, &answer, OUTCOME_WRONG, "got no record, expected {192.0.2.80}");
}

static void no_data_is_good_where_an_empty_answer_is_expected(void **state UNUSED)
{
	struct good good = good_of((struct texts){0});
	struct answer none = answer_of("NOERROR", NULL, 0);
	struct answer one = answer_of("NOERROR", LIST("192.0.2.80"), 1);

	check(&good, &none, OUTCOME_OK, "");
	check(&good, &one, OUTCOME_WRONG, "got {192.0.2.80}, expected none");
}

static void long_sets_are_cut_in_the_detail(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("1"), T("2"), T("3"), T("4"), T("5"), T("6")));
	struct answer answer = answer_of("NOERROR", LIST("7"), 1);

	check(&good, &answer, OUTCOME_WRONG, "got {7}, expected {1, 2, 3, 4 and 2 more}");
}

static void names_are_compared_without_regard_to_case(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("10 Mail.Example.COM.")));
	struct answer answer = answer_of("NOERROR", LIST("10 mail.example.com."), 1);

	check(&good, &answer, OUTCOME_OK, "");
}

/* TXT data are octets: "Hello" and "hello" are two answers. An escaped quote does not end the string. */
static void quoted_text_is_compared_exactly(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("\"a\\\"Hello\"")));
	struct answer same = answer_of("NOERROR", LIST("\"a\\\"Hello\""), 1);
	struct answer other = answer_of("NOERROR", LIST("\"a\\\"hello\""), 1);

	check(&good, &same, OUTCOME_OK, "");
	check(&good, &other, OUTCOME_WRONG, "got {\"a\\\"hello\"}, expected {\"a\\\"Hello\"}");
}

static void a_prefix_is_not_the_same(void **state UNUSED)
{
	struct good good = good_of(TEXTS(T("192.0.2.80")));
	struct answer answer = answer_of("NOERROR", LIST("192.0.2.8"), 1);

	check(&good, &answer, OUTCOME_WRONG, "got {192.0.2.8}, expected {192.0.2.80}");
}

static void servfail_is_an_error_answer(void **state UNUSED)
{
	struct answer answer = answer_of("SERVFAIL", NULL, 0);

	check(&any_answer, &answer, OUTCOME_RCODE, "SERVFAIL");
}

static void nxdomain_for_an_existing_name_is_wrong(void **state UNUSED)
{
	struct answer answer = answer_of("NXDOMAIN", NULL, 0);

	check(&any_answer, &answer, OUTCOME_WRONG, "NXDOMAIN, expected NOERROR");
}

static void noerror_for_a_name_that_should_not_exist_is_wrong(void **state UNUSED)
{
	struct good good = any_answer;
	struct answer answer = answer_of("NOERROR", LIST("192.0.2.80"), 1);

	good.rcode.value = "NXDOMAIN";
	check(&good, &answer, OUTCOME_WRONG, "NOERROR, expected NXDOMAIN");
}

static void an_expected_rcode_is_good_without_records_in_any_case(void **state UNUSED)
{
	struct good good = any_answer;
	struct answer answer = answer_of("NXDOMAIN", NULL, 0);

	good.rcode.value = "nxdomain";
	check(&good, &answer, OUTCOME_OK, "");
}

static void an_expected_refusal_is_good_and_another_error_is_not(void **state UNUSED)
{
	struct good good = any_answer;
	struct answer refused = answer_of("REFUSED", NULL, 0), servfail = answer_of("SERVFAIL", NULL, 0);

	good.rcode.value = "REFUSED";
	check(&good, &refused, OUTCOME_OK, "");
	check(&good, &servfail, OUTCOME_RCODE, "SERVFAIL, expected REFUSED");
}

/* An answer's records may differ in TTL: the lowest must keep the lower bound, the highest the upper one. Bounds are inclusive. */
static void ttl_bounds_hold_for_every_record(void **state UNUSED)
{
	struct good good = any_answer;
	struct answer answer = answer_of("NOERROR", LIST("a", "b"), 2);

	good.min_ttl = 30;
	good.max_ttl = 300;
	answer.min_ttl = 30;
	answer.max_ttl = 300;
	check(&good, &answer, OUTCOME_OK, "");
	answer.min_ttl = 29;
	check(&good, &answer, OUTCOME_WRONG, "TTL 29, expected at least 30");
	answer.min_ttl = 30;
	answer.max_ttl = 301;
	check(&good, &answer, OUTCOME_WRONG, "TTL 301, expected at most 300");
}

static void a_ttl_of_zero_can_be_demanded(void **state UNUSED)
{
	struct good good = any_answer;
	struct answer answer = answer_of("NOERROR", LIST("a"), 1);

	good.max_ttl = 0;
	check(&good, &answer, OUTCOME_WRONG, "TTL 60, expected at most 0");
	answer.min_ttl = answer.max_ttl = 0;
	check(&good, &answer, OUTCOME_OK, "");
}

static void ttl_bounds_say_nothing_about_an_answer_without_records(void **state UNUSED)
{
	struct good good = any_answer;
	struct answer answer = answer_of("NXDOMAIN", NULL, 0);

	good.rcode.value = "NXDOMAIN";
	good.max_ttl = 10;
	check(&good, &answer, OUTCOME_OK, "");
}

static void aa_and_ad_are_compared_where_the_plan_says_so(void **state UNUSED)
{
	struct good good = any_answer;
	struct answer answer = answer_of("NOERROR", LIST("a"), 1);

	good.aa = TRISTATE_TRUE;
	check(&good, &answer, OUTCOME_WRONG, "AA is not set, expected set");
	answer.aa = TRISTATE_TRUE;
	check(&good, &answer, OUTCOME_OK, "");
	good.ad = TRISTATE_FALSE;
	check(&good, &answer, OUTCOME_OK, "");
	answer.ad = TRISTATE_TRUE;
	check(&good, &answer, OUTCOME_WRONG, "AD is set, expected not set");
}

/* What cannot be seen cannot be called good. */
static void what_a_probe_does_not_see_is_never_good(void **state UNUSED)
{
	struct good flag = any_answer, ttl = any_answer;
	struct answer answer = answer_of("NOERROR", LIST("a"), 1);

	answer.aa = TRISTATE_ANY;
	answer.min_ttl = answer.max_ttl = PARAM_UNSET;
	flag.aa = TRISTATE_FALSE;
	ttl.min_ttl = 1;
	check(&flag, &answer, OUTCOME_WRONG, "AA cannot be checked: this kind of probe does not see it");
	check(&ttl, &answer, OUTCOME_WRONG, "TTL bounds cannot be checked: this kind of probe does not see TTLs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_record_is_good_where_no_answer_is_given),
		cmocka_unit_test(noerror_without_records_is_wrong_where_no_answer_is_given),
		cmocka_unit_test(the_same_set_in_another_order_is_good),
		cmocka_unit_test(a_set_with_one_record_twice_is_the_same_set),
		cmocka_unit_test(a_missing_record_is_wrong),
		cmocka_unit_test(a_record_too_many_is_wrong),
		cmocka_unit_test(an_empty_answer_where_records_are_expected_is_wrong),
		cmocka_unit_test(no_data_is_good_where_an_empty_answer_is_expected),
		cmocka_unit_test(long_sets_are_cut_in_the_detail),
		cmocka_unit_test(names_are_compared_without_regard_to_case),
		cmocka_unit_test(quoted_text_is_compared_exactly),
		cmocka_unit_test(a_prefix_is_not_the_same),
		cmocka_unit_test(servfail_is_an_error_answer),
		cmocka_unit_test(nxdomain_for_an_existing_name_is_wrong),
		cmocka_unit_test(noerror_for_a_name_that_should_not_exist_is_wrong),
		cmocka_unit_test(an_expected_rcode_is_good_without_records_in_any_case),
		cmocka_unit_test(an_expected_refusal_is_good_and_another_error_is_not),
		cmocka_unit_test(ttl_bounds_hold_for_every_record),
		cmocka_unit_test(a_ttl_of_zero_can_be_demanded),
		cmocka_unit_test(ttl_bounds_say_nothing_about_an_answer_without_records),
		cmocka_unit_test(aa_and_ad_are_compared_where_the_plan_says_so),
		cmocka_unit_test(what_a_probe_does_not_see_is_never_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
