/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/plan_text.h"

static int setup(void **state)
{
	int r = plan_text_setup(state);

	write_text("example.com.zone", PLAN_ZONE);
	return r;
}

static const struct topology *topology_of(const struct plan_set *set)
{
	return set->plans[0]->topology;
}

static const struct topo_zone *zone_of(const struct topology *topology, const char *name)
{
	for (size_t i = 0; i < topology->zone_count; i++) {
		if (!strcmp(topology->zones[i].name, name))
			return &topology->zones[i];
	}
	fail_msg("no zone %s", name);
	return NULL;
}

/* Names of hosts joined by spaces. */
static const char *names(struct topo_host *const *hosts, size_t count, struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? " " : "", hosts[i]->name);
	return text;
}

static void assert_servers(const struct plan_set *set, const char *zone, const char *primaries, const char *servers)
{
	const struct topo_zone *found = zone_of(topology_of(set), zone);

	assert_string_equal(names(found->primaries, found->primary_count, set->arena), primaries);
	assert_string_equal(names(found->servers, found->server_count, set->arena), servers);
}

static void hosts_stand_in_the_order_from_root_to_clients(void **state)
{
	static const char *const expected[] = {"root",      "tld.com",  "tld.net", "tld.org",
					       "alpha.ns1", "beta.ns1", "r1",      "office"};
	struct plan_set *set = load_good(PLAN_HEAD);
	const struct topology *topology = topology_of(set);

	(void)state;
	assert_int_equal(topology->host_count, 8);
	for (size_t i = 0; i < 8; i++)
		assert_string_equal(topology->hosts[i].name, expected[i]);
	assert_string_equal(topology->hosts[0].addresses.v[0].text, "198.41.0.4");
	assert_string_equal(topology->hosts[0].addresses.v[1].text, "2001:503:ba3e::2:30");
	assert_string_equal(topology->hosts[1].hostname, "a.nic.com");
	plan_set_free(set);
}

static void zones_have_parents_before_them_and_servers(void **state)
{
	struct plan_set *set = load_good(PLAN_HEAD);
	const struct topology *topology = topology_of(set);

	(void)state;
	assert_string_equal(topology->zones[0].name, ".");
	assert_null(topology->zones[0].parent);
	for (size_t i = 1; i < topology->zone_count; i++)
		assert_true(topology->zones[i].parent < &topology->zones[i]);
	assert_string_equal(zone_of(topology, "example.com")->parent->name, "com");
	assert_servers(set, ".", "root", "root");
	assert_servers(set, "com", "tld.com", "tld.com");
	/* beta transfers, so alpha alone loads the file */
	assert_servers(set, "example.com", "alpha.ns1", "alpha.ns1 beta.ns1");
	/* but beta's own name is beta's own zone */
	assert_servers(set, "beta-dns.org", "beta.ns1", "beta.ns1");
	assert_string_equal(topology_host(topology, "beta.ns1")->primary->name, "alpha.ns1");
	assert_false(topology->is_signed);
	plan_set_free(set);
}

static void generated_addresses_step_over_the_plans(void **state)
{
	struct plan_set *set = load_good(PLAN_HEAD "    home: {address: [198.41.0.4, 198.19.1.1, 198.19.100.1]}\n");
	const struct topology *topology = topology_of(set);

	(void)state;
	assert_string_not_equal(topology_host(topology, "root")->addresses.v[0].text, "198.41.0.4");
	assert_string_not_equal(topology_host(topology, "tld.com")->addresses.v[0].text, "198.19.1.1");
	assert_string_equal(topology_host(topology, "office")->addresses.v[0].text, "198.19.100.2");
	for (size_t i = 0; i < topology->host_count; i++) {
		for (size_t j = 0; j < i; j++)
			assert_false(address_is_equal(&topology->hosts[i].addresses.v[0],
						      &topology->hosts[j].addresses.v[0]));
	}
	plan_set_free(set);
}

