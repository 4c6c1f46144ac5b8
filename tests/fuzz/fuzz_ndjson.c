/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a recorded stream: read, recorded, measured, reported. Whatever is read without complaint must also come back the
 * same when it is written and read again.
 */
#include "harness/api/sink.h"
#include "harness/event/ndjson.h"
#include "harness/measure/results.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct report_ops report_json, report_junit;

/* Encoding is a fixed point: what was decoded encodes to a line that decodes to what encodes to the same line. */
static void check_round_trip(const struct ev *ev)
{
	struct arena *arena = arena_new();
	struct buf line = {0}, again = {0};
	struct err err;
	struct ev back;

	ev_encode(ev, &line);
	if (ev_decode(line.data, line.len, LOC_NONE, arena, &back, &err))
		abort();
	ev_encode(&back, &again);
	if (line.len != again.len || memcmp(line.data, again.data, line.len) != 0)
		abort();
	buf_fini(&line);
	buf_fini(&again);
	arena_free(arena);
}

static int take(void *ctx, const char *line, size_t len, struct err *err)
{
	struct arena *arena = arena_new();
	struct ev ev;

	/* Lines and events that are refused are passed over, so that what follows is reached too. */
	if (!ev_decode(line, len, LOC_NONE, arena, &ev, err)) {
		check_round_trip(&ev);
		record_add(ctx, &ev, err);
	}
	arena_free(arena);
	return 0;
}

static void report(const struct record *record)
{
	struct results *results = measure(record);
	struct buf json = {0}, junit = {0};

	report_json.write(record, results, &json);
	report_junit.write(record, results, &junit);
	buf_fini(&json);
	buf_fini(&junit);
	results_free(results);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record *record = record_new();
	struct ndjson_lines lines = {0};
	struct err err;

	ndjson_lines_feed(&lines, (const char *)data, size, take, record, &err);
	if (record->count && !record_finish(record, &err))
		report(record);
	ndjson_lines_fini(&lines);
	record_free(record);
	return 0;
}
