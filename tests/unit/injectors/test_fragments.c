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

static void rejects_two_ways_at_once(void **state UNUSED)
{
	talk_rejects(arena, &fragments_ops, KEYS("larger_than", "1232B", "path_mtu", "1280B"), "keep one");
}

/* RFC 8200 section 5: IPv6 needs 1280; and the lab's links carry 1500 anyway. */
static void rejects_a_path_that_cannot_be(void **state UNUSED)
{
	talk_rejects(arena, &fragments_ops, KEYS("path_mtu", "1279B"), "path_mtu");
	talk_rejects(arena, &fragments_ops, KEYS("path_mtu", "1500B"), "path_mtu");
}

static void describes_itself(void **state UNUSED)
{
	talk_says(talk_fault(arena, &fragments_ops, 1, KEYS("direction", "from", "family", "ipv4")),
		  "drops the fragments of every packet from " SERVER4);
	talk_says(talk_fault(arena, &fragments_ops, 1, KEYS("larger_than", "1232B", "family", "ipv6")),
		  "drops what is longer than 1232 bytes of every packet to and from " SERVER6);
	talk_says(talk_fault(arena, &fragments_ops, 1, KEYS("path_mtu", "1280B", "protocol", "udp")),
		  "leads over a path of 1280 bytes, whose packet-too-big messages are lost, UDP packets to and "
		  "from " SERVER4 " and " SERVER6);
}

/* Headers of IPv4 and UDP take 28 octets, of IPv6 and UDP 48; links carry 1500. */
static int drops_them(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &fragments_ops, 1, NULL);

	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 4000, 1) == 1);
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 4000, 1) == 1);
	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 1472, 2) == 2); /* just fits */
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 1452, 2) == 2);
	CHECK(talk_hits(lab, fault) == 0);
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 4000, 1) == 0);
	CHECK(talk_hits(lab, fault) == 3); /* 4008 octets with UDP's header, 1480 in a fragment */
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 4000, 1) == 0);
	CHECK(talk_hits(lab, fault) == 6);
	CHECK(talk_send(lab, "server", "client", CLIENT6, 53, 4000, 1) == 0); /* from it, too */
	CHECK(talk_send(lab, "other", "client", CLIENT4, 53, 4000, 1) == 1); /* not of the target */
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 4000, 1) == 1);
	return 0;
}

/* Of a fragmented datagram only the first piece has ports: that one is dropped, which is enough. */
static int drops_them_by_port(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &fragments_ops, 1, KEYS("protocol", "udp", "port", "53"));

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 4000, 1) == 0);
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 4000, 1) == 0);
	CHECK(talk_hits(lab, fault) == 2);
	CHECK(talk_send(lab, "client", "server", SERVER4, 54, 4000, 1) == 1);
	CHECK(talk_send(lab, "client", "server", SERVER6, 54, 4000, 1) == 1);
	return talk_revert(lab, fault, err);
}

static int drops_the_large(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &fragments_ops, 1, KEYS("larger_than", "1232B"));
	struct talk talk = {-1, -1};

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 1232 - 28, 1) == 1);
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 1232 - 48, 1) == 1);
	CHECK(talk_hits(lab, fault) == 0);
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 1233 - 28, 1) == 0);
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 1233 - 48, 1) == 0);
	CHECK(talk_hits(lab, fault) == 2);
	CHECK(!talk_connect(lab, "client", "server", SERVER6, 53, &talk));
	CHECK(talk_write(talk.sender, talk.listener, 100) == REACHED);
	CHECK(talk_write(talk.sender, talk.listener, 1400) == SILENCE);
	talk_close(&talk);
	return talk_revert(lab, fault, err);
}

