/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the server's answer, changed.
 */
#include "tests/unit/injectors/proxy/drill.h"

static void ttls_are_set_zeroed_and_capped_but_not_that_of_opt(void **state)
{
#define WITH_TTL(ttl) BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\1") QUESTION WWW A_REST(ttl) OPT_WITH_DO)
	drill_becomes(*state, "ttl: 1d", BYTES(QUERY_DO), WITH_TTL("\0\0\1\x2c"), WITH_TTL("\0\1\x51\x80"));
	drill_becomes(*state, "ttl: 0s", BYTES(QUERY_DO), WITH_TTL("\0\0\1\x2c"), WITH_TTL("\0\0\0\0"));
	drill_becomes(*state, "ttl_cap: 60s", BYTES(QUERY_DO), WITH_TTL("\0\0\1\x2c"), WITH_TTL("\0\0\0\x3c"));
	drill_rules(*state, "- {do: {ttl_cap: 300s}}\n");
	drill_passes(*state, BYTES(QUERY_DO), WITH_TTL("\0\0\1\x2c"));
}

#define AAAA_REST(last) "\0\x1c\0\1\0\0\1\x2c\0\x10\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0" last

static void addresses_are_replaced_by_those_of_their_family_in_turn(void **state)
{
	static const char answer[] = HEAD("\x85\0", "\0\1\0\4\0\0\0\0") QUESTION WWW A_REST("\0\0\1\x2c")
		WWW AAAA_REST("\1") WWW A_REST("\0\0\1\x2c") WWW A_REST("\0\0\1\x2c");
	static const char want[] = HEAD("\x85\0", "\0\1\0\4\0\0\0\0") QUESTION WWW
		"\0\1\0\1\0\0\1\x2c\0\4\xcb\0\x71\1" WWW AAAA_REST("\x9") WWW "\0\1\0\1\0\0\1\x2c\0\4\xcb\0\x71\2" WWW
									      "\0\1\0\1\0\0\1\x2c\0\4\xcb\0\x71\1";

	drill_becomes(*state, "spoof: [203.0.113.1, \"2001:db8::9\", 203.0.113.2]", BYTES(QUERY), BYTES(answer),
		      BYTES(want));
}

static void a_family_without_a_spoofed_address_stays(void **state)
{
	drill_rules(*state, "- {do: {spoof: \"2001:db8::9\"}}\n");
	drill_passes(*state, BYTES(QUERY), BYTES(ANSWER));
}

/* An RRSIG of the given type for the name in the question: 18 octets, the signer (the root), 4 octets of signature. */
#define RRSIG(covered, signature) \
	WWW "\0\x2e\0\1\0\0\1\x2c\0\x17\0" covered "\x8\3\0\0\1\x2c\0\0\0\2\0\0\0\1\0\x2a\0" signature
#define SIGNED(signature)                                                                                       \
	BYTES(HEAD("\x85\0", "\0\1\0\2\0\0\0\1") QUESTION WWW A_REST("\0\0\1\x2c") RRSIG("\1", "sig" signature) \
		      OPT_WITH_DO)

static void signatures_are_stripped(void **state)
{
	drill_becomes(*state, "remove: RRSIG", BYTES(QUERY_DO), SIGNED("n"),
		      BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\1") QUESTION WWW A_REST("\0\0\1\x2c") OPT_WITH_DO));
}

static void a_removed_rrset_takes_its_signature_along(void **state)
{
	drill_becomes(*state, "remove: [A, TYPE65]", BYTES(QUERY_DO), SIGNED("n"),
		      BYTES(HEAD("\x85\0", "\0\1\0\0\0\0\0\1") QUESTION OPT_WITH_DO));
}

/* NSEC (47) and DNSKEY (48) go by the same key; what is not named stays, compressed names and all. */
static void only_the_types_named_are_removed(void **state)
{
#define MX WWW "\0\xf\0\1\0\0\1\x2c\0\x9\0\x0a\4mail\xc0\x10"
	drill_becomes(*state, "remove: [NSEC, DNSKEY]", BYTES(QUERY),
		      BYTES(HEAD("\x85\0", "\0\1\0\2\0\1\0\0") QUESTION WWW "\0\x30\0\1\0\0\1\x2c\0\4\1\1\3\x8" MX WWW
									    "\0\x2f\0\1\0\0\1\x2c\0\4\0\0\1\x40"),
		      BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\0") QUESTION MX));
	drill_rules(*state, "- {do: {remove: AAAA}}\n");
	drill_passes(*state, BYTES(QUERY), BYTES(ANSWER));
}

/* A later name that pointed into a removed record is written out. */
static void names_that_pointed_into_a_removed_record_stay_whole(void **state)
{
	/* a CNAME at 33, whose data ("b", then a pointer to example.com) begins at 45; the A record's owner points there */
	drill_becomes(*state, "remove: CNAME", BYTES(QUERY),
		      BYTES(HEAD("\x85\0", "\0\1\0\2\0\0\0\0") QUESTION WWW
			    "\0\5\0\1\0\0\1\x2c\0\4\1b\xc0\x10\xc0\x2d" A_REST("\0\0\1\x2c")),
		      BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\0") QUESTION "\1b\xc0\x10" A_REST("\0\0\1\x2c")));
}

/* 'n' is 0x6e, 'o' 0x6f. */
static void a_corrupt_signature_differs_in_one_bit(void **state)
{
	drill_becomes(*state, "signatures: corrupt", BYTES(QUERY_DO), SIGNED("n"), SIGNED("o"));
}

static void shuffling_keeps_every_record_and_reaches_every_order(void **state)
{
	struct drill *drill = *state;
#define LAST(n) WWW "\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2" n
	static const char answer[] = HEAD("\x85\0", "\0\1\0\3\0\0\0\1") QUESTION LAST("\1") LAST("\2") LAST("\3") OPT;
	unsigned orders = 0; /* a bit for each of the 6 */

	drill_rules(drill, "- {do: {shuffle: true}}\n");
	/* the chance that one of 6 orders is missing after 200 draws is below 6 × (5/6)^200, about 10^-15 */
	for (unsigned i = 0; i < 200; i++) {
		const uint8_t *msg;
		unsigned a, b, c;

		drill_answer(drill, BYTES(QUERY_EDNS), BYTES(answer));
		assert_int_equal(drill->out.send[0].len, sizeof(answer) - 1);
		msg = drill->out.send[0].msg;
		a = msg[33 + 15];
		b = msg[33 + 31];
		c = msg[33 + 47];
		assert_int_equal(1 << a | 1 << b | 1 << c, 0xe);
		orders |= 1u << (a * 2 + (b > c));
		assert_memory_equal(msg + 33 + 48, OPT, sizeof(OPT) - 1);
	}
	assert_int_equal(orders, 0xfc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRILL_TEST(ttls_are_set_zeroed_and_capped_but_not_that_of_opt),
		DRILL_TEST(addresses_are_replaced_by_those_of_their_family_in_turn),
		DRILL_TEST(a_family_without_a_spoofed_address_stays),
		DRILL_TEST(signatures_are_stripped),
		DRILL_TEST(a_removed_rrset_takes_its_signature_along),
		DRILL_TEST(only_the_types_named_are_removed),
		DRILL_TEST(names_that_pointed_into_a_removed_record_stay_whole),
		DRILL_TEST(a_corrupt_signature_differs_in_one_bit),
		DRILL_TEST(shuffling_keeps_every_record_and_reaches_every_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
