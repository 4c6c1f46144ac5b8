/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.html: one file, offline, complete without scripts. Did we pass, the worst number, how to repeat it; then timelines and tables. */
#include "report/html.h"
#include "harness/api/sink.h"
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"

#include <string.h>

/* The policy forbids everything but what is in the file: hostile text that slipped through escaping could still load or run nothing. */
static void write_head(struct buf *out, const struct record *record, const struct results *results)
{
	buf_puts(
		out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
		"img-src data:\">\n<link rel=\"icon\" href=\"data:,\">\n<title>");
	buf_printf(out, "%s: ", facts_verdict_word(results->verdict));
	escape_html(out, record->count ? record->runs[0].start.plan : "no run");
	buf_puts(out, " – dnsdrill</title>\n<style>\n");
	html_style_write(out);
	buf_puts(out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the result</a>\n");
}

static void write_title(struct buf *out, const struct record *record)
{
	const struct ev_run_start *start = record->count ? &record->runs[0].start : NULL;

	buf_puts(out, "<header>\n<p class=\"kicker\">dnsdrill report");
	if (start) {
		buf_puts(out, " · ");
		format_wall(out, start->wall_ns);
	}
	buf_puts(out, "</p>\n<h1>");
	escape_html(out, start ? start->plan : "No run");
	buf_puts(out, "</h1>\n");
	if (start && start->description) {
		buf_puts(out, "<p class=\"description\">");
		escape_html(out, start->description);
		buf_puts(out, "</p>\n");
	}
	buf_puts(out, "</header>\n<main id=\"main\">\n");
}

static void write_verdict(struct buf *out, const struct record *record, const struct results *results)
{
	struct buf sentence = {0};

	facts_sentence(results, &sentence);
	buf_printf(out, "<section class=\"verdict %s\" aria-labelledby=\"verdict\">\n<h2 id=\"verdict\">%s</h2>\n<p>",
		   verdict_name(results->verdict), facts_verdict_word(results->verdict));
	escape_html(out, sentence.data);
	buf_puts(out, "</p>\n");
	if (record->cut)
		buf_puts(out, "<p class=\"alarm\">The recorded stream ends within a line: it was cut off, and what "
			      "follows is missing.</p>\n");
	buf_puts(out, "</section>\n");
	out->failed |= sentence.failed;
	buf_fini(&sentence);
}

/* "probe www during alpha dark, case resolver=unbound" */
static void write_worst_where(struct buf *out, const struct results *results, const struct measurement *worst,
			      const struct run_results *run)
{
	struct buf text = {0};

	buf_printf(&text, "probe %s during %s", worst->probe->plan.probe, format_window(worst));
	if (results->count > 1) {
		buf_puts(&text, ", case ");
		facts_case(results, (size_t)(run - results->runs), &text);
	}
	if (worst->failover_censored)
		buf_puts(&text, "; not reached before the fault ended");
	else if (worst->time_to_impact_ns == MEASURE_NONE)
		buf_puts(&text, "; no sample was bad");
	escape_html(out, text.data);
	out->failed |= text.failed;
	buf_fini(&text);
}

/* Where nothing was broken, but something changed: how long until all saw it. False: nothing did. */
static bool write_longest_change(struct buf *out, const struct results *results)
{
	const struct change *longest = facts_longest_change(results);
	struct buf text = {0};

	if (!longest)
		return false;
	buf_puts(out, "<div class=\"worst\"><dt>Longest propagation</dt><dd class=\"big\">");
	format_duration(&text, longest->propagation_ns, longest->censored);
	escape_html(out, text.data);
	if (!longest->censored) {
		buf_puts(out, " <small>");
		format_resolution(out, longest->resolution_ns);
		buf_puts(out, "</small>");
	}
	buf_clear(&text);
	buf_printf(&text, "%s, as probe %s saw it", longest->step->plan.name, longest->probe->plan.probe);
	buf_puts(out, "</dd><dd>");
	escape_html(out, text.data);
	buf_puts(out, "</dd></div>\n");
	out->failed |= text.failed;
	buf_fini(&text);
	return true;
}

static void write_worst(struct buf *out, const struct results *results)
{
	const struct run_results *run = NULL;
	const struct measurement *worst = facts_worst_failover(results, &run);
	struct buf text = {0};

	if (!worst && write_longest_change(out, results))
		return;
	buf_puts(out, "<div class=\"worst\"><dt>Longest time to failover</dt>");
	if (!worst) {
		buf_puts(out, "<dd class=\"big\">not measured</dd><dd>No fault was measured in this run.</dd></div>\n");
		return;
	}
	if (worst->failover_censored)
		format_duration(&text, worst->time_to_failover_ns, true);
	else
		format_duration(&text, worst->time_to_failover_ns, false);
	buf_puts(out, "<dd class=\"big\">");
	escape_html(out, text.data);
	if (!worst->failover_censored) {
		buf_puts(out, " <small>");
		format_resolution(out, worst->resolution_ns);
		buf_puts(out, "</small>");
	}
	buf_puts(out, "</dd><dd>");
	write_worst_where(out, results, worst, run);
	buf_puts(out, "</dd></div>\n");
	out->failed |= text.failed;
	buf_fini(&text);
}

/* A line breaks between words, not behind the hyphen of an option. */
static void write_words(struct buf *out, const char *text)
{
	struct buf escaped = {0};
	const char *at;

	escape_html(&escaped, text);
	for (at = escaped.data ? escaped.data : ""; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		buf_printf(out, "<span>%.*s</span>%.*s", (int)len, at, (int)strspn(at + len, " "), at + len);
		at += len;
	}
	out->failed |= escaped.failed;
	buf_fini(&escaped);
}

static void write_figures(struct buf *out, const struct record *record, const struct results *results)
{
	buf_puts(out, "<section aria-label=\"Key figures\">\n<dl class=\"figures\">\n");
	write_worst(out, results);
	if (record->count) {
		const struct ev_run_start *start = &record->runs[0].start;
		buf_printf(
			out,
			"<div><dt>Seed</dt><dd class=\"big seed\">%lld</dd><dd>fixes every random choice</dd></div>\n",
			(long long)start->seed);
		buf_puts(out, "<div class=\"command\"><dt>To repeat this run</dt><dd><code>");
		write_words(out, start->command ? start->command : "not recorded");
		buf_puts(out, "</code></dd></div>\n");
	}
	buf_puts(out, "</dl>\n</section>\n");
}

static void write_sections(struct buf *out, struct html_view *view, const struct run_results *run,
			   struct html_section section, bool alone)
{
	html_heading(out, section, "timeline", "Timeline");
	html_timeline_write(out, view, run, section.index);
	html_expectations_write(out, section, run);
	html_faults_write(out, section, run);
	html_steps_write(out, section, run);
	html_measurements_write(out, section, run);
	html_hosts_write(out, section, run->run);
	html_evidence_write(out, section, run->run, view->evidence, alone);
	html_notes_write(out, section, run->run);
	html_about_write(out, section, run->run);
}

/* The heading of one case of a matrix, with its own verdict. */
static void write_case_heading(struct buf *out, const struct results *results, size_t index)
{
	const struct run_results *run = &results->runs[index];
	struct buf name = {0};

	facts_case(results, index, &name);
	buf_printf(out, "<h2 class=\"case\" id=\"run-%zu\"><span class=\"tag %s\">%s</span> ", index,
		   verdict_name(run->verdict), facts_verdict_word(run->verdict));
	escape_html(out, name.data);
	buf_puts(out, "</h2>\n<p>");
	escape_html(out, run->reason);
	buf_puts(out, "</p>\n");
	out->failed |= name.failed;
	buf_fini(&name);
}

static void html_write(const struct record *record, const struct results *results, struct buf *out)
{
	bool alone = results->count == 1;
	struct html_view view;

	html_view_init(&view, record);
	write_head(out, record, results);
	write_title(out, record);
	write_verdict(out, record, results);
	write_figures(out, record, results);
	if (results->count > 1)
		html_matrix_write(out, results);
	for (size_t i = 0; i < results->count; i++) {
		struct html_section section = {.index = i, .level = alone ? 2 : 3};
		buf_printf(out, "<section class=\"run\"%s>\n", alone ? " aria-label=\"The run\"" : "");
		if (!alone)
			write_case_heading(out, results, i);
		write_sections(out, &view, &results->runs[i], section, alone);
		buf_puts(out, "</section>\n");
	}
	buf_puts(out, "</main>\n<footer><p>Made by dnsdrill from the recorded stream of events; <code>dnsdrill report "
		      "events.ndjson</code> "
		      "makes it again, byte for byte.</p></footer>\n</body>\n</html>\n");
}

extern const struct report_ops report_html;
const struct report_ops report_html = {
	.name = "html",
	.file = "report.html",
	.summary = "one page for people: verdict, timeline, measurements, evidence",
	.write = html_write,
};
