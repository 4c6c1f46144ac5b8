/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of known names, for errors about unknown ones: every such error suggests the nearest and says what there is.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"

/* Zero-initialise. The list lives in the arena, the names are borrowed. */
struct names {
	const char **v;
	size_t count, cap;
};

/* A name already in the list is not added again. */
void names_add(struct names *names, struct arena *arena, const char *name);

/* Appends `unknown <what> "<word>"; did you mean "<nearest>"? There are: a, b, c`. */
void names_describe_unknown(const struct names *known, const char *what, const char *word, struct buf *out);

/* How an error at `here` refers to another place: "line 9", with the file where that is another. */
const char *names_place(struct arena *arena, struct loc there, struct loc here);

/* names_describe_unknown as an error. */
void names_unknown(const struct names *known, const char *what, const char *word, struct loc loc, struct errs *errs);
