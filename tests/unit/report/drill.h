/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs to report on: drill_run (once, or once for each case of a matrix) → drill_measure → the report → drill_free.
 */
#pragma once
#include "tests/unit/measure/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern const struct report_ops report_html, report_markdown;

/* Samples are letters as in stream.h, every 100 ms; the fault "alpha dark" stands from 500 ms until reverted_ms. */
static inline void drill_run(struct stream *stream, const char *case_label, const char *letters, int64_t reverted_ms)
{
	if (stream->record)
		stream_begin_case(stream, case_label);
	else
		stream_begin(stream);
	stream_probe(stream, "www");
	stream_fault(stream, 1, "alpha dark");
	stream_expect(stream, "www", "alpha dark", "time_to_failover", "<=", 300 * MSEC);
	stream_applied(stream, 1, 500);
	stream_reverted(stream, 1, reverted_ms, true);
	stream_ask(stream, "www", 0, letters);
	stream_end(stream, "complete", 9999);
}

/* Without tests/scenario/recompute.py, which tests of measuring call: here only what is said of the numbers counts. */
static inline void drill_free(struct stream *stream)
{
	results_free(stream->results);
	stream->results = NULL;
	stream_fini(stream);
}

static inline size_t drill_occurrences(const char *text, const char *what)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		count++;
	return count;
}

#define assert_says(text, what)                                  \
	do {                                                     \
		if (!strstr((text), (what)))                     \
			fail_msg("it does not say: %s", (what)); \
	} while (0)
#define assert_says_not(text, what)                      \
	do {                                             \
		if (strstr((text), (what)))              \
			fail_msg("it says: %s", (what)); \
	} while (0)
