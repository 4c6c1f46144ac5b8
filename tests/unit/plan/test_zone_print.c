/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/plan_text.h"

#include "harness/plan/zone_print.h"

static const char *const records[] = {
	". 0 IN NS a.root-servers.net.",
	"example.com. 2147483647 IN SOA ns1.example.com. host\\.master.example.com. 4294967295 1 2 3 4",
	"example.com. 60 IN NS ns1.example.com.",
	"*.Example.com. 1 IN A 192.0.2.1",
	"_x.example.com. 1 IN AAAA 2001:db8::1",
	"example.com. 1 IN AAAA ::ffff:192.0.2.1",
	"example.com. 1 IN MX 0 .",
	"example.com. 1 IN MX 65535 mail.example.com.",
	"a\\.b.example.com. 1 IN CNAME x\\032y.example.com.",
	"a\\000b.example.com. 1 IN PTR \\(\\;\\).example.com.",
	"a/b.example.com. 1 IN CNAME @x.example.com.",
	"_sip._tcp.example.com. 1 IN SRV 1 2 3 sip.example.com.",
	"example.com. 1 IN TXT \"one\" \"t\\\"w\\\\o\" \"\\001\\255\" \"\"",
	"example.com. 1 IN CAA 0 issue \"ca.example.net\"",
	"example.com. 1 IN TYPE65280 \\# 2 abcd",
	"example.com. 1 IN DS 60485 13 2 AF5F7C8E3B5E4B1DEF4A2AA7F2D2F2E7C1E1F5C5B4AEF4C60E9AC0F1C41B3A1F",
	"example.com. 1 IN DNSKEY 257 3 13 "
	"mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
	"example.com. 1 IN RRSIG A 13 2 3600 20300101000000 20200101000000 60485 example.com. "
	"mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
	"example.com. 1 IN NSEC a.example.com. A NS SOA RRSIG NSEC DNSKEY TYPE65280",
	"example.com. 1 IN NSEC3 1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG",
	"example.com. 1 IN LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
	"example.com. 1 CH A 192.0.2.1",
};

static ldns_rr *parse(const char *text)
{
	ldns_rr *rr = NULL;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	return rr;
}

static void what_is_written_is_one_line_and_read_as_the_same_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		ldns_rr *rr = parse(records[i]), *again;
		struct buf out = {0};

		zone_print_rr(rr, &out);
		assert_false(out.failed);
		assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
		out.data[out.len - 1] = '\0';
		again = parse(out.data);
		assert_int_equal(ldns_rr_compare(rr, again), 0);
		assert_int_equal(ldns_rr_ttl(rr), ldns_rr_ttl(again));
		buf_fini(&out);
		ldns_rr_free(again);
		ldns_rr_free(rr);
	}
}

static void a_file_that_is_full_is_said(void **state)
{
	ldns_rr_list *list = ldns_rr_list_new();
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	ldns_rr_list_push_rr(list, parse(records[2]));
	assert_int_equal(zone_print(list, full), -ENOSPC);
	fclose(full);
	ldns_rr_list_deep_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_one_line_and_read_as_the_same_record),
		cmocka_unit_test(a_file_that_is_full_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
