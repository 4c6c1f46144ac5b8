/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was expected, what was broken, what was measured: the tables that say the result in numbers. */
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"
#include <stdio.h>
#include <string.h>

static bool has_why(const struct run_results *run)
{
	for (size_t i = 0; i < run->expectation_count; i++) {
		if (run->expectations[i].why)
			return true;
	}
	return false;
}

void html_expectations_write(struct buf *out, struct html_section section, const struct run_results *run)
{
	static const char *const columns[] = {"Result", "Expectation", ">Measured", ">Bound", "In the plan", "Why"};
	bool why = has_why(run);
	struct buf cell = {0};

	html_heading(out, section, "expectations", "Expectations");
	if (run->expectation_count == 0) {
		buf_puts(out, "<p class=\"none\">The plan expects nothing: this run could only measure.</p>\n");
		return;
	}
	html_table_open(out, "Expectations", columns, ARRAY_LEN(columns) - !why);
	for (size_t i = 0; i < run->expectation_count; i++) {
		const struct expectation *e = &run->expectations[i];
		buf_puts(out, "<tr>");
		html_verdict_cell(out, e->result);
		html_row_heading(out, e->plan->text);
		format_measured(&cell, e);
		html_cell(out, "num", &cell);
		format_bound(&cell, e->plan);
		html_cell(out, "num", &cell);
		if (e->plan->file)
			buf_printf(&cell, "%s:%lld", e->plan->file, (long long)e->plan->line);
		html_cell(out, "code", &cell);
		if (why)
			html_cell_text(out, "prose", e->why);
		buf_puts(out, "</tr>\n");
	}
	html_table_close(out);
	buf_fini(&cell);
}

/* When something happened that may not have: "+0.000 s" against t = 0. */
static void moment_cell(struct buf *out, bool happened, int64_t t_ns, int64_t zero_ns, const char *otherwise)
{
	struct buf cell = {0};

	if (happened)
		format_moment(&cell, facts_sub(t_ns, zero_ns));
	else
		buf_puts(&cell, otherwise);
	html_cell(out, "num", &cell);
	buf_fini(&cell);
}

/* The proof, or its absence, in words; packets with their unit. */
static void effect_cell(struct buf *out, const struct fault_record *fault)
{
	struct buf cell = {0};

	char packets[32];

	snprintf(packets, sizeof(packets), "%lld", (long long)fault->packets);
	if (!fault->took_effect)
		buf_puts(&cell, fault->effect ? "none proven: " : "none proven");
	else if (!fault->effect || (fault->packets && !strstr(fault->effect, packets)))
		buf_printf(&cell, "%s packets (%lld bytes)%s", packets, (long long)fault->bytes,
			   fault->effect ? ": " : "");
	buf_puts(&cell, fault->effect ? fault->effect : "");
	if (fault->failed)
		buf_printf(&cell, "; failed at %s: %s", fault->failed_stage ? fault->failed_stage : "an unknown stage",
			   fault->failed_message ? fault->failed_message : "");
	html_cell(out, fault->took_effect && !fault->failed ? "prose" : "prose alarm", &cell);
	buf_fini(&cell);
}

static void fault_row(struct buf *out, const struct run_record *run, const struct fault_record *fault)
{
	const struct ev_plan_fault *plan = &fault->plan;
	int64_t zero = facts_zero_ns(run), planned = facts_add(run->timeline_ns, plan->at_ns);
	struct buf cell = {0};

	buf_puts(out, "<tr>");
	html_row_heading(out, plan->name);
	buf_printf(&cell, "%s %s", plan->kind ? plan->kind : "", plan->target ? plan->target : "");
	if (plan->from)
		buf_printf(&cell, ", from %s", plan->from);
	if (plan->sentence)
		buf_printf(&cell, ": %s", plan->sentence);
	if (fault->backend)
		buf_printf(&cell, " (backend: %s)", fault->backend);
	html_cell(out, "prose", &cell);
	format_moment(&cell, facts_sub(planned, zero));
	buf_puts(&cell, ", for ");
	if (plan->for_ns > 0)
		format_duration(&cell, plan->for_ns, false);
	else
		buf_puts(&cell, "the rest of the run");
	html_cell(out, NULL, &cell);
	moment_cell(out, fault->applied, fault->applied_ns, zero, "not applied");
	moment_cell(out, fault->reverted, fault->reverted_ns, zero, fault->applied ? "NOT REVERTED" : FORMAT_NONE);
	effect_cell(out, fault);
	buf_puts(out, "<td class=\"pre\"><code>");
	escape_html(out, fault->undo);
	buf_puts(out, "</code></td></tr>\n");
	buf_fini(&cell);
}

