/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/server_spec.h"
#include "tests/unit/run/small_plan.h"
#include <errno.h>

struct spec_case {
	struct small_plan small;
	struct topology *topology;
	struct server_spec *specs;
};

/* The specs of a lab whose files were written to /zones. */
static int make(struct spec_case *c, struct err *err)
{
	struct arena *arena = c->small.arena;
	const char **dirs;
	struct tree_files files = {.root_hints = "/zones/root.hints"};

	c->topology = small_topology(&c->small);
	dirs = ARENA_ARRAY(arena, const char *, c->topology->host_count);
	for (size_t i = 0; i < c->topology->host_count; i++)
		dirs[i] = arena_printf(arena, "/lab/%s", c->topology->hosts[i].name);
	files.zone_files = ARENA_ARRAY(arena, const char *, c->topology->zone_count);
	for (size_t i = 0; i < c->topology->zone_count; i++)
		files.zone_files[i] = arena_printf(arena, "/zones/%s", c->topology->zones[i].name);
	return server_specs_new(c->topology, &files, dirs, NULL, arena, &c->specs, err);
}

static const struct server_spec *spec_of(const struct spec_case *c, const char *host)
{
	return &c->specs[topology_host(c->topology, host) - c->topology->hosts];
}

static const struct server_zone *zone_of(const struct server_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->zone_count; i++) {
		if (!strcmp(spec->zones[i].name, name))
			return &spec->zones[i];
	}
	return NULL;
}

static void primary_and_secondary_share_a_key_of_their_own(void **state)
{
	struct spec_case c;
	struct err err;
	const struct server_zone *up, *down, *other;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	assert_int_equal(make(&c, &err), 0);
	up = zone_of(spec_of(&c, "alpha.ns1"), "example.com");
	down = zone_of(spec_of(&c, "beta.ns1"), "example.com");
	other = zone_of(spec_of(&c, "beta.ns2"), "example.com");
	assert_string_equal(up->shared_file, "/zones/example.com");
	assert_int_equal(up->primary_count, 0);
	assert_int_equal(up->secondary_count, 2);
	assert_string_equal(up->secondaries[0].host, "beta.ns1");
	assert_int_equal(down->primary_count, 1);
	assert_string_equal(down->primaries[0].host, "alpha.ns1");
	assert_ptr_equal(down->primaries[0].tsig, up->secondaries[0].tsig);
	assert_string_equal(down->primaries[0].tsig->algorithm, "hmac-sha256");
	assert_string_not_equal(down->primaries[0].tsig->secret, other->primaries[0].tsig->secret);
	/* What it keeps is its own. */
	assert_int_equal(strncmp(down->file, "/lab/beta.ns1/", 14), 0);
	/* Every key once, on both sides. */
	assert_int_equal(spec_of(&c, "alpha.ns1")->tsig_count, 2);
	assert_int_equal(spec_of(&c, "beta.ns1")->tsig_count, 1);
	assert_int_equal(spec_of(&c, "alpha.ns2")->tsig_count, 0);
	small_plan_fini(&c.small);
}

static void keys_follow_the_seed(void **state)
{
	struct spec_case c[3];
	const char *secrets[3];
	struct err err;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		small_demo(&c[i].small, "bind", "knot");
		c[i].small.plan.seed = i < 2 ? 7 : 8;
		assert_int_equal(make(&c[i], &err), 0);
		secrets[i] = spec_of(&c[i], "beta.ns1")->tsigs[0]->secret;
	}
	assert_string_equal(secrets[0], secrets[1]);
	assert_string_not_equal(secrets[0], secrets[2]);
	for (size_t i = 0; i < 3; i++)
		small_plan_fini(&c[i].small);
}

static void peers_are_given_in_the_families_a_host_has(void **state)
{
	struct spec_case c;
	struct err err;
	const struct server_zone *zone;

	(void)state;
	small_plan_init(&c.small);
	small_zone(&c.small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	small_nameserver(&c.small, "alpha", "ns1", NULL, "192.0.2.1 2001:db8:1::1", "bind", NULL);
	small_nameserver(&c.small, "beta", "ns1", NULL, "198.51.100.1", "knot", "alpha.ns1");
	assert_int_equal(make(&c, &err), 0);
	zone = zone_of(spec_of(&c, "beta.ns1"), "example.com");
	assert_int_equal(zone->primaries[0].addresses.count, 1);
	assert_string_equal(zone->primaries[0].addresses.v[0].text, "192.0.2.1");
	small_plan_fini(&c.small);
}

/* A nameserver's own generated zone is loaded by it, even if it is a secondary for the plan's. */
static void secondary_loads_its_own_generated_zone_from_a_file(void **state)
{
	struct spec_case c;
	struct err err;
	const struct server_zone *zone;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	assert_int_equal(make(&c, &err), 0);
	zone = zone_of(spec_of(&c, "beta.ns1"), "beta-dns.org");
	assert_non_null(zone);
	assert_int_equal(zone->primary_count, 0);
	assert_string_equal(zone->shared_file, "/zones/beta-dns.org");
	assert_null(zone_of(spec_of(&c, "beta.ns1"), "alpha-dns.net"));
	small_plan_fini(&c.small);
}

static void resolver_gets_hints_and_forwarder_its_targets(void **state)
{
	struct spec_case c;
	struct err err;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	small_resolver(&c.small, "r1", "203.0.113.53", "unbound", NULL);
	small_resolver(&c.small, "f1", "203.0.113.54", "dnsmasq", "r1");
	assert_int_equal(make(&c, &err), 0);
	assert_string_equal(spec_of(&c, "r1")->root_hints, "/zones/root.hints");
	assert_null(spec_of(&c, "r1")->trust_anchor);
	assert_null(spec_of(&c, "r1")->forward);
	assert_int_equal(spec_of(&c, "f1")->role, SERVER_FORWARDER);
	assert_string_equal(spec_of(&c, "f1")->forward->v[0].text, "203.0.113.53");
	small_plan_fini(&c.small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(primary_and_secondary_share_a_key_of_their_own),
		cmocka_unit_test(keys_follow_the_seed),
		cmocka_unit_test(peers_are_given_in_the_families_a_host_has),
		cmocka_unit_test(secondary_loads_its_own_generated_zone_from_a_file),
		cmocka_unit_test(resolver_gets_hints_and_forwarder_its_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
