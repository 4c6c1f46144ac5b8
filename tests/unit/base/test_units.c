/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/base/macro.h"
#include "harness/base/rng.h"

#define KEPT INT64_C(-77) /* what a refused parse must leave in *ret */

typedef int parser(const char *text, int64_t *ret);
typedef const char *formatter(int64_t value, char *buf, size_t size);

struct reading {
	const char *text;
	int64_t value;
};

static void check_readings(parser *parse, const struct reading *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t value = KEPT;

		if (parse(readings[i].text, &value) || value != readings[i].value)
			fail_msg("\"%s\" is read as %lld, not %lld", readings[i].text, (long long)value,
				 (long long)readings[i].value);
	}
}

static void check_refusals(parser *parse, int code, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t value = KEPT;
		int r = parse(texts[i], &value);

		if (r != code || value != KEPT)
			fail_msg("\"%s\": %d and %lld, not %d and the value untouched", texts[i], r, (long long)value,
				 code);
	}
}
#define CHECK_READINGS(parse, list) check_readings(parse, list, ARRAY_LEN(list))
#define CHECK_REFUSALS(parse, code, list) check_refusals(parse, code, list, ARRAY_LEN(list))

static void durations_are_read_as_people_write_them(UNUSED void **state)
{
	static const struct reading readings[] = {
		{"250ms", 250 * MSEC},
		{"1.5s", 1500 * MSEC},
		{"10m", 600 * SEC},
		{"24h", 86400 * SEC},
		{"7d", 7 * 86400 * SEC},
		{"1h30m", 5400 * SEC},
		{"1d2h3m4s5ms6us7ns", (86400 + 7200 + 180 + 4) * SEC + 5006007},
		{"0s", 0},
		{"0.1s", 100 * MSEC}, /* has no exact binary fraction */
		{"0.000000001s", 1},
		{"0.3ms", 300000},
		{"0.5d", 43200 * SEC},
		{"0.25m", 15 * SEC},
		{"1.500000000000s", 1500 * MSEC}, /* trailing zeroes say nothing */
		{"9223372036854775807ns", INT64_MAX},
		{"9223372036.854775807s", INT64_MAX},
	};

	CHECK_READINGS(units_parse_duration, readings);
}

static void durations_without_unit_or_sense_are_refused(UNUSED void **state)
{
	static const char *const texts[] = {
		"",
		"0",
		"5",
		"1.5",
		"s",
		"ms",
		"-1s",
		"+1s",
		"1 s",
		" 1s",
		"1s ",
		"1.s",
		".5s",
		"1..5s",
		"1.5.2s",
		"1e3s",
		"1S",
		"1sec",
		"1min",
		"1h30",
		"1,5s",
		"0x10s",
		"1s\n",
		"1m-5s",
		"\xd9\xa1s", /* an Arabic one */
		"0.5ns",
		"0.0000000001s",
		"0.00000000001s",
		"0.000000000000000000000000001s",
		"infs",
		"nans",
	};

	CHECK_REFUSALS(units_parse_duration, -EINVAL, texts);
}

static void durations_past_63_bits_are_refused(UNUSED void **state)
{
	static const char *const texts[] = {
		"9223372036854775808ns",    "9223372036.854775808s",    "106752d",
		"99999999999999999999999s", "9223372036854775807ns1ns", "106751d24h",
	};

	CHECK_REFUSALS(units_parse_duration, -ERANGE, texts);
}

static void shares_are_percent(UNUSED void **state)
{
	static const struct reading readings[] = {
		{"30%", 300000}, {"0.5%", 5000}, {"100%", PPM_ONE}, {"0%", 0}, {"99.9999%", 999999}, {"0.0001%", 1},
	};
	static const char *const texts[] = {"30", "0.3", "30 %", "%", "-1%", "30%%", "1%1%", "0.00001%", "0.000001%"};

	CHECK_READINGS(units_parse_share, readings);
	CHECK_REFUSALS(units_parse_share, -EINVAL, texts);
}

static void sizes_are_bytes(UNUSED void **state)
{
	static const struct reading readings[] = {
		{"512B", 512},          {"4KiB", 4096},   {"2MiB", 2 << 20},
		{"1GiB", 1 << 30},      {"1.5KiB", 1536}, /* a decimal that is a whole number of bytes */
		{"0.25MiB", 256 << 10},
	};
	static const char *const texts[] = {"512", "4K", "4KB", "4kib", "1.5B", "0.1KiB", "1KiB1B", "B"};
	static const char *const large[] = {"9223372036854775808B", "8589934592GiB"};

	CHECK_READINGS(units_parse_size, readings);
	CHECK_REFUSALS(units_parse_size, -EINVAL, texts);
	CHECK_REFUSALS(units_parse_size, -ERANGE, large);
}

static void rates_are_per_second(UNUSED void **state)
{
	static const struct reading readings[] = {
		{"100/s", 100},      {"5000/s", 5000},       {"1Mbit/s", 1000000},
		{"64kbit/s", 64000}, {"1.5Mbit/s", 1500000}, {"2Gbit/s", 2000000000},
	};
	static const char *const texts[] = {"100", "100/m", "1Mbit", "1mbit/s", "0.5/s", "/s", "100 /s", "100/s/s"};

	CHECK_READINGS(units_parse_rate, readings);
	CHECK_REFUSALS(units_parse_rate, -EINVAL, texts);
}

static void check_round_trip(formatter *format, parser *parse, int64_t value)
{
	char text[32];
	int64_t again = KEPT;

	if (parse(format(value, text, sizeof(text)), &again) || again != value)
		fail_msg("%lld is written \"%s\" and read back as %lld", (long long)value, text, (long long)again);
}

