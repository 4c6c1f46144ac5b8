/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every nameserver software, for real: as primary and secondary of every other, by keys, notified.
 */
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "tests/unit/run/trial.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static const char *const software[] = {"bind", "knot", "nsd", "powerdns"};
#define SOFTWARE_COUNT 4

/* Provider i: ns1 loads the zone with one software, ns2 transfers it from there with another, shift places on. */
static void add_providers(struct small_plan *small, size_t shift)
{
	small_zone(small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	for (size_t i = 0; i < SOFTWARE_COUNT; i++) {
		const char *a = arena_printf(small->arena, "192.0.2.%zu 2001:db8:1::%zu", i + 1, i + 1);
		const char *b = arena_printf(small->arena, "198.51.100.%zu 2001:db8:2::%zu", i + 1, i + 1);
		const char *primary = arena_printf(small->arena, "%s.ns1", software[i]);

		small_nameserver(small, software[i], "ns1", NULL, a, software[i], NULL);
		small_nameserver(small, software[i], "ns2", NULL, b, software[(i + shift) % SOFTWARE_COUNT], primary);
	}
}

static void every_software_transfers_from_every_other_and_refuses_strangers(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < SOFTWARE_COUNT; shift++) {
		struct small_plan small;
		struct trial_ask asks[3 * SOFTWARE_COUNT];
		struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};

		small_plan_init(&small);
		add_providers(&small, shift);
		for (size_t i = 0; i < SOFTWARE_COUNT; i++) {
			const char *primary = arena_printf(small.arena, "%s.ns1", software[i]);
			const char *secondary = arena_printf(small.arena, "%s.ns2", software[i]);

			asks[3 * i] = (struct trial_ask){
				.from = "root", .to = secondary, .name = "www.example.com", .type = LDNS_RR_TYPE_A};
			/* From the secondary's own address, but without its key. */
			asks[3 * i + 1] = (struct trial_ask){.from = secondary,
							     .to = primary,
							     .name = "example.com",
							     .type = LDNS_RR_TYPE_AXFR,
							     .is_tcp = true};
			asks[3 * i + 2] = (struct trial_ask){.from = "root",
							     .to = secondary,
							     .name = "example.com",
							     .type = LDNS_RR_TYPE_AXFR,
							     .is_tcp = true};
		}
		trial.topology = small_topology(&small);
		trial_must(&trial);
		for (size_t i = 0; i < SOFTWARE_COUNT; i++) {
			assert_string_equal(asks[3 * i].answer, "192.0.2.80 aa");
			for (size_t k = 1; k < 3; k++) {
				/* RFC 5936 leaves the rcode of a refusal open; knotd and named differ. */
				bool is_refused = !strncmp(asks[3 * i + k].answer, "REFUSED", 7) ||
						  !strncmp(asks[3 * i + k].answer, "NOTAUTH", 7);

				if (!is_refused)
					fail_msg("%s answers a stranger's AXFR: %s", asks[3 * i + k].to,
						 asks[3 * i + k].answer);
			}
		}
		small_plan_fini(&small);
	}
}

/* Writes the zone file anew with serial 2 and makes every primary read it, as an operator of it would. */
static void change_zone(struct trial *trial)
{
	const char *path = LAB_DIR "/.zones/example.com.zone";
	char *text, *serial;
	size_t len;

	if (fd_read_file(AT_FDCWD, path, 1 << 20, &text, &len) < 0)
		return;
	serial = strstr(text, " 1 3600 600 86400 60");
	if (serial)
		serial[1] = '2';
	fd_write_file(AT_FDCWD, path, text, len, 0644);
	free(text);
	for (size_t i = 0; i < SOFTWARE_COUNT; i++) {
		char name[32];
		pid_t pid;

		snprintf(name, sizeof(name), "%s.ns1", software[i]);
		if (strcmp(software[i], "powerdns")) {
			kill(bringup_pid(trial->bringup, topology_host(trial->topology, name)), SIGHUP);
			continue;
		}
		/* It looks for changes only once a minute, unless it is told. */
		pid = host_fork(lab_host_named(trial->lab, name));
		if (pid == 0) {
			if (freopen("/dev/null", "w", stdout))
				execlp("sh", "sh", "-c",
				       "pdns_control --config-dir=/run/dnsdrill/powerdns.ns1/server bind-reload-now "
				       "example.com && "
				       "pdns_control --config-dir=/run/dnsdrill/powerdns.ns1/server notify example.com",
				       (char *)NULL);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	}
}

/* Without NOTIFY a secondary would look after the SOA's refresh time: an hour. */
static void change_reaches_secondaries_by_notify(void **state)
{
	struct small_plan small;
	struct trial_ask asks[SOFTWARE_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks), .before_asks = change_zone};

	(void)state;
	small_plan_init(&small);
	add_providers(&small, 1);
	for (size_t i = 0; i < SOFTWARE_COUNT; i++)
		asks[i] = (struct trial_ask){.from = "root",
					     .to = arena_printf(small.arena, "%s.ns2", software[i]),
					     .name = "example.com",
					     .type = LDNS_RR_TYPE_SOA,
					     .until = "2 aa"};
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < SOFTWARE_COUNT; i++)
		assert_string_equal(asks[i].answer, "2 aa");
	small_plan_fini(&small);
}

