/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zone transfers of one message, without TSIG; several and signed ones are real servers' affair (tests/scenario/test_transfer.py).
 */
#include "tests/unit/injectors/proxy/drill.h"

#define ZONE_QUESTION "\7example\3com\0\0\xfc\0\1"
#define AXFR HEAD("\0\0", "\0\1\0\0\0\0\0\0") ZONE_QUESTION
#define SOA "\xc0\x0c\0\6\0\1\0\0\0\1\0\x18\xc0\x0c\xc0\x0c\0\0\0\7\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"
#define ZONE_A(host) "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2" host
#define ZONE HEAD("\x84\0", "\0\1\0\3\0\0\0\0") ZONE_QUESTION SOA ZONE_A("\x50") SOA

static int setup_tcp(void **state)
{
	drill_setup(state);
	((struct drill *)*state)->transport = DECIDE_TCP;
	return 0;
}

static void the_last_soa_is_left_out_and_the_first_is_not(void **state)
{
	drill_becomes(*state, "transfer: {no_end: true}", BYTES(AXFR), BYTES(ZONE),
		      BYTES(HEAD("\x84\0", "\0\1\0\2\0\0\0\0") ZONE_QUESTION SOA ZONE_A("\x50")));
}

static void a_record_gets_other_data_or_is_left_out(void **state)
{
	drill_becomes(*state, "transfer: {record: example.com A, data: 192.0.2.66}", BYTES(AXFR), BYTES(ZONE),
		      BYTES(HEAD("\x84\0", "\0\1\0\3\0\0\0\0") ZONE_QUESTION SOA ZONE_A("\x42") SOA));
	drill_becomes(*state, "transfer: {record: example.com A}", BYTES(AXFR), BYTES(ZONE),
		      BYTES(HEAD("\x84\0", "\0\1\0\2\0\0\0\0") ZONE_QUESTION SOA SOA));
}

static void what_is_not_there_is_not_altered(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {transfer: {record: mail.example.com A}}}\n");
	drill_passes(drill, BYTES(AXFR), BYTES(ZONE));
	drill_rules(drill, "- {do: {transfer: {other_start: true}}}\n"); /* a whole zone starts nowhere */
	drill_passes(drill, BYTES(AXFR), BYTES(ZONE));
	assert_int_equal(drill->rules.v[0]->done, 0);
}

static void a_stream_is_cut_after_bytes_of_all_its_messages(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {transfer: {cut: 50B}}}\n");
	drill_answer(drill, BYTES(AXFR), BYTES(ZONE));
	assert_int_equal(drill->out.conn, DECIDE_CONN_CLOSE_AFTER_BYTES);
	assert_int_equal(drill->out.conn_bytes, 50);
	drill_rules(drill, "- {do: {transfer: {cut: 9000B}}}\n");
	drill_passes(drill, BYTES(AXFR), BYTES(ZONE));
}

static void words_that_say_no_record_are_refused(void **state)
{
	drill_refuse(*state, "- {do: {transfer: {record: www}}}", "1:28", "is no name and type");
	drill_refuse(*state, "- {do: {transfer: {data: 192.0.2.1}}}", "1:26", "data goes with record");
	drill_refuse(*state, "- {do: {transfer: {record: a.example A, data: b}}}", "1:47", "is no data");
}

#define TCP_TEST(f) cmocka_unit_test_setup_teardown(f, setup_tcp, drill_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TCP_TEST(the_last_soa_is_left_out_and_the_first_is_not),
		TCP_TEST(a_record_gets_other_data_or_is_left_out),
		TCP_TEST(what_is_not_there_is_not_altered),
		TCP_TEST(a_stream_is_cut_after_bytes_of_all_its_messages),
		TCP_TEST(words_that_say_no_record_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
