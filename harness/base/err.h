/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that know their place.
 *
 * Inner code reports the bare cause with err_set(); a caller that knows more adds it in front with err_wrap();
 * only main.c and cli/ print. Every function that takes `struct err *err` last returns 0 or a negative errno and has
 * filled err exactly when it returns non-zero. err is never NULL. Nothing here allocates except struct errs.
 */
#pragma once
#include "harness/base/macro.h"
#include <stddef.h>
#include <stdio.h>

/* A place in a file that a person wrote. file is borrowed (an arena's or a literal); NULL: no place. Counted from 1; 0: unknown. */
struct loc {
	const char *file;
	unsigned line, col;
};

#define LOC_NONE ((struct loc){0})

struct err {
	int code; /* negative errno, 0 while no error */
	struct loc loc;
	char text[1536];
};

/* Fills err. Returns code, so that `return err_set(err, -EINVAL, loc, "...");` reads well. Text is cut at its size. */
int err_set(struct err *err, int code, struct loc loc, const char *fmt, ...) PRINTF(4, 5);

/* Puts "<fmt>: " before the text; keeps code and place. Returns err->code. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Gives err a place if it has none. Returns err->code. */
int err_at(struct err *err, struct loc loc);

/* Writes "file:line:col: error: text\n", leaving out what is unknown; without a file, "dnsdrill: error: text\n".
 * Control characters of the text are shown as \xHH, so that a hostile plan cannot drive the terminal. */
void err_print(const struct err *err, FILE *out);

/* A growing list of errors, for input of which all errors are shown at once. Zero-initialise; errs_fini frees. File names are
 * copied: the errors of a plan outlive the arena it was read into. */
struct errs {
	struct err *v;
	size_t count, cap;
	size_t dropped; /* errors past ERRS_MAX are only counted */
	char **files; /* that the places name, each once; owned */
	size_t file_count, file_cap;
};
#define ERRS_MAX 100

void errs_add(struct errs *errs, struct loc loc, const char *fmt, ...) PRINTF(3, 4);
void errs_add_err(struct errs *errs, const struct err *err);
/* Prints all, ordered by file, line and column, each once; then "N more errors" if some were dropped. */
void errs_print(struct errs *errs, FILE *out);
void errs_fini(struct errs *errs);
