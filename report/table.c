/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/table.h"
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/grid.h"
#include <string.h>

#define COLUMNS_LEAST 60

struct page {
	struct buf *out;
	bool colour;
	unsigned columns;
};

static enum grid_style verdict_style(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return GRID_GOOD;
	case VERDICT_FAIL:
		return GRID_BAD;
	case VERDICT_INCONCLUSIVE:
	case VERDICT_ERROR:
		return GRID_DOUBT;
	}
	return GRID_PLAIN;
}

static const char *verdict_sign(enum verdict verdict)
{
	return verdict == VERDICT_PASS ? "✓" : verdict == VERDICT_FAIL ? "✗" : "?";
}

/* Text in lines no longer than the page, broken between words; the first line is used up to `used` places. */
static void add_wrapped(const struct page *page, const char *text, unsigned used)
{
	while (*text) {
		size_t len = strcspn(text, " \n");
		struct buf word = {0};
		buf_add(&word, text, len);
		unsigned width = grid_width(word.data);
		if (used > 2 && used + 1 + width > page->columns) {
			buf_puts(page->out, "\n ");
			used = 1;
		}
		buf_printf(page->out, " %s", word.data);
		used += 1 + width;
		buf_fini(&word);
		text += len + (text[len] != '\0');
	}
	buf_putc(page->out, '\n');
}

static void write_verdict(const struct page *page, enum verdict verdict, const struct buf *sentence)
{
	struct buf plain = {0};
	const char *word = facts_verdict_word(verdict);

	escape_terminal(&plain, sentence->data);
	grid_styled(page->out, verdict_style(verdict), page->colour, word);
	buf_putc(page->out, ' ');
	add_wrapped(page, plain.len ? plain.data : "", (unsigned)strlen(word) + 1);
	page->out->failed |= plain.failed;
	buf_fini(&plain);
}

/* Below the table, since it may be long: which expectation, and what was wrong with it. */
static void write_why(const struct page *page, const struct expectation *e)
{
	struct buf text = {0};

	if (!e->why || !*e->why || e->result == VERDICT_PASS)
		return;
	escape_terminal(&text, e->plan->text);
	buf_puts(&text, ": ");
	escape_terminal(&text, e->why);
	buf_printf(page->out, "  %s", verdict_sign(e->result));
	add_wrapped(page, text.data, 3);
	page->out->failed |= text.failed;
	buf_fini(&text);
}

static void write_expectations(const struct page *page, const struct run_results *run)
{
	struct buf cell = {0};
	struct grid grid;

	if (run->expectation_count == 0)
		return;
	grid_open(&grid, "lsrr");
	grid_cell(&grid, GRID_DIM, "");
	grid_cell(&grid, GRID_DIM, "expected");
	grid_cell(&grid, GRID_DIM, "measured");
	grid_cell(&grid, GRID_DIM, "bound");
	grid_row(&grid);
	for (size_t i = 0; i < run->expectation_count; i++) {
		const struct expectation *e = &run->expectations[i];
		grid_cell(&grid, verdict_style(e->result), verdict_sign(e->result));
		grid_cell(&grid, GRID_PLAIN, e->plan->text);
		format_measured(&cell, e);
		grid_cell_buf(&grid, e->result == VERDICT_PASS ? GRID_BOLD : verdict_style(e->result), &cell);
		format_bound(&cell, e->plan);
		grid_cell_buf(&grid, GRID_PLAIN, &cell);
		grid_row(&grid);
	}
	buf_putc(page->out, '\n');
	grid_close(&grid, page->colour, page->columns, page->out);
	for (size_t i = 0; i < run->expectation_count; i++)
		write_why(page, &run->expectations[i]);
	buf_fini(&cell);
}

static void duration_cell(struct grid *grid, struct buf *cell, int64_t ns, bool censored)
{
	format_duration(cell, ns, censored);
	grid_cell_buf(grid, censored ? GRID_BAD : GRID_PLAIN, cell);
}

static void measurement_row(struct grid *grid, const struct measurement *m)
{
	struct buf cell = {0};

	grid_cell(grid, GRID_PLAIN, format_window(m));
	grid_cell(grid, GRID_PLAIN, m->probe->plan.probe);
	format_failover(&cell, m);
	grid_cell_buf(grid, m->failover_censored ? GRID_BAD : GRID_BOLD, &cell);
	format_outage(&cell, m);
	grid_cell_buf(grid, GRID_PLAIN, &cell);
	format_share(&cell, m->availability_ppm);
	grid_cell_buf(grid, GRID_PLAIN, &cell);
	duration_cell(grid, &cell, m->latency_p95_ns, m->latency_p95_censored);
	grid_row(grid);
	buf_fini(&cell);
}

/* Fault by fault, the probes of each together; without faults, the whole run. */
static void write_measurements(const struct page *page, const struct run_results *run)
{
	static const char *const heads[] = {"during", "probe", "failover", "outage", "availability", "p95"};
	size_t faults = run->run->fault_count;
	struct grid grid;

	if (run->measurement_count == 0)
		return;
	grid_open(&grid, "ssrrrr");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		grid_cell(&grid, GRID_DIM, heads[i]);
	grid_row(&grid);
	for (size_t f = 0; f < (faults ? faults : 1); f++) {
		for (size_t i = 0; i < run->measurement_count; i++) {
			const struct measurement *m = &run->measurements[i];
			if (faults ? m->window == WINDOW_FAULT && m->fault == &run->run->faults[f]
				   : m->window == WINDOW_OVERALL)
				measurement_row(&grid, m);
		}
	}
	buf_putc(page->out, '\n');
	grid_close(&grid, page->colour, page->columns, page->out);
}

