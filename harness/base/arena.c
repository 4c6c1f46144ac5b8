/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES (64u << 10)

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

struct deferred {
	struct deferred *next;
	void (*end)(void *what);
	void *what;
};

struct arena {
	struct chunk *chunks; /* the one being filled first */
	struct deferred *deferred; /* in the arena itself */
};

static void out_of_memory(void)
{
	fputs("dnsdrill: out of memory\n", stderr);
	abort();
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (!chunk)
		out_of_memory();
	chunk->size = size;
	return chunk;
}

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		out_of_memory();
	arena->chunks = chunk_new(CHUNK_BYTES);
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (const struct deferred *deferred = arena->deferred; deferred; deferred = deferred->next)
		deferred->end(deferred->what);
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

/* A large object gets a chunk of its own, behind the one being filled. */
static void *alloc_large(struct arena *arena, size_t size)
{
	struct chunk *chunk = chunk_new(size);

	chunk->used = size;
	chunk->next = arena->chunks->next;
	arena->chunks->next = chunk;
	return chunk->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct chunk *chunk = arena->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + align - 1) / align * align;
	if (size > CHUNK_BYTES / 4)
		return alloc_large(arena, size);
	if (size > chunk->size - chunk->used) {
		chunk = chunk_new(CHUNK_BYTES);
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	p = chunk->data + chunk->used;
	chunk->used += size;
	return p;
}

void arena_defer(struct arena *arena, void (*end)(void *what), void *what)
{
	struct deferred *deferred = ARENA_NEW(arena, struct deferred);

	*deferred = (struct deferred){arena->deferred, end, what};
	arena->deferred = deferred;
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);

	return size ? memcpy(copy, data, size) : copy;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		out_of_memory();
	text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}
