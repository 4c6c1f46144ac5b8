/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every fault of the path has in common: limited to a family, a protocol or a direction it leaves the others alone; and where several choose a packet, the
 * plan's order decides, not that of their beginnings.
 */
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

#define TCP_OCTETS 14000 /* within the first window (RFC 6928), so that no acknowledgement is waited for */

enum {
	ON_UDP = 1, /* hits it, if it may */
	ON_TCP = 2,
	HAS_PROTOCOL = 4, /* as a row */
	LETS_SOME = 8, /* of the datagrams pass */
};

/* One kind, so strong that who sends `count` datagrams of `size` octets, or TCP_OCTETS over a connection, must notice. */
struct kind {
	const struct injector_ops *ops;
	const char *keys[8]; /* up to NULL; direction last */
	size_t size;
	int count, traits;
};

#define ALL (ON_UDP | ON_TCP | HAS_PROTOCOL)

static const struct kind kinds[] = {
	{&blackhole_ops, {NULL}, 40, 1, ALL},
	/* By ICMP: a reset on one way would end the connection and with it the other way. */
	{&reject_ops, {"with", "admin-prohibited", "direction", "both"}, 40, 1, ALL},
	{&loss_ops, {"share", "100%"}, 40, 1, ALL},
	{&latency_ops, {"delay", "30s"}, 40, 1, ALL},
	/* At a thousand octets a second, the third frame waits for more than one. */
	{&rate_ops, {"bits", "8000/s"}, 1400, 6, ALL | LETS_SOME},
	{&rate_ops, {"packets", "1/s", "burst_packets", "1"}, 40, 30, ALL | LETS_SOME},
	{&fragments_ops, {NULL}, 4000, 1, ON_UDP | HAS_PROTOCOL},
	{&fragments_ops, {"larger_than", "1000B"}, 1400, 1, ALL},
	{&fragments_ops, {"path_mtu", "1280B"}, 1400, 1, ALL},
	{&second_datagram_ops, {"within", "10s", "direction", "both"}, 40, 2, ON_UDP | LETS_SOME},
	{&half_open_ops, {NULL}, 40, 1, ON_TCP},
};

/* Data on its way: UDP either way, TCP from the client. */
struct flow {
	int type, family;
	bool is_to;
	struct talk talk;
	bool is_hit; /* expected */
	size_t sent, got;
};

enum { FLOWS = 6 };

static void flows_init(struct flow flows[FLOWS])
{
	for (int i = 0; i < FLOWS; i++)
		flows[i] = (struct flow){
			.type = i < 4 ? SOCK_DGRAM : SOCK_STREAM,
			.family = i % 2 ? AF_INET6 : AF_INET,
			.is_to = i < 2 || i >= 4,
			.talk = {-1, -1},
		};
}

/* TCP is connected already, before the fault: it is what happens to data that is asked here. */
static int flow_open(struct lab *lab, struct flow *flow)
{
	const char *from = flow->is_to ? "client" : "server", *to = flow->is_to ? "server" : "client";
	const char *four = flow->is_to ? SERVER4 : CLIENT4, *six = flow->is_to ? SERVER6 : CLIENT6;
	const char *address = flow->family == AF_INET ? four : six;

	return flow->type == SOCK_STREAM ? talk_connect(lab, from, to, address, 53, &flow->talk)
					 : talk_open(lab, from, to, address, 53, SOCK_DGRAM, &flow->talk);
}

static void flow_send(struct flow *flow, const struct kind *kind)
{
	static char data[TCP_OCTETS];
	size_t size = flow->type == SOCK_STREAM ? TCP_OCTETS : kind->size;
	int count = flow->type == SOCK_STREAM ? 1 : kind->count;

	flow->sent = size * (size_t)count;
	while (count--)
		(void)!send(flow->talk.sender, data, size, MSG_NOSIGNAL); /* a refusal may be told here */
}

