/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/flight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void start(struct flight *flight)
{
	struct rng rng = rng_stream(1, "test");

	assert_int_equal(flight_init(flight, &rng), 0);
}

static void all_ids_are_dealt_once_and_then_there_are_none(void **state)
{
	static bool seen[65536];
	struct flight flight;

	(void)state;
	start(&flight);
	for (int i = 0; i < FLIGHT_MAX; i++) {
		struct flight_entry *entry = flight_add(&flight, NULL, (const uint8_t *)"q", 1, i);

		assert_non_null(entry);
		assert_false(seen[entry->id]);
		seen[entry->id] = true;
		assert_ptr_equal(flight_find(&flight, NULL, entry->id), entry);
	}
	assert_null(flight_add(&flight, NULL, (const uint8_t *)"q", 1, FLIGHT_MAX));
	for (int i = 0; i < FLIGHT_MAX; i++) {
		assert_int_equal(flight_first(&flight)->due_ns, i); /* longest waiting first */
		flight_remove(&flight, flight_first(&flight));
	}
	assert_null(flight_first(&flight));
	flight_fini(&flight);
}

static void a_freed_id_comes_back_last_but_its_memory_first(void **state)
{
	struct flight_entry *entry, *again;
	struct flight flight;
	uint16_t id;

	(void)state;
	start(&flight);
	entry = flight_add(&flight, NULL, (const uint8_t *)"q", 1, 0);
	id = entry->id;
	flight_remove(&flight, entry);
	assert_null(flight_find(&flight, NULL, id));
	for (int i = 0; i < 65535; i++) {
		again = flight_add(&flight, NULL, (const uint8_t *)"q", 1, 0);
		assert_ptr_equal(again, entry);
		assert_int_not_equal(again->id, id);
		flight_remove(&flight, again);
	}
	assert_int_equal(flight_add(&flight, NULL, (const uint8_t *)"q", 1, 0)->id, id);
	flight_remove(&flight, entry);
	flight_fini(&flight);
}

static void queries_of_any_size_are_kept_whole(void **state)
{
	static uint8_t query[65535];
	static const size_t sizes[] = {0, 1, FLIGHT_INLINE, FLIGHT_INLINE + 1, sizeof(query)};
	struct flight flight;

	(void)state;
	start(&flight);
	memset(query, 0xa5, sizeof(query));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct flight_entry *entry = flight_add(&flight, NULL, query, sizes[i], 0);

		assert_int_equal(entry->query_len, sizes[i]);
		assert_memory_equal(entry->query, query, sizes[i]);
		flight_remove(&flight, entry);
	}
	flight_fini(&flight);
}

static void a_renewed_entry_waits_behind_the_others(void **state)
{
	struct flight_entry *first, *second;
	struct flight flight;

	(void)state;
	start(&flight);
	first = flight_add(&flight, NULL, (const uint8_t *)"a", 1, 1);
	second = flight_add(&flight, NULL, (const uint8_t *)"b", 1, 2);
	flight_renew(&flight, first, 3);
	assert_ptr_equal(flight_first(&flight), second);
	assert_ptr_equal(flight_next(&flight, second), first);
	assert_null(flight_next(&flight, first));
	flight_remove(&flight, second);
	flight_remove(&flight, first);
	flight_fini(&flight);
}

/* What clients choose may be the same, on one way and on two; on one, answers go to who asked first. */
static void queries_that_keep_their_ids_are_told_apart_by_their_way(void **state)
{
	static const uint8_t query[] = {0x12, 0x34};
	int ways[2];
	struct flight_entry *first, *again, *other;
	struct flight flight;

	(void)state;
	start(&flight);
	first = flight_add(&flight, &ways[0], query, sizeof(query), 1);
	other = flight_add(&flight, &ways[1], query, sizeof(query), 2);
	again = flight_add(&flight, &ways[0], query, sizeof(query), 3);
	assert_int_equal(first->id, 0x1234);
	assert_int_equal(again->id, 0x1234);
	assert_ptr_equal(flight_find(&flight, &ways[0], 0x1234), first);
	assert_ptr_equal(flight_find(&flight, &ways[1], 0x1234), other);
	assert_null(flight_find(&flight, NULL, 0x1234));
	assert_null(flight_find(&flight, &ways[0], 0x1235));
	flight_remove(&flight, first);
	assert_ptr_equal(flight_find(&flight, &ways[0], 0x1234), again);
	flight_remove(&flight, again);
	assert_null(flight_find(&flight, &ways[0], 0x1234));
	flight_remove(&flight, other);
	flight_fini(&flight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ids_are_dealt_once_and_then_there_are_none),
		cmocka_unit_test(a_freed_id_comes_back_last_but_its_memory_first),
		cmocka_unit_test(queries_of_any_size_are_kept_whole),
		cmocka_unit_test(queries_that_keep_their_ids_are_told_apart_by_their_way),
		cmocka_unit_test(a_renewed_entry_waits_behind_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
