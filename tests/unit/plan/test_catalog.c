/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/catalog.h"

#include <ldns/ldns.h>

#include "harness/base/macro.h"
#include "tests/unit/run/small_plan.h"

#define OTHER_ZONE_TEXT "@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 192.0.2.9\n"

/* alpha.ns1 serves two zones; beta.ns1 learns of them by its catalog, gamma.ns1 is told by its configuration. */
static void set_up(struct small_plan *small)
{
	struct nameserver_spec *beta;

	small_plan_init(small);
	small_zone(small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	small_zone(small, "example.net", "$ORIGIN example.net.\n$TTL 300\n" OTHER_ZONE_TEXT)->apex_ns =
		APEX_NS_FROM_LAB;
	small_nameserver(small, "alpha", "ns1", NULL, "192.0.2.1", "knot", NULL);
	beta = small_nameserver(small, "beta", "ns1", NULL, "192.0.2.2", "bind", "alpha.ns1");
	beta->catalog = true;
	small_nameserver(small, "gamma", "ns1", NULL, "192.0.2.3", "nsd", "alpha.ns1");
}

static void find(struct small_plan *small, const char *primary, struct catalog *ret)
{
	const struct topology *topology = small_topology(small);

	catalog_of(topology, topology_host(topology, primary), small->arena, ret);
}

static void a_catalog_has_the_zones_that_are_transferred_by_those_who_heed_it(void **state UNUSED)
{
	struct small_plan small;
	struct catalog catalog;

	set_up(&small);
	find(&small, "alpha.ns1", &catalog);
	assert_string_equal(catalog.name, "catalog.ns1.alpha.lab");
	assert_int_equal(catalog.consumer_count, 1);
	assert_string_equal(catalog.consumers[0]->name, "beta.ns1");
	assert_int_equal(catalog.member_count, 2); /* not the generated zones of nameservers' names */
	assert_string_equal(catalog.members[0], "example.com");
	assert_string_equal(catalog.members[1], "example.net");
	small_plan_fini(&small);
}

static void who_is_nobodys_primary_has_no_catalog(void **state UNUSED)
{
	struct small_plan small;
	struct catalog catalog;

	set_up(&small);
	find(&small, "beta.ns1", &catalog);
	assert_null(catalog.name);
	small_plan_fini(&small);
}

static ldns_zone *read_text(const struct catalog *catalog, enum catalog_damage damage, struct buf *text)
{
	ldns_zone *zone = NULL;
	FILE *in;

	buf_clear(text);
	catalog_text(catalog, damage, 1, 41, text);
	in = fmemopen(text->data, text->len, "r");
	assert_int_equal(ldns_zone_new_frm_fp(&zone, in, NULL, 0, LDNS_RR_CLASS_IN), LDNS_STATUS_OK);
	fclose(in);
	return zone;
}

static size_t count_type(const ldns_zone *zone, ldns_rr_type type)
{
	size_t count = 0;

	for (size_t i = 0; i < ldns_zone_rr_count(zone); i++)
		count += ldns_rr_get_type(ldns_rr_list_rr(ldns_zone_rrs(zone), i)) == type;
	return count;
}

static void every_damage_is_a_zone_that_parses_and_lacks_what_it_says(void **state UNUSED)
{
	static const struct {
		size_t members, versions;
	} want[] = {
		[CATALOG_SOUND] = {2, 1},          [CATALOG_EMPTY] = {0, 1},
		[CATALOG_MEMBER_MISSING] = {1, 1}, [CATALOG_MEMBER_OTHER] = {2, 1},
		[CATALOG_MEMBER_TWICE] = {3, 1},   [CATALOG_MEMBER_RELABELLED] = {2, 1},
		[CATALOG_VERSION_WRONG] = {2, 1},  [CATALOG_VERSION_MISSING] = {2, 0},
	};
	struct small_plan small;
	struct catalog catalog;
	struct buf text = {0};

	set_up(&small);
	find(&small, "alpha.ns1", &catalog);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ldns_zone *zone = read_text(&catalog, (enum catalog_damage)i, &text);

		assert_int_equal(ldns_rdf2native_int32(ldns_rr_rdf(ldns_zone_soa(zone), 2)), 41);
		assert_int_equal(count_type(zone, LDNS_RR_TYPE_PTR), want[i].members);
		assert_int_equal(count_type(zone, LDNS_RR_TYPE_TXT), want[i].versions);
		ldns_zone_deep_free(zone);
	}
	buf_fini(&text);
	small_plan_fini(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_catalog_has_the_zones_that_are_transferred_by_those_who_heed_it),
		cmocka_unit_test(who_is_nobodys_primary_has_no_catalog),
		cmocka_unit_test(every_damage_is_a_zone_that_parses_and_lacks_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
