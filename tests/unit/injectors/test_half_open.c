/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/injectors/path_talk.h"

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

static void rejects_unknown_direction(void **state UNUSED)
{
	talk_rejects(arena, &half_open_ops, KEYS("direction", "up"), "direction");
}

static void describes_itself(void **state UNUSED)
{
	talk_says(talk_fault(arena, &half_open_ops, 1, KEYS("port", "53")),
		  "lets connections open, then drops all they carry, of TCP packets to and from port 53 of " SERVER4
		  " and " SERVER6);
}

static int opens_and_no_more(struct lab *lab, const char *address, struct err *err)
{
	struct injector *fault = talk_fault(arena, &half_open_ops, 1, NULL);
	struct talk talk = {-1, -1};
	int64_t hits;

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(talk_connect(lab, "client", "server", address, 53, &talk) == 0);
	CHECK(talk_hits(lab, fault) == 0); /* nothing of the handshake was held */
	CHECK(talk_write(talk.sender, talk.listener, 1) == SILENCE);
	hits = talk_hits(lab, fault);
	CHECK(hits >= 1); /* sent again */
	CHECK(talk_write(talk.listener, talk.sender, 1) == SILENCE); /* from it, too */
	CHECK(talk_hits(lab, fault) > hits);
	CHECK(talk_write(talk.sender, talk.listener, 5000) == SILENCE); /* several segments */
	CHECK(talk_send(lab, "client", "server", address, 53, 100, 3) == 3); /* UDP knows nothing of it */
	if (talk_revert(lab, fault, err))
		return err->code;
	talk_close(&talk);
	CHECK(talk_connect(lab, "client", "server", address, 54, &talk) == 0);
	CHECK(talk_write(talk.sender, talk.listener, 5000) == REACHED);
	talk_close(&talk);
	return 0;
}

static int both_families(struct lab *lab, struct err *err)
{
	int r = opens_and_no_more(lab, SERVER4, err);

	return r ? r : opens_and_no_more(lab, SERVER6, err);
}

/* The other end does not learn that one has gone. */
static int hides_the_end(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &half_open_ops, 1, NULL);
	struct talk talk = {-1, -1};
	struct pollfd end = {.events = POLLIN};

	CHECK(talk_connect(lab, "client", "server", SERVER6, 53, &talk) == 0);
	if (talk_apply(lab, fault, err))
		return err->code;
	end.fd = talk.listener;
	CHECK(!close(talk.sender) && poll(&end, 1, 300) == 0); /* FIN */
	talk.sender = -1;
	talk_close(&talk);
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(talk_connect(lab, "client", "server", SERVER4, 55, &talk) == 0);
	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(!setsockopt(talk.sender, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)));
	end.fd = talk.listener;
	CHECK(!close(talk.sender) && poll(&end, 1, 300) == 0); /* RST */
	talk.sender = -1;
	talk_close(&talk);
	return talk_revert(lab, fault, err);
}

/* What connect(2) to a port that nobody listens at comes to. */
static int knock(struct lab *lab, const char *text)
{
	struct address address = {0};
	struct sockaddr_storage sa;
	struct pollfd done = {.events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error), sa_len;

	address_parse(text, &address);
	sa_len = address_to_sockaddr(&address, 99, &sa);
	int fd CLEANUP_CLOSE = host_socket(lab_host_named(lab, "client"), address.family, SOCK_STREAM, 0);
	done.fd = fd;
	if (!connect(fd, (struct sockaddr *)&sa, sa_len) || errno != EINPROGRESS || poll(&done, 1, 500) != 1)
		return SILENCE;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? SILENCE : -error;
}

/* That is no half-open connection, and silence would be another fault. */
static int leaves_refusals(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &half_open_ops, 1, NULL);

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(knock(lab, SERVER4) == -ECONNREFUSED);
	CHECK(knock(lab, SERVER6) == -ECONNREFUSED);
	return talk_revert(lab, fault, err);
}

/* Data meets the faults in the order of the plan. */
static int stands_in_plan_order(struct lab *lab, struct err *err)
{
	struct injector *half = talk_fault(arena, &half_open_ops, 2, NULL);
	struct injector *before = talk_fault(arena, &blackhole_ops, 1, NULL);
	struct injector *after = talk_fault(arena, &blackhole_ops, 3, NULL);
	struct talk talk = {-1, -1};
	int64_t hits;

	CHECK(talk_connect(lab, "client", "server", SERVER4, 53, &talk) == 0);
	if (talk_apply(lab, after, err) || talk_apply(lab, half, err))
		return err->code;
	CHECK(talk_write(talk.sender, talk.listener, 1) == SILENCE);
	hits = talk_hits(lab, half);
	CHECK(hits > 0 && talk_hits(lab, after) == 0);
	if (talk_apply(lab, before, err))
		return err->code;
	hits = talk_hits(lab, half);
	CHECK(talk_write(talk.sender, talk.listener, 1) == SILENCE);
	CHECK(talk_hits(lab, half) == hits && talk_hits(lab, before) > 0);
	talk_close(&talk);
	return talk_revert(lab, before, err) || talk_revert(lab, after, err) || talk_revert(lab, half, err) ? err->code
													    : 0;
}

static int leaves_no_trace(struct lab *lab, struct err *err)
{
	return talk_leaves_no_trace(lab, talk_fault(arena, &half_open_ops, 1, NULL), err);
}

static void connections_open_and_carry_nothing_in_both_families(void **state UNUSED)
{
	talk_in_lab(both_families);
}

static void the_end_of_a_connection_is_not_told(void **state UNUSED)
{
	talk_in_lab(hides_the_end);
}

static void a_refused_connection_stays_refused(void **state UNUSED)
{
	talk_in_lab(leaves_refusals);
}

static void order_is_that_of_the_plan(void **state UNUSED)
{
	talk_in_lab(stands_in_plan_order);
}

static void apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply(void **state UNUSED)
{
	talk_in_lab(leaves_no_trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_unknown_direction),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(connections_open_and_carry_nothing_in_both_families),
		cmocka_unit_test(the_end_of_a_connection_is_not_told),
		cmocka_unit_test(a_refused_connection_stays_refused),
		cmocka_unit_test(order_is_that_of_the_plan),
		cmocka_unit_test(apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
