/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each case of a matrix made of the first fault, as a Markdown table for every probe: the values of the last key across, those of the others down.
 * For tables worth publishing ("every resolver × every damage"); asked for by name only.
 */
#include "harness/api/sink.h"
#include "harness/base/units.h"
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"

#include <string.h>

#define LABEL_MAX 200
#define SEPARATOR ", "

/* A case's label, "damage=servfail, resolver=unbound", taken apart at its last key. */
struct place {
	char row[LABEL_MAX], column[LABEL_MAX];
};

struct tally {
	const char *what; /* "SERVFAIL"; borrowed from the record or a literal */
	int64_t count;
};

#define TALLIES_MAX 8

/* What became of a probe's samples while the fault stood. */
struct cell {
	struct tally tallies[TALLIES_MAX]; /* what did not fit is in `others` */
	size_t count;
	int64_t samples, others;
};

/* Of "resolver=unbound" the value, where nothing follows. */
static const char *value_of(const char *pair)
{
	const char *equals = strchr(pair, '=');

	return equals ? equals + 1 : pair;
}

/* Where the last "key=value" of a label begins. Values may hold commas, too. */
static const char *last_pair(const char *label)
{
	const char *found = label;

	for (const char *at = label; (at = strstr(at, SEPARATOR)) != NULL;) {
		at += strlen(SEPARATOR);
		if (at[strcspn(at, " ,=")] == '=')
			found = at;
	}
	return found;
}

/* With one key only, its values go down. */
static void place_of(const struct results *results, size_t run, struct place *ret)
{
	const char *label = results->runs[run].run->start.case_label, *last;
	char row[LABEL_MAX];

	*ret = (struct place){0};
	if (!label)
		return;
	last = last_pair(label);
	if (last == label) {
		snprintf(ret->row, sizeof(ret->row), "%s", value_of(label));
		return;
	}
	snprintf(ret->column, sizeof(ret->column), "%s", value_of(last));
	snprintf(row, sizeof(row), "%.*s", (int)(last - label - (ptrdiff_t)strlen(SEPARATOR)), label);
	snprintf(ret->row, sizeof(ret->row), "%s", last_pair(row) != row ? row : value_of(row));
}

static const char *outcome_words(const struct sample *sample)
{
	switch (sample->outcome) {
	case OUTCOME_OK:
		return "ok";
	case OUTCOME_WRONG:
		return "wrong answer";
	case OUTCOME_RCODE:
		return sample->rcode ? sample->rcode : "error answer";
	case OUTCOME_TIMEOUT:
		return "no answer";
	case OUTCOME_ERROR:
	case OUTCOME_COUNT:
		break;
	}
	return "not asked";
}

static void tally(struct cell *cell, const char *what, int64_t weight)
{
	size_t i = 0;

	cell->samples += weight;
	while (i < cell->count && strcmp(cell->tallies[i].what, what) != 0)
		i++;
	if (i == ARRAY_LEN(cell->tallies)) {
		cell->others += weight;
		return;
	}
	if (i == cell->count)
		cell->tallies[cell->count++] = (struct tally){.what = what};
	cell->tallies[i].count += weight;
	for (; i > 0 && cell->tallies[i].count > cell->tallies[i - 1].count; i--) {
		struct tally swap = cell->tallies[i];
		cell->tallies[i] = cell->tallies[i - 1];
		cell->tallies[i - 1] = swap;
	}
}

static const struct measurement *in_first_fault(const struct run_results *run, const char *probe)
{
	return run->run->fault_count ? facts_find(run, probe, WINDOW_FAULT, run->run->faults[0].plan.name) : NULL;
}

static void write_tallies(struct buf *out, const struct cell *cell)
{
	struct buf text = {0};

	for (size_t i = 0; i < cell->count; i++) {
		int64_t percent = units_share_ppm(cell->tallies[i].count, cell->samples) / (PPM_ONE / 100);

		buf_puts(&text, i ? SEPARATOR : "");
		buf_puts(&text, cell->tallies[i].what);
		if (cell->count > 1 || cell->others)
			buf_printf(&text, percent ? " %d%%" : " < 1%%", (int)percent);
	}
	if (cell->others)
		buf_printf(&text, "%sothers", SEPARATOR);
	escape_markdown_cell(out, text.len ? text.data : FORMAT_NONE);
	out->failed |= text.failed;
	buf_fini(&text);
}

