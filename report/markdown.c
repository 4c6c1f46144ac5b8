/* SPDX-License-Identifier: GPL-2.0-or-later */
/* summary.md: the verdict in a sentence, what was expected, what was measured; short enough for a comment on a pull request. */
#include "harness/api/sink.h"
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"

/* GitHub takes 65,535 characters in a comment; the summary stays under 60,000 bytes. Escaping makes at most 8 bytes of one. */
#define ROWS_BYTES 46000 /* after which no more rows begin: the last row, the frame and the command fit into the rest */
#define CELL_BYTES 120 /* of a name before escaping */
#define TEXT_BYTES 800

/* Table rows that go in as long as there is room. */
struct rows {
	struct buf *out;
	size_t left_out;
};

/* False if there is no more room: the row is then only counted. */
static bool row_begins(struct rows *rows)
{
	if (rows->out->len < ROWS_BYTES)
		return true;
	rows->left_out++;
	return false;
}

static void rows_end(struct rows *rows)
{
	if (rows->left_out)
		buf_printf(rows->out, "\n%zu more rows are left out here; report.html has them.\n", rows->left_out);
	buf_putc(rows->out, '\n');
}

static void add_text(struct buf *out, const char *text, size_t max)
{
	struct buf cut = {0};

	escape_cut(&cut, text, max);
	escape_markdown_cell(out, cut.data);
	out->failed |= cut.failed;
	buf_fini(&cut);
}

/* What format_…() wrote, which may hold a name, into a cell; clears it. */
static void cell(struct buf *out, struct buf *scratch)
{
	buf_putc(out, ' ');
	add_text(out, scratch->len ? scratch->data : "", CELL_BYTES);
	buf_puts(out, " |");
	out->failed |= scratch->failed;
	buf_clear(scratch);
}

static void cell_text(struct buf *out, const char *text)
{
	buf_putc(out, ' ');
	add_text(out, text, CELL_BYTES);
	buf_puts(out, " |");
}

static const char *sign(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return "✅";
	case VERDICT_FAIL:
		return "❌";
	case VERDICT_INCONCLUSIVE:
		return "❔";
	case VERDICT_ERROR:
		return "⚠️";
	}
	return "";
}

static void write_expectations(struct buf *out, const struct run_results *run)
{
	struct rows rows = {.out = out};
	struct buf scratch = {0};

	if (run->expectation_count == 0)
		return;
	buf_puts(out, "| | Expectation | Measured | Bound |\n| --- | --- | ---: | ---: |\n");
	for (size_t i = 0; i < run->expectation_count; i++) {
		const struct expectation *e = &run->expectations[i];
		if (!row_begins(&rows))
			continue;
		buf_printf(out, "| %s %s |", sign(e->result), verdict_name(e->result));
		cell_text(out, e->plan->text);
		format_measured(&scratch, e);
		cell(out, &scratch);
		format_bound(&scratch, e->plan);
		cell(out, &scratch);
		buf_putc(out, '\n');
	}
	rows_end(&rows);
	buf_fini(&scratch);
}

static void write_measurement(struct buf *out, const struct measurement *m)
{
	struct buf scratch = {0};

	buf_putc(out, '|');
	cell_text(out, m->probe->plan.probe);
	cell_text(out, format_window(m));
	format_failover(&scratch, m);
	cell(out, &scratch);
	format_outage(&scratch, m);
	cell(out, &scratch);
	format_share(&scratch, m->availability_ppm);
	cell(out, &scratch);
	format_duration(&scratch, m->latency_p95_ns, m->latency_p95_censored);
	cell(out, &scratch);
	format_outcomes(&scratch, m->outcomes);
	cell(out, &scratch);
	buf_putc(out, '\n');
	buf_fini(&scratch);
}

static void write_measurements(struct buf *out, const struct run_results *run)
{
	struct rows rows = {.out = out};

	buf_puts(out, "| Probe | Window | Failover | Outage | Availability | p95 | Samples |\n"
		      "| --- | --- | ---: | ---: | ---: | ---: | --- |\n");
	for (size_t i = 0; i < run->measurement_count; i++) {
		const struct measurement *m = &run->measurements[i];
		if ((m->window == WINDOW_OVERALL || m->window == WINDOW_FAULT) && row_begins(&rows))
			write_measurement(out, m);
	}
	rows_end(&rows);
}

