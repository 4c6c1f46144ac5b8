/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/relay/heap.h"

#include <stdlib.h>
#include <string.h>

static bool is_before(const struct frame *a, const struct frame *b)
{
	return a->send_ns != b->send_ns ? a->send_ns < b->send_ns : a->order < b->order;
}

static bool grow(struct heap *heap)
{
	size_t cap = heap->cap ? heap->cap * 2 : 256;
	struct frame **v = realloc(heap->v, cap * sizeof(struct frame *));

	if (!v)
		return false;
	heap->v = v;
	heap->cap = cap;
	return true;
}

static void swap(struct heap *heap, size_t i, size_t j)
{
	struct frame *frame = heap->v[i];

	heap->v[i] = heap->v[j];
	heap->v[j] = frame;
}

bool heap_put(struct heap *heap, const unsigned char *bytes, size_t len, int64_t arrived_ns, int64_t send_ns)
{
	struct frame *frame = heap->count < heap->cap || grow(heap) ? malloc(sizeof(*frame) + len) : NULL;
	size_t i = heap->count;

	if (!frame)
		return false;
	*frame = (struct frame){arrived_ns, send_ns, heap->next_order++, len};
	memcpy(frame->bytes, bytes, len);
	heap->v[heap->count++] = frame;
	heap->bytes += len;
	for (; i && is_before(heap->v[i], heap->v[(i - 1) / 2]); i = (i - 1) / 2)
		swap(heap, i, (i - 1) / 2);
	return true;
}

struct frame *heap_first(const struct heap *heap)
{
	return heap->count ? heap->v[0] : NULL;
}

static void sink(struct heap *heap)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < heap->count; i = child) {
		if (child + 1 < heap->count && is_before(heap->v[child + 1], heap->v[child]))
			child++;
		if (!is_before(heap->v[child], heap->v[i]))
			return;
		swap(heap, i, child);
	}
}

struct frame *heap_take(struct heap *heap)
{
	struct frame *frame = heap_first(heap);

	if (!frame)
		return NULL;
	heap->v[0] = heap->v[--heap->count];
	heap->bytes -= frame->len;
	sink(heap);
	return frame;
}

void heap_fini(struct heap *heap)
{
	for (size_t i = 0; i < heap->count; i++)
		free(heap->v[i]);
	free(heap->v);
	*heap = (struct heap){0};
}
