/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/event/ndjson.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define READY(seq) "{\"seq\":" seq ",\"t_ns\":1,\"event\":\"lab.ready\",\"took_ns\":" seq "}"

struct heard {
	size_t count;
	int64_t last;
	struct buf all; /* lines, each in brackets */
};

static int take_event(void *ctx, const struct ev *ev, struct err *err)
{
	struct heard *heard = ctx;

	heard->count++;
	heard->last = ev->lab_ready.took_ns;
	return heard->last == 13 ? err_set(err, -EINVAL, LOC_NONE, "thirteen") : 0;
}

static int read_text(const char *text, struct heard *heard, bool *ret_cut, struct err *err)
{
	char dir[] = "/tmp/dnsdrill-ndjson-XXXXXX", path[64];
	int r;

	*heard = (struct heard){0};
	*err = (struct err){0};
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(fd_write_file(AT_FDCWD, path, text, strlen(text), 0600), 0);
	r = ndjson_read(path, take_event, heard, ret_cut, err);
	unlink(path);
	rmdir(dir);
	return r;
}

static void a_stream_is_read_to_its_end(void **state)
{
	struct heard heard;
	struct err err;
	bool cut = true;

	(void)state;
	assert_int_equal(read_text(READY("1") "\n" READY("2") "\n", &heard, &cut, &err), 0);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.last, 2);
	assert_false(cut);
}

static void a_last_line_cut_short_is_ignored_and_said(void **state)
{
	struct heard heard;
	struct err err;
	bool cut = false;

	(void)state;
	assert_int_equal(read_text(READY("1") "\n{\"seq\":2,\"t", &heard, &cut, &err), 0);
	assert_int_equal(heard.count, 1);
	assert_true(cut);
}

static void a_last_line_that_lacks_only_its_newline_counts(void **state)
{
	struct heard heard;
	struct err err;
	bool cut = true;

	(void)state;
	assert_int_equal(read_text(READY("1") "\n" READY("2"), &heard, &cut, &err), 0);
	assert_int_equal(heard.count, 2);
	assert_false(cut);
}

static void a_bad_line_is_named_by_its_number(void **state)
{
	struct heard heard;
	struct err err;
	bool cut;

	(void)state;
	assert_int_equal(read_text(READY("1") "\n" READY("2") "\nhello\n" READY("3") "\n", &heard, &cut, &err),
			 -EINVAL);
	assert_int_equal(err.loc.line, 3);
	assert_non_null(strstr(err.text, "expected {"));
}

static void an_event_that_is_refused_is_named_by_its_line(void **state)
{
	struct heard heard;
	struct err err;
	bool cut;

	(void)state;
	assert_int_equal(read_text(READY("1") "\n" READY("13") "\n" READY("2") "\n", &heard, &cut, &err), -EINVAL);
	assert_int_equal(err.loc.line, 2);
	assert_string_equal(err.text, "thirteen");
	assert_int_equal(heard.count, 2);
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct heard heard = {0};
	struct err err;
	bool cut;

	(void)state;
	assert_int_equal(ndjson_read("/nonexistent/events.ndjson", take_event, &heard, &cut, &err), -ENOENT);
	assert_string_equal(err.loc.file, "/nonexistent/events.ndjson");
}

static int take_line(void *ctx, const char *line, size_t len, struct err *err)
{
	struct heard *heard = ctx;

	(void)err;
	heard->count++;
	buf_putc(&heard->all, '[');
	buf_add(&heard->all, line, len);
	buf_putc(&heard->all, ']');
	return 0;
}

static void lines_are_whole_however_the_bytes_come(void **state)
{
	static const char text[] = "one\n\nthree is longer\nfour";

	(void)state;
	for (size_t step = 1; step <= sizeof(text); step++) {
		struct ndjson_lines lines = {0};
		struct heard heard = {0};
		struct err err;

		for (size_t at = 0; at < strlen(text); at += step) {
			size_t n = strlen(text) - at < step ? strlen(text) - at : step;

			assert_int_equal(ndjson_lines_feed(&lines, text + at, n, take_line, &heard, &err), 0);
		}
		assert_string_equal(heard.all.data, "[one][][three is longer]");
		assert_int_equal(lines.rest.len, 4);
		buf_fini(&heard.all);
		ndjson_lines_fini(&lines);
	}
}