static void write_matrix_row(struct buf *out, const struct results *results, size_t index, const char *probe)
{
	const struct run_results *run = &results->runs[index];
	const struct measurement *worst = facts_worst_of_probe(run, probe);
	const struct measurement *whole = facts_find(run, probe, WINDOW_OVERALL, NULL);
	struct buf scratch = {0};

	buf_putc(out, '|');
	facts_case(results, index, &scratch);
	cell(out, &scratch);
	buf_printf(out, " %s %s |", sign(run->verdict), verdict_name(run->verdict));
	cell_text(out, probe);
	if (worst)
		format_failover(&scratch, worst);
	else
		buf_puts(&scratch, FORMAT_NONE);
	cell(out, &scratch);
	format_share(&scratch, whole ? whole->availability_ppm : MEASURE_NONE);
	cell(out, &scratch);
	format_outage(&scratch, whole);
	cell(out, &scratch);
	buf_putc(out, '\n');
	buf_fini(&scratch);
}

/* Ordered by probe, so that what is to be compared stands one below the other. */
static void write_matrix(struct buf *out, const struct results *results)
{
	struct rows rows = {.out = out};
	size_t count;
	CLEANUP_FREE const char **probes = facts_probe_names(results, &count);

	buf_puts(out, "| Case | Verdict | Probe | Failover | Availability | Outage |\n| --- | --- | --- | ---: | ---: "
		      "| ---: |\n");
	for (size_t p = 0; p < count; p++) {
		for (size_t i = 0; i < results->count; i++) {
			if (row_begins(&rows))
				write_matrix_row(out, results, i, probes[p]);
		}
	}
	rows_end(&rows);
}

static void write_heading(struct buf *out, const struct record *record, const struct results *results)
{
	struct buf sentence = {0};

	buf_printf(out, "## %s %s: ", sign(results->verdict), facts_verdict_word(results->verdict));
	add_text(out, record->count ? record->runs[0].start.plan : "no run", CELL_BYTES);
	buf_puts(out, "\n\n");
	facts_sentence(results, &sentence);
	add_text(out, sentence.data, TEXT_BYTES);
	buf_puts(out, "\n\n");
	out->failed |= sentence.failed;
	buf_fini(&sentence);
}

/* Indented code takes any text as it is, except line ends. */
static void write_repeat(struct buf *out, const struct record *record)
{
	struct buf command = {0};

	if (record->count == 0 || !record->runs[0].start.command)
		return;
	escape_cut(&command, record->runs[0].start.command, TEXT_BYTES);
	for (size_t i = 0; i < command.len; i++)
		command.data[i] = (unsigned char)command.data[i] < 0x20 ? ' ' : command.data[i];
	buf_printf(out, "Seed %lld. To repeat this run:\n\n    ", (long long)record->runs[0].start.seed);
	escape_terminal(out, command.data);
	buf_putc(out, '\n');
	out->failed |= command.failed;
	buf_fini(&command);
}

static void markdown_write(const struct record *record, const struct results *results, struct buf *out)
{
	struct buf name = {0};

	write_heading(out, record, results);
	if (results->count > 1)
		write_matrix(out, results);
	for (size_t i = 0; i < results->count; i++) {
		if (out->len > ROWS_BYTES) {
			buf_printf(out, "%zu more cases are left out here; report.html has them.\n\n",
				   results->count - i);
			break;
		}
		if (results->count > 1) {
			facts_case(results, i, &name);
			buf_puts(out, "### ");
			add_text(out, name.data, CELL_BYTES);
			buf_puts(out, "\n\n");
			buf_clear(&name);
		}
		write_expectations(out, &results->runs[i]);
		write_measurements(out, &results->runs[i]);
	}
	write_repeat(out, record);
	buf_fini(&name);
}

extern const struct report_ops report_markdown;
const struct report_ops report_markdown = {
	.name = "markdown",
	.file = "summary.md",
	.summary = "a short summary in Markdown for pull requests and job summaries",
	.write = markdown_write,
};
