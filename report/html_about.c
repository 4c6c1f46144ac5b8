/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run was made of: its hosts, its plan, its engine. */
#include "report/escape.h"
#include "report/format.h"
#include "report/html.h"

static void join(struct buf *out, const struct ev_strings *strings, const char *between)
{
	for (size_t i = 0; i < strings->count; i++)
		buf_printf(out, "%s%s", i ? between : "", strings->v[i]);
}

void html_hosts_write(struct buf *out, struct html_section section, const struct run_record *run)
{
	static const char *const columns[] = {"Host", "Role", "Software", "Version", "Addresses"};
	struct buf cell = {0};

	if (run->host_count == 0)
		return;
	html_heading(out, section, "hosts", "Hosts of the lab");
	html_table_open(out, "Hosts of the lab", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < run->host_count; i++) {
		const struct ev_lab_host *host = &run->hosts[i];
		buf_puts(out, "<tr>");
		html_row_heading(out, host->host);
		html_cell_text(out, "words", host->role);
		html_cell_text(out, "words", host->server);
		html_cell_text(out, "words", host->version);
		join(&cell, &host->addresses, ", ");
		html_cell(out, "code", &cell);
		buf_puts(out, "</tr>\n");
	}
	html_table_close(out);
	buf_fini(&cell);
}

static void about(struct buf *out, const char *term, struct buf *text)
{
	if (text->len) {
		buf_printf(out, "<div><dt>%s</dt><dd>", term);
		escape_html(out, text->data);
		buf_puts(out, "</dd></div>\n");
	}
	out->failed |= text->failed;
	buf_clear(text);
}

static void about_string(struct buf *out, const char *term, const char *value)
{
	struct buf text = {0};

	if (value)
		buf_puts(&text, value);
	about(out, term, &text);
	buf_fini(&text);
}

static void about_capture(struct buf *out, const struct run_record *run, struct buf *text)
{
	if (!run->capture.file)
		return;
	buf_printf(text, "%s: %lld packets", run->capture.file, (long long)run->capture_end.packets);
	if (run->capture_end.dropped)
		buf_printf(text, ", %lld DROPPED by the kernel", (long long)run->capture_end.dropped);
	about(out, "Capture", text);
}

void html_about_write(struct buf *out, struct html_section section, const struct run_record *run)
{
	struct buf text = {0};

	html_heading(out, section, "about", "About this run");
	buf_puts(out, "<dl class=\"about\">\n");
	about_string(out, "Plan", run->start.plan_file);
	format_wall(&text, run->start.wall_ns);
	about(out, "Began", &text);
	about_string(out, "dnsdrill", run->start.version);
	about_string(out, "Engine", run->start.engine);
	about_string(out, "Kernel", run->start.kernel);
	format_duration(&text, run->end_ns, false);
	about(out, "Took", &text);
	format_duration(&text, run->lab_ready_took_ns > 0 ? run->lab_ready_took_ns : MEASURE_NONE, false);
	about(out, "Servers ready after", &text);
	buf_printf(&text, "%lld good samples in a row", (long long)run->start.stable);
	about(out, "Failed over means", &text);
	format_share(&text, run->start.baseline_ppm);
	about(out, "Baseline must reach", &text);
	about_capture(out, run, &text);
	about_string(out, "Ended", run->reason ? run->reason : "the stream was cut off");
	buf_puts(out, "</dl>\n");
	buf_fini(&text);
}