static bool flow_passed(struct flow *flow)
{
	static char data[65536];
	ssize_t n;

	while ((n = recv(flow->talk.listener, data, sizeof(data), 0)) > 0)
		flow->got += (size_t)n;
	return flow->got == flow->sent;
}

static int flows_check(struct flow flows[FLOWS], struct err *err)
{
	for (int i = 0; i < FLOWS; i++) {
		for (int tries = 0; !flows[i].is_hit && !flow_passed(&flows[i]); tries++)
			CHECK(tries < 1000 && poll(NULL, 0, 5) == 0);
	}
	CHECK(poll(NULL, 0, 150) == 0); /* what is let through takes microseconds */
	for (int i = 0; i < FLOWS; i++)
		CHECK(!flows[i].is_hit || !flow_passed(&flows[i]));
	return 0;
}

/* What a limit means for each flow. */
struct limit {
	const char *key, *value;
	int type, family; /* of what is hit; 0: all */
	bool only_to, only_from;
};

static struct injector *limited(const struct kind *kind, const struct limit *limit)
{
	const char *keys[12] = {NULL};
	size_t n = 0;

	for (; kind->keys[n]; n++)
		keys[n] = kind->keys[n];
	if (n >= 2 && !strcmp(keys[n - 2], limit->key))
		n -= 2; /* the last word on that key is the limit's */
	keys[n] = limit->key;
	keys[n + 1] = limit->value;
	return talk_fault(arena, kind->ops, 1, keys);
}

static bool is_hit(const struct flow *flow, const struct kind *kind, const struct limit *limit)
{
	return (kind->traits & (flow->type == SOCK_STREAM ? ON_TCP : ON_UDP)) &&
	       (!limit->type || limit->type == flow->type) && (!limit->family || limit->family == flow->family) &&
	       !(limit->only_to && !flow->is_to) && !(limit->only_from && flow->is_to);
}

static int try_kind(struct lab *lab, const struct kind *kind, const struct limit *limit, struct flow flows[FLOWS],
		    struct err *err)
{
	struct injector *fault = limited(kind, limit);

	CHECK(fault);
	for (int i = 0; i < FLOWS; i++)
		CHECK(!flow_open(lab, &flows[i]));
	if (talk_apply(lab, fault, err))
		return err->code;
	for (int i = 0; i < FLOWS; i++) {
		flows[i].is_hit = is_hit(&flows[i], kind, limit);
		flow_send(&flows[i], kind);
	}
	return flows_check(flows, err) ? err->code : talk_revert(lab, fault, err);
}

static int try_limit(struct lab *lab, const struct limit *limit, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(kinds); i++) {
		struct flow flows[FLOWS];

		if (limit->type && !(kinds[i].traits & HAS_PROTOCOL))
			continue;
		flows_init(flows);
		r = try_kind(lab, &kinds[i], limit, flows, err);
		for (int j = 0; j < FLOWS; j++)
			talk_close(&flows[j].talk);
		if (r)
			err_wrap(err, "%s %s with %s: %s", kinds[i].ops->kind, kinds[i].keys[0] ? kinds[i].keys[0] : "",
				 limit->key, limit->value);
	}
	return r;
}

static int only_ipv4(struct lab *lab, struct err *err)
{
	return try_limit(lab, &(struct limit){.key = "family", .value = "ipv4", .family = AF_INET}, err);
}

static int only_ipv6(struct lab *lab, struct err *err)
{
	return try_limit(lab, &(struct limit){.key = "family", .value = "ipv6", .family = AF_INET6}, err);
}

static int only_udp(struct lab *lab, struct err *err)
{
	return try_limit(lab, &(struct limit){.key = "protocol", .value = "udp", .type = SOCK_DGRAM}, err);
}

static int only_tcp(struct lab *lab, struct err *err)
{
	return try_limit(lab, &(struct limit){.key = "protocol", .value = "tcp", .type = SOCK_STREAM}, err);
}

