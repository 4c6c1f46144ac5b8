/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/plan_text.h"

static int setup(void **state)
{
	int r = plan_text_setup(state);

	write_text("example.com.zone", PLAN_ZONE);
	return r;
}

static const struct plan *first(const struct plan_set *set)
{
	return set->plans[0];
}

/* The good answer of the plan's only probe, joined by " | ". */
static void assert_answer(const char *probe, const char *expected)
{
	struct arena *arena = arena_new();
	struct plan_set *set = load_good(arena_printf(arena, PLAN_HEAD "probes:\n  p: {from: office, %s}\n", probe));
	const struct good *good = &first(set)->probes[0]->good;
	const char *text = good->answer_given ? "" : "not compared";

	for (size_t i = 0; i < good->answer.count; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? " | " : "", good->answer.v[i].value);
	assert_string_equal(text, expected);
	plan_set_free(set);
	arena_free(arena);
}

static void defaults_are_those_of_the_reference(void **state)
{
	struct plan_set *set = load_good(PLAN_HEAD);
	const struct plan *plan = first(set);

	(void)state;
	assert_string_equal(plan->name.value, "plan");
	assert_null(plan->case_label);
	assert_int_equal(plan->recovery_ns, 10 * SEC);
	assert_int_equal(plan->baseline_ppm, PPM_ONE);
	assert_int_equal(plan->stable, 5);
	assert_int_equal(plan->end_ns, 10 * SEC);
	plan_set_free(set);
}

static void a_run_lasts_until_the_last_step_has_ended_and_recovery(void **state)
{
	struct plan_set *set = load_good(
		PLAN_HEAD "recovery: 3s\ntimeline:\n"
			  "  - {at: 5s, for: 20s, fault: blackhole, target: alpha}\n"
			  "  - {at: 10s, for: 1s, fault: reject, target: beta.ns1, from: r1, name: no beta}\n");
	const struct plan *plan = first(set);

	(void)state;
	assert_int_equal(plan->end_ns, 28 * SEC);
	assert_int_equal(plan->fault_count, 2);
	assert_string_equal(plan->faults[0]->name.value, "blackhole alpha");
	assert_string_equal(plan->faults[1]->name.value, "no beta");
	assert_int_equal(plan->faults[1]->id, 2);
	assert_int_equal(plan->faults[0]->target_addresses.count, 2);
	assert_int_equal(plan->faults[0]->from_addresses.count, 0);
	assert_string_equal(plan->faults[1]->target_addresses.v[0].text, "198.51.100.1");
	assert_string_equal(plan->faults[1]->from_addresses.v[1].text, "2001:db8:53::53");
	plan_set_free(set);
}

static void with_a_duration_a_step_may_stand_to_the_end(void **state)
{
	struct plan_set *set =
		load_good(PLAN_HEAD "duration: 30s\ntimeline: [{at: 5s, fault: blackhole, target: alpha}]\n");

	(void)state;
	assert_int_equal(first(set)->end_ns, 30 * SEC);
	assert_true(first(set)->faults[0]->for_ns == PARAM_UNSET);
	plan_set_free(set);
}

static void good_answers_come_from_the_zones(void **state)
{
	(void)state;
	assert_answer("query: www.example.com A", "192.0.2.80");
	assert_answer("query: WWW.Example.COM. AAAA", "2001:db8::80");
	assert_answer("query: alias.example.com A", "192.0.2.80");
	assert_answer("query: fresh.example.com A, unique: true", "192.0.2.81");
	assert_answer("query: example.com NS", "ns1.alpha-dns.net. | ns1.beta-dns.org.");
	/* the lab makes zones for names of nameservers */
	assert_answer("query: ns1.alpha-dns.net A", "192.0.2.1");
	assert_answer("query: ns1.alpha-dns.net AAAA", "2001:db8:1::1");
	/* a stub asks for both families unless told */
	assert_answer("kind: stub, query: www.example.com", "192.0.2.80 | 2001:db8::80");
	assert_answer("kind: stub, query: www.example.com AAAA", "2001:db8::80");
	assert_answer("kind: stub, query: fresh.example.com, unique: true", "192.0.2.81");
}

static void what_the_plan_says_is_good_wins(void **state)
{
	(void)state;
	assert_answer("query: www.example.com AAAA, good: {answer: '2001:DB8:0::1'}", "2001:db8::1");
	assert_answer("query: www.example.com MX, good: {answer: []}", "");
	assert_answer("query: www.example.com MX, good: {rcode: noerror}", "");
	assert_answer("query: nothing.example.com A, good: {rcode: NXDOMAIN}", "not compared");
	assert_answer("query: www.example.org A, good: {rcode: SERVFAIL}", "not compared");
	assert_answer("query: www.example.org A, good: {answer: 192.0.2.7}", "192.0.2.7");
}

