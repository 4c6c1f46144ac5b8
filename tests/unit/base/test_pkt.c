/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/pkt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HEADER(additional) "\x12\x34\x84\0\0\0\0\0\0\0\0" additional
/* The root's, class ANY; algorithm "x", 6 octets of time, fudge, no MAC, original ID, no error, no other data (RFC 8945 section 4.2). */
#define TSIG "\0\0\xfa\0\xff\0\0\0\0\0\x13\1x\0\0\0\0\0\0\0\0\5\0\0\x12\x34\0\0\0\0"
#define OPT "\0\0\x29\4\xd0\0\0\0\0\0\0"

static ldns_status parse(const char *wire, size_t len, size_t *ret_additional)
{
	ldns_pkt *packet;
	ldns_status status = pkt_from_wire(&packet, (const uint8_t *)wire, len);

	if (status != LDNS_STATUS_OK)
		return status;
	*ret_additional = ldns_rr_list_rr_count(ldns_pkt_additional(packet)) + (ldns_pkt_tsig(packet) ? 1 : 0);
	ldns_pkt_free(packet);
	return status;
}
#define PARSE(bytes, ret) parse(bytes, sizeof(bytes) - 1, ret)

static void a_message_with_one_tsig_is_read(void **state)
{
	size_t additional = 9;

	(void)state;
	assert_int_equal(PARSE(HEADER("\2") OPT TSIG, &additional), LDNS_STATUS_OK);
	assert_int_equal(additional, 1);
}

static void one_with_two_is_refused_and_nothing_is_lost(void **state)
{
	size_t additional;

	(void)state;
	assert_int_equal(PARSE(HEADER("\2") TSIG TSIG, &additional), LDNS_STATUS_ERR);
	assert_int_equal(PARSE(HEADER("\4") TSIG OPT TSIG TSIG, &additional), LDNS_STATUS_ERR);
	/* cut within the third: the first two tell */
	assert_int_equal(parse(HEADER("\3") TSIG TSIG TSIG, sizeof(HEADER("\3") TSIG TSIG TSIG) - 4, &additional),
			 LDNS_STATUS_ERR);
}

static void what_is_no_message_is_none(void **state)
{
	size_t additional;

	(void)state;
	assert_int_not_equal(PARSE("\x12", &additional), LDNS_STATUS_OK);
	assert_int_not_equal(PARSE(HEADER("\2") OPT, &additional), LDNS_STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_with_one_tsig_is_read),
		cmocka_unit_test(one_with_two_is_refused_and_nothing_is_lost),
		cmocka_unit_test(what_is_no_message_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