/* IPv4 sets Don't Fragment on what fits its own link, unless told otherwise (ip(7), IP_MTU_DISCOVER). */
static int send_fragmentable(struct lab *lab, size_t size)
{
	struct talk talk = {-1, -1};
	int dont = IP_PMTUDISC_DONT, arrived = talk_open(lab, "client", "server", SERVER4, 53, SOCK_DGRAM, &talk);

	if (!arrived && setsockopt(talk.sender, IPPROTO_IP, IP_MTU_DISCOVER, &dont, sizeof(dont)))
		arrived = -errno;
	if (!arrived)
		arrived = talk_datagrams(&talk, size, 1);
	talk_close(&talk);
	return arrived;
}

static int64_t errors_lost(struct lab *lab)
{
	int64_t packets = -1;
	struct err err = {0};

	(void)core_counters(lab_core(lab), "fault_5_errors", &packets, NULL, &err);
	return packets;
}

static int loses_packet_too_big(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &fragments_ops, 5, KEYS("path_mtu", "1280B"));
	struct injector_ctx ctx = talk_ctx(lab);
	struct effect effect;
	struct talk talk = {-1, -1};

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER4, 53, 1280 - 28, 1) == 1);
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 1280 - 48, 1) == 1);
	CHECK(talk_hits(lab, fault) == 0 && errors_lost(lab) == 0);
	for (int i = 1; i <= 2; i++) { /* the sender learns nothing: the second try is as long as the first */
		CHECK(talk_send(lab, "client", "server", SERVER4, 53, 1400, 1) == 0);
		CHECK(talk_send(lab, "client", "server", SERVER6, 53, 1400, 1) == 0);
		CHECK(talk_hits(lab, fault) == 2 * i && errors_lost(lab) == 2 * i);
	}
	CHECK(talk_send(lab, "server", "client", CLIENT6, 53, 1400, 1) == 0); /* from it, too */
	CHECK(talk_send(lab, "server", "client", CLIENT4, 53, 1400, 1) == 0);
	CHECK(errors_lost(lab) == 6);
	CHECK(send_fragmentable(lab, 1400) == 1); /* a router may, and does */
	CHECK(talk_hits(lab, fault) == 7 && errors_lost(lab) == 6);
	CHECK(!talk_connect(lab, "client", "server", SERVER4, 54, &talk));
	CHECK(talk_write(talk.sender, talk.listener, 100) == REACHED);
	CHECK(talk_write(talk.sender, talk.listener, 5000) == SILENCE);
	talk_close(&talk);
	CHECK(talk_send(lab, "other", "client", CLIENT4, 53, 1400, 1) == 1); /* not of the target */
	if (fault->ops->effect(fault, &ctx, &effect, err))
		return err->code;
	CHECK(strstr(effect.text, "packet-too-big messages lost"));
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(talk_send(lab, "client", "server", SERVER6, 53, 1400, 1) == 1);
	return 0;
}

/* The rest of the path still tells: a smaller one behind it, which is another fault's. */
static int leaves_other_errors(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &fragments_ops, 5, KEYS("path_mtu", "1400B", "direction", "to"));
	struct talk talk = {-1, -1};

	if (talk_apply(lab, fault, err))
		return err->code;
	CHECK(!system("ip link set h0 mtu 1300")); /* the server's */
	CHECK(!talk_open(lab, "client", "server", SERVER6, 53, SOCK_DGRAM, &talk));
	CHECK(talk_datagrams(&talk, 1340 - 48, 1) == 0);
	CHECK(talk_datagrams(&talk, 1340 - 48, 1) == -EMSGSIZE); /* the error has arrived */
	CHECK(talk_datagrams(&talk, 1340 - 48, 1) == 1); /* in fragments, now that it knows */
	CHECK(errors_lost(lab) == 0);
	talk_close(&talk);
	return talk_revert(lab, fault, err);
}