static void answers_follow_aliases_from_zone_to_zone(void **state)
{
	struct plan_set *set;

	(void)state;
	write_text("other.zone", "$TTL 5\n@ SOA ns1.alpha-dns.net. h 1 2 3 4 5\n@ NS ns1.alpha-dns.net.\n"
				 "far CNAME alias.example.com.\n");
	set = load_good("plan: 1\nlab:\n  zones:\n    example.com: {file: example.com.zone, apex_ns: from-lab}\n"
			"    example.net: {file: other.zone}\n  providers:\n    alpha:\n      nameservers:\n"
			"        ns1: {hostname: ns1.alpha-dns.net, address: 192.0.2.1}\n"
			"  resolvers: {r1: {}}\n  clients: {office: {resolvers: r1}}\n"
			"probes:\n  p: {from: office, query: far.example.net A}\n"
			"  ns: {from: office, query: example.com NS}\n");
	assert_string_equal(first(set)->probes[0]->good.answer.v[0].value, "192.0.2.80");
	/* the file names two nameservers, the lab has one */
	assert_int_equal(first(set)->probes[1]->good.answer.count, 1);
	assert_string_equal(first(set)->probes[1]->good.answer.v[0].value, "ns1.alpha-dns.net.");
	plan_set_free(set);
}

static void probes_ask_the_clients_resolver_or_whom_via_names(void **state)
{
	struct plan_set *set = load_good(PLAN_HEAD "probes:\n  a: {from: office, query: www.example.com A}\n"
						   "  b: {from: r1, via: beta.ns1, query: www.example.com A}\n"
						   "  c: {kind: stub, from: office, query: www.example.com A}\n");
	const struct plan *plan = first(set);

	(void)state;
	/* both of the resolver's addresses: the kind may choose a family */
	assert_int_equal(plan->probe_server_counts[0], 2);
	assert_string_equal(plan->probe_servers[0][0].host, "r1");
	assert_string_equal(plan->probe_servers[0][0].address.text, "203.0.113.53");
	assert_int_equal(plan->probe_server_counts[1], 1);
	assert_string_equal(plan->probe_servers[1][0].address.text, "198.51.100.1");
	/* as resolv.conf has it */
	assert_int_equal(plan->probe_server_counts[2], 1);
	assert_string_equal(plan->probe_servers[2][0].host, "r1");
	plan_set_free(set);
}

static void set_overrides_what_the_file_says(void **state)
{
	const char *const set_args[] = {"lab.resolvers.r1.server=bind", "recovery=2s", "timeline.0.target=beta"};
	const struct plan_options options = {set_args, 3, PARAM_UNSET};
	struct plan_set *set;
	char *errors;

	(void)state;
	set = load_with(PLAN_HEAD "timeline: [{at: 1s, for: 1s, fault: blackhole, target: alpha}]\n", &options,
			&errors);
	assert_string_equal(errors, "");
	free(errors);
	assert_string_equal(topology_host(first(set)->topology, "r1")->server->name, "bind");
	assert_int_equal(first(set)->end_ns, 4 * SEC);
	assert_string_equal(first(set)->faults[0]->target_addresses.v[0].text, "198.51.100.1");
	plan_set_free(set);
}

static void errors_of_set_are_placed_there(void **state)
{
	const char *const set_args[] = {"lab.resolvers.r1.server=unbond"};
	const struct plan_options options = {set_args, 1, PARAM_UNSET};
	char *errors;

	(void)state;
	assert_null(load_with(PLAN_HEAD, &options, &errors));
	assert_non_null(strstr(errors, "--set"));
	assert_non_null(strstr(errors, "unknown server 'unbond'; did you mean 'unbound'?"));
	free(errors);
}

static void a_seed_is_the_commands_or_the_plans_or_drawn_once(void **state)
{
	const struct plan_options options = {.seed = 7};
	struct plan_set *set;
	char *errors;

	(void)state;
	set = load_with(PLAN_HEAD "seed: 42\n", &options, &errors);
	free(errors);
	assert_int_equal(first(set)->seed, 7);
	plan_set_free(set);
	set = load_good(PLAN_HEAD "seed: 42\n");
	assert_int_equal(first(set)->seed, 42);
	plan_set_free(set);
	set = load_good(PLAN_HEAD "matrix: {n: [a, b]}\nname: ${n}\n");
	assert_int_equal(set->plans[0]->seed, set->plans[1]->seed);
	assert_int_equal(set->plans[0]->topology->seed, set->plans[0]->seed);
	assert_true(set->plans[0]->seed >= 0);
	plan_set_free(set);
}

