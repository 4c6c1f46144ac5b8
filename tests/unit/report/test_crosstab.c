/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/sink.h"
#include "tests/unit/report/drill.h"

extern const struct report_ops report_crosstab;

static struct buf write_crosstab(const struct stream *stream)
{
	struct buf out = {0};

	report_crosstab.write(stream->record, stream->results, &out);
	assert_false(out.failed);
	return out;
}

/* The first run that drill_run makes has no label. */
static void begin_matrix(struct stream *stream)
{
	drill_run(stream, NULL, "....................", 1500);
}

static void last_key_goes_across_and_the_other_down(void **state)
{
	struct stream stream = {0};
	struct buf text;
	(void)state;

	begin_matrix(&stream);
	drill_run(&stream, "damage=rcode, resolver=unbound", ".....rrrrrrrrrr.....", 1500);
	drill_run(&stream, "damage=rcode, resolver=bind", ".....xxxxxxxxxx.....", 1500);
	drill_run(&stream, "damage=good, then a spoof, resolver=unbound", ".....wwwww..........", 1500);
	text = write_crosstab(&stream);
	assert_says(text.data, "unbound | bind |\n");
	assert_says(text.data, "| rcode |");
	assert_says(text.data, "| no answer |\n"); /* and no latency: there was none */
	assert_says(text.data, "wrong answer 50%, ok 50%; ");
	assert_says(text.data, "| good, then a spoof | ");
	assert_says(text.data, " | – |\n"); /* spoof × bind was not played */
	buf_fini(&text);
	drill_free(&stream);
}

static void one_key_goes_down(void **state)
{
	struct stream stream = {0};
	struct buf text;
	(void)state;

	begin_matrix(&stream);
	drill_run(&stream, "resolver=bind", ".....xxxxxxxxxx.....", 1500);
	text = write_crosstab(&stream);
	assert_says(text.data, "| bind | no answer |\n");
	buf_fini(&text);
	drill_free(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_key_goes_across_and_the_other_down),
		cmocka_unit_test(one_key_goes_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
