/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/sink.h"
#include "harness/measure/results.h"

static void markdown_write(const struct record *record, const struct results *results, struct buf *out)
{
	(void)record;
	buf_puts(out, verdict_name(results->verdict));
}

extern const struct report_ops report_markdown;
const struct report_ops report_markdown = {
	.name = "markdown",
	.file = "summary.md",
	.summary = "a short summary in Markdown for pull requests and job summaries",
	.write = markdown_write,
};