static void a_matrix_makes_plans_the_last_key_fastest(void **state)
{
	static const char *const labels[] = {
		"server=unbound, wait=1s",
		"server=unbound, wait=2s",
		"server=bind, wait=1s",
		"server=bind, wait=2s",
	};
	struct plan_set *set = load_good(PLAN_HEAD "matrix: {server: [unbound, bind], wait: {1s: 1s, 2s: 2s}}\n"
						   "name: ${server} waits\nrecovery: ${wait}\n");

	(void)state;
	assert_int_equal(set->count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(set->plans[i]->case_label, labels[i]);
		assert_string_equal(set->plans[i]->name.value, i < 2 ? "unbound waits" : "bind waits");
		assert_int_equal(set->plans[i]->recovery_ns, (i % 2 + 1) * SEC);
	}
	plan_set_free(set);
}

static void a_matrix_merges_mappings(void **state)
{
	struct plan_set *set =
		load_good("plan: 1\nmatrix:\n  resolver:\n    plain: {server: unbound}\n    chained: {server: dnsmasq, "
			  "forward: up}\n"
			  "lab:\n  resolvers:\n    up: {}\n    r1: {address: 203.0.113.53, <<: '${resolver}'}\n");
	const struct topo_host *r1;

	(void)state;
	r1 = topology_host(set->plans[0]->topology, "r1");
	assert_string_equal(r1->server->name, "unbound");
	assert_null(r1->forward);
	r1 = topology_host(set->plans[1]->topology, "r1");
	assert_string_equal(r1->server->name, "dnsmasq");
	assert_int_equal(r1->server_role, SERVER_FORWARDER);
	/* r1 has IPv4 only, so of up's two addresses one is of use */
	assert_int_equal(r1->forward->count, 1);
	assert_string_equal(r1->addresses.v[0].text, "203.0.113.53");
	plan_set_free(set);
}

static void an_error_of_all_combinations_is_said_once(void **state)
{
	struct plan_options options = {.seed = PARAM_UNSET};
	char *errors;

	(void)state;
	assert_null(load_with(PLAN_HEAD "matrix: {n: [a, b, c]}\nname: ${n}\nrecovery: 5\n", &options, &errors));
	assert_string_equal(errors, "plan.yaml:18:11: error: recovery: 5 has no unit; write 5s (or 5ms, 5m, 5h)\n");
	free(errors);
}

static void zones_are_found_beside_the_file_that_says_them(void **state)
{
	(void)state;
	write_text("other.zone", PLAN_HEAD);
	/* the including file's own path does not matter */
	plan_set_free(load_good("include: other.zone\n"));
}

static void a_probe_that_cannot_know_its_answer_says_so(void **state)
{
	(void)state;
	assert_refused(
		PLAN_HEAD "probes: {p: {from: office, query: www.example.org A}}\n",
		"plan.yaml:16:35: error: query: no zone of the lab holds www.example.org (zones are: example.com)");
	assert_refused(PLAN_HEAD "probes: {p: {from: office, query: www.example.com A, unique: true}}\n",
		       "zone example.com has no wildcard *.www.example.com");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_reference),
		cmocka_unit_test(a_run_lasts_until_the_last_step_has_ended_and_recovery),
		cmocka_unit_test(with_a_duration_a_step_may_stand_to_the_end),
		cmocka_unit_test(good_answers_come_from_the_zones),
		cmocka_unit_test(what_the_plan_says_is_good_wins),
		cmocka_unit_test(answers_follow_aliases_from_zone_to_zone),
		cmocka_unit_test(probes_ask_the_clients_resolver_or_whom_via_names),
		cmocka_unit_test(set_overrides_what_the_file_says),
		cmocka_unit_test(errors_of_set_are_placed_there),
		cmocka_unit_test(a_seed_is_the_commands_or_the_plans_or_drawn_once),
		cmocka_unit_test(a_matrix_makes_plans_the_last_key_fastest),
		cmocka_unit_test(a_matrix_merges_mappings),
		cmocka_unit_test(an_error_of_all_combinations_is_said_once),
		cmocka_unit_test(zones_are_found_beside_the_file_that_says_them),
		cmocka_unit_test(a_probe_that_cannot_know_its_answer_says_so),
	};

	return cmocka_run_group_tests(tests, setup, plan_text_teardown);
}