static void generated_addresses_stay_apart_in_a_large_lab(void **state)
{
	struct arena *arena = arena_new();
	const char *plan = "plan: 1\nlab:\n  clients:\n";
	const struct topology *topology;
	struct plan_set *set;

	(void)state;
	for (int i = 0; i < 400; i++)
		plan = arena_printf(arena, "%s    c%d: {}\n", plan, i);
	set = load_good(plan);
	topology = topology_of(set);
	assert_int_equal(topology->host_count, 401);
	assert_string_equal(topology_host(topology, "c254")->addresses.v[0].text, "198.19.100.255");
	assert_string_equal(topology_host(topology, "c255")->addresses.v[0].text, "198.19.101.0");
	assert_string_equal(topology_host(topology, "c399")->addresses.v[1].text, "fd00:19:100::190");
	plan_set_free(set);
	arena_free(arena);
}

static void a_nameserver_without_hostname_is_called_by_label_and_provider(void **state)
{
	struct plan_set *set =
		load_good("plan: 1\nlab:\n  zones:\n    example.com: {file: example.com.zone, apex_ns: from-lab}\n"
			  "  providers:\n    Alpha: {nameservers: {ns1: {address: 192.0.2.1}}}\n"
			  "    beta: {nameservers: {ns1: {address: 192.0.2.2}, ns2: {address: 192.0.2.3}}}\n");
	const struct topology *topology = topology_of(set);

	(void)state;
	assert_string_equal(topology_host(topology, "Alpha.ns1")->hostname, "ns1.alpha.lab");
	assert_servers(set, "beta.lab", "beta.ns1 beta.ns2", "beta.ns1 beta.ns2");
	assert_servers(set, "lab", "tld.lab", "tld.lab");
	/* apex_ns: from-lab: everybody serves it, and is its NS set */
	assert_servers(set, "example.com", "Alpha.ns1 beta.ns1 beta.ns2", "Alpha.ns1 beta.ns1 beta.ns2");
	assert_int_equal(zone_of(topology, "example.com")->ns_count, 3);
	plan_set_free(set);
}

static void a_hidden_primary_serves_what_is_transferred_from_it(void **state)
{
	struct plan_set *set = load_good(
		"plan: 1\nlab:\n  zones:\n    example.com: {file: example.com.zone}\n  providers:\n"
		"    hidden: {nameservers: {master: {address: 192.0.2.9}}}\n"
		"    middle: {nameservers: {m1: {address: 192.0.2.8, primary: hidden.master}}}\n"
		"    alpha: {nameservers: {ns1: {hostname: ns1.alpha-dns.net, address: 192.0.2.1, primary: "
		"middle.m1}}}\n"
		"    beta: {nameservers: {ns1: {hostname: ns1.beta-dns.org, address: 192.0.2.2, primary: middle.m1}}}\n"
		"    idle: {nameservers: {ns1: {address: 192.0.2.3}}}\n");

	(void)state;
	assert_servers(set, "example.com", "hidden.master", "hidden.master middle.m1 alpha.ns1 beta.ns1");
	plan_set_free(set);
}

static void a_zone_that_is_a_tld_needs_no_tld_server(void **state)
{
	struct plan_set *set;

	(void)state;
	write_text("other.zone", "$TTL 5\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n");
	set = load_good("plan: 1\nlab:\n  zones:\n    corp: {file: other.zone}\n  providers:\n"
			"    alpha: {nameservers: {ns1: {hostname: ns1.corp, address: 192.0.2.1}}}\n");
	assert_null(topology_host(topology_of(set), "tld.corp"));
	assert_int_equal(topology_of(set)->zone_count, 2);
	assert_servers(set, "corp", "alpha.ns1", "alpha.ns1");
	plan_set_free(set);
}

static void one_signed_zone_signs_what_is_above_it(void **state)
{
	struct plan_set *set = load_good(
		"plan: 1\nlab:\n  zones:\n    example.com: {file: example.com.zone, apex_ns: from-lab, sign: true}\n"
		"  providers:\n    alpha: {nameservers: {ns1: {address: 192.0.2.1}}}\n");
	const struct topology *topology = topology_of(set);

	(void)state;
	assert_true(topology->is_signed);
	assert_true(zone_of(topology, ".")->sign);
	assert_true(zone_of(topology, "com")->sign);
	assert_true(zone_of(topology, "lab")->sign);
	assert_true(zone_of(topology, "example.com")->sign);
	assert_false(zone_of(topology, "alpha.lab")->sign);
	plan_set_free(set);
}

