/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/path_talk.h"

extern const struct injector_ops dns_message_ops;

static struct arena *arena;

static int set_up(void **state UNUSED)
{
	arena = arena_new();
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

/* As a plan's step gives its keys. */
static struct injector *parse(const char *yaml, struct errs *errs)
{
	struct injector *fault = arena_alloc(arena, dns_message_ops.size);
	const struct node *node = node_load_bytes(arena, "plan", yaml, strlen(yaml), errs);

	assert_non_null(node);
	parse_mapping(arena, node, &dns_message_ops.params, 1, fault, "step", errs);
	fault->ops = &dns_message_ops;
	fault->id = 3;
	fault->name.value = "test fault";
	fault->ramp_ns = PARAM_UNSET;
	fault->target_addresses = path_addresses(arena, SERVER4, SERVER6);
	if (!errs->count)
		dns_message_ops.compile(fault, arena, errs);
	if (!errs->count)
		dns_message_ops.validate(fault, errs);
	return fault;
}

static void refuses(const char *yaml, const char *why)
{
	struct errs errs = {0};

	parse(yaml, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, why));
	errs_fini(&errs);
}

static void rejects_what_can_never_match_or_act(void **state UNUSED)
{
	refuses("{match: {server: 198.51.100.7}, do: {rcode: SERVFAIL}}", "no address of the target");
	refuses("{match: {qtype: NOSUCH}, do: {rcode: SERVFAIL}}", "NOSUCH");
	refuses("{match: {transport: dot}, do: {rcode: SERVFAIL}}", "no host of the target serves DNS over TLS");
	refuses("{match: {qtype: A}}", "says nothing to do");
}

static void rejects_a_ramp_of_what_is_counted(void **state UNUSED)
{
	struct errs errs = {0};
	struct injector *fault = parse("{do: {rcode: SERVFAIL}, every: 2}", &errs);

	assert_int_equal(errs.count, 0);
	fault->ramp_ns = 1000000000;
	dns_message_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "cannot grow"));
	errs_fini(&errs);
}

static void describes(const char *yaml, const char *words)
{
	struct errs errs = {0};
	struct injector *fault = parse(yaml, &errs);
	struct buf sentence = {0};

	assert_int_equal(errs.count, 0);
	dns_message_ops.sentence(fault, &sentence);
	assert_string_equal(sentence.data, words);
	buf_fini(&sentence);
}

static void describes_itself(void **state UNUSED)
{
	describes("{do: {rcode: SERVFAIL, delay: 50ms}}",
		  "does {delay: 50ms, rcode: SERVFAIL} to the messages that port 53 of " SERVER4 " and " SERVER6
		  " is asked");
	describes("{match: {qname: '*.example.com', qtype: [A, AAAA]}, do: {drop: answer}, share: 30%}",
		  "does {drop: answer} to 30% of the messages that port 53 of " SERVER4 " and " SERVER6
		  " is asked, those that match {qname: \"*.example.com\", qtype: [A, AAAA]}");
}

/* What it writes for another proxy, that one reads as it was meant; a quote in it does not end the shell's. */
static void its_commands_say_the_rule_as_the_plan_did(void **state UNUSED)
{
	struct errs errs = {0};
	struct injector *fault =
		parse("{match: {qname: a.example}, do: {rcode: REFUSED, ede: 15, ede_text: \"it's\"}}", &errs);
	struct buf apply = {0}, revert = {0};

	assert_int_equal(errs.count, 0);
	dns_message_ops.commands(fault, &apply, &revert);
	assert_non_null(strstr(apply.data, "'- {match: {qname: a.example, edns: true}, do: {rcode: REFUSED, ede: 15, "
					   "ede_text: \"it'\\''s\"}}' >/run/dnsdrill-3.yaml\n"));
	assert_non_null(strstr(apply.data, "--upstream '[" SERVER6 "]':53"));
	buf_fini(&apply);
	buf_fini(&revert);
}

static void its_commands_are_for_those_it_is_from(void **state UNUSED)
{
	struct errs errs = {0};
	struct injector *fault = parse("{do: {rcode: REFUSED}}", &errs);
	struct address clients[2];
	struct buf apply = {0}, revert = {0};

	assert_int_equal(address_parse("203.0.113.53", &clients[0]), 0);
	assert_int_equal(address_parse("203.0.113.54", &clients[1]), 0);
	fault->from_addresses = (struct addresses){clients, 2};
	dns_message_ops.commands(fault, &apply, &revert);
	assert_non_null(strstr(apply.data, " ip saddr { 203.0.113.53, 203.0.113.54 } ip daddr "));
	assert_null(strstr(apply.data, "ip6 daddr")); /* none of them asks there */
	buf_fini(&apply);
	buf_fini(&revert);
}

static void without_prepare_there_is_nothing_to_revert_and_nothing_to_apply(void **state UNUSED)
{
	struct errs errs = {0};
	struct injector *fault = parse("{do: {rcode: SERVFAIL}}", &errs);
	struct injector_ctx ctx = {.progress_ppm = 1000000};
	struct err err = {0};

	assert_int_equal(dns_message_ops.revert(fault, &ctx, &err), 0);
	assert_int_equal(dns_message_ops.revert(fault, &ctx, &err), 0);
	assert_true(dns_message_ops.apply(fault, &ctx, &err) < 0);
}

/* Everything of it: links, rules, chains, process. */
static int comes_and_goes(struct lab *lab, struct err *err)
{
	static const struct abilities abilities = {.has = {[ABILITY_RELAY] = true, [ABILITY_POLICY_ROUTING] = true}};
	struct errs errs = {0};
	struct injector *fault = parse("{do: {rcode: SERVFAIL}}", &errs);
	struct injector_ctx ctx = {.core = lab_core(lab),
				   .faults = &fault,
				   .fault_count = 1,
				   .abilities = &abilities,
				   .progress_ppm = 1000000};
	struct effect effect = {0};
	char before[16384], after[16384];

	CHECK(!errs.count);
	CHECK(!talk_everything(before, sizeof(before)));
	for (int i = 0; i < 2; i++) {
		if (dns_message_ops.prepare(fault, &ctx, err) || dns_message_ops.apply(fault, &ctx, err) ||
		    dns_message_ops.effect(fault, &ctx, &effect, err) || dns_message_ops.revert(fault, &ctx, err) ||
		    dns_message_ops.revert(fault, &ctx, err) || dns_message_ops.release(fault, &ctx, err) ||
		    dns_message_ops.release(fault, &ctx, err))
			return err->code;
		CHECK(!effect.took_effect);
	}
	CHECK(!talk_everything(after, sizeof(after)));
	CHECK(!strcmp(before, after));
	return 0;
}

static void apply_and_revert_leave_no_trace(void **state UNUSED)
{
	struct fixture fixture;

	path_fixture(&fixture);
	fixture_must(&fixture, comes_and_goes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_what_can_never_match_or_act),
		cmocka_unit_test(rejects_a_ramp_of_what_is_counted),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(its_commands_say_the_rule_as_the_plan_did),
		cmocka_unit_test(its_commands_are_for_those_it_is_from),
		cmocka_unit_test(without_prepare_there_is_nothing_to_revert_and_nothing_to_apply),
		cmocka_unit_test(apply_and_revert_leave_no_trace),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
