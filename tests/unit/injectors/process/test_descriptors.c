/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/process/process_bed.h"

#include <sys/resource.h>

extern const struct injector_ops descriptors_ops;

static void describes_itself(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};
	struct injector *fault =
		bed_fault(arena, &descriptors_ops, "r1", &server_unbound, SERVER_RESOLVER, KEYS("spare", "1"), &errs);
	struct buf sentence = {0}, apply = {0}, revert = {0};

	descriptors_ops.sentence(fault, &sentence);
	descriptors_ops.commands(fault, &apply, &revert);
	assert_string_equal(sentence.data, "leaves 1 free file descriptor to r1 (unbound)");
	assert_non_null(strstr(apply.data, "ssh root@r1 'for p in $(pidof unbound); do prlimit --pid $p --nofile="));
	assert_non_null(strstr(revert.data, "prlimit"));
	buf_fini(&sentence), buf_fini(&apply), buf_fini(&revert);
	arena_free(arena);
}

static void rejects_a_negative_spare(void **state UNUSED)
{
	struct arena *arena = arena_new();
	struct errs errs = {0};

	bed_fault(arena, &descriptors_ops, "r1", &server_unbound, SERVER_RESOLVER, KEYS("spare", "-1"), &errs);
	assert_int_equal(errs.count, 1);
	errs_fini(&errs);
	arena_free(arena);
}

static rlim_t limit(void)
{
	struct rlimit now = {0};

	prlimit(server_process_pid(bed_server()), RLIMIT_NOFILE, NULL, &now);
	return now.rlim_cur;
}

/* A connection over TCP from the resolver's host, and a question in it: whether a byte of an answer comes within 300 ms. */
static bool is_answered(void)
{
	static const uint8_t question[] = {0,   29,  0,   1,   0,   0,   0, 1,   0,   0,   0, 0, 0, 0, 7, 'e',
					   'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 6, 0, 1};
	struct address address = {0};
	struct sockaddr_storage to;
	socklen_t len;
	int fd CLEANUP_CLOSE = host_socket(lab_host_named(bed_of->trial.lab, "r1"), AF_INET, SOCK_STREAM, 0);
	char byte;

	address_parse("192.0.2.1", &address);
	len = address_to_sockaddr(&address, 53, &to);
	(void)connect(fd, (struct sockaddr *)&to, len);
	bed_pass(50 * MSEC);
	if (send(fd, question, sizeof(question), MSG_NOSIGNAL) < 0)
		return false;
	bed_pass(250 * MSEC);
	return recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

static int refuses_connections(struct trial *trial UNUSED, struct err *err)
{
	rlim_t before = limit();

	CHECK(is_answered());
	bed_pass(300 * MSEC); /* until the server has closed its end too: what it closes it may open again */
	if (bed_apply(err))
		return err->code;
	CHECK(limit() < before && !bed_effect().took_effect); /* nobody came yet */
	CHECK(!is_answered());
	CHECK(bed_effect().took_effect);
	if (bed_revert(err) || bed_revert(err))
		return err->code;
	CHECK(limit() == before && is_answered());
	return 0;
}

static void takes_effect_and_leaves_no_trace(void **state UNUSED)
{
	bed_run(&descriptors_ops, "alpha.ns1", "knot", NULL, refuses_connections);
}

static void revert_without_apply(void **state UNUSED)
{
	bed_run(&descriptors_ops, "alpha.ns1", "knot", NULL, bed_reverts_without_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(rejects_a_negative_spare),
		cmocka_unit_test(takes_effect_and_leaves_no_trace),
		cmocka_unit_test(revert_without_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