/* One address each, of a family the client has: resolv.conf has room for three lines only. */
static void a_client_asks_each_resolver_at_the_first_address_it_can_reach(void **state)
{
	struct plan_set *set =
		load_good("plan: 1\nlab:\n  resolvers:\n    r1: {address: [192.0.2.53, '2001:db8::53']}\n"
			  "    r2: {address: '2001:db8::54'}\n  clients:\n    both: {resolvers: [r2, r1]}\n"
			  "    six: {address: '2001:db8::6', resolvers: [r1, r2]}\n");
	const struct topo_host *both = topology_host(topology_of(set), "both");
	const struct topo_host *six = topology_host(topology_of(set), "six");

	(void)state;
	assert_int_equal(both->resolver_count, 2);
	assert_string_equal(both->resolvers[0].address.text, "2001:db8::54");
	assert_string_equal(both->resolvers[1].address.text, "192.0.2.53");
	assert_int_equal(six->resolver_count, 2);
	assert_string_equal(six->resolvers[0].address.text, "2001:db8::53");
	plan_set_free(set);
}

static void targets_are_hosts_providers_and_all_tlds(void **state)
{
	struct plan_set *set = load_good(PLAN_HEAD);
	const struct {
		const char *target;
		size_t addresses;
	} cases[] = {{"alpha", 2}, {"beta.ns1", 1}, {"root", 2}, {"tld.org", 2}, {"tlds", 6}, {"r1", 2}, {"office", 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addresses found = {0};
		struct err err;

		assert_int_equal(topology_resolve(topology_of(set), (struct text){cases[i].target, LOC_NONE},
						  set->arena, &found, &err),
				 0);
		assert_int_equal(found.count, cases[i].addresses);
	}
	plan_set_free(set);
}

static void an_unknown_target_names_the_nearest(void **state)
{
	struct plan_set *set = load_good(PLAN_HEAD);
	struct addresses found = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(
		topology_resolve(topology_of(set), (struct text){"alpha.ns2", LOC_NONE}, set->arena, &found, &err),
		-ENOENT);
	assert_non_null(strstr(err.text, "did you mean 'alpha.ns1'?"));
	assert_int_equal(found.count, 0);
	plan_set_free(set);
}

static void loops_are_refused_and_said_once(void **state)
{
	(void)state;
	assert_refused("plan: 1\nlab:\n  resolvers: {r1: {forward: r1}}\n", "r1 forwards to itself");
	assert_refused("plan: 1\nlab:\n  providers:\n    a: {nameservers: {n: {address: 192.0.2.1, primary: a.n}}}\n",
		       "a loop of transfers (a.n from a.n)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_stand_in_the_order_from_root_to_clients),
		cmocka_unit_test(zones_have_parents_before_them_and_servers),
		cmocka_unit_test(generated_addresses_step_over_the_plans),
		cmocka_unit_test(generated_addresses_stay_apart_in_a_large_lab),
		cmocka_unit_test(a_nameserver_without_hostname_is_called_by_label_and_provider),
		cmocka_unit_test(a_hidden_primary_serves_what_is_transferred_from_it),
		cmocka_unit_test(a_zone_that_is_a_tld_needs_no_tld_server),
		cmocka_unit_test(one_signed_zone_signs_what_is_above_it),
		cmocka_unit_test(a_client_asks_each_resolver_at_the_first_address_it_can_reach),
		cmocka_unit_test(targets_are_hosts_providers_and_all_tlds),
		cmocka_unit_test(an_unknown_target_names_the_nearest),
		cmocka_unit_test(loops_are_refused_and_said_once),
	};

	return cmocka_run_group_tests(tests, setup, plan_text_teardown);
}
