/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/clock.h"
#include "harness/base/macro.h"
#include "harness/probe/inflight.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

#define TIMEOUT (5 * MSEC)
#define MANY 3000

struct box {
	struct flight flight;
	int payload;
};

struct world {
	struct event_base *base;
	struct inflight inflight;
	int64_t epoch_ns, expired, last;
	bool is_early, is_unordered;
};

static void expire(void *arg, struct flight *flight)
{
	struct world *world = arg;

	world->is_early |= clock_now_ns() - world->epoch_ns < flight->due_ns + TIMEOUT;
	world->is_unordered |= world->expired > 0 && flight->i <= world->last;
	world->last = flight->i;
	world->expired++;
	inflight_remove(&world->inflight, flight);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->base = event_base_new();
	world->epoch_ns = clock_now_ns();
	assert_int_equal(inflight_init(&world->inflight, world->base, world->epoch_ns, TIMEOUT, sizeof(struct box),
				       expire, world),
			 0);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	inflight_fini(&world->inflight);
	event_base_free(world->base);
	free(world);
	return 0;
}

static void all_expire_in_order_and_never_early(void **state)
{
	struct world *world = *state;

	for (int64_t i = 0; i < MANY; i++)
		assert_non_null(inflight_add(&world->inflight, i, i * 2000));
	event_base_dispatch(world->base);
	assert_int_equal(world->expired, MANY);
	assert_false(world->is_early);
	assert_false(world->is_unordered);
	assert_int_equal(world->inflight.count, 0);
}

static void what_was_removed_does_not_expire(void **state)
{
	struct world *world = *state;

	for (int64_t i = 0; i < MANY; i++)
		inflight_add(&world->inflight, i, 0);
	for (int64_t i = 0; i < MANY; i += 2)
		inflight_remove(&world->inflight, inflight_find(&world->inflight, i));
	event_base_dispatch(world->base);
	assert_int_equal(world->expired, MANY / 2);
}

static void each_is_found_by_its_number_while_it_is_in_flight(void **state)
{
	struct world *world = *state;

	for (int64_t i = 10; i < 500; i++)
		((struct box *)(void *)inflight_add(&world->inflight, i, 0))->payload = (int)i * 3;
	for (int64_t i = 10; i < 500; i++)
		assert_int_equal(((struct box *)(void *)inflight_find(&world->inflight, i))->payload, i * 3);
	assert_null(inflight_find(&world->inflight, 9));
	assert_null(inflight_find(&world->inflight, 500));
	inflight_remove(&world->inflight, inflight_find(&world->inflight, 77));
	assert_null(inflight_find(&world->inflight, 77));
	assert_int_equal(inflight_first(&world->inflight)->i, 10);
}

/* One that never ends must not keep the numbers after it from being reused for others' places. */
static void an_old_one_stays_itself_while_thousands_come_and_go(void **state)
{
	struct world *world = *state;

	inflight_add(&world->inflight, 0, SEC);
	for (int64_t i = 1; i < 10 * MANY; i++) {
		struct box *box = (struct box *)(void *)inflight_add(&world->inflight, i, SEC);

		assert_int_equal(box->payload, 0); /* reused ones come clean */
		box->payload = 1;
		inflight_remove(&world->inflight, &box->flight);
	}
	assert_int_equal(world->inflight.count, 1);
	assert_int_equal(inflight_first(&world->inflight)->i, 0);
}

static void the_timer_follows_a_later_one_after_the_first_was_answered(void **state)
{
	struct world *world = *state;

	inflight_add(&world->inflight, 0, 0);
	inflight_add(&world->inflight, 1, 10 * MSEC);
	inflight_remove(&world->inflight, inflight_find(&world->inflight, 0));
	event_base_dispatch(world->base);
	assert_int_equal(world->expired, 1);
	assert_int_equal(world->last, 1);
	assert_false(world->is_early);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_expire_in_order_and_never_early, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_removed_does_not_expire, setup, teardown),
		cmocka_unit_test_setup_teardown(each_is_found_by_its_number_while_it_is_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(an_old_one_stays_itself_while_thousands_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(the_timer_follows_a_later_one_after_the_first_was_answered, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
