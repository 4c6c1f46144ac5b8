/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/api_sets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SET(name, type, ttl, ...) \
	"{\"name\":\"" name "\",\"type\":\"" type "\",\"ttl\":" ttl ",\"records\":[" __VA_ARGS__ "]}"
#define RECORD(data) "{\"content\":\"" data "\",\"disabled\":false}"
#define ZONE(...) "{\"name\":\"example.com.\",\"rrsets\":[" __VA_ARGS__ "]}"
#define SOA(serial) SET("example.com.", "SOA", "60", RECORD("ns1.example.net. h.example.com. " serial " 2 1 3600 1"))

static struct api_records read_zone(const char *json, struct arena *arena)
{
	struct api_records ret;
	struct err err = {0};

	assert_int_equal(api_records_read(json, strlen(json), "example.com", arena, &ret, &err), 0);
	return ret;
}

/* The PATCH from one zone to another. */
static const char *patch(const char *from, const char *to, size_t first, size_t count, struct arena *arena)
{
	struct api_records before = read_zone(from, arena), after = read_zone(to, arena);
	struct api_changes changes = api_difference(&before, &after, arena);

	return api_patch(&changes, first, count, arena);
}

static void nothing_is_patched_where_nothing_differs(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	/* Order, and the case of names, make no difference. */
	assert_string_equal(
		patch(ZONE(SOA("7") "," SET("a.example.com.", "A", "60", RECORD("192.0.2.1") "," RECORD("192.0.2.2"))),
		      ZONE(SET("A.example.com.", "A", "60", RECORD("192.0.2.2") "," RECORD("192.0.2.1")) "," SOA("7")),
		      0, 9, arena),
		"{\"rrsets\":[]}");
	arena_free(arena);
}

static void deletions_come_first_and_the_soa_last(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(
		patch(ZONE(SOA("7") "," SET("z.example.com.", "A", "60", RECORD("192.0.2.1"))),
		      ZONE(SOA("8") "," SET("z.example.com.", "CNAME", "60", RECORD("a.example.com."))), 0, 9, arena),
		"{\"rrsets\":[{\"name\":\"z.example.com.\",\"type\":\"A\",\"changetype\":\"DELETE\"},"
		"{\"name\":\"z.example.com.\",\"type\":\"CNAME\",\"ttl\":60,\"changetype\":\"REPLACE\","
		"\"records\":[{\"content\":\"a.example.com.\",\"disabled\":false}]},"
		"{\"name\":\"example.com.\",\"type\":\"SOA\",\"ttl\":60,\"changetype\":\"REPLACE\","
		"\"records\":[{\"content\":\"ns1.example.net. h.example.com. 8 2 1 3600 1\",\"disabled\":false}]}]}");
	arena_free(arena);
}

static void a_ttl_alone_replaces_the_whole_set(void **state)
{
	struct arena *arena = arena_new();
	const char *text;

	(void)state;
	text = patch(ZONE(SET("a.example.com.", "A", "60", RECORD("192.0.2.1") "," RECORD("192.0.2.2"))),
		     ZONE(SET("a.example.com.", "A", "30", RECORD("192.0.2.1") "," RECORD("192.0.2.2"))), 0, 9, arena);
	assert_non_null(strstr(text, "\"ttl\":30"));
	assert_non_null(strstr(text, "192.0.2.1"));
	assert_non_null(strstr(text, "192.0.2.2"));
	arena_free(arena);
}

static void a_batch_is_a_part_of_the_changes(void **state)
{
	struct arena *arena = arena_new();
	const char *from = ZONE(SOA("7")),
		   *to = ZONE(SOA("8") "," SET("a.example.com.", "A", "60", RECORD("192.0.2.1")));

	(void)state;
	assert_null(strstr(patch(from, to, 0, 1, arena), "SOA"));
	assert_non_null(strstr(patch(from, to, 1, 1, arena), "SOA"));
	assert_null(strstr(patch(from, to, 1, 1, arena), "192.0.2.1"));
	assert_string_equal(patch(from, to, 2, 1, arena), "{\"rrsets\":[]}");
	arena_free(arena);
}

static void what_is_no_zone_is_said(void **state)
{
	static const struct {
		const char *json, *said;
	} wrong[] = {
		{"", "no JSON"},
		{"<html>502 Bad Gateway</html>", "no JSON: line 1"},
		{"[]", "JSON without a zone's name"},
		{"{}", "JSON without a zone's name"},
		{"{\"name\":\"example.com.\",\"rrsets\":{}}", "JSON without rrsets"},
		{"{\"name\":\"example.org.\",\"rrsets\":[]}", "another zone, example.org."},
		{ZONE("1"), "a record set without name or type"},
		{ZONE("{\"name\":1,\"type\":2}"), "a record set without name or type"},
		{ZONE(SET("a.example.com.", "A", "60", "{}")), "a record of a.example.com. A without content"},
		{ZONE(SET("a.example.com.", "A", "60", RECORD("not an address"))), "a.example.com. A 'not an address'"},
	};
	struct arena *arena = arena_new();
	struct api_records ret;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct err err = {0};

		assert_true(api_records_read(wrong[i].json, strlen(wrong[i].json), "example.com", arena, &ret, &err) <
			    0);
		assert_non_null(strstr(err.text, wrong[i].said));
	}
	arena_free(arena);
}

static void the_serial_is_that_of_the_soa(void **state)
{
	struct arena *arena = arena_new();
	struct api_records with = read_zone(ZONE(SOA("4294967295")), arena), without = read_zone(ZONE(), arena);

	(void)state;
	assert_int_equal(api_records_serial(&with), UINT32_MAX);
	assert_int_equal(api_records_serial(&without), -1);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_patched_where_nothing_differs),
		cmocka_unit_test(deletions_come_first_and_the_soa_last),
		cmocka_unit_test(a_ttl_alone_replaces_the_whole_set),
		cmocka_unit_test(a_batch_is_a_part_of_the_changes),
		cmocka_unit_test(what_is_no_zone_is_said),
		cmocka_unit_test(the_serial_is_that_of_the_soa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
