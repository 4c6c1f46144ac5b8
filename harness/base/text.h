/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings: nearest of a list of words, quoting of hostile text.
 */
#pragma once
#include "harness/base/buf.h"
#include <stddef.h>

/* The candidate with the smallest Damerau-Levenshtein distance to word (ASCII case ignored), if that is at most a third of word's
 * length, rounded up; else NULL. Ties go to the first. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* Appends text with every control character, DEL and invalid UTF-8 byte as \xHH: harmless in a terminal and in a log. */
void text_add_printable(struct buf *buf, const char *text);

/* Bytes of the valid UTF-8 sequence at text (RFC 3629), 0 if there is none; 1 at the terminating NUL. */
size_t text_utf8_length(const char *text);
