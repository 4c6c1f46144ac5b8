/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/grid.h"
#include "report/table.h"
#include "tests/unit/report/drill.h"

#define FAILED_OVER ".....xrw............."
#define NEVER_BACK ".....xxxxxxxxxxxxxxxx"

static struct buf write_table(const struct stream *stream, bool colour, unsigned columns)
{
	struct buf out = {0};

	table_write(stream->record, stream->results, colour, columns, &out);
	assert_false(out.failed);
	return out;
}

/* Without colours, every line at most that wide. */
static void assert_fits(const struct buf *out, unsigned columns)
{
	for (const char *line = out->data; *line;) {
		size_t len = strcspn(line, "\n");
		char copy[2048];
		assert_true(len < sizeof(copy));
		memcpy(copy, line, len);
		copy[len] = '\0';
		if (grid_width(copy) > columns)
			fail_msg("%u places, not at most %u: %s", grid_width(copy), columns, copy);
		line += len + (line[len] != '\0');
	}
}

static void verdict_comes_first_then_expectations_then_measurements(void **state)
{
	struct stream stream = {0};
	struct buf out;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	out = write_table(&stream, false, 80);
	assert_int_equal(strncmp(out.data, "PASS  ", 6), 0);
	const char *expected = strstr(out.data, "✓"), *measured = strstr(out.data, "alpha dark  www");
	assert_true(expected && measured && expected < measured);
	assert_says(expected, "300 ms ± 100 ms");
	assert_says(expected, "<= 300ms");
	assert_says(out.data, "\n  time to failover 300 ms ± 100 ms  www during alpha dark\n\nseed 7");
	buf_fini(&out);
	drill_free(&stream);
}

static void failover_that_was_not_reached_is_a_lower_bound(void **state)
{
	struct stream stream = {0};
	struct buf out;
	(void)state;

	drill_run(&stream, NULL, NEVER_BACK, 1700);
	out = write_table(&stream, false, 80);
	assert_int_equal(strncmp(out.data, "FAIL  ", 6), 0);
	assert_says(out.data, "✗");
	assert_says(out.data, "> 1.20 s");
	assert_says_not(out.data, "1.20 s ±");
	buf_fini(&out);
	drill_free(&stream);
}

static void colours_are_there_only_when_asked_for(void **state)
{
	struct stream stream = {0};
	struct buf plain, coloured;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	plain = write_table(&stream, false, 80);
	coloured = write_table(&stream, true, 80);
	assert_says_not(plain.data, "\x1b");
	assert_says(coloured.data, "\x1b[32;1mPASS\x1b[0m");
	buf_fini(&plain);
	buf_fini(&coloured);
	drill_free(&stream);
}

static void long_names_are_cut_so_that_80_columns_suffice(void **state)
{
	static const char *const name =
		"a probe with quite a long name, which says much about what it is asking and whom it asks";
	struct stream stream = {0};
	struct buf out;
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, name);
	stream_fault(&stream, 1, "a fault with a name no shorter than that of the probe, for it is complicated");
	stream_expect(&stream, name, NULL, "availability", ">=", PPM_ONE);
	stream_applied(&stream, 1, 500);
	stream_reverted(&stream, 1, 1500, true);
	stream_ask(&stream, name, 0, FAILED_OVER);
	stream_end(&stream, "complete", 9999);
	out = write_table(&stream, false, 80);
	assert_fits(&out, 80);
	assert_says(out.data, "…");
	buf_fini(&out);
	out = write_table(&stream, false, 120);
	assert_fits(&out, 120);
	buf_fini(&out);
	drill_free(&stream);
}

static void cases_of_a_matrix_are_compared_at_the_end(void **state)
{
	struct stream stream = {0};
	struct buf out;
	(void)state;

	drill_run(&stream, NULL, FAILED_OVER, 1500);
	drill_run(&stream, "resolver=bind", NEVER_BACK, 1700);
	out = write_table(&stream, false, 100);
	assert_says(out.data, "FAIL  1 of 2 cases passed. resolver=bind:");
	const char *head = strstr(out.data, "probe  case");
	assert_non_null(head);
	assert_says(head, "resolver=bind  FAIL");
	assert_says(head, "of the whole run"); /* what its columns cover */
	assert_says(head, "during alpha dark, resolver=bind"); /* whose the longest failover is */
	assert_fits(&out, 100);
	buf_fini(&out);
	drill_free(&stream);
}

static void names_cannot_drive_the_terminal(void **state)
{
	static const char *const name = "www\x1b[2J\x07\xc2\x9b";
	struct stream stream = {0};
	struct buf out;
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, name);
	stream_expect(&stream, name, NULL, "availability", ">=", PPM_ONE);
	stream_ask(&stream, name, 0, "..x");
	stream_end(&stream, "complete", 9999);
	out = write_table(&stream, false, 80);
	assert_says_not(out.data, "\x1b");
	assert_says_not(out.data, "\x07");
	assert_says_not(out.data, "\xc2\x9b");
	assert_says(out.data, "www\\x1B[2J");
	buf_fini(&out);
	drill_free(&stream);
}

static void grid_aligns_by_what_a_terminal_shows(void **state)
{
	struct buf out = {0};
	struct grid grid;
	(void)state;

	grid_open(&grid, "lr");
	grid_cell(&grid, GRID_PLAIN, "日本");
	grid_cell(&grid, GRID_PLAIN, "1 s");
	grid_row(&grid);
	grid_cell(&grid, GRID_PLAIN, "abcde");
	grid_cell(&grid, GRID_PLAIN, "± 10 s");
	grid_row(&grid);
	grid_close(&grid, false, 80, &out);
	/* Two wide characters take four of the five places of the first column. */
	assert_string_equal(out.data, "  日本      1 s\n  abcde  ± 10 s\n");
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdict_comes_first_then_expectations_then_measurements),
		cmocka_unit_test(failover_that_was_not_reached_is_a_lower_bound),
		cmocka_unit_test(colours_are_there_only_when_asked_for),
		cmocka_unit_test(long_names_are_cut_so_that_80_columns_suffice),
		cmocka_unit_test(cases_of_a_matrix_are_compared_at_the_end),
		cmocka_unit_test(names_cannot_drive_the_terminal),
		cmocka_unit_test(grid_aligns_by_what_a_terminal_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