void html_faults_write(struct buf *out, struct html_section section, const struct run_results *run)
{
	static const char *const columns[] = {"Fault",     "What it did",        "Planned",      ">Applied",
					      ">Reverted", "Effect, with proof", "What undid it"};

	html_heading(out, section, "faults", "Faults");
	if (run->run->fault_count == 0) {
		buf_puts(out, "<p class=\"none\">This plan has no faults.</p>\n");
		return;
	}
	html_table_open(out, "Faults", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < run->run->fault_count; i++)
		fault_row(out, run->run, &run->run->faults[i]);
	html_table_close(out);
}

static void duration_cell(struct buf *out, struct buf *cell, int64_t ns, bool censored)
{
	format_duration(cell, ns, censored);
	html_cell(out, censored ? "num censored" : "num", cell);
}

static void measurement_row(struct buf *out, const struct measurement *m)
{
	struct buf cell = {0};

	buf_puts(out, "<tr>");
	html_row_heading(out, m->probe->plan.probe);
	html_cell_text(out, "words", format_window(m));
	buf_printf(&cell, "%lld", (long long)m->samples);
	html_cell(out, "num", &cell);
	format_share(&cell, m->availability_ppm);
	html_cell(out, "num", &cell);
	duration_cell(out, &cell, m->time_to_impact_ns, false);
	format_failover(&cell, m);
	html_cell(out, m->failover_censored ? "num censored" : "num strong", &cell);
	duration_cell(out, &cell, m->time_to_recover_ns, m->recover_censored);
	format_outage(&cell, m);
	html_cell(out, "num", &cell);
	format_length(&cell, m->wrong_window_ns, &m->wrong_range);
	html_cell(out, "num", &cell);
	duration_cell(out, &cell, m->latency_p50_ns, m->latency_p50_censored);
	duration_cell(out, &cell, m->latency_p95_ns, m->latency_p95_censored);
	duration_cell(out, &cell, m->latency_p99_ns, m->latency_p99_censored);
	format_outcomes(&cell, m->outcomes);
	html_cell(out, "words", &cell);
	buf_puts(out, "</tr>\n");
	buf_fini(&cell);
}

void html_measurements_write(struct buf *out, struct html_section section, const struct run_results *run)
{
	static const char *const columns[] = {"Probe",     "Window",   ">Samples", ">Availability", ">Impact",
					      ">Failover", ">Recover", ">Outage",  ">Wrong",        ">p50",
					      ">p95",      ">p99",     "Outcomes"};
	const struct probe_record *last = NULL;

	html_heading(out, section, "measurements", "Measurements");
	html_table_open(out, "Measurements per probe and window", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < run->measurement_count; i++) {
		if (last && run->measurements[i].probe != last)
			buf_puts(out, "</tbody>\n<tbody>\n");
		last = run->measurements[i].probe;
		measurement_row(out, &run->measurements[i]);
	}
	html_table_close(out);
	buf_puts(out, "<p class=\"note\">Impact and failover count from the instant the fault stood, recovery from its "
		      "end. They and the "
		      "outages are as fine as the probe's pace, ± the time between two samples. A value after “>” is a "
		      "lower bound: the end "
		      "was not reached, or the sample timed out. p50, p95 and p99 are latencies, counted from the time "
		      "a sample was "
		      "due.</p>\n");
}
