/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Escaping of text that a stranger wrote: DNS data, server logs, plans from elsewhere. Every report puts such text through one of these.
 *
 * Each appends text to out; NULL appends nothing. Invalid UTF-8 becomes U+FFFD. Failures of memory stay in out->failed.
 */
#pragma once
#include "harness/base/buf.h"
#include <stdint.h>

/* For HTML text and quoted attributes: & < > " ' as references; control characters other than tab and newline as U+FFFD; characters
 * that turn the direction of writing (U+202A…) as their number, because they would reorder what stands around them. */
void escape_html(struct buf *out, const char *text);

/* For XML 1.0 text and attributes. Characters that XML 1.0 section 2.2 forbids are dropped, even as references they would not parse.
 * Tab, newline and return are references, so that attributes keep them. */
void escape_xml(struct buf *out, const char *text);

/* For one cell of a Markdown table: one line, no markup, no links, no mentions of people. */
void escape_markdown_cell(struct buf *out, const char *text);

/* For a terminal: nothing that moves the cursor, changes colours or turns the direction of writing. */
void escape_terminal(struct buf *out, const char *text);

/* Not an escape: appends at most max bytes of text as they are, whole characters, and "…" if that is not all. */
void escape_cut(struct buf *out, const char *text, size_t max);

/* The code point at *text, which moves past it; 0 at the end (without moving), U+FFFD for each invalid byte. */
uint32_t escape_next(const char **text);
