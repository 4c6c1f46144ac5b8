/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Behind the numbers: the bad samples themselves, and what the run remarked. */
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"
#include <string.h>

#define LOG_TAIL_BYTES 8000 /* of one server's log */
#define REMARKS_MAX 200 /* notes, errors and exits shown of each kind */

static void evidence_row(struct buf *out, const struct sample *s, int64_t zero_ns, bool named)
{
	struct buf cell = {0};

	buf_puts(out, "<tr>");
	buf_printf(&cell, "%lld", (long long)s->i);
	html_cell(out, "num", &cell);
	format_moment(&cell, facts_sub(s->due_ns, zero_ns));
	html_cell(out, "num", &cell);
	html_cell_text(out, NULL, outcome_name(s->outcome));
	html_cell_cut(out, "words", s->rcode);
	format_duration(&cell, s->done_ns > s->due_ns ? facts_sub(s->done_ns, s->due_ns) : 0, false);
	html_cell(out, "num", &cell);
	if (named)
		html_cell_cut(out, "code", s->name);
	html_cell_cut(out, "code", s->answer);
	html_cell_cut(out, "prose", s->detail);
	buf_puts(out, "</tr>\n");
	buf_fini(&cell);
}

static size_t count_bad(const struct probe_record *probe)
{
	size_t bad = 0;

	for (size_t i = 0; i < probe->count; i++)
		bad += probe->samples[i].outcome != OUTCOME_OK;
	return bad;
}

static void evidence_of_probe(struct buf *out, const struct probe_record *probe, int64_t zero_ns, size_t rows,
			      bool open)
{
	static const char *const plain[] = {">Sample", ">Due", "Outcome", "rcode", ">Latency", "Answer", "Detail"};
	static const char *const with_names[] = {">Sample",  ">Due",  "Outcome", "rcode",
						 ">Latency", "Asked", "Answer",  "Detail"};
	bool named = probe->count && probe->samples[0].name;
	size_t bad = count_bad(probe), shown = bad < rows ? bad : rows;

	buf_printf(out, "<details%s>\n<summary>", open ? " open" : "");
	escape_html(out, probe->plan.probe);
	if (shown < bad)
		buf_printf(out, ": the first %zu of %zu bad samples; all are in events.ndjson", shown, bad);
	else
		buf_printf(out, ": %zu bad sample%s of %zu", bad, bad == 1 ? "" : "s", probe->count);
	buf_puts(out, "</summary>\n");
	html_table_open(out, "Bad samples", named ? with_names : plain,
			named ? ARRAY_LEN(with_names) : ARRAY_LEN(plain));
	for (size_t i = 0, done = 0; i < probe->count && done < shown; i++) {
		if (probe->samples[i].outcome == OUTCOME_OK)
			continue;
		evidence_row(out, &probe->samples[i], zero_ns, named);
		done++;
	}
	html_table_close(out);
	buf_puts(out, "</details>\n");
}

void html_evidence_write(struct buf *out, struct html_section section, const struct run_record *run, size_t rows,
			 bool open)
{
	bool any = false;

	html_heading(out, section, "evidence", "Evidence: the bad samples");
	for (size_t i = 0; i < run->probe_count; i++) {
		if (count_bad(&run->probes[i]) == 0)
			continue;
		evidence_of_probe(out, &run->probes[i], facts_zero_ns(run), rows, open);
		any = true;
	}
	if (!any)
		buf_puts(out, "<p class=\"none\">Every sample was ok.</p>\n");
}

static void more(struct buf *out, size_t count)
{
	if (count > REMARKS_MAX)
		buf_printf(out, "<li>%zu more are in events.ndjson.</li>\n", count - REMARKS_MAX);
}

static void write_errors(struct buf *out, const struct run_record *run)
{
	for (size_t i = 0; i < run->error_count && i < REMARKS_MAX; i++) {
		const struct ev_error *error = &run->errors[i];
		buf_puts(out, "<li class=\"alarm\"><b>Error</b>");
		if (error->host) {
			buf_puts(out, " on ");
			escape_html(out, error->host);
		}
		buf_puts(out, ": ");
		escape_html(out, error->message);
		if (error->file) {
			buf_puts(out, " (");
			escape_html(out, error->file);
			buf_printf(out, ":%lld:%lld)", (long long)error->line, (long long)error->col);
		}
		buf_puts(out, "</li>\n");
	}
	more(out, run->error_count);
}

static void write_exits(struct buf *out, const struct run_record *run)
{
	for (size_t i = 0; i < run->exit_count && i < REMARKS_MAX; i++) {
		const struct ev_server_exit *gone = &run->exits[i];
		const char *tail = gone->log_tail ? gone->log_tail : "";
		size_t len = strlen(tail);
		if (len > LOG_TAIL_BYTES)
			tail += len - LOG_TAIL_BYTES;
		buf_puts(out, gone->cause ? "<li><b>Server ended:</b> " : "<li class=\"alarm\"><b>Server ended:</b> ");
		escape_html(out, gone->server);
		buf_puts(out, " on ");
		escape_html(out, gone->host);
		buf_puts(out, ", ");
		escape_html(out, gone->status);
		if (gone->cause) {
			buf_puts(out, ", as “");
			escape_html(out, gone->cause);
			buf_puts(out, "” may make it");
		}
		if (*tail) {
			buf_puts(out, "<br>The last lines of its log:\n<pre tabindex=\"0\">");
			escape_html(out, tail);
			buf_puts(out, "</pre>");
		}
		buf_puts(out, "</li>\n");
	}
	more(out, run->exit_count);
}

static void write_notes(struct buf *out, const struct run_record *run)
{
	for (size_t i = 0; i < run->note_count && i < REMARKS_MAX; i++) {
		const struct ev_note *note = &run->notes[i];
		bool warning = facts_same(note->level, "warning");
		buf_puts(out, warning ? "<li class=\"alarm\"><b>Warning:</b> " : "<li>");
		escape_html(out, note->text);
		buf_puts(out, "</li>\n");
	}
	more(out, run->note_count);
}

void html_notes_write(struct buf *out, struct html_section section, const struct run_record *run)
{
	if (run->error_count + run->exit_count + run->note_count == 0)
		return;
	html_heading(out, section, "notes", "Errors and notes");
	buf_puts(out, "<ul class=\"notes\">\n");
	write_errors(out, run);
	write_exits(out, run);
	write_notes(out, run);
	buf_puts(out, "</ul>\n");
}