/* alpha.ns1 → beta.ns1 → gamma.ns1. */
static void secondary_of_a_secondary_gets_the_zone(void **state)
{
	struct small_plan small;
	struct trial_ask ask = {.from = "root", .to = "gamma.ns1", .name = "www.example.com", .type = LDNS_RR_TYPE_A};
	struct trial trial = {.asks = &ask, .ask_count = 1};

	(void)state;
	small_plan_init(&small);
	small_zone(&small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	small_nameserver(&small, "alpha", "ns1", NULL, "192.0.2.1", "bind", NULL);
	small_nameserver(&small, "beta", "ns1", NULL, "192.0.2.2", "knot", "alpha.ns1");
	small_nameserver(&small, "gamma", "ns1", NULL, "192.0.2.3", "nsd", "beta.ns1");
	trial.topology = small_topology(&small);
	trial_must(&trial);
	assert_string_equal(ask.answer, "192.0.2.80 aa");
	small_plan_fini(&small);
}

/* From the file as from a transfer. RFC 4035 section 3.1: signatures with what exists, NSEC for what does not. */
static void every_software_serves_a_signed_zone_with_its_proofs(void **state)
{
	struct small_plan small;
	struct trial_ask asks[4 * SOFTWARE_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};

	(void)state;
	small_plan_init(&small);
	add_providers(&small, 1);
	small.zones[0].sign = sign_defaults;
	for (size_t i = 0; i < SOFTWARE_COUNT; i++) {
		for (size_t k = 0; k < 2; k++) {
			const char *to = arena_printf(small.arena, "%s.ns%zu", software[i], k + 1);

			asks[4 * i + 2 * k] = (struct trial_ask){.from = "root",
								 .to = to,
								 .name = "www.example.com",
								 .type = LDNS_RR_TYPE_A,
								 .is_do = true};
			asks[4 * i + 2 * k + 1] = asks[4 * i + 2 * k];
			asks[4 * i + 2 * k + 1].type = LDNS_RR_TYPE_MX;
		}
	}
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		const char *want = i % 2 ? "NOERROR aa rrsig nsec" : "192.0.2.80 aa rrsig";

		if (strcmp(asks[i].answer, want))
			fail_msg("%s says: %s, not %s", asks[i].to, asks[i].answer, want);
	}
	small_plan_fini(&small);
}

static void options_reach_each_software(void **state)
{
	static const char *const options[SOFTWARE_COUNT] = {
		"version \"seen\";",
		"server:\n    version: \"seen\"",
		"  version: \"seen\"\n  hide-version: no",
		"version-string=seen",
	};
	struct small_plan small;
	struct trial_ask asks[SOFTWARE_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};

	(void)state;
	small_plan_init(&small);
	small_zone(&small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	for (size_t i = 0; i < SOFTWARE_COUNT; i++) {
		const char *address = arena_printf(small.arena, "192.0.2.%zu", i + 1);

		small_nameserver(&small, software[i], "ns1", NULL, address, software[i], NULL)->options =
			small_text(options[i]);
		asks[i] = (struct trial_ask){.from = "root",
					     .to = arena_printf(small.arena, "%s.ns1", software[i]),
					     .name = "version.bind",
					     .type = LDNS_RR_TYPE_TXT,
					     .is_chaos = true};
	}
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < SOFTWARE_COUNT; i++)
		if (!strstr(asks[i].answer, "seen"))
			fail_msg("%s says: %s", asks[i].to, asks[i].answer);
	small_plan_fini(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_software_transfers_from_every_other_and_refuses_strangers),
		cmocka_unit_test(change_reaches_secondaries_by_notify),
		cmocka_unit_test(secondary_of_a_secondary_gets_the_zone),
		cmocka_unit_test(every_software_serves_a_signed_zone_with_its_proofs),
		cmocka_unit_test(options_reach_each_software),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
