/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/stub.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct text wanted[] = {{.value = "192.0.2.80"}, {.value = "2001:db8::80"}};

static struct good good_addresses(void)
{
	return (struct good){.rcode.value = "NOERROR",
			     .answer = {.v = wanted, .count = 2},
			     .answer_given = true,
			     .min_ttl = PARAM_UNSET,
			     .max_ttl = PARAM_UNSET};
}

/* A call that took took_ns where resolv.conf says timeout:2. */
static struct stub_result returned(int eai, int error, int64_t took_ns)
{
	return (struct stub_result){.what = STUB_ANSWERED,
				    .eai = eai,
				    .error = error,
				    .start_ns = SEC,
				    .end_ns = SEC + took_ns,
				    .retrans_s = 2};
}

static void add(struct stub_result *result, int family, const char *text)
{
	struct stub_address *address = &result->addresses[result->count++];

	address->family = family;
	inet_pton(family == 4 ? AF_INET : AF_INET6, text, address->bytes);
}

static void check(const struct good *good, const struct stub_result *result, enum outcome outcome, const char *rcode,
		  const char *detail)
{
	struct arena *arena = arena_new();
	struct ev_sample sample = {0};

	stub_judge(good, result, arena, &sample);
	assert_int_equal(sample.outcome, outcome);
	assert_string_equal(sample.rcode ? sample.rcode : "", rcode);
	assert_string_equal(sample.detail ? sample.detail : "", detail);
	arena_free(arena);
}

static void the_addresses_of_both_families_are_compared(void **state UNUSED)
{
	struct good good = good_addresses();
	struct stub_result result = returned(0, 0, MSEC);

	add(&result, 6, "2001:db8::80");
	check(&good, &result, OUTCOME_WRONG, "NOERROR", "got {2001:db8::80}, expected {192.0.2.80, 2001:db8::80}");
	add(&result, 4, "192.0.2.80");
	check(&good, &result, OUTCOME_OK, "NOERROR", "");
}

static void a_name_without_addresses_is_wrong_or_expected(void **state UNUSED)
{
	struct good good = good_addresses(), none = good_addresses();
	struct stub_result result = returned(EAI_NONAME, 0, MSEC);

	none.rcode.value = "NXDOMAIN";
	none.answer_given = false;
	check(&good, &result, OUTCOME_WRONG, "EAI_NONAME", "EAI_NONAME: NXDOMAIN or no data");
	check(&none, &result, OUTCOME_OK, "EAI_NONAME", "");
}

static void no_data_is_noerror_without_addresses(void **state UNUSED)
{
	struct good good = good_addresses(), none = good_addresses();
	struct stub_result result = returned(EAI_NODATA, 0, MSEC);

	none.answer.count = 0;
	check(&good, &result, OUTCOME_WRONG, "EAI_NODATA", "EAI_NODATA: no address of the wanted family");
	check(&none, &result, OUTCOME_OK, "EAI_NODATA", "");
}

/* A call shorter than one timeout cannot have met silence. */
static void a_quick_eai_again_is_an_error_answer(void **state UNUSED)
{
	struct good good = good_addresses(), servfail = good_addresses();
	struct stub_result result = returned(EAI_AGAIN, EAGAIN, MSEC);

	servfail.rcode.value = "SERVFAIL";
	servfail.answer_given = false;
	check(&good, &result, OUTCOME_RCODE, "EAI_AGAIN", "EAI_AGAIN: SERVFAIL or refused");
	check(&servfail, &result, OUTCOME_OK, "EAI_AGAIN", "");
}

static void an_eai_again_that_took_a_timeout_is_no_answer(void **state UNUSED)
{
	struct good good = good_addresses();
	struct stub_result just_below = returned(EAI_AGAIN, EAGAIN, 2 * SEC - MSEC);
	struct stub_result at = returned(EAI_AGAIN, EAGAIN, 2 * SEC);

	check(&good, &just_below, OUTCOME_RCODE, "EAI_AGAIN", "EAI_AGAIN: SERVFAIL or refused");
	check(&good, &at, OUTCOME_TIMEOUT, "", "EAI_AGAIN: no answer within the attempts of resolv.conf");
}

static void a_failure_of_the_machine_is_the_harness_s_error(void **state UNUSED)
{
	struct good good = good_addresses();
	struct stub_result files = returned(EAI_SYSTEM, EMFILE, MSEC), memory = returned(EAI_MEMORY, 0, MSEC);

	check(&good, &files, OUTCOME_ERROR, "", "could not ask: getaddrinfo: Too many open files");
	check(&good, &memory, OUTCOME_ERROR, "", "could not ask: getaddrinfo: Memory allocation failure");
}

static void addresses_that_were_cut_off_are_never_judged(void **state UNUSED)
{
	struct good any = good_addresses();
	struct stub_result result = returned(0, 0, MSEC);

	any.answer_given = false;
	result.is_cut = true;
	add(&result, 4, "192.0.2.80");
	check(&any, &result, OUTCOME_ERROR, "", "more addresses than the harness can compare");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_addresses_of_both_families_are_compared),
		cmocka_unit_test(a_name_without_addresses_is_wrong_or_expected),
		cmocka_unit_test(no_data_is_noerror_without_addresses),
		cmocka_unit_test(a_quick_eai_again_is_an_error_answer),
		cmocka_unit_test(an_eai_again_that_took_a_timeout_is_no_answer),
		cmocka_unit_test(a_failure_of_the_machine_is_the_harness_s_error),
		cmocka_unit_test(addresses_that_were_cut_off_are_never_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
