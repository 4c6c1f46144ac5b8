/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interned texts: each text is kept once, in an arena. A million samples share a handful of answers.
 * intern_new → intern_text… → intern_free; the texts live as long as the arena.
 */
#pragma once
#include "harness/base/arena.h"

struct intern;

struct intern *intern_new(struct arena *arena); /* arena is borrowed */
void intern_free(struct intern *intern); /* NULL is fine */

/* The one copy of text, with each byte that is not UTF-8 as U+FFFD. NULL for NULL. */
const char *intern_text(struct intern *intern, const char *text);
