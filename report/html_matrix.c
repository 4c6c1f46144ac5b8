/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cases of a matrix side by side: one row each, three columns for every probe. */
#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"

static void matrix_head(struct buf *out, const char *const *probes, size_t count)
{
	buf_puts(out,
		 "<thead>\n<tr><th scope=\"col\" rowspan=\"2\">Case</th><th scope=\"col\" rowspan=\"2\">Verdict</th>");
	for (size_t p = 0; p < count; p++) {
		buf_puts(out, "<th scope=\"colgroup\" colspan=\"3\" class=\"group\">");
		escape_html(out, probes[p]);
		buf_puts(out, "</th>");
	}
	buf_puts(out, "</tr>\n<tr>");
	for (size_t p = 0; p < count; p++)
		buf_puts(out, "<th scope=\"col\" class=\"num first\">Failover</th><th scope=\"col\" "
			      "class=\"num\">Availability</th>"
			      "<th scope=\"col\" class=\"num\">Outage</th>");
	buf_puts(out, "</tr>\n</thead>\n<tbody>\n");
}

/* The probe's worst failover over all faults; availability and outage over the whole run. */
static void matrix_cells(struct buf *out, const struct run_results *run, const char *probe)
{
	const struct measurement *worst = facts_worst_of_probe(run, probe);
	const struct measurement *whole = facts_find(run, probe, WINDOW_OVERALL, NULL);
	struct buf cell = {0};

	if (worst)
		format_failover(&cell, worst);
	else
		buf_puts(&cell, FORMAT_NONE);
	html_cell(out, worst && worst->failover_censored ? "num first censored" : "num first strong", &cell);
	format_share(&cell, whole ? whole->availability_ppm : MEASURE_NONE);
	html_cell(out, "num", &cell);
	format_outage(&cell, whole);
	html_cell(out, "num", &cell);
	buf_fini(&cell);
}

void html_matrix_write(struct buf *out, const struct results *results)
{
	size_t count;
	CLEANUP_FREE const char **probes = facts_probe_names(results, &count);
	struct buf name = {0};

	buf_puts(out, "<h2 id=\"cases\">Cases side by side</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
		      "aria-labelledby=\"cases\">\n<table class=\"matrix\">\n<caption class=\"unseen\">Cases side by "
		      "side</caption>\n");
	matrix_head(out, probes, count);
	for (size_t r = 0; r < results->count; r++) {
		facts_case(results, r, &name);
		buf_printf(out, "<tr><th scope=\"row\"><a href=\"#run-%zu\">", r);
		escape_html(out, name.data);
		buf_puts(out, "</a></th>");
		buf_clear(&name);
		html_verdict_cell(out, results->runs[r].verdict);
		for (size_t p = 0; p < count; p++)
			matrix_cells(out, &results->runs[r], probes[p]);
		buf_puts(out, "</tr>\n");
	}
	html_table_close(out);
	buf_puts(out, "<p class=\"note\">Failover is the longest over all faults of the case; availability and outage "
		      "are of its whole "
		      "run.</p>\n");
	out->failed |= name.failed;
	buf_fini(&name);
}
