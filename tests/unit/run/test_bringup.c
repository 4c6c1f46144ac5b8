/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/bringup.h"
#include "tests/unit/run/trial.h"
#include <errno.h>

static void demo_lab_comes_up_and_goes_down(void **state)
{
	struct small_plan small;
	struct trial trial = {0};

	(void)state;
	small_demo(&small, "bind", "knot");
	small_resolver(&small, "r1", "203.0.113.53 2001:db8:53::1", "unbound", NULL);
	trial.topology = small_topology(&small);
	trial_must(&trial);
	/* root, com, net, org, four nameservers, the resolver: everybody is software with a version. */
	assert_int_equal(trial.report.versions, 9);
	assert_non_null(strstr(trial.report.version, "Knot DNS"));
	small_plan_fini(&small);
}

static void server_that_refuses_its_configuration_is_named_with_its_log(void **state)
{
	struct small_plan small;
	struct trial trial = {0};
	const char *text = trial.report.err.text;

	(void)state;
	small_demo(&small, "bind", "knot");
	((struct nameserver_spec *)small.providers[0].nameservers.v)[1].options = small_text("no-such-option yes;");
	trial.topology = small_topology(&small);
	trial_run(&trial);
	assert_int_not_equal(trial.report.err.code, 0);
	assert_non_null(strstr(text, "alpha.ns2 (bind) exited with status 1"));
	assert_non_null(strstr(text, "unknown option 'no-such-option'")); /* named's own words */
	assert_string_equal(trial.report.err.loc.file, "plan.yaml");
	assert_true(trial.report.is_stopped);
	small_plan_fini(&small);
}

static void server_that_never_answers_is_named_with_the_question(void **state)
{
	struct small_plan small;
	struct trial trial = {.limit_ns = 2 * SEC};
	const char *text = trial.report.err.text;

	(void)state;
	small_demo(&small, "bind", "knot");
	/* It runs, and refuses whatever it is asked. */
	small_resolver(&small, "r1", "203.0.113.53", "unbound", NULL)->options = small_text("local-zone: \".\" refuse");
	trial.topology = small_topology(&small);
	trial_run(&trial);
	assert_non_null(strstr(text, "r1 (unbound) did not answer within 2 s"));
	assert_non_null(strstr(text, ". NS at 203.0.113.53: REFUSED"));
	small_plan_fini(&small);
}

/* Port 853 is open, but what listens there speaks no TLS. */
static void server_whose_tls_never_comes_is_named_with_the_listener(void **state)
{
	struct small_plan small;
	struct trial trial = {.limit_ns = 3 * SEC};
	const char *text = trial.report.err.text;
	struct resolver_spec *resolver;

	(void)state;
	small_demo(&small, "bind", "knot");
	resolver = small_resolver(&small, "r1", "203.0.113.53", "unbound", NULL);
	resolver->encrypted = ENCRYPTED_DOT;
	resolver->options = small_text("tls-port: 8853");
	trial.topology = small_topology(&small);
	trial_run(&trial);
	assert_non_null(strstr(text, "r1 (unbound) did not answer within 3 s"));
	assert_non_null(strstr(text, "a TLS handshake with 203.0.113.53 port 853: "));
	small_plan_fini(&small);
}

static void server_that_dies_later_is_reported(void **state)
{
	struct small_plan small;
	struct trial trial = {.kill = "beta.ns1"};

	(void)state;
	small_demo(&small, "bind", "knot");
	trial.topology = small_topology(&small);
	trial_must(&trial);
	assert_string_equal(trial.report.exited, "beta.ns1");
	assert_string_equal(trial.report.exit_status, "was killed by signal 9 (Killed)");
	assert_non_null(strstr(trial.report.log_tail, "example.com")); /* the end of knotd's log: its transfer */
	small_plan_fini(&small);
}

static void software_that_is_not_installed_is_an_error_at_its_place(void **state)
{
	struct small_plan small;
	struct topology *topology;
	struct errs errs = {0};
	struct server_ops absent;

	(void)state;
	small_demo(&small, "bind", "knot");
	topology = small_topology(&small);
	bringup_check(topology, &errs);
	assert_int_equal(errs.count, 0);
	absent = *topology->hosts[0].server;
	absent.program = "dnsdrill-no-such-program";
	absent.package = "no-such-package";
	topology->hosts[0].server = &absent;
	bringup_check(topology, &errs);
	assert_int_equal(errs.count, 1);
	assert_string_equal(errs.v[0].text,
			    "dnsdrill-no-such-program is not installed: apt-get install no-such-package");
	assert_string_equal(errs.v[0].loc.file, "plan.yaml");
	errs_fini(&errs);
	small_plan_fini(&small);
}

static void delegation_text_that_does_not_parse_is_an_error_at_its_place(void **state)
{
	struct small_plan small;
	struct errs errs = {0};

	(void)state;
	small_demo(&small, "bind", "knot");
	small.zones[0].delegation =
		(struct text){"example.com. NS ns1.alpha-dns.net.\nexample.com. NZ oops.\n", {"plan.yaml", 12, 17}};
	bringup_check(small_topology(&small), &errs);
	assert_int_equal(errs.count, 1);
	assert_int_equal(errs.v[0].loc.line, 12);
	assert_non_null(strstr(errs.v[0].text, "delegation of example.com, line 2"));
	errs_fini(&errs);
	small_plan_fini(&small);
}

/* Two forwarders that forward to each other cannot answer; the bring-up ends with an error all the same. */
static void forwarders_in_a_ring_end_in_an_error(void **state)
{
	struct small_plan small;
	struct trial trial = {.limit_ns = 2 * SEC};
	struct topology *topology;

	(void)state;
	small_demo(&small, "bind", "knot");
	small_resolver(&small, "r1", "203.0.113.53", "unbound", NULL);
	small_resolver(&small, "r2", "203.0.113.54", "unbound", "r1");
	topology = small_topology(&small);
	for (size_t i = 0; i < topology->host_count; i++) {
		if (!strcmp(topology->hosts[i].name, "r1")) {
			topology->hosts[i].server_role = SERVER_FORWARDER;
			topology->hosts[i].forward = &topology->hosts[i + 1].addresses;
		}
	}
	trial.topology = topology;
	trial_run(&trial);
	assert_int_not_equal(trial.report.err.code, 0);
	assert_true(trial.report.is_stopped);
	small_plan_fini(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(demo_lab_comes_up_and_goes_down),
		cmocka_unit_test(server_that_refuses_its_configuration_is_named_with_its_log),
		cmocka_unit_test(server_that_never_answers_is_named_with_the_question),
		cmocka_unit_test(server_whose_tls_never_comes_is_named_with_the_listener),
		cmocka_unit_test(server_that_dies_later_is_reported),
		cmocka_unit_test(software_that_is_not_installed_is_an_error_at_its_place),
		cmocka_unit_test(delegation_text_that_does_not_parse_is_an_error_at_its_place),
		cmocka_unit_test(forwarders_in_a_ring_end_in_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