/* Who shows which change when. */
static void write_changes(const struct page *page, const struct run_results *run)
{
	static const char *const heads[] = {"change", "probe", "accepted at", "propagation"};
	struct buf cell = {0};
	struct grid grid;

	if (!run->change_count)
		return;
	grid_open(&grid, "ssrr");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		grid_cell(&grid, GRID_DIM, heads[i]);
	grid_row(&grid);
	for (size_t i = 0; i < run->change_count; i++) {
		const struct change *change = &run->changes[i];

		grid_cell(&grid, GRID_PLAIN, change->step->plan.name);
		if (change->probe->host)
			buf_printf(&cell, "  %s %s", change->probe->host, change->probe->address);
		else
			buf_puts(&cell, change->probe->plan.probe);
		grid_cell_buf(&grid, change->probe->host ? GRID_DIM : GRID_PLAIN, &cell);
		duration_cell(&grid, &cell, change->accepted_ns - run->run->timeline_ns, false);
		duration_cell(&grid, &cell, change->propagation_ns, change->censored);
		grid_row(&grid);
	}
	buf_putc(page->out, '\n');
	grid_close(&grid, page->colour, page->columns, page->out);
	buf_fini(&cell);
}

static void matrix_row(struct grid *grid, const struct results *results, size_t index, const char *probe)
{
	const struct run_results *run = &results->runs[index];
	const struct measurement *worst = facts_worst_of_probe(run, probe);
	const struct measurement *whole = facts_find(run, probe, WINDOW_OVERALL, NULL);
	struct buf cell = {0};

	grid_cell(grid, GRID_PLAIN, probe);
	facts_case(results, index, &cell);
	grid_cell_buf(grid, GRID_PLAIN, &cell);
	grid_cell(grid, verdict_style(run->verdict), facts_verdict_word(run->verdict));
	if (worst)
		format_failover(&cell, worst);
	else
		buf_puts(&cell, FORMAT_NONE);
	grid_cell_buf(grid, worst && worst->failover_censored ? GRID_BAD : GRID_BOLD, &cell);
	format_share(&cell, whole ? whole->availability_ppm : MEASURE_NONE);
	grid_cell_buf(grid, GRID_PLAIN, &cell);
	format_outage(&cell, whole);
	grid_cell_buf(grid, GRID_PLAIN, &cell);
	grid_row(grid);
	buf_fini(&cell);
}

/* Probe by probe, so that what is to be compared stands one below the other. */
static void write_matrix(const struct page *page, const struct results *results)
{
	static const char *const heads[] = {"probe", "case", "verdict", "failover", "availability", "outage"};
	size_t count;
	CLEANUP_FREE const char **probes = facts_probe_names(results, &count);
	struct grid grid;

	grid_open(&grid, "sslrrr");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		grid_cell(&grid, GRID_DIM, heads[i]);
	grid_row(&grid);
	for (size_t p = 0; p < count; p++) {
		for (size_t i = 0; i < results->count; i++)
			matrix_row(&grid, results, i, probes[p]);
	}
	buf_putc(page->out, '\n');
	grid_close(&grid, page->colour, page->columns, page->out);
	buf_puts(page->out, "\n  failover: the longest over all faults; availability and outage: of the whole run\n");
}

static void write_run(const struct page *page, const struct results *results, size_t index)
{
	const struct run_results *run = &results->runs[index];
	struct buf sentence = {0};

	if (results->count > 1) {
		facts_case(results, index, &sentence);
		buf_puts(&sentence, ": ");
	}
	buf_puts(&sentence, run->reason ? run->reason : "");
	write_verdict(page, run->verdict, &sentence);
	write_expectations(page, run);
	write_measurements(page, run);
	write_changes(page, run);
	page->out->failed |= sentence.failed;
	buf_fini(&sentence);
}

/* The one number of the run, in milliseconds so that runs compare at a glance: "time to failover 1973 ms ± 50 ms  fresh during alpha dark". */
static void write_failover(const struct page *page, const struct results *results)
{
	const struct run_results *run;
	const struct measurement *worst = facts_worst_failover(results, &run);
	struct grid grid;
	struct buf text = {0};

	if (!worst || worst->time_to_failover_ns == MEASURE_NONE)
		return;
	grid_open(&grid, "ls");
	buf_puts(&text, "time to failover ");
	format_milliseconds(&text, worst->time_to_failover_ns, worst->failover_censored, worst->resolution_ns);
	grid_cell_buf(&grid, GRID_BOLD, &text);
	buf_printf(&text, "%s during %s", worst->probe->plan.probe, worst->fault->plan.name);
	if (results->count > 1) {
		buf_puts(&text, ", ");
		facts_case(results, (size_t)(run - results->runs), &text);
	}
	grid_cell_buf(&grid, GRID_PLAIN, &text);
	grid_row(&grid);
	page->out->failed |= text.failed;
	grid_close(&grid, page->colour, page->columns, page->out);
	buf_fini(&text);
}

void table_write(const struct record *record, const struct results *results, bool colour, unsigned columns,
		 struct buf *out)
{
	struct page page = {.out = out, .colour = colour, .columns = columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns};
	struct buf sentence = {0};

	for (size_t i = 0; i < results->count; i++) {
		write_run(&page, results, i);
		buf_putc(out, '\n');
	}
	if (results->count != 1) {
		facts_sentence(results, &sentence);
		write_verdict(&page, results->verdict, &sentence);
		if (results->count)
			write_matrix(&page, results);
		buf_putc(out, '\n');
	}
	write_failover(&page, results);
	if (record->count)
		buf_printf(out, "\nseed %lld\n", (long long)record->runs[0].start.seed);
	out->failed |= sentence.failed;
	buf_fini(&sentence);
}
