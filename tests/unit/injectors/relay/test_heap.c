/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/macro.h"
#include "harness/base/rng.h"
#include "injectors/relay/heap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void put(struct heap *heap, int64_t send_ns, unsigned char tag)
{
	assert_true(heap_put(heap, &tag, 1, 0, send_ns));
}

static void gives_back_by_time_and_then_in_order(void **state UNUSED)
{
	struct rng rng = rng_stream(7, "heap");
	struct heap heap = {0};
	int64_t last_ns = -1;
	uint64_t last_order = 0;

	for (int i = 0; i < 5000; i++)
		put(&heap, (int64_t)rng_below(&rng, 100), 0); /* many of the same moment */
	assert_int_equal(heap.bytes, 5000);
	for (int i = 0; i < 5000; i++) {
		struct frame *frame = heap_take(&heap);

		assert_true(frame->send_ns > last_ns || (frame->send_ns == last_ns && frame->order > last_order));
		last_ns = frame->send_ns;
		last_order = frame->order;
		free(frame);
	}
	assert_null(heap_take(&heap));
	assert_int_equal(heap.bytes, 0);
	heap_fini(&heap);
}

static void what_comes_between_finds_its_place(void **state UNUSED)
{
	static const char wanted[] = "abcd";
	struct heap heap = {0};

	put(&heap, 30, 'd');
	put(&heap, 10, 'a');
	put(&heap, 20, 'c');
	free(heap_take(&heap)); /* a */
	put(&heap, 15, 'b');
	for (int i = 1; i < 4; i++) {
		struct frame *frame = heap_take(&heap);

		assert_int_equal(frame->bytes[0], wanted[i]);
		free(frame);
	}
	heap_fini(&heap);
}

static void what_is_left_is_freed_with_it(void **state UNUSED)
{
	struct heap heap = {0};

	put(&heap, 1, 'a');
	put(&heap, 2, 'b');
	heap_fini(&heap); /* the leak checker is the judge */
	assert_null(heap_first(&heap));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_by_time_and_then_in_order),
		cmocka_unit_test(what_comes_between_finds_its_place),
		cmocka_unit_test(what_is_left_is_freed_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
