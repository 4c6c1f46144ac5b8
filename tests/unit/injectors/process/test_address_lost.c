/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

extern const struct injector_ops address_lost_ops;

static void rejects_an_unknown_family(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};

	bed_fault(arena, &address_lost_ops, "r1", &server_unbound, SERVER_RESOLVER, KEYS("family", "ipv5"), &errs);
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.v[0].text, "ipv6"));
	errs_fini(&errs);
	arena_free(arena);
}

static void describes_itself(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct address one = {0};
	struct addresses own = {&one, 1};
	struct injector *fault = bed_fault(arena, &address_lost_ops, "r1", &server_unbound, SERVER_RESOLVER,
					   KEYS("family", "ipv6"), &errs);

	address_parse("2001:db8::1", &one);
	fault->servers[0].addresses = &own;
	bed_says(fault, "takes the IPv6 addresses from the host of r1 (unbound)",
		 "ssh root@r1 ip address delete 2001:db8::1/128 dev eth0\n",
		 "ssh root@r1 ip address add 2001:db8::1/128 dev eth0\n");
	arena_free(arena);
}

/* A question over UDP from the resolver's host, or for IPv6 from the nameserver's own: whether anything comes back within 200 ms. */
static bool is_answered(const char *from, const char *to)
{
	static const uint8_t question[] = {0,   1,   0,   0,   0,   1, 0,   0,   0,   0, 0, 0, 7, 'e', 'x',
					   'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 6, 0, 1};
	struct address address = {0};
	struct sockaddr_storage sockaddr;
	socklen_t len;
	char byte;

	address_parse(to, &address);
	len = address_to_sockaddr(&address, 53, &sockaddr);
	int fd CLEANUP_CLOSE = host_socket(lab_host_named(bed_of->trial.lab, from), address.family, SOCK_DGRAM, 0);
	if (connect(fd, (struct sockaddr *)&sockaddr, len) || send(fd, question, sizeof(question), 0) < 0)
		return false;
	bed_pass(200 * MSEC);
	return recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

static int loses_and_regains(struct trial *trial UNUSED, struct err *err)
{
	pid_t pid = server_process_pid(bed_server());

	CHECK(is_answered("r1", "192.0.2.1"));
	if (bed_apply(err))
		return err->code;
	CHECK(!bed_effect().took_effect); /* nobody asked yet */
	CHECK(!is_answered("r1", "192.0.2.1") && !is_answered("alpha.ns1", "2001:db8:1::1"));
	CHECK(bed_effect().took_effect && bed_effect().packets == 1);
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(is_answered("r1", "192.0.2.1") && is_answered("alpha.ns1", "2001:db8:1::1"));
	CHECK(server_process_pid(bed_server()) == pid);
	return 0;
}

static void takes_effect_and_leaves_no_trace(void **state UNUSED)
{
	bed_run(&address_lost_ops, "alpha.ns1", "knot", NULL, loses_and_regains);
}

static int loses_one_family(struct trial *trial UNUSED, struct err *err)
{
	if (bed_apply(err))
		return err->code;
	CHECK(!is_answered("r1", "192.0.2.1") && is_answered("alpha.ns1", "2001:db8:1::1"));
	return bed_revert(err);
}

static void other_family_stays(void **state UNUSED)
{
	bed_run(&address_lost_ops, "alpha.ns1", "knot", KEYS("family", "ipv4"), loses_one_family);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&address_lost_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_an_unknown_family),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(takes_effect_and_leaves_no_trace),
		cmocka_unit_test(other_family_stays),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
