/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/later.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put(struct later *later, const char *msg, const char *query, int64_t due_ns)
{
	struct decide_send send = {.to = DECIDE_TO_SERVER, .msg = (const uint8_t *)msg, .len = strlen(msg)};
	struct origin origin;

	memset(&origin, 0, sizeof(origin));
	assert_non_null(later_put(later, &origin, &send, (const uint8_t *)query, strlen(query), due_ns));
}

static void what_is_due_first_comes_first_and_equals_in_their_order(void **state)
{
	static const char *const wanted[] = {"1a", "1b", "2a", "2b", "3a"};
	struct later later = {0};

	(void)state;
	assert_int_equal(later_due_ns(&later), INT64_MAX);
	put(&later, "3a", "", 3);
	put(&later, "1a", "", 1);
	put(&later, "2a", "", 2);
	put(&later, "1b", "", 1);
	put(&later, "2b", "", 2);
	assert_int_equal(later_due_ns(&later), 1);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		struct later_item *item = later_take(&later);

		assert_memory_equal(item->send.msg, wanted[i], 2);
		free(item);
	}
	assert_null(later_take(&later));
	later_fini(&later);
}

static void message_and_query_are_copies(void **state)
{
	char msg[] = "message", query[] = "query";
	struct later later = {0};
	struct later_item *item;

	(void)state;
	put(&later, msg, query, 1);
	memset(msg, 'x', sizeof(msg));
	memset(query, 'x', sizeof(query));
	item = later_take(&later);
	assert_int_equal(item->send.len, 7);
	assert_memory_equal(item->send.msg, "message", 7);
	assert_int_equal(item->query_len, 5);
	assert_memory_equal(item->query, "query", 5);
	free(item);
	later_fini(&later);
}

static void what_waits_is_bounded_and_what_has_gone_makes_room(void **state)
{
	static uint8_t msg[65535];
	struct decide_send send = {.msg = msg, .len = sizeof(msg)};
	struct later later = {0};
	struct origin origin;
	size_t count = 0;

	(void)state;
	memset(&origin, 0, sizeof(origin));
	while (later_put(&later, &origin, &send, msg, 100, 1))
		count++;
	assert_true(later.bytes <= LATER_BYTES_MAX && later.bytes > LATER_BYTES_MAX - 2 * sizeof(msg));
	free(later_take(&later));
	assert_non_null(later_put(&later, &origin, &send, msg, 100, 1));
	assert_null(later_put(&later, &origin, &send, msg, 100, 1));
	for (; count; count--)
		free(later_take(&later));
	assert_int_equal(later.bytes, 0);
	later_fini(&later);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_due_first_comes_first_and_equals_in_their_order),
		cmocka_unit_test(message_and_query_are_copies),
		cmocka_unit_test(what_waits_is_bounded_and_what_has_gone_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
