/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A strict scanner of JSON (RFC 8259) values within one line, for the reader of events. jansson builds a tree with a hash table for
 * every line, 2.7 µs each, which is most of what a report of a million samples may take; this takes the values as they come.
 * A test holds it against jansson.
 */
#pragma once
#include "harness/base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan {
	const char *at, *end;
	struct arena *arena; /* where strings go; borrowed */
	const char *problem; /* in words, after a function returned false; literal */
};

/* Takes c, after white space, if it comes next. */
bool scan_char(struct scan *scan, char c);
/* A string, NUL-terminated; U+0000 and invalid UTF-8 are problems. */
bool scan_string(struct scan *scan, const char **ret, size_t *ret_len);
/* A whole number without fraction and exponent. */
bool scan_int(struct scan *scan, int64_t *ret);
bool scan_bool(struct scan *scan, bool *ret);
/* Any value, unused. */
bool scan_skip(struct scan *scan);
/* Nothing but white space is left. */
bool scan_is_end(struct scan *scan);
