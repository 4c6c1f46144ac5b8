/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct address parsed(const char *text)
{
	struct address address = {0};

	if (address_parse(text, &address))
		fail_msg("\"%s\" is refused", text);
	return address;
}

/* RFC 5952: lower case, no leading zeroes, the longest run of zeroes shortened, never a single one. */
static void addresses_are_shown_in_their_canonical_form(UNUSED void **state)
{
	static const char *const pairs[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"2001:0db8::0001", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"::", "::"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_string_equal(parsed(pairs[i][0]).text, pairs[i][1]);
}

static void the_family_follows_from_the_text(UNUSED void **state)
{
	assert_int_equal(parsed("192.0.2.1").family, AF_INET);
	assert_int_equal(parsed("::1").family, AF_INET6);
	assert_memory_equal(parsed("192.0.2.1").bytes, "\xc0\x00\x02\x01", 4);
}

static void what_is_no_address_is_refused_and_changes_nothing(UNUSED void **state)
{
	static const char *const texts[] = {
		"",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1.",
		" 192.0.2.1",
		"192.0.2.1/24",
		"192.0.2.01",
		"0x7f.1",
		"127.1",
		"2001:db8::1::2",
		"2001:db8::g",
		"1:2:3:4:5:6:7:8:9",
		"fe80::1%eth0",
		"[::1]",
		"::1 ",
		"example.com",
		"192.0.2.1:53",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct address address = parsed("198.51.100.7");

		if (address_parse(texts[i], &address) != -EINVAL)
			fail_msg("\"%s\" is taken for an address", texts[i]);
		assert_string_equal(address.text, "198.51.100.7");
	}
}

static void the_place_in_the_plan_is_left_alone(UNUSED void **state)
{
	struct address address = {.loc = {"plan.yaml", 3, 4}};

	assert_int_equal(address_parse("192.0.2.1", &address), 0);
	assert_string_equal(address.loc.file, "plan.yaml");
	assert_int_equal(address.loc.line, 3);
}

static void equality_is_of_the_address_not_of_its_spelling(UNUSED void **state)
{
	struct address a = parsed("2001:db8::1"), b = parsed("2001:0DB8:0::1"), c = parsed("2001:db8::2");
	struct address v4 = parsed("0.0.0.0"), v6 = parsed("::");

	b.loc.line = 9;
	assert_true(address_is_equal(&a, &b));
	assert_false(address_is_equal(&a, &c));
	assert_false(address_is_equal(&v4, &v6)); /* all bytes zero in both */
}

static void a_socket_address_carries_address_and_port(UNUSED void **state)
{
	struct address v4 = parsed("192.0.2.1"), v6 = parsed("2001:db8::1");
	struct sockaddr_storage storage;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(&storage, 0xff, sizeof(storage));
	assert_int_equal(address_to_sockaddr(&v4, 53, &storage), sizeof(sin));
	memcpy(&sin, &storage, sizeof(sin));
	assert_int_equal(sin.sin_family, AF_INET);
	assert_int_equal(ntohs(sin.sin_port), 53);
	assert_int_equal(ntohl(sin.sin_addr.s_addr), 0xc0000201);

	memset(&storage, 0xff, sizeof(storage));
	assert_int_equal(address_to_sockaddr(&v6, 853, &storage), sizeof(sin6));
	memcpy(&sin6, &storage, sizeof(sin6));
	assert_int_equal(sin6.sin6_family, AF_INET6);
	assert_int_equal(ntohs(sin6.sin6_port), 853);
	assert_memory_equal(&sin6.sin6_addr, v6.bytes, 16);
	assert_int_equal(sin6.sin6_scope_id, 0);
	assert_int_equal(sin6.sin6_flowinfo, 0);
}

static void the_first_of_a_family_is_found(UNUSED void **state)
{
	struct address list[] = {parsed("2001:db8::1"), parsed("192.0.2.1"), parsed("192.0.2.2")};
	struct addresses addresses = {list, ARRAY_LEN(list)}, v6_only = {list, 1}, none = {0};

	assert_ptr_equal(addresses_first(&addresses, AF_INET), &list[1]);
	assert_ptr_equal(addresses_first(&addresses, AF_INET6), &list[0]);
	assert_ptr_equal(addresses_first(&addresses, AF_UNSPEC), &list[0]);
	assert_null(addresses_first(&v6_only, AF_INET));
	assert_null(addresses_first(&none, AF_UNSPEC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_shown_in_their_canonical_form),
		cmocka_unit_test(the_family_follows_from_the_text),
		cmocka_unit_test(what_is_no_address_is_refused_and_changes_nothing),
		cmocka_unit_test(the_place_in_the_plan_is_left_alone),
		cmocka_unit_test(equality_is_of_the_address_not_of_its_spelling),
		cmocka_unit_test(a_socket_address_carries_address_and_port),
		cmocka_unit_test(the_first_of_a_family_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
