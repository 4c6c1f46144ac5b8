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

static void rejects_tcp_reset_for_anything_but_tcp(void **state UNUSED)
{
	struct errs errs = {0};
	struct injector *fault = path_fault(arena, &reject_ops, 1, KEYS("with", "tcp-reset"), &errs);

	reject_ops.validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "add protocol: tcp"));
	errs_fini(&errs);
}

static void describes_itself(void **state UNUSED)
{
	struct errs errs = {0};
	struct injector *fault = path_fault(arena, &reject_ops, 1, KEYS("protocol", "tcp", "with", "tcp-reset"), &errs);
	struct buf sentence = {0};

	assert_int_equal(errs.count, 0);
	reject_ops.sentence(fault, &sentence);
	assert_string_equal(sentence.data, "refuses, with tcp-reset, TCP packets to " SERVER4 " and " SERVER6);
	buf_fini(&sentence);
}

/* What the sender is told, by connect(2) or a pending socket error (RFC 1122 sections 3.2.2.1 and 4.1.3.3 as Linux maps it, icmp(7)). */
static int refuse(struct lab *lab, const char *const *keys, int type, int told4, int told6, struct err *err)
{
	struct errs errs = {0};
	struct injector *fault = path_fault(arena, &reject_ops, 7, keys, &errs);
	struct injector_ctx ctx = {.core = lab_core(lab)};
	struct effect effect;

	CHECK(!errs.count);
	if (reject_ops.apply(fault, &ctx, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, type) == told4);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, type) == told6);
	if (reject_ops.effect(fault, &ctx, &effect, err))
		return err->code;
	CHECK(effect.took_effect && effect.packets >= 2); /* a SYN may have been sent again */
	if (reject_ops.revert(fault, &ctx, err) || reject_ops.revert(fault, &ctx, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, type) == REACHED);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, type) == REACHED);
	return 0;
}

static int refuses_by_port_unreachable(struct lab *lab, struct err *err)
{
	return refuse(lab, NULL, SOCK_DGRAM, -ECONNREFUSED, -ECONNREFUSED, err);
}

/* As a closed port does: a reset, which connect(2) takes at once. */
static int refuses_tcp_as_a_closed_port(struct lab *lab, struct err *err)
{
	return refuse(lab, NULL, SOCK_STREAM, -ECONNREFUSED, -ECONNREFUSED, err);
}

/* A soft error (RFC 1122 section 4.1.3.3): Linux passes it to a connecting TCP, to UDP only with IP_RECVERR. */
static int refuses_by_host_unreachable(struct lab *lab, struct err *err)
{
	return refuse(lab, KEYS("with", "host-unreachable"), SOCK_STREAM, -EHOSTUNREACH, -EHOSTUNREACH, err);
}

/* IPv4 code 13 is "host unreachable" to Linux, IPv6's own code 1 "permission denied". */
static int refuses_by_admin_prohibited(struct lab *lab, struct err *err)
{
	return refuse(lab, KEYS("with", "admin-prohibited"), SOCK_DGRAM, -EHOSTUNREACH, -EACCES, err);
}

static int refuses_by_tcp_reset(struct lab *lab, struct err *err)
{
	return refuse(lab, KEYS("protocol", "tcp", "with", "tcp-reset"), SOCK_STREAM, -ECONNREFUSED, -ECONNREFUSED,
		      err);
}

static void in_lab(fixture_body *body)
{
	struct fixture fixture;

	path_fixture(&fixture);
	fixture_must(&fixture, body);
}

static void port_unreachable_reaches_the_sender_in_both_families(void **state UNUSED)
{
	in_lab(refuses_by_port_unreachable);
}

static void a_refused_port_resets_tcp_in_both_families(void **state UNUSED)
{
	in_lab(refuses_tcp_as_a_closed_port);
}

static void host_unreachable_reaches_the_sender_in_both_families(void **state UNUSED)
{
	in_lab(refuses_by_host_unreachable);
}

static void admin_prohibited_reaches_the_sender_in_both_families(void **state UNUSED)
{
	in_lab(refuses_by_admin_prohibited);
}

static void tcp_reset_refuses_connections_in_both_families(void **state UNUSED)
{
	in_lab(refuses_by_tcp_reset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_tcp_reset_for_anything_but_tcp),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(port_unreachable_reaches_the_sender_in_both_families),
		cmocka_unit_test(a_refused_port_resets_tcp_in_both_families),
		cmocka_unit_test(host_unreachable_reaches_the_sender_in_both_families),
		cmocka_unit_test(admin_prohibited_reaches_the_sender_in_both_families),
		cmocka_unit_test(tcp_reset_refuses_connections_in_both_families),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