static int only_to(struct lab *lab, struct err *err)
{
	return try_limit(lab, &(struct limit){.key = "direction", .value = "to", .only_to = true}, err);
}

static int only_from(struct lab *lab, struct err *err)
{
	return try_limit(lab, &(struct limit){.key = "direction", .value = "from", .only_from = true}, err);
}

static int send_udp_to(struct lab *lab, const struct kind *kind, const char *address)
{
	int arrived = talk_send(lab, "client", "server", address, 53, kind->size, kind->count);

	return arrived == -ECONNREFUSED ? 0 : arrived;
}

/* The kind in the middle, a blackhole for IPv4 before it and one for all behind it; begun in another order. */
static int try_order(struct lab *lab, const struct kind *kind, struct err *err)
{
	struct injector *before = talk_fault(arena, &blackhole_ops, 1, KEYS("family", "ipv4"));
	struct injector *fault = talk_fault(arena, kind->ops, 2, kind->keys);
	struct injector *after = talk_fault(arena, &blackhole_ops, 3, NULL);
	int64_t hits;

	if (talk_apply(lab, after, err) || talk_apply(lab, before, err) || talk_apply(lab, fault, err))
		return err->code;
	CHECK(send_udp_to(lab, kind, SERVER4) == 0);
	CHECK(talk_hits(lab, before) > 0 && talk_hits(lab, fault) == 0 && talk_hits(lab, after) == 0);
	hits = talk_hits(lab, before);
	CHECK(send_udp_to(lab, kind, SERVER6) == 0);
	CHECK(talk_hits(lab, before) == hits && talk_hits(lab, fault) > 0);
	/* What it let pass, and only that, came to the last one. */
	CHECK((kind->traits & LETS_SOME) ? talk_hits(lab, after) > 0 : talk_hits(lab, after) == 0);
	return talk_revert(lab, before, err) || talk_revert(lab, after, err) ? err->code : talk_revert(lab, fault, err);
}

static int order_of_all(struct lab *lab, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(kinds); i++) {
		if (!(kinds[i].traits & ON_UDP))
			continue;
		r = try_order(lab, &kinds[i], err);
		if (r)
			err_wrap(err, "%s %s", kinds[i].ops->kind, kinds[i].keys[0] ? kinds[i].keys[0] : "");
	}
	return r;
}

static void of_several_faults_the_first_in_the_plan_has_the_packet(void **state UNUSED)
{
	talk_in_lab(order_of_all);
}

static void a_fault_on_ipv4_leaves_ipv6_alone(void **state UNUSED)
{
	talk_in_lab(only_ipv4);
}

static void a_fault_on_ipv6_leaves_ipv4_alone(void **state UNUSED)
{
	talk_in_lab(only_ipv6);
}

static void a_fault_on_udp_leaves_tcp_alone(void **state UNUSED)
{
	talk_in_lab(only_udp);
}

static void a_fault_on_tcp_leaves_udp_alone(void **state UNUSED)
{
	talk_in_lab(only_tcp);
}

static void a_fault_on_the_way_to_the_target_leaves_the_way_back_alone(void **state UNUSED)
{
	talk_in_lab(only_to);
}

static void a_fault_on_the_way_back_leaves_the_way_to_the_target_alone(void **state UNUSED)
{
	talk_in_lab(only_from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_on_ipv4_leaves_ipv6_alone),
		cmocka_unit_test(a_fault_on_ipv6_leaves_ipv4_alone),
		cmocka_unit_test(a_fault_on_udp_leaves_tcp_alone),
		cmocka_unit_test(a_fault_on_tcp_leaves_udp_alone),
		cmocka_unit_test(a_fault_on_the_way_to_the_target_leaves_the_way_back_alone),
		cmocka_unit_test(a_fault_on_the_way_back_leaves_the_way_to_the_target_alone),
		cmocka_unit_test(of_several_faults_the_first_in_the_plan_has_the_packet),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