/* Behind another detour and before a blackhole: what the small link let pass, in fragments, the later fault still sees. */
static int stands_in_plan_order(struct lab *lab, struct err *err)
{
	struct injector *path = talk_fault(arena, &fragments_ops, 5, KEYS("path_mtu", "1280B"));
	struct injector *before = talk_fault(arena, &fragments_ops, 1, KEYS("family", "ipv4"));
	struct injector *after = talk_fault(arena, &fragments_ops, 9, KEYS("family", "ipv4"));

	if (talk_apply(lab, path, err) || talk_apply(lab, before, err))
		return err->code;
	CHECK(send_fragmentable(lab, 1400) == 1); /* whole when it came to the first fault */
	CHECK(talk_hits(lab, before) == 0 && talk_hits(lab, path) == 1);
	if (talk_apply(lab, after, err))
		return err->code;
	CHECK(send_fragmentable(lab, 1400) == 0);
	CHECK(talk_hits(lab, before) == 0 && talk_hits(lab, path) == 2 && talk_hits(lab, after) == 2);
	return talk_revert(lab, path, err) || talk_revert(lab, before, err) || talk_revert(lab, after, err) ? err->code
													    : 0;
}

/* With the link made beforehand the fault comes and goes as before, and is nothing before and after. */
static int works_when_prepared(struct lab *lab, struct err *err)
{
	struct injector *fault = talk_fault(arena, &fragments_ops, 5, KEYS("path_mtu", "1280B"));
	struct injector_ctx ctx = talk_ctx(lab);
	char before[16384], prepared[16384], after[16384];

	CHECK(!talk_everything(before, sizeof(before)));
	if (fault->ops->prepare(fault, &ctx, err))
		return err->code;
	CHECK(!talk_everything(prepared, sizeof(prepared)) && strcmp(before, prepared) != 0);
	for (int i = 0; i < 2; i++) {
		CHECK(talk_send(lab, "client", "server", SERVER6, 53, 1400, 1) == 1);
		if (talk_apply(lab, fault, err))
			return err->code;
		CHECK(talk_send(lab, "client", "server", SERVER6, 53, 1400, 1) == 0);
		CHECK(talk_hits(lab, fault) == 1 && errors_lost(lab) == 1);
		if (talk_revert(lab, fault, err))
			return err->code;
		CHECK(!talk_everything(after, sizeof(after)) && !strcmp(prepared, after));
	}
	if (fault->ops->release(fault, &ctx, err) || fault->ops->release(fault, &ctx, err))
		return err->code;
	CHECK(!talk_everything(after, sizeof(after)) && !strcmp(before, after));
	return 0;
}

static int leaves_no_trace(struct lab *lab, struct err *err)
{
	int r = talk_leaves_no_trace(lab, talk_fault(arena, &fragments_ops, 1, NULL), err);

	return r ? r : talk_leaves_no_trace(lab, talk_fault(arena, &fragments_ops, 2, KEYS("path_mtu", "1280B")), err);
}

static void fragments_are_dropped_in_both_families_and_directions(void **state UNUSED)
{
	talk_in_lab(drops_them);
}

static void a_port_is_that_of_the_whole_datagram(void **state UNUSED)
{
	talk_in_lab(drops_them_by_port);
}

static void what_is_larger_is_dropped_to_the_octet(void **state UNUSED)
{
	talk_in_lab(drops_the_large);
}

static void takes_effect_as_a_path_whose_packet_too_big_is_lost(void **state UNUSED)
{
	talk_in_lab(loses_packet_too_big);
}

static void packet_too_big_of_others_arrives(void **state UNUSED)
{
	talk_in_lab(leaves_other_errors);
}

static void prepared_it_comes_and_goes_the_same(void **state UNUSED)
{
	talk_in_lab(works_when_prepared);
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
		cmocka_unit_test(rejects_two_ways_at_once),
		cmocka_unit_test(rejects_a_path_that_cannot_be),
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(fragments_are_dropped_in_both_families_and_directions),
		cmocka_unit_test(a_port_is_that_of_the_whole_datagram),
		cmocka_unit_test(what_is_larger_is_dropped_to_the_octet),
		cmocka_unit_test(takes_effect_as_a_path_whose_packet_too_big_is_lost),
		cmocka_unit_test(packet_too_big_of_others_arrives),
		cmocka_unit_test(prepared_it_comes_and_goes_the_same),
		cmocka_unit_test(order_is_that_of_the_plan),
		cmocka_unit_test(apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
