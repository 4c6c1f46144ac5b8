/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames by the moment they are to be sent; of the same moment, in the order they were put in.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
	int64_t arrived_ns, send_ns;
	uint64_t order;
	size_t len;
	unsigned char bytes[];
};

struct heap {
	struct frame **v;
	size_t count, cap, bytes;
	uint64_t next_order;
};

/* A copy of bytes. False: out of memory, and nothing was put in. */
bool heap_put(struct heap *heap, const unsigned char *bytes, size_t len, int64_t arrived_ns, int64_t send_ns);
/* The first, still in the heap; NULL: empty. Valid until the next heap_put. */
struct frame *heap_first(const struct heap *heap);
/* The first, handed over to the caller, who frees it; NULL: empty. */
struct frame *heap_take(struct heap *heap);
void heap_fini(struct heap *heap);
