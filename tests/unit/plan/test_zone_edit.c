/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/plan_text.h"

#include "harness/plan/zone.h"
#include "harness/plan/zone_print.h"

static struct zone *load(const char *text)
{
	struct errs errs = {0};
	struct zone *zone = zone_load_bytes("example.com", "a.zone", text, strlen(text), &errs);

	assert_non_null(zone);
	return zone;
}

static ldns_rr_list *list_of(const char *text)
{
	ldns_rr_list *list = ldns_rr_list_new();
	ldns_rr *rr = NULL;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	ldns_rr_list_push_rr(list, rr);
	return list;
}

static char *text_of(const struct zone *zone)
{
	struct buf out = {0};

	for (size_t i = 0; i < ldns_rr_list_rr_count(zone->rrs); i++)
		zone_print_rr(ldns_rr_list_rr(zone->rrs, i), &out);
	return out.data;
}

static void a_copy_has_the_changes_and_the_zone_stays_as_it_was(void **state)
{
	struct zone *zone = load(ZONE_HEAD "a A 192.0.2.1\na A 192.0.2.2\nb A 192.0.2.3\n"), *edited;
	ldns_rr_list *add = list_of("c.example.com. 5 IN A 192.0.2.4");
	ldns_rr_list *remove = list_of("A.example.com. 9 IN A 192.0.2.2");
	struct errs errs = {0};
	char *before = text_of(zone), *after;

	(void)state;
	edited = zone_edit(zone, "edited", 77, add, remove, &errs);
	assert_non_null(edited);
	assert_int_equal(ldns_rr_list_rr_count(edited->rrs), ldns_rr_list_rr_count(zone->rrs));
	assert_int_equal(ldns_rdf2native_int32(ldns_rr_rdf(ldns_rr_list_rr(edited->rrs, 0), 2)), 77);
	assert_true(zone_has(edited, ldns_rr_list_rr(add, 0)));
	assert_false(zone_has(edited, ldns_rr_list_rr(remove, 0)));
	assert_true(zone_has(zone, ldns_rr_list_rr(remove, 0)));
	assert_false(zone_has(zone, ldns_rr_list_rr(add, 0)));
	after = text_of(zone);
	assert_string_equal(before, after);
	free(before);
	free(after);
	zone_free(edited);
	zone_free(zone);
	ldns_rr_list_deep_free(add);
	ldns_rr_list_deep_free(remove);
}

static void what_is_there_is_not_added_twice_and_what_is_not_is_not_missed(void **state)
{
	struct zone *zone = load(ZONE_HEAD "a A 192.0.2.1\n"), *edited;
	ldns_rr_list *add = list_of("a.example.com. 5 IN A 192.0.2.1");
	ldns_rr_list *remove = list_of("nobody.example.com. 5 IN A 192.0.2.1");
	struct errs errs = {0};

	(void)state;
	edited = zone_edit(zone, "edited", 2, add, remove, &errs);
	assert_non_null(edited);
	assert_int_equal(ldns_rr_list_rr_count(edited->rrs), ldns_rr_list_rr_count(zone->rrs));
	zone_free(edited);
	/* Taken away and added: it is the new one, with another TTL. */
	edited = zone_edit(zone, "edited", 2, add, add, &errs);
	assert_non_null(edited);
	assert_int_equal(ldns_rr_list_rr_count(edited->rrs), ldns_rr_list_rr_count(zone->rrs));
	assert_int_equal(ldns_rr_ttl(ldns_rr_list_rr(edited->rrs, ldns_rr_list_rr_count(edited->rrs) - 1)), 5);
	zone_free(edited);
	zone_free(zone);
	ldns_rr_list_deep_free(add);
	ldns_rr_list_deep_free(remove);
}

static void refuse(const char *added, const char *expected)
{
	struct zone *zone = load(ZONE_HEAD "a A 192.0.2.1\n");
	ldns_rr_list *add = list_of(added);
	struct errs errs = {0};

	assert_null(zone_edit(zone, "edited", 2, add, NULL, &errs));
	assert_int_equal(errs.count, 1);
	assert_string_equal(errs.v[0].text, expected);
	errs_fini(&errs);
	ldns_rr_list_deep_free(add);
	zone_free(zone);
}

static void a_copy_that_no_server_could_load_is_refused(void **state)
{
	(void)state;
	refuse("a.example.com. 300 IN CNAME b.example.com.",
	       "a.example.com is a CNAME, and has other data on line 5: a CNAME stands alone");
	refuse("www.example.org. 300 IN A 192.0.2.1", "www.example.org. lies outside of the zone example.com; a name "
						      "without a dot at its end is relative to $ORIGIN");
	refuse("example.com. 60 IN NS ns.example.com.",
	       "nameserver ns.example.com lies in this zone but has no A or AAAA record here");
}

static void copies_of_copies_share_records(void **state)
{
	struct zone *zone = load(ZONE_HEAD "a A 192.0.2.1\n");
	struct errs errs = {0};
	struct zone *second = zone_edit(zone, "second", 2, NULL, NULL, &errs);
	struct zone *third = zone_edit(second, "third", 3, NULL, NULL, &errs);
	size_t last = ldns_rr_list_rr_count(zone->rrs) - 1;

	(void)state;
	assert_non_null(third);
	assert_ptr_equal(ldns_rr_list_rr(third->rrs, last), ldns_rr_list_rr(second->rrs, last));
	/* In any order, as long as nobody looks at them meanwhile. */
	zone_free(second);
	zone_free(third);
	zone_free(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_has_the_changes_and_the_zone_stays_as_it_was),
		cmocka_unit_test(what_is_there_is_not_added_twice_and_what_is_not_is_not_missed),
		cmocka_unit_test(a_copy_that_no_server_could_load_is_refused),
		cmocka_unit_test(copies_of_copies_share_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
