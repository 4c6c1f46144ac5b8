/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An arena: many small objects that live exactly as long as one large one (a plan).
 * arena_new → arena_alloc… → arena_free. Objects are owned by the arena and zeroed. Out of memory aborts the program
 * with a message: a harness that cannot allocate a plan has nothing sensible left to do, and has touched nothing yet.
 */
#pragma once
#include "harness/base/macro.h"
#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
DEFINE_CLEANUP(struct arena *, arena_free);

/* size bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF(2, 3);

/* Before the arena's memory goes, end(what) is called: for what an object in it owns elsewhere. The last one put off comes first. */
void arena_defer(struct arena *arena, void (*end)(void *what), void *what);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc((arena), sizeof(type) * (n)))
