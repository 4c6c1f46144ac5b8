/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NDJSON: the stream on disk and between processes. One event, one line, one write(2).
 */
#pragma once
#include "harness/event/event.h"

#define NDJSON_LINE_MAX (1u << 20) /* bytes of a line, newline not counted: longer ones are neither written nor read */

/* Writer: a bus sink over a file descriptor (borrowed). Every event is in the kernel's hands when take returns.
 * The first error is kept (ndjson_writer_error: 0 or a negative errno) and later events are dropped: a full disk ends a run. An event
 * that makes too long a line is -EMSGSIZE, and nothing of it is written. */
struct ndjson_writer;
struct ndjson_writer *ndjson_writer_new(int fd);
void ndjson_writer_take(void *writer, const struct ev *ev);
int ndjson_writer_error(const struct ndjson_writer *writer);
void ndjson_writer_free(struct ndjson_writer *writer);

/* Splitter: feeds on bytes as they come from a pipe and calls line() for each whole line (newline left out).
 * A line over NDJSON_LINE_MAX is -EMSGSIZE. */
struct ndjson_lines {
	struct buf rest;
};
int ndjson_lines_feed(struct ndjson_lines *lines, const char *data, size_t len,
		      int (*line)(void *ctx, const char *line, size_t len, struct err *err), void *ctx,
		      struct err *err);
void ndjson_lines_fini(struct ndjson_lines *lines);

/* Reads a whole stream and calls take() for each event; event strings live until the next one. path names the stream in errors
 * ("events.ndjson:812: error: …"). A last line without newline (a killed run) is ignored if it does not parse, and *ret_cut set. */
int ndjson_read(const char *path, int (*take)(void *ctx, const struct ev *ev, struct err *err), void *ctx,
		bool *ret_cut, struct err *err);