/* Edges of the type, every power of ten and two with its neighbours, and values of every magnitude. */
static void every_value_survives_writing_and_reading(UNUSED void **state)
{
	struct rng rng = rng_stream(1, "units");

	for (int i = 0; i < 20000; i++) {
		int64_t value =
			i < 63 * 3 ? (INT64_C(1) << (i / 3)) + i % 3 - 1 : (int64_t)(rng_next(&rng) >> (1 + i % 63));

		if (i > 10000)
			value -= value % 1000000; /* milliseconds: what plans hold */
		check_round_trip(units_format_duration, units_parse_duration, value);
		check_round_trip(units_format_share, units_parse_share, value);
		check_round_trip(units_format_size, units_parse_size, value);
		check_round_trip(units_format_rate, units_parse_rate, value);
	}
	for (int64_t ten = 1; ten <= INT64_MAX / 10; ten *= 10)
		check_round_trip(units_format_duration, units_parse_duration, ten);
	check_round_trip(units_format_duration, units_parse_duration, INT64_MAX);
	check_round_trip(units_format_size, units_parse_size, INT64_MAX);
}

static void check_text(formatter *format, int64_t value, const char *expected)
{
	char text[32];

	assert_string_equal(format(value, text, sizeof(text)), expected);
}

static void values_are_written_as_people_would(UNUSED void **state)
{
	check_text(units_format_duration, 1500 * MSEC, "1.5s");
	check_text(units_format_duration, 250 * MSEC, "250ms");
	check_text(units_format_duration, 0, "0s");
	check_text(units_format_duration, 60 * SEC, "1m");
	check_text(units_format_duration, 90 * SEC, "90s");
	check_text(units_format_duration, 5400 * SEC, "90m");
	check_text(units_format_duration, 7 * 86400 * SEC, "7d");
	check_text(units_format_duration, 1, "1ns");
	check_text(units_format_share, 5000, "0.5%");
	check_text(units_format_share, PPM_ONE, "100%");
	check_text(units_format_size, 1232, "1232B");
	check_text(units_format_size, 4096, "4KiB");
	check_text(units_format_rate, 100, "100/s");
}

/* Three significant digits at most, rounded to the nearest, carried into the next unit where rounding reaches it. */
static void people_get_three_digits(UNUSED void **state)
{
	check_text(units_human_duration, 1530 * MSEC, "1.53 s");
	check_text(units_human_duration, 842 * MSEC, "842 ms");
	check_text(units_human_duration, 310000, "0.31 ms");
	check_text(units_human_duration, 250 * SEC, "4 min 10 s");
	check_text(units_human_duration, 0, "0 s");
	check_text(units_human_duration, 50, "50 ns");
	check_text(units_human_duration, 999999, "1.00 ms");
	check_text(units_human_duration, 999999999, "1.00 s");
	check_text(units_human_duration, 9996 * MSEC, "10.0 s");
	check_text(units_human_duration, 101400 * MSEC, "101 s");
	check_text(units_human_duration, 119990 * MSEC, "2 min 0 s");
	check_text(units_human_duration, 179600 * MSEC, "3 min 0 s");
	check_text(units_human_duration, 7199600 * MSEC, "2 h 0 min");
	check_text(units_human_duration, 86400 * SEC, "24 h 0 min");
	check_text(units_human_duration, 10799 * SEC, "3 h 0 min");
	check_text(units_human_duration, -1530 * MSEC, "-1.53 s");
}

static void a_short_buffer_is_never_overrun(UNUSED void **state)
{
	char text[4] = "zzz";

	units_human_duration(250 * SEC, text, 3);
	assert_int_equal(text[2], '\0');
	assert_int_equal(text[3], '\0');
	units_format_duration(123456789, text, 3);
	assert_int_equal(text[2], '\0');
}

static void a_date_is_a_moment_in_utc(UNUSED void **state)
{
	static const struct {
		const char *text;
		int64_t at_s;
	} dates[] = {{"1970-01-01", 0},
		     {"2026-01-01T00:00:00Z", 1767225600},
		     {"2026-11-21T00:00Z", 1795219200},
		     {"2024-02-29T23:59:59Z", 1709251199}};

	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		int64_t at_s = -1;

		assert_int_equal(units_parse_date(dates[i].text, &at_s), 0);
		assert_int_equal(at_s, dates[i].at_s);
	}
}

static void what_is_no_date_is_refused(UNUSED void **state)
{
	static const char *const texts[] = {"",
					    "now",
					    "2026-11-21T00:00",
					    "2026-02-30",
					    "2026-11-21T24:00Z",
					    "2026-13-01",
					    "26-01-01",
					    "2026-11-21T00:00+01",
					    " 2026-11-21",
					    "1969-12-31",
					    "2026-11-21T00:00:61Z"};
	int64_t at_s = 7;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(units_parse_date(texts[i], &at_s), -EINVAL);
	assert_int_equal(at_s, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_as_people_write_them),
		cmocka_unit_test(durations_without_unit_or_sense_are_refused),
		cmocka_unit_test(durations_past_63_bits_are_refused),
		cmocka_unit_test(shares_are_percent),
		cmocka_unit_test(sizes_are_bytes),
		cmocka_unit_test(rates_are_per_second),
		cmocka_unit_test(every_value_survives_writing_and_reading),
		cmocka_unit_test(values_are_written_as_people_would),
		cmocka_unit_test(people_get_three_digits),
		cmocka_unit_test(a_short_buffer_is_never_overrun),
		cmocka_unit_test(a_date_is_a_moment_in_utc),
		cmocka_unit_test(what_is_no_date_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