static void a_line_over_one_mebibyte_is_refused(void **state)
{
	size_t mebibyte = 1 << 20;
	CLEANUP_FREE char *text = malloc(mebibyte + 2);
	struct ndjson_lines lines = {0};
	struct heard heard = {0};
	struct err err;

	(void)state;
	memset(text, 'x', mebibyte + 2);
	/* without a newline in sight, and as a whole line */
	assert_int_equal(ndjson_lines_feed(&lines, text, mebibyte + 1, take_line, &heard, &err), -EMSGSIZE);
	text[mebibyte + 1] = '\n';
	assert_int_equal(ndjson_lines_feed(&lines, text, mebibyte + 2, take_line, &heard, &err), -EMSGSIZE);
	assert_int_equal(heard.count, 0);
	/* exactly that much is fine */
	assert_int_equal(ndjson_lines_feed(&lines, text + 1, mebibyte + 1, take_line, &heard, &err), 0);
	assert_int_equal(heard.count, 1);
	buf_fini(&heard.all);
	ndjson_lines_fini(&lines);
}

static void an_event_is_in_the_file_when_take_returns(void **state)
{
	struct ev ev = {.kind = EV_LAB_READY, .seq = 1, .t_ns = 1, .lab_ready = {.took_ns = 1}};
	struct ndjson_writer *writer;
	char text[256] = "";
	int fds[2];

	(void)state;
	/* a pipe keeps each write(2) of ours to itself: what one read gives is what one write put there */
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_DIRECT), 0);
	writer = ndjson_writer_new(fds[1]);
	ndjson_writer_take(writer, &ev);
	ndjson_writer_take(writer, &ev);
	assert_int_equal(read(fds[0], text, sizeof(text) - 1), strlen(READY("1") "\n"));
	assert_string_equal(text, READY("1") "\n");
	assert_int_equal(ndjson_writer_error(writer), 0);
	ndjson_writer_free(writer);
	close(fds[0]);
	close(fds[1]);
}

static void a_full_disk_is_remembered(void **state)
{
	struct ev ev = {.kind = EV_LAB_READY};
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct ndjson_writer *writer = ndjson_writer_new(fd);

	(void)state;
	ndjson_writer_take(writer, &ev);
	assert_int_equal(ndjson_writer_error(writer), -ENOSPC);
	ndjson_writer_take(writer, &ev);
	assert_int_equal(ndjson_writer_error(writer), -ENOSPC);
	ndjson_writer_free(writer);
	close(fd);
}

/* A stream that its own reader refuses is no evidence. */
static void a_line_that_no_reader_takes_is_not_written(void **state)
{
	struct ev ev = {.kind = EV_NOTE};
	FILE *file = tmpfile();
	struct ndjson_writer *writer;
	char *text = malloc(NDJSON_LINE_MAX + 1);

	(void)state;
	assert_non_null(file);
	assert_non_null(text);
	memset(text, 'x', NDJSON_LINE_MAX);
	text[NDJSON_LINE_MAX] = '\0'; /* with what stands around it the line is longer */
	ev.note = (struct ev_note){.level = "info", .text = text};
	writer = ndjson_writer_new(fileno(file));
	ndjson_writer_take(writer, &ev);
	assert_int_equal(ndjson_writer_error(writer), -EMSGSIZE);
	assert_int_equal(lseek(fileno(file), 0, SEEK_END), 0);
	ndjson_writer_free(writer);
	free(text);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_read_to_its_end),
		cmocka_unit_test(a_last_line_cut_short_is_ignored_and_said),
		cmocka_unit_test(a_last_line_that_lacks_only_its_newline_counts),
		cmocka_unit_test(a_bad_line_is_named_by_its_number),
		cmocka_unit_test(an_event_that_is_refused_is_named_by_its_line),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(lines_are_whole_however_the_bytes_come),
		cmocka_unit_test(a_line_over_one_mebibyte_is_refused),
		cmocka_unit_test(an_event_is_in_the_file_when_take_returns),
		cmocka_unit_test(a_full_disk_is_remembered),
		cmocka_unit_test(a_line_that_no_reader_takes_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