static void write_cell(struct buf *out, const struct run_results *run, const char *probe)
{
	const struct measurement *m = in_first_fault(run, probe);
	struct cell cell = {0};

	if (!m || !m->samples || !m->fault->took_effect) {
		buf_puts(out, m && m->samples ? "the fault had no effect" : FORMAT_NONE);
		return;
	}
	for (size_t i = 0; i < m->probe->count; i++) {
		const struct sample *sample = &m->probe->samples[i];
		if (sample->due_ns >= m->from_ns && sample->due_ns < m->to_ns)
			tally(&cell, outcome_words(sample), probe_record_weight(m->probe, i, m->from_ns));
	}
	write_tallies(out, &cell);
	if (m->outcomes[OUTCOME_TIMEOUT] < m->samples) {
		buf_puts(out, "; ");
		format_duration(out, m->latency_p50_ns, m->latency_p50_censored);
		buf_puts(out, " (p95 ");
		format_duration(out, m->latency_p95_ns, m->latency_p95_censored);
		buf_putc(out, ')');
	}
}

/* The run at that place; NULL: it was not played. */
static const struct run_results *run_at(const struct results *results, const char *row, const char *column)
{
	for (size_t i = 0; i < results->count; i++) {
		struct place place;

		place_of(results, i, &place);
		if (!strcmp(place.row, row) && !strcmp(place.column, column))
			return &results->runs[i];
	}
	return NULL;
}

/* Whether no run before this one has its row (or column). */
static bool is_first(const struct results *results, size_t run, bool is_row)
{
	struct place mine, other;

	place_of(results, run, &mine);
	for (size_t i = 0; i < run; i++) {
		place_of(results, i, &other);
		if (!strcmp(is_row ? mine.row : mine.column, is_row ? other.row : other.column))
			return false;
	}
	return true;
}

static void write_head(struct buf *out, const struct results *results)
{
	size_t columns = 0;

	buf_puts(out, "| |");
	for (size_t i = 0; i < results->count; i++) {
		struct place place;

		if (!is_first(results, i, false))
			continue;
		place_of(results, i, &place);
		buf_putc(out, ' ');
		escape_markdown_cell(out, place.column);
		buf_puts(out, " |");
		columns++;
	}
	buf_puts(out, "\n| --- |");
	while (columns--)
		buf_puts(out, " --- |");
	buf_putc(out, '\n');
}

static void write_row(struct buf *out, const struct results *results, const char *row, const char *probe)
{
	buf_puts(out, "| ");
	escape_markdown_cell(out, row);
	buf_puts(out, " |");
	for (size_t i = 0; i < results->count; i++) {
		struct place place;
		const struct run_results *run;

		if (!is_first(results, i, false))
			continue;
		place_of(results, i, &place);
		run = run_at(results, row, place.column);
		buf_putc(out, ' ');
		if (run)
			write_cell(out, run, probe);
		else
			buf_puts(out, FORMAT_NONE);
		buf_puts(out, " |");
	}
	buf_putc(out, '\n');
}

static void write_probe(struct buf *out, const struct results *results, const char *probe)
{
	buf_puts(out, "**");
	escape_markdown_cell(out, probe);
	buf_puts(out, "**\n\n");
	write_head(out, results);
	for (size_t i = 0; i < results->count; i++) {
		struct place place;

		if (!is_first(results, i, true))
			continue;
		place_of(results, i, &place);
		write_row(out, results, place.row, probe);
	}
	buf_putc(out, '\n');
}

static void crosstab_write(const struct record *record, const struct results *results, struct buf *out)
{
	size_t count;
	CLEANUP_FREE const char **probes = facts_probe_names(results, &count);
	(void)record;

	for (size_t p = 0; p < count; p++)
		write_probe(out, results, probes[p]);
}

const struct report_ops report_crosstab = {
	.name = "crosstab",
	.summary = "a Markdown table of what each case of a matrix made of its first fault",
	.write = crosstab_write,
};
