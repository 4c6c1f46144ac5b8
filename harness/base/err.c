/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/array.h"
#include "harness/base/buf.h"
#include "harness/base/text.h"

int err_set(struct err *err, int code, struct loc loc, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	err->loc = loc;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	size_t used;
	va_list ap;

	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	return err->code;
}

int err_at(struct err *err, struct loc loc)
{
	if (!err->loc.file)
		err->loc = loc;
	return err->code;
}

void err_print(const struct err *err, FILE *out)
{
	struct buf line = {0};

	text_add_printable(&line, err->loc.file ? err->loc.file : "dnsdrill");
	if (err->loc.file && err->loc.line)
		buf_printf(&line, ":%u", err->loc.line);
	if (err->loc.file && err->loc.line && err->loc.col)
		buf_printf(&line, ":%u", err->loc.col);
	buf_puts(&line, ": error: ");
	/* An error may quote a server's log: its lines stay lines. */
	for (const char *text = err->text; *text;) {
		size_t len = strcspn(text, "\n");
		char *part = strndup(text, len);

		if (part)
			text_add_printable(&line, part);
		free(part);
		text += len;
		if (*text == '\n') {
			buf_putc(&line, '\n');
			text++;
		}
	}
	buf_putc(&line, '\n');
	if (!line.failed)
		fwrite(line.data, 1, line.len, out);
	buf_fini(&line);
}

/* The list's own copy of a file name. NULL: none, or no memory (the error is then shown without its place). */
static const char *own_file(struct errs *errs, const char *file)
{
	char *copy;

	if (!file)
		return NULL;
	for (size_t i = 0; i < errs->file_count; i++) {
		if (!strcmp(errs->files[i], file))
			return errs->files[i];
	}
	if (array_reserve((void **)&errs->files, &errs->file_cap, errs->file_count + 1, sizeof(*errs->files)))
		return NULL;
	copy = strdup(file);
	if (copy)
		errs->files[errs->file_count++] = copy;
	return copy;
}

void errs_add_err(struct errs *errs, const struct err *err)
{
	if (errs->count >= ERRS_MAX ||
	    array_reserve((void **)&errs->v, &errs->cap, errs->count + 1, sizeof(*errs->v))) {
		errs->dropped++;
		return;
	}
	errs->v[errs->count] = *err;
	errs->v[errs->count].loc.file = own_file(errs, err->loc.file);
	errs->count++;
}

void errs_add(struct errs *errs, struct loc loc, const char *fmt, ...)
{
	struct err err = {.code = -EINVAL, .loc = loc};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	errs_add_err(errs, &err);
}

static int compare_place(const void *a, const void *b)
{
	const struct err *const *x = a, *const *y = b;
	const struct loc *l = &(*x)->loc, *m = &(*y)->loc;
	int by_file = strcmp(l->file ? l->file : "", m->file ? m->file : "");

	if (by_file)
		return by_file;
	if (l->line != m->line)
		return l->line < m->line ? -1 : 1;
	if (l->col != m->col)
		return l->col < m->col ? -1 : 1;
	return *x < *y ? -1 : *x > *y; /* as found */
}

static bool is_same(const struct err *a, const struct err *b)
{
	return a->loc.line == b->loc.line && a->loc.col == b->loc.col && !strcmp(a->text, b->text) &&
	       !strcmp(a->loc.file ? a->loc.file : "", b->loc.file ? b->loc.file : "");
}

void errs_print(struct errs *errs, FILE *out)
{
	const struct err *order[ERRS_MAX];

	for (size_t i = 0; i < errs->count; i++)
		order[i] = &errs->v[i];
	qsort(order, errs->count, sizeof(order[0]), compare_place);
	for (size_t i = 0; i < errs->count; i++) {
		bool seen = false;

		for (size_t j = i; j-- > 0 && !seen && order[j]->loc.line == order[i]->loc.line;)
			seen = is_same(order[j], order[i]);
		if (!seen)
			err_print(order[i], out);
	}
	if (errs->dropped)
		fprintf(out, "dnsdrill: %zu more errors\n", errs->dropped);
}

void errs_fini(struct errs *errs)
{
	for (size_t i = 0; i < errs->file_count; i++)
		free(errs->files[i]);
	free(errs->files);
	free(errs->v);
	*errs = (struct errs){0};
}
