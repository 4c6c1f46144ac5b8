/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/sink.h"
#include "harness/measure/results.h"

static void html_write(const struct record *record, const struct results *results, struct buf *out)
{
	(void)record;
	buf_puts(out, verdict_name(results->verdict));
}

extern const struct report_ops report_html;
const struct report_ops report_html = {
	.name = "html",
	.file = "report.html",
	.summary = "one page for people: verdict, timeline, measurements, evidence",
	.write = html_write,
};
