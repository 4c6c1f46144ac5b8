/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports: each turns a recorded stream and what was measured from it into one file. A report knows nothing but these two.
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include <stdio.h>

struct record; /* measure/record.h: one stream, one or more runs */
struct results; /* measure/results.h */

struct report_ops {
	const char *name; /* "html": `dnsdrill report --html F` */
	const char *file; /* in --out: "report.html"; NULL: made only when asked for by name */
	const char *summary;
	/* Appends the whole report. Deterministic: same record, same bytes. */
	void (*write)(const struct record *record, const struct results *results, struct buf *out);
};
