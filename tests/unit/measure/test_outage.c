/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outage and wrong_window. Sample i is due at i × 100 ms. */
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* With a fault from 500 to 1000. */
static void make(struct stream *stream, const char *letters)
{
	stream_begin(stream);
	stream_probe(stream, "www");
	stream_fault(stream, 1, "dark");
	stream_applied(stream, 1, 500);
	stream_reverted(stream, 1, 1000, true);
	stream_ask(stream, "www", 0, letters);
	stream_end(stream, "complete", 9999);
}

static int64_t outage_ms(const struct stream *stream, enum window_kind window)
{
	return stream_find(stream, "www", window, "dark")->outage_ns / MSEC;
}

static int64_t wrong_ms(const struct stream *stream, enum window_kind window)
{
	return stream_find(stream, "www", window, "dark")->wrong_window_ns / MSEC;
}

static void spans_reach_to_the_next_good_sample_and_are_not_counted_twice(void **state)
{
	struct stream stream;

	(void)state;
	/* 500–700 (two bad ones, one span) and 800–900 */
	make(&stream, ".....xr.w......");
	assert_int_equal(outage_ms(&stream, WINDOW_FAULT), 300);
	assert_int_equal(outage_ms(&stream, WINDOW_OVERALL), 300);
	assert_int_equal(wrong_ms(&stream, WINDOW_FAULT), 100);
	stream_fini(&stream);
}

static void an_outage_that_outlasts_the_fault_is_cut_at_its_end(void **state)
{
	struct stream stream;

	(void)state;
	/* bad from 900 to 1200: 100 ms in the fault, 200 in the recovery */
	make(&stream, ".........xxx...");
	assert_int_equal(outage_ms(&stream, WINDOW_FAULT), 100);
	assert_int_equal(outage_ms(&stream, WINDOW_RECOVERY), 200);
	assert_int_equal(outage_ms(&stream, WINDOW_OVERALL), 300);
	stream_fini(&stream);
}

static void an_outage_without_end_lasts_until_asking_ended(void **state)
{
	struct stream stream;

	(void)state;
	/* bad from 1200 on; the last sample is due at 1400: 1500, whatever run.end says (9999) */
	make(&stream, "............xxx");
	assert_int_equal(outage_ms(&stream, WINDOW_RECOVERY), 300);
	assert_int_equal(outage_ms(&stream, WINDOW_FAULT), 0);
	stream_fini(&stream);
}

static void all_bad_is_one_outage_of_the_whole_window(void **state)
{
	struct stream stream;

	(void)state;
	make(&stream, "xxxxxxxxxxxxxxx");
	assert_int_equal(outage_ms(&stream, WINDOW_OVERALL), 1500);
	assert_int_equal(outage_ms(&stream, WINDOW_FAULT), 500);
	assert_int_equal(outage_ms(&stream, WINDOW_RECOVERY), 500);
	/* all of the baseline's samples time out after T: none of them is the baseline's */
	assert_int_equal(outage_ms(&stream, WINDOW_BASELINE), 0);
	stream_fini(&stream);
}

static void the_wrong_window_ends_with_any_sample_that_is_not_wrong(void **state)
{
	struct stream stream;

	(void)state;
	/* wrong at 500 and 600, then no answer at 700: a wrong window of 200 ms, an outage of 300 */
	make(&stream, ".....wwx.......");
	assert_int_equal(wrong_ms(&stream, WINDOW_FAULT), 200);
	assert_int_equal(outage_ms(&stream, WINDOW_FAULT), 300);
	stream_fini(&stream);
}

static void a_missing_sample_does_not_end_an_outage(void **state)
{
	struct stream stream;

	(void)state;
	/* bad at 500, nothing known of 600, good at 700 */
	make(&stream, ".....x_........");
	assert_int_equal(outage_ms(&stream, WINDOW_FAULT), 200);
	stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_reach_to_the_next_good_sample_and_are_not_counted_twice),
		cmocka_unit_test(an_outage_that_outlasts_the_fault_is_cut_at_its_end),
		cmocka_unit_test(an_outage_without_end_lasts_until_asking_ended),
		cmocka_unit_test(all_bad_is_one_outage_of_the_whole_window),
		cmocka_unit_test(the_wrong_window_ends_with_any_sample_that_is_not_wrong),
		cmocka_unit_test(a_missing_sample_does_not_end_an_outage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
