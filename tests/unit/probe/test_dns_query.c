/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked, and whom.
 */
#include "tests/unit/probe/dns_rig.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* RFC 1035 section 4.1.1: RD is bit 0 of octet 2; RFC 6891: OPT is type 41, its class the payload size, DO the top bit of the flags. */
static void the_query_says_what_the_plan_says(void **state UNUSED)
{
	static const uint8_t opt[] = {0, 0, 41, 0x02, 0x58, 0, 0, 0x80, 0, 0, 0};
	struct dns_probe plain = www(PATIENT, UDP), full = www(PATIENT, UDP);
	struct rig *rig;

	plain.recursion = false;
	plain.edns_bytes = 0;
	rig = rig_new(plain, FAKE_ANSWER);
	rig_ask(rig);
	assert_int_equal(rig->fake->last[2], 0);
	assert_int_equal(rig->fake->last_len, 12 + 17 + 4); /* header, www.example.com, type and class: no OPT */
	rig_free(rig);
	full.edns_bytes = 600;
	full.dnssec = true;
	rig = rig_new(full, FAKE_ANSWER);
	rig_ask(rig);
	assert_int_equal(rig->fake->last[2], 1);
	assert_int_equal(rig->fake->last_len, 12 + 17 + 4 + sizeof(opt));
	assert_memory_equal(rig->fake->last + 33, opt, sizeof(opt));
	rig_free(rig);
}

static void each_unique_question_bears_its_own_label_and_says_so(void **state UNUSED)
{
	struct dns_probe probe = www(PATIENT, UDP);
	struct rig *rig;
	struct seen first, second;

	probe.probe.unique = true;
	rig = rig_new(probe, FAKE_ANSWER);
	first = rig_ask(rig);
	second = rig_ask(rig);
	assert_int_equal(second.outcome, OUTCOME_OK);
	assert_string_not_equal(first.name, second.name);
	assert_int_equal(strlen(second.name), strlen("q0123456789ab.www.example.com"));
	assert_int_equal(rig->fake->last[12], 13); /* what came to the server is what the sample says */
	assert_memory_equal(rig->fake->last + 13, second.name, 13);
	rig_free(rig);
}

static void a_fixed_name_is_not_repeated_in_every_sample(void **state UNUSED)
{
	assert_string_equal(ask_once(www(PATIENT, UDP), FAKE_ANSWER).name, "");
}

/* RFC 5452: neither ID nor source port may be guessed from the last. Among 20 of each, a counter or a constant would show. */
static void ids_and_source_ports_vary(void **state UNUSED)
{
	struct rig *rig = rig_new(www(PATIENT, UDP), FAKE_ANSWER);
	int next_ids = 0, same_ports = 0;

	for (int i = 0; i < 20; i++)
		rig_ask(rig);
	for (int i = 1; i < 20; i++) {
		next_ids += (uint16_t)(rig->fake->ids[i] - rig->fake->ids[i - 1]) <= 1;
		same_ports += rig->fake->ports[i] == rig->fake->ports[i - 1];
	}
	assert_true(next_ids < 3);
	assert_true(same_ports < 3);
	rig_free(rig);
}

static void only_the_first_server_is_asked_at_its_address_of_the_family(void **state UNUSED)
{
	struct probe_server servers[] = {sandbox_server("r1", "127.0.0.1"), sandbox_server("r1", "::1"),
					 sandbox_server("r2", "127.0.0.2")};
	struct dns_probe probe = www(PATIENT, UDP);
	struct sandbox *box = sandbox_new(servers, 3);
	struct fake_dns *fake = fake_dns_new(box->base, "::1", 0, FAKE_ANSWER);
	struct buf words = {0};
	struct err err = {0};
	void *dns;

	probe.family = IPV6;
	dns_ops.describe(&probe.probe, &box->ctx, &words);
	assert_string_equal(words.data, "UDP to r1 (::1)");
	buf_fini(&words);
	assert_int_equal(dns_ops.open(&probe.probe, &box->ctx, &dns, &err), 0);
	dns_ops.ask(dns, 0, sandbox_now(box));
	sandbox_await(box, 1);
	assert_int_equal(box->seen[0].outcome, OUTCOME_OK);
	dns_ops.close(dns);
	fake_dns_free(fake);
	sandbox_free(box);
}

static void a_server_without_an_address_of_the_family_is_an_error_at_the_probe(void **state UNUSED)
{
	struct probe_server servers[] = {sandbox_server("r1", "127.0.0.1"), sandbox_server("r2", "::1")};
	struct sandbox *box = sandbox_new(servers, 2);
	struct dns_probe probe = www(PATIENT, UDP);
	struct err err = {0};
	void *dns;

	probe.family = IPV6;
	probe.probe.loc = (struct loc){.file = "plan.yaml", .line = 14, .col = 3};
	assert_int_equal(dns_ops.open(&probe.probe, &box->ctx, &dns, &err), -EINVAL);
	assert_string_equal(err.text, "probe www: r1 has no ipv6 address");
	assert_int_equal(err.loc.line, 14);
	box->ctx.server_count = 0;
	assert_int_equal(dns_ops.open(&probe.probe, &box->ctx, &dns, &err), -EINVAL);
	sandbox_free(box);
}

static void a_unique_label_that_makes_the_name_too_long_is_an_error_at_the_query(void **state UNUSED)
{
	char longest[254]; /* 127 labels of one letter: 254 octets with the root, one less than the most */
	struct sandbox *box;
	struct probe_server server = sandbox_server("r1", "127.0.0.1");
	struct dns_probe probe = www(PATIENT, UDP);
	struct err err = {0};
	void *dns;

	for (size_t i = 0; i < 253; i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[253] = '\0';
	box = sandbox_new(&server, 1);
	probe.probe.qname = longest;
	assert_int_equal(dns_ops.open(&probe.probe, &box->ctx, &dns, &err), 0);
	dns_ops.close(dns);
	probe.probe.unique = true;
	probe.probe.query.loc = (struct loc){.file = "plan.yaml", .line = 20, .col = 12};
	assert_int_equal(dns_ops.open(&probe.probe, &box->ctx, &dns, &err), -EINVAL);
	assert_int_equal(err.loc.line, 20);
	sandbox_free(box);
}

static void rejects_dnssec_without_edns_and_a_payload_below_512(void **state UNUSED)
{
	struct dns_probe probe = www(PATIENT, UDP);
	struct errs errs = {0};

	dns_ops.validate(&probe.probe, &errs);
	assert_int_equal(errs.count, 0);
	probe.dnssec = true;
	probe.edns_bytes = 0;
	dns_ops.validate(&probe.probe, &errs);
	assert_int_equal(errs.count, 1);
	probe.edns_bytes = 511;
	dns_ops.validate(&probe.probe, &errs);
	assert_int_equal(errs.count, 2);
	errs_fini(&errs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_query_says_what_the_plan_says),
		cmocka_unit_test(each_unique_question_bears_its_own_label_and_says_so),
		cmocka_unit_test(a_fixed_name_is_not_repeated_in_every_sample),
		cmocka_unit_test(ids_and_source_ports_vary),
		cmocka_unit_test(only_the_first_server_is_asked_at_its_address_of_the_family),
		cmocka_unit_test(a_server_without_an_address_of_the_family_is_an_error_at_the_probe),
		cmocka_unit_test(a_unique_label_that_makes_the_name_too_long_is_an_error_at_the_query),
		cmocka_unit_test(rejects_dnssec_without_edns_and_a_payload_below_512),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
