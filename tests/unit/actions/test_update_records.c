/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/update_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char zone_text[] = "@ 60 SOA ns1 hostmaster 7 2 1 3600 1\n"
				"@ 60 NS ns1\n"
				"ns1 60 A 192.0.2.53\n"
				"www 60 A 192.0.2.80\n"
				"www 60 A 192.0.2.81\n";

struct test {
	struct arena *arena;
	struct zone *zone;
	struct errs errs;
	struct text words[8];
	size_t count;
	struct update_records records;
};

static int set_up(void **state)
{
	struct test *test = calloc(1, sizeof(*test));

	test->arena = arena_new();
	test->zone = zone_load_bytes("example.com", "zone", zone_text, strlen(zone_text), &test->errs);
	test->records.if_serial = PARAM_UNSET;
	*state = test;
	return test->zone ? 0 : -1;
}

static int tear_down(void **state)
{
	struct test *test = *state;

	errs_fini(&test->errs);
	zone_free(test->zone);
	arena_free(test->arena);
	free(test);
	return 0;
}

static void give(struct test *test, struct texts *list, const char *word)
{
	test->words[test->count].value = word;
	*list = (struct texts){.v = &test->words[test->count++], .count = 1};
}

/* What nsupdate would be told. */
static void assert_says(struct test *test, const char *expected)
{
	struct buf out = {0};

	update_records_read(&test->records, test->zone, test->arena, &test->errs);
	assert_int_equal(test->errs.count, 0);
	update_records_print(&test->records, &out);
	assert_string_equal(out.data, expected);
	buf_fini(&out);
}

static void deletions_go_before_additions_and_names_are_written_out(void **state)
{
	struct test *test = *state;

	give(test, &test->records.add, "www A 192.0.2.9");
	give(test, &test->records.delete, "www A");
	assert_says(test, "update delete www.example.com. A\nupdate add www.example.com. 3600 A 192.0.2.9\n");
	assert_true(update_records_change(&test->records, test->zone));
	assert_int_equal(ldns_rr_list_rr_count(test->records.removed), 2);
}

static void every_prerequisite_of_the_rfc_can_be_said(void **state)
{
	struct test *test = *state;

	give(test, &test->records.delete, "www A 192.0.2.80");
	test->records.if_serial = 9;
	test->words[4] = (struct text){.value = "www"};
	test->words[5] = (struct text){.value = "www A"};
	test->words[6] = (struct text){.value = "www 60 A 192.0.2.81"};
	test->records.if_present = (struct texts){.v = &test->words[4], .count = 3};
	test->records.if_absent = (struct texts){.v = &test->words[4], .count = 2};
	assert_says(test, "prereq yxrrset example.com. SOA ns1.example.com. hostmaster.example.com. 9 2 1 3600 1\n"
			  "prereq yxdomain www.example.com.\n"
			  "prereq yxrrset www.example.com. A\n"
			  "prereq yxrrset www.example.com. A 192.0.2.81\n"
			  "prereq nxdomain www.example.com.\n"
			  "prereq nxrrset www.example.com. A\n"
			  "update delete www.example.com. A 192.0.2.80\n");
}

static void what_the_zone_holds_already_changes_nothing(void **state)
{
	struct test *test = *state;

	give(test, &test->records.add, "www 60 A 192.0.2.81");
	give(test, &test->records.delete, "nobody A");
	update_records_read(&test->records, test->zone, test->arena, &test->errs);
	assert_false(update_records_change(&test->records, test->zone));
}

static void a_type_that_is_none_is_refused(void **state)
{
	struct test *test = *state;

	give(test, &test->records.add, "www nonsense");
	update_records_read(&test->records, test->zone, test->arena, &test->errs);
	assert_int_equal(test->errs.count, 1);
	assert_non_null(strstr(test->errs.v[0].text, "'www nonsense' is not a record"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(deletions_go_before_additions_and_names_are_written_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(every_prerequisite_of_the_rfc_can_be_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_the_zone_holds_already_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_type_that_is_none_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
