/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relay between two real pairs of links. Frames are put on d1 and taken from b1; each carries its number.
 */
#include "harness/api/core.h"
#include "harness/base/clock.h"
#include "injectors/relay/relay.h"
#include "tests/unit/lab/fixture.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>

#define SEED 7
#define HEADERS 34 /* Ethernet and IPv4 */
#define LEN 74
#define AT HEADERS /* where the number stands */
#define LAST_MSEC 200 /* nothing for so long: that was all */

struct rig {
	struct relay *relay;
	int in_fd, out_fd;
};

static int link_socket(const char *ifname, int protocol)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	address.sll_ifindex = (int)if_nametoindex(ifname);
	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) ? -1 : fd;
}

static int open_rig(struct lab *lab, const struct shape *shape, struct rig *ret, struct err *err)
{
	struct core_link in = {"d1", "x1", -1, {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, 1500};
	struct core_link out = {"b1", "y1", -1, {2, 0, 0, 0, 0, 3}, {2, 0, 0, 0, 0, 4}, 1500};

	ret->relay = relay_start(err);
	if (!ret->relay)
		return err->code;
	in.peer_netns_fd = out.peer_netns_fd = relay_netns_fd(ret->relay);
	if (core_link_add(lab_core(lab), &in, err) || core_link_add(lab_core(lab), &out, err) ||
	    relay_attach(ret->relay, "x1", "y1", err) || relay_begin(ret->relay, shape, SEED, err))
		return err->code;
	ret->in_fd = link_socket("d1", 0);
	ret->out_fd = link_socket("b1", ETH_P_ALL);
	CHECK(ret->in_fd >= 0 && ret->out_fd >= 0);
	return 0;
}

static void fill(unsigned char frame[LEN], uint32_t number)
{
	static const unsigned char head[HEADERS] = {2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 1, 0x08, 0, 0x45, 0, 0, LEN - 14};

	memset(frame, 0x5a, LEN);
	memcpy(frame, head, sizeof(head));
	memcpy(frame + AT, &number, sizeof(number));
}

static int put(const struct rig *rig, uint32_t number, struct err *err)
{
	unsigned char frame[LEN];

	fill(frame, number);
	CHECK(send(rig->in_fd, frame, LEN, 0) == LEN);
	return 0;
}

/* The next that comes out, or false if none does. */
static bool take(const struct rig *rig, unsigned char frame[LEN], int msec)
{
	struct pollfd ready = {.fd = rig->out_fd, .events = POLLIN};

	return poll(&ready, 1, msec) > 0 && recv(rig->out_fd, frame, LEN, 0) == LEN;
}

static bool take_number(const struct rig *rig, uint32_t *ret, int msec)
{
	unsigned char frame[LEN];

	if (!take(rig, frame, msec))
		return false;
	memcpy(ret, frame + AT, sizeof(*ret));
	return true;
}

static int moves_in_order(struct lab *lab, struct err *err)
{
	struct rig rig;
	struct relay_counters counters;
	unsigned char wanted[LEN], got[LEN];

	if (open_rig(lab, &(struct shape){0}, &rig, err))
		return err->code;
	for (uint32_t i = 0; i < 500; i++) {
		if (put(&rig, i, err))
			return err->code;
		for (uint32_t j = i - 99; i % 100 == 99 && j <= i; j++) {
			fill(wanted, j);
			CHECK(take(&rig, got, 5000) && !memcmp(wanted, got, LEN));
		}
	}
	if (relay_counters(rig.relay, &counters, err))
		return err->code;
	CHECK(counters.packets[RELAY_SEEN] == 500 && counters.bytes[RELAY_SEEN] == 500 * LEN);
	CHECK(counters.packets[RELAY_DELAYED] == 0 && counters.packets[RELAY_UNWANTED] == 0);
	return relay_stop(rig.relay, NULL, err);
}

static int delays(struct lab *lab, struct err *err)
{
	struct rig rig;
	struct relay_counters counters = {0};
	uint32_t number;

	if (open_rig(lab, &(struct shape){.delay_ns = 30 * MSEC}, &rig, err))
		return err->code;
	for (uint32_t i = 0; i < 20; i++) {
		int64_t sent_ns = clock_now_ns();

		CHECK(!put(&rig, i, err) && take_number(&rig, &number, 5000) && number == i);
		CHECK(clock_now_ns() - sent_ns >= 30 * MSEC); /* how much more is the machine's affair */
	}
	if (relay_stop(rig.relay, &counters, err))
		return err->code;
	CHECK(counters.packets[RELAY_DELAYED] == 20 && counters.delay_count == 20);
	CHECK(counters.delay_sum_ns >= 20 * 30 * MSEC);
	return 0;
}

/* The seed says which: what is decided there (test_shape.c) is what happens here. */
static int loses_and_duplicates(struct lab *lab, struct err *err)
{
	struct shape shape = {.loss_ppm = 300000, .duplicate_ppm = 200000};
	struct shape_state state = shape_begin(SEED);
	struct shape_fate fate;
	struct rig rig;
	uint32_t number;

	if (open_rig(lab, &shape, &rig, err))
		return err->code;
	for (uint32_t i = 0; i < 300; i++) {
		shape_decide(&shape, &state, 0, LEN, LEN - HEADERS, &fate);
		if (put(&rig, i, err))
			return err->code;
		for (size_t copy = 0; copy < fate.count; copy++)
			CHECK(take_number(&rig, &number, 5000) && number == i);
	}
	CHECK(!take_number(&rig, &number, LAST_MSEC));
	return relay_stop(rig.relay, NULL, err);
}

static int flips_one_bit(struct lab *lab, struct err *err)
{
	struct rig rig;
	unsigned char wanted[LEN], got[LEN];

	if (open_rig(lab, &(struct shape){.corrupt_ppm = PPM_ONE}, &rig, err))
		return err->code;
	for (uint32_t i = 0; i < 200; i++) {
		int bits = 0;

		fill(wanted, i);
		CHECK(!put(&rig, i, err) && take(&rig, got, 5000));
		CHECK(!memcmp(got, wanted, HEADERS));
		for (size_t octet = HEADERS; octet < LEN; octet++)
			bits += __builtin_popcount((unsigned)(got[octet] ^ wanted[octet]));
		CHECK(bits == 1);
	}
	return relay_stop(rig.relay, NULL, err);
}

static int overtakes(struct lab *lab, struct err *err)
{
	struct shape shape = {.delay_ns = 300 * MSEC, .reorder_ppm = PPM_ONE, .reorder_gap = 3};
	struct rig rig;
	struct relay_counters counters = {0};
	uint32_t order[6];
	static const uint32_t wanted[6] = {2, 5, 0, 1, 3, 4};

	if (open_rig(lab, &shape, &rig, err))
		return err->code;
	for (uint32_t i = 0; i < 6; i++)
		if (put(&rig, i, err))
			return err->code;
	for (size_t i = 0; i < 6; i++)
		CHECK(take_number(&rig, &order[i], 5000));
	CHECK(!memcmp(order, wanted, sizeof(wanted)));
	if (relay_stop(rig.relay, &counters, err))
		return err->code;
	CHECK(counters.packets[RELAY_REORDERED] == 2);
	return 0;
}

static int changes(struct lab *lab, struct err *err)
{
	struct rig rig;
	uint32_t number;

	if (open_rig(lab, &(struct shape){.loss_ppm = PPM_ONE}, &rig, err) || put(&rig, 1, err))
		return err->code;
	CHECK(!take_number(&rig, &number, LAST_MSEC));
	relay_set(rig.relay, &(struct shape){0});
	if (put(&rig, 2, err))
		return err->code;
	CHECK(take_number(&rig, &number, 5000) && number == 2);
	return relay_stop(rig.relay, NULL, err);
}

static int lets_go_what_it_holds(struct lab *lab, struct err *err)
{
	struct rig rig;
	struct relay_counters counters = {0};
	uint32_t number;

	if (open_rig(lab, &(struct shape){.delay_ns = 600 * SEC}, &rig, err))
		return err->code;
	for (uint32_t i = 0; i < 100; i++)
		if (put(&rig, i, err))
			return err->code;
	if (relay_stop(rig.relay, &counters, err))
		return err->code;
	for (uint32_t i = 0; i < 100; i++)
		CHECK(take_number(&rig, &number, 5000) && number == i);
	CHECK(counters.packets[RELAY_SENT] == 100 && counters.packets[RELAY_UNWANTED] == 0);
	return 0;
}

/* 74 octets, 1 Mbit/s: 592 µs each. The first ten are paid for. */
static int keeps_to_the_rate(struct lab *lab, struct err *err)
{
	struct shape shape = {.rate_bits = 1000000, .burst_bytes = 10 * LEN, .limit_bytes = 1 << 20};
	struct rig rig;
	uint32_t number;
	int64_t start_ns = clock_now_ns();

	if (open_rig(lab, &shape, &rig, err))
		return err->code;
	for (uint32_t i = 0; i < 210; i++)
		if (put(&rig, i, err))
			return err->code;
	for (uint32_t i = 0; i < 210; i++)
		CHECK(take_number(&rig, &number, 5000) && number == i);
	CHECK(clock_now_ns() - start_ns >= 200 * LEN * 8 * (SEC / 1000000));
	return relay_stop(rig.relay, NULL, err);
}

static int tells_of_its_death(struct lab *lab, struct err *err)
{
	struct rig rig;
	struct relay_counters counters;
	siginfo_t info;

	if (open_rig(lab, &(struct shape){0}, &rig, err) || relay_counters(rig.relay, &counters, err))
		return err->code;
	kill(relay_pid(rig.relay), SIGKILL);
	CHECK(!waitid(P_PID, (id_t)relay_pid(rig.relay), &info, WEXITED)); /* as whoever reaps all children does */
	CHECK(relay_counters(rig.relay, &counters, err) == -ECHILD && strstr(err->text, "died"));
	CHECK(relay_stop(rig.relay, NULL, err) == -ECHILD);
	*err = (struct err){0};
	return 0;
}

static int names_the_missing_link(struct lab *lab UNUSED, struct err *err)
{
	struct relay *relay = relay_start(err);

	if (!relay)
		return err->code;
	CHECK(relay_attach(relay, "x9", "y9", err) == -ENODEV && strstr(err->text, "y9"));
	*err = (struct err){0};
	return relay_stop(relay, NULL, err);
}

static void in_lab(fixture_body *body)
{
	struct fixture fixture = {0};

	fixture_add_host(&fixture, "bystander", HOST_CLIENT, "198.19.100.1", NULL);
	fixture_must(&fixture, body);
}

static void moves_frames_unchanged_and_in_order(void **state UNUSED)
{
	in_lab(moves_in_order);
}

static void delays_frames_by_no_less_than_asked(void **state UNUSED)
{
	in_lab(delays);
}

static void loses_and_duplicates_what_the_seed_says(void **state UNUSED)
{
	in_lab(loses_and_duplicates);
}

static void flips_one_bit_behind_the_ip_header(void **state UNUSED)
{
	in_lab(flips_one_bit);
}

static void lets_frames_overtake_those_that_wait(void **state UNUSED)
{
	in_lab(overtakes);
}

static void takes_a_new_shape_while_it_runs(void **state UNUSED)
{
	in_lab(changes);
}

static void loses_nothing_it_holds_when_it_stops(void **state UNUSED)
{
	in_lab(lets_go_what_it_holds);
}

static void lets_through_no_more_than_the_rate(void **state UNUSED)
{
	in_lab(keeps_to_the_rate);
}

static void death_is_an_error_and_not_a_hang(void **state UNUSED)
{
	in_lab(tells_of_its_death);
}

static void missing_link_is_named(void **state UNUSED)
{
	in_lab(names_the_missing_link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_frames_unchanged_and_in_order),
		cmocka_unit_test(delays_frames_by_no_less_than_asked),
		cmocka_unit_test(loses_and_duplicates_what_the_seed_says),
		cmocka_unit_test(flips_one_bit_behind_the_ip_header),
		cmocka_unit_test(lets_frames_overtake_those_that_wait),
		cmocka_unit_test(takes_a_new_shape_while_it_runs),
		cmocka_unit_test(loses_nothing_it_holds_when_it_stops),
		cmocka_unit_test(lets_through_no_more_than_the_rate),
		cmocka_unit_test(death_is_an_error_and_not_a_hang),
		cmocka_unit_test(missing_link_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
