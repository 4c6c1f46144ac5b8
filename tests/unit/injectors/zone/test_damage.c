/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/zone/damage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char zone[] = "example.com.\t60\tIN\tSOA\tns1.example.net. hostmaster.example.com. 7 2 1 3600 1\n"
			   "example.com.\t60\tIN\tNS\tns1.example.net.\n"
			   "example.com.\t60\tIN\tMX\t10 mail.example.com.\n"
			   "www.example.com.\t60\tIN\tA\t192.0.2.80\n"
			   "www.example.com.\t60\tIN\tAAAA\t2001:db8::80\n";
#define SOA8 "$ORIGIN example.com.\nexample.com.\t60\tIN\tSOA\tns1.example.net. hostmaster.example.com. 8 2 1 3600 1\n"
#define NS "example.com.\t60\tIN\tNS\tns1.example.net.\n"
#define MX "example.com.\t60\tIN\tMX\t10 mail.example.com.\n"
#define A "www.example.com.\t60\tIN\tA\t192.0.2.80\n"
#define AAAA "www.example.com.\t60\tIN\tAAAA\t2001:db8::80\n"

static void becomes(struct damage_args args, const char *expected)
{
	struct buf out = {0};
	struct err err = {0};

	args.zone = "example.com";
	args.serial = 8;
	assert_int_equal(damage_zone(&args, zone, strlen(zone), &out, &err), 0);
	assert_string_equal(out.data ? out.data : "", expected);
	buf_fini(&out);
}

static void a_serial_is_exchanged_and_nothing_else(void **state)
{
	(void)state;
	becomes((struct damage_args){.damage = DAMAGE_NONE}, SOA8 NS MX A AAAA);
}

static void records_of_a_name_and_type_are_missing(void **state)
{
	(void)state;
	becomes((struct damage_args){.damage = DAMAGE_MISSING, .name = "WWW.example.com", .type = "a"},
		SOA8 NS MX AAAA);
	becomes((struct damage_args){.damage = DAMAGE_MISSING, .name = "www.example.com"}, SOA8 NS MX);
	/* The SOA is not what a name without a type means. */
	becomes((struct damage_args){.damage = DAMAGE_MISSING, .name = "example.com"}, SOA8 A AAAA);
}

static void a_typo_changes_the_data(void **state)
{
	(void)state;
	becomes(
		(struct damage_args){
			.damage = DAMAGE_TYPO, .name = "www.example.com", .type = "A", .data = "192.0.2.66"},
		SOA8 NS MX "www.example.com.\t60\tIN\tA\t192.0.2.66\n" AAAA);
}

static void a_lost_dot_is_the_last_of_the_data(void **state)
{
	(void)state;
	becomes((struct damage_args){.damage = DAMAGE_MISSING_DOT, .name = "example.com", .type = "MX"},
		SOA8 NS "example.com.\t60\tIN\tMX\t10 mail.example.com\n" A AAAA);
}

static void another_origin_stands_behind_every_name(void **state)
{
	(void)state;
	becomes((struct damage_args){.damage = DAMAGE_WRONG_ORIGIN, .origin = "example.org"},
		"$ORIGIN example.com.\nexample.org.\t60\tIN\tSOA\tns1.example.net. hostmaster.example.com. 8 2 1 3600 "
		"1\n"
		"example.org.\t60\tIN\tNS\tns1.example.net.\nexample.org.\t60\tIN\tMX\t10 mail.example.com.\n"
		"www.example.org.\t60\tIN\tA\t192.0.2.80\nwww.example.org.\t60\tIN\tAAAA\t2001:db8::80\n");
}

static void an_alias_stands_beside_the_apex(void **state)
{
	(void)state;
	becomes((struct damage_args){.damage = DAMAGE_CNAME_AT_APEX, .data = "www.example.com."},
		SOA8 NS MX A AAAA "example.com.\t3600\tIN\tCNAME\twww.example.com.\n");
}

static void the_ns_set_is_replaced_whole(void **state)
{
	(void)state;
	becomes((struct damage_args){.damage = DAMAGE_NS, .data = "ns.gone.example."},
		SOA8 MX A AAAA "example.com.\t3600\tIN\tNS\tns.gone.example.\n");
}

static void every_ttl_is_changed_the_soa_s_too(void **state)
{
	struct damage_args args = {.damage = DAMAGE_TTL, .zone = "example.com", .serial = 8, .ttl_s = 0};
	struct buf out = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(damage_zone(&args, zone, strlen(zone), &out, &err), 0);
	assert_null(strstr(out.data, "\t60\t"));
	assert_non_null(strstr(out.data, "example.com.\t0\tIN\tSOA"));
	assert_non_null(strstr(out.data, "www.example.com.\t0\tIN\tAAAA"));
	buf_fini(&out);
}

static void what_is_truncated_ends_within_a_record(void **state)
{
	(void)state;
	for (int64_t keep = 10000; keep < PPM_ONE; keep += 10000) {
		struct damage_args args = {
			.damage = DAMAGE_TRUNCATED, .zone = "example.com", .serial = 8, .keep_ppm = keep};
		struct buf out = {0};
		struct err err = {0};

		assert_int_equal(damage_zone(&args, zone, strlen(zone), &out, &err), 0);
		assert_true(out.len < strlen("$ORIGIN example.com.\n") + strlen(zone));
		if (out.len)
			assert_int_not_equal(out.data[out.len - 1], '\n');
		buf_fini(&out);
	}
}

static void an_empty_file_is_empty(void **state)
{
	(void)state;
	becomes((struct damage_args){.damage = DAMAGE_EMPTY}, "");
}

static void rejects_records_the_zone_does_not_have(void **state)
{
	struct damage_args args = {
		.damage = DAMAGE_MISSING, .zone = "example.com", .serial = 8, .name = "ftp.example.com", .type = "A"};
	struct buf out = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(damage_zone(&args, zone, strlen(zone), &out, &err), -ENOENT);
	assert_non_null(strstr(err.text, "ftp.example.com"));
	args.damage = DAMAGE_MISSING_DOT;
	args.name = "www.example.com";
	assert_int_equal(damage_zone(&args, zone, strlen(zone), &out, &err), -ENOENT);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_serial_is_exchanged_and_nothing_else),
		cmocka_unit_test(records_of_a_name_and_type_are_missing),
		cmocka_unit_test(a_typo_changes_the_data),
		cmocka_unit_test(a_lost_dot_is_the_last_of_the_data),
		cmocka_unit_test(another_origin_stands_behind_every_name),
		cmocka_unit_test(an_alias_stands_beside_the_apex),
		cmocka_unit_test(the_ns_set_is_replaced_whole),
		cmocka_unit_test(every_ttl_is_changed_the_soa_s_too),
		cmocka_unit_test(what_is_truncated_ends_within_a_record),
		cmocka_unit_test(an_empty_file_is_empty),
		cmocka_unit_test(rejects_records_the_zone_does_not_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
