/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/sink.h"
#include "tests/unit/report/drill.h"

static struct buf write_markdown(const struct stream *stream)
{
	struct buf out = {0};

	report_markdown.write(stream->record, stream->results, &out);
	assert_false(out.failed);
	return out;
}

static void summary_says_verdict_numbers_and_how_to_repeat(void **state)
{
	struct stream stream = {0};
	struct buf text;
	(void)state;

	drill_run(&stream, NULL, ".....xrw.............", 1500);
	text = write_markdown(&stream);
	assert_int_equal(strncmp(text.data, "## ✅ PASS: Test plan\n", strlen("## ✅ PASS: Test plan\n")), 0);
	assert_says(text.data, "| 300 ms ± 100 ms | &lt;= 300ms |");
	assert_says(text.data, "| www | alpha dark | 300 ms ± 100 ms | 300 ms |");
	assert_says(text.data, "Seed 7. To repeat this run:\n\n    dnsdrill run test.yaml --seed 7\n");
	buf_fini(&text);
	drill_free(&stream);
}

static void failover_that_was_not_reached_is_a_lower_bound(void **state)
{
	struct stream stream = {0};
	struct buf text;
	(void)state;

	drill_run(&stream, NULL, ".....xxxxxxxxxxxxxxxx", 1700);
	text = write_markdown(&stream);
	assert_says(text.data, "❌ FAIL");
	assert_says(text.data, "| &gt; 1.20 s |");
	assert_says_not(text.data, "1.20 s ±");
	buf_fini(&text);
	drill_free(&stream);
}

static void cases_of_a_matrix_stand_below_each_other(void **state)
{
	struct stream stream = {0};
	struct buf text;
	(void)state;

	drill_run(&stream, NULL, ".....xrw.............", 1500);
	drill_run(&stream, "resolver=bind", ".....xxxxxxxxxxxxxxxx", 1700);
	text = write_markdown(&stream);
	assert_says(text.data, "| Case | Verdict | Probe |");
	assert_says(text.data, "| resolver=bind | ❌ fail | www | &gt; 1.20 s |");
	assert_says(text.data, "### resolver=bind");
	buf_fini(&text);
	drill_free(&stream);
}

/* The most that escaping can make of a byte, in every name, more rows than fit. */
static void summary_stays_under_60000_bytes_and_says_what_it_left_out(void **state)
{
	char name[512];
	struct stream stream = {0};
	struct buf text;
	(void)state;

	stream_begin(&stream);
	for (int i = 0; i < 200; i++) {
		memset(name, '@', sizeof(name));
		snprintf(name + 400, sizeof(name) - 400, "%d", i);
		name[399] = '@';
		stream_probe(&stream, name);
		stream_expect(&stream, name, NULL, "availability", ">=", PPM_ONE);
	}
	stream_end(&stream, name, 9999);
	text = write_markdown(&stream);
	assert_in_range(text.len, 1, 59999);
	assert_says(text.data, "more rows are left out here; report.html has them.");
	assert_says(text.data, "To repeat this run:");
	buf_fini(&text);
	drill_free(&stream);
}

static void names_cannot_break_out_of_the_table(void **state)
{
	struct stream stream = {0};
	struct buf text;
	(void)state;

	stream_begin(&stream);
	stream_probe(&stream, "a | b\n\n# <img src=x> [x](https://evil.example)");
	stream_ask(&stream, "a | b\n\n# <img src=x> [x](https://evil.example)", 0, "...");
	stream_end(&stream, "complete", 9999);
	text = write_markdown(&stream);
	assert_says(text.data, "| a \\| b  \\# &lt;img src=x&gt; \\[x\\](https&#58;//evil.example) | whole run |");
	buf_fini(&text);
	drill_free(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(summary_says_verdict_numbers_and_how_to_repeat),
		cmocka_unit_test(failover_that_was_not_reached_is_a_lower_bound),
		cmocka_unit_test(cases_of_a_matrix_stand_below_each_other),
		cmocka_unit_test(summary_stays_under_60000_bytes_and_says_what_it_left_out),
		cmocka_unit_test(names_cannot_break_out_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
