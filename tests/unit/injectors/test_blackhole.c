/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/path_fixture.h"

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

static struct injector *fault_of(const char *const *keys)
{
	struct errs errs = {0};
	struct injector *fault = path_fault(arena, &blackhole_ops, 1, keys, &errs);

	assert_int_equal(errs.count, 0);
	return fault;
}

static void takes_one_error(const char *const *keys, const char *from, const char *wanted)
{
	struct errs errs = {0};
	struct injector *fault = path_fault(arena, &blackhole_ops, 1, keys, &errs);

	if (from)
		fault->from_addresses = path_addresses(arena, from, NULL);
	if (!errs.count)
		blackhole_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, wanted));
	errs_fini(&errs);
}

static void rejects_port_without_a_protocol_that_has_ports(void **state UNUSED)
{
	takes_one_error(KEYS("port", "53"), NULL, "port 53 goes with protocol udp, tcp or both");
}

static void rejects_port_zero(void **state UNUSED)
{
	takes_one_error(KEYS("protocol", "udp", "port", "0"), NULL, "1");
}

static void rejects_unknown_protocol(void **state UNUSED)
{
	takes_one_error(KEYS("protocol", "udpp"), NULL, "udp");
}

static void rejects_families_that_never_meet(void **state UNUSED)
{
	takes_one_error(KEYS("family", "ipv6"), OTHER4, "can hit nothing");
}

static void describes_itself(void **state UNUSED)
{
	struct buf sentence = {0}, apply = {0}, revert = {0};
	const struct injector *fault = fault_of(KEYS("protocol", "udp", "port", "53", "direction", "to"));

	fault->ops->sentence(fault, &sentence);
	assert_string_equal(sentence.data, "drops UDP packets to port 53 of " SERVER4 " and " SERVER6);
	fault->ops->commands(fault, &apply, &revert);
	assert_non_null(strstr(apply.data, "ip daddr { " SERVER4 " } meta l4proto udp th dport 53"));
	assert_non_null(strstr(apply.data, "ip6 daddr { " SERVER6 " }"));
	assert_null(strstr(apply.data, "saddr"));
	assert_non_null(strstr(revert.data, "delete chain inet dnsdrill fault_1"));
	buf_fini(&sentence);
	buf_fini(&apply);
	buf_fini(&revert);
}

static int apply(struct lab *lab, struct injector *fault, struct err *err)
{
	struct injector_ctx ctx = {.core = lab_core(lab)};

	return fault->ops->apply(fault, &ctx, err);
}

static int revert(struct lab *lab, struct injector *fault, struct err *err)
{
	struct injector_ctx ctx = {.core = lab_core(lab)};

	return fault->ops->revert(fault, &ctx, err);
}

static int silences_both_families(struct lab *lab, struct err *err)
{
	struct injector *fault = fault_of(NULL);

	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == REACHED);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_STREAM) == REACHED);
	if (apply(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_STREAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_STREAM) == SILENCE);
	CHECK(path_try(lab, "server", "client", CLIENT6, 99, SOCK_DGRAM) == SILENCE); /* from it, too */
	if (revert(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == REACHED);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_STREAM) == REACHED);
	return 0;
}

static int hits_only_what_was_chosen(struct lab *lab, struct err *err)
{
	struct injector *fault = fault_of(KEYS("protocol", "udp", "port", "53", "family", "ipv4", "direction", "to"));

	fault->from_addresses = path_addresses(arena, CLIENT4, CLIENT6);
	if (apply(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_STREAM) == REACHED); /* another protocol */
	CHECK(path_try(lab, "client", "server", SERVER4, 54, SOCK_DGRAM) == REACHED); /* another port */
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED); /* another family */
	CHECK(path_try(lab, "other", "server", SERVER4, 53, SOCK_DGRAM) == REACHED); /* another sender */
	CHECK(path_try(lab, "server", "client", CLIENT4, 53, SOCK_DGRAM) == REACHED); /* another direction */
	return revert(lab, fault, err);
}

static int counts_what_it_dropped(struct lab *lab, struct err *err)
{
	struct injector *fault = fault_of(NULL);
	struct injector_ctx ctx = {.core = lab_core(lab)};
	struct effect effect;

	if (apply(lab, fault, err) || fault->ops->effect(fault, &ctx, &effect, err))
		return err->code;
	CHECK(!effect.took_effect && effect.packets == 0);
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == SILENCE);
	if (fault->ops->effect(fault, &ctx, &effect, err))
		return err->code;
	/* One octet each, behind 28 (IPv4, UDP) and 48 (IPv6, UDP) of headers: 29 + 49. */
	CHECK(effect.took_effect && effect.packets == 2 && effect.bytes == 78);
	return revert(lab, fault, err);
}

/* The rules as nft(8) prints them. */
static int ruleset(char *text, size_t size)
{
	FILE *pipe = popen("nft -s list ruleset", "r");
	size_t n;

	if (!pipe)
		return -1;
	n = fread(text, 1, size - 1, pipe);
	text[n] = '\0';
	return pclose(pipe);
}

static int leaves_no_trace(struct lab *lab, struct err *err)
{
	struct injector *fault = fault_of(NULL);
	char before[8192], between[8192], after[8192];

	CHECK(!ruleset(before, sizeof(before)));
	if (revert(lab, fault, err)) /* without apply */
		return err->code;
	CHECK(!ruleset(after, sizeof(after)) && !strcmp(before, after));
	if (apply(lab, fault, err))
		return err->code;
	CHECK(!ruleset(between, sizeof(between)) && strstr(between, "drop"));
	if (revert(lab, fault, err) || revert(lab, fault, err)) /* twice */
		return err->code;
	CHECK(!ruleset(after, sizeof(after)) && !strcmp(before, after));
	return 0;
}

static void in_lab(fixture_body *body)
{
	struct fixture fixture;

	path_fixture(&fixture);
	fixture_must(&fixture, body);
}

static void takes_effect_on_both_families_and_all_protocols(void **state UNUSED)
{
	in_lab(silences_both_families);
}

static void leaves_alone_what_was_not_chosen(void **state UNUSED)
{
	in_lab(hits_only_what_was_chosen);
}

static void proves_its_effect_by_packets_and_bytes(void **state UNUSED)
{
	in_lab(counts_what_it_dropped);
}

static void apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply(void **state UNUSED)
{
	in_lab(leaves_no_trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_port_without_a_protocol_that_has_ports),
		cmocka_unit_test(rejects_port_zero),
		cmocka_unit_test(rejects_unknown_protocol),
		cmocka_unit_test(rejects_families_that_never_meet),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_on_both_families_and_all_protocols),
		cmocka_unit_test(leaves_alone_what_was_not_chosen),
		cmocka_unit_test(proves_its_effect_by_packets_and_bytes),
		cmocka_unit_test(apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
