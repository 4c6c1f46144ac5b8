/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/repeat.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

struct lines {
	FILE *file;
	char *text;
	size_t cap;
	ssize_t len; /* -1: there are no more */
};

static void lines_close(struct lines *lines)
{
	if (lines->file)
		fclose(lines->file);
	free(lines->text);
}

static int lines_open(const char *path, struct lines *lines, struct err *err)
{
	lines->file = fopen(path, "re");
	return lines->file ? 0
			   : err_set(err, -errno, (struct loc){.file = path}, "cannot read it: %s", strerror(errno));
}

static void lines_next(struct lines *lines)
{
	lines->len = getline(&lines->text, &lines->cap, lines->file);
	if (lines->len > 0 && lines->text[lines->len - 1] == '\n')
		lines->text[lines->len - 1] = ' '; /* a last line without its end is another one */
}

static bool is_same(const struct lines *a, const struct lines *b)
{
	return a->len == b->len && (a->len <= 0 || !memcmp(a->text, b->text, (size_t)a->len));
}

static void show(const struct lines *lines, char *buf)
{
	snprintf(buf, REPEAT_TEXT_SIZE, "%s", lines->len > 0 ? lines->text : "");
}

int repeat_compare(const char *a_path, const char *b_path, struct repeat_parting *ret, struct err *err)
{
	CLEANUP(lines_close) struct lines a = {0}, b = {0};
	int r = lines_open(a_path, &a, err);

	if (!r)
		r = lines_open(b_path, &b, err);
	if (r)
		return r;
	ret->line = 0;
	do {
		ret->line++;
		lines_next(&a);
		lines_next(&b);
	} while (a.len > 0 && is_same(&a, &b));
	if (is_same(&a, &b))
		return 0;
	show(&a, ret->a);
	show(&b, ret->b);
	return 1;
}
