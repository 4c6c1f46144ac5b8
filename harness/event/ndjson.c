/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/event/ndjson.h"

#include "harness/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define READ_BYTES (256u << 10)

struct ndjson_writer {
	int fd, error;
	struct buf line; /* reused from event to event */
};

struct ndjson_writer *ndjson_writer_new(int fd)
{
	struct ndjson_writer *writer = calloc(1, sizeof(*writer));

	if (!writer) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	writer->fd = fd;
	return writer;
}

void ndjson_writer_take(void *arg, const struct ev *ev)
{
	struct ndjson_writer *writer = arg;

	if (writer->error)
		return;
	buf_clear(&writer->line);
	ev_encode(ev, &writer->line);
	if (writer->line.failed)
		writer->error = -ENOMEM;
	else if (writer->line.len - 1 > NDJSON_LINE_MAX)
		writer->error = -EMSGSIZE;
	else
		writer->error = fd_write_all(writer->fd, writer->line.data, writer->line.len);
}

int ndjson_writer_error(const struct ndjson_writer *writer)
{
	return writer->error;
}

void ndjson_writer_free(struct ndjson_writer *writer)
{
	if (!writer)
		return;
	buf_fini(&writer->line);
	free(writer);
}

static int too_long(struct err *err)
{
	return err_set(err, -EMSGSIZE, LOC_NONE, "a line of more than 1 MiB: this is not a stream of events");
}

static int keep_rest(struct ndjson_lines *lines, const char *data, size_t len, struct err *err)
{
	if (lines->rest.len + len > NDJSON_LINE_MAX)
		return too_long(err);
	buf_add(&lines->rest, data, len);
	return lines->rest.failed ? err_set(err, -ENOMEM, LOC_NONE, "out of memory") : 0;
}

int ndjson_lines_feed(struct ndjson_lines *lines, const char *data, size_t len,
		      int (*line)(void *ctx, const char *line, size_t len, struct err *err), void *ctx, struct err *err)
{
	const char *end = data + len, *newline;
	int r = 0;

	while (!r && data < end && (newline = memchr(data, '\n', (size_t)(end - data)))) {
		size_t n = (size_t)(newline - data);

		if (lines->rest.len) {
			r = keep_rest(lines, data, n, err);
			if (!r)
				r = line(ctx, lines->rest.data, lines->rest.len, err);
			buf_clear(&lines->rest);
		} else {
			r = n > NDJSON_LINE_MAX ? too_long(err) : line(ctx, data, n, err);
		}
		data = newline + 1;
	}
	return r || data == end ? r : keep_rest(lines, data, (size_t)(end - data), err);
}

void ndjson_lines_fini(struct ndjson_lines *lines)
{
	buf_fini(&lines->rest);
}

struct reader {
	struct loc loc;
	struct arena *arena; /* strings of the event at hand */
	size_t arena_bytes; /* of lines decoded into it: renewed now and then, not for every line */
	int (*take)(void *ctx, const struct ev *ev, struct err *err);
	void *ctx;
};
#define ARENA_LINES_BYTES (16u << 10)

static int decode_line(struct reader *reader, const char *line, size_t len, struct ev *ret, struct err *err)
{
	reader->arena_bytes += len;
	if (reader->arena_bytes > ARENA_LINES_BYTES) {
		arena_free(reader->arena);
		reader->arena = arena_new();
		reader->arena_bytes = len;
	}
	return ev_decode(line, len, reader->loc, reader->arena, ret, err);
}

static int take_line(void *ctx, const char *line, size_t len, struct err *err)
{
	struct reader *reader = ctx;
	struct ev ev;
	int r;

	reader->loc.line++;
	r = decode_line(reader, line, len, &ev, err);
	if (!r && reader->take(reader->ctx, &ev, err))
		r = err_at(err, reader->loc);
	return r;
}

static int read_all(int fd, struct ndjson_lines *lines, struct reader *reader, struct err *err)
{
	CLEANUP_FREE char *block = malloc(READ_BYTES);
	ssize_t n;
	int r;

	if (!block)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (;;) {
		n = read(fd, block, READ_BYTES);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, (struct loc){.file = reader->loc.file}, "cannot read: %s",
				       strerror(errno));
		r = ndjson_lines_feed(lines, block, (size_t)n, take_line, reader, err);
		if (r) {
			reader->loc.line += r == -EMSGSIZE;
			return err_at(err, reader->loc);
		}
	}
}

/* What stands behind the last newline: a whole event whose newline was lost counts, half a line is a run that was killed. */
static int take_rest(struct ndjson_lines *lines, struct reader *reader, bool *ret_cut, struct err *err)
{
	struct err ignored;
	struct ev ev;

	if (!lines->rest.len)
		return 0;
	reader->loc.line++;
	if (decode_line(reader, lines->rest.data, lines->rest.len, &ev, &ignored)) {
		*ret_cut = true;
		return 0;
	}
	return reader->take(reader->ctx, &ev, err) ? err_at(err, reader->loc) : 0;
}

int ndjson_read(const char *path, int (*take)(void *ctx, const struct ev *ev, struct err *err), void *ctx,
		bool *ret_cut, struct err *err)
{
	struct reader reader = {.loc = {.file = path}, .take = take, .ctx = ctx};
	struct ndjson_lines lines = {0};
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool cut = false;
	int r;

	if (fd < 0)
		return err_set(err, -errno, reader.loc, "cannot open: %s", strerror(errno));
	reader.arena = arena_new();
	r = read_all(fd, &lines, &reader, err);
	if (!r)
		r = take_rest(&lines, &reader, &cut, err);
	if (!r)
		*ret_cut = cut;
	arena_free(reader.arena);
	ndjson_lines_fini(&lines);
	return r;
}
