/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `dnsdrill run` prints when it ends: the verdict in a sentence, what was expected, what was measured. Pure text into a buffer.
 */
#pragma once
#include "harness/measure/results.h"
#include <stdbool.h>

/* columns: width of the terminal; 80 where it is not known. colour: with ANSI colours (the caller knows about NO_COLOR and terminals). */
void table_write(const struct record *record, const struct results *results, bool colour, unsigned columns,
		 struct buf *out);
