/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/later.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/array.h"

static bool is_before(const struct later_item *a, const struct later_item *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void swap(struct later *later, size_t i, size_t j)
{
	struct later_item *item = later->v[i];

	later->v[i] = later->v[j];
	later->v[j] = item;
}

struct later_item *later_put(struct later *later, const struct origin *origin, const struct decide_send *send,
			     const uint8_t *query, size_t query_len, int64_t due_ns)
{
	size_t i = later->count;
	size_t size = sizeof(struct later_item) + send->len + query_len;
	struct later_item *item;

	if (size > LATER_BYTES_MAX - later->bytes)
		return NULL;
	if (array_reserve((void **)&later->v, &later->cap, i + 1, sizeof(struct later_item *)))
		return NULL;
	item = malloc(size);
	if (!item)
		return NULL;
	*item = (struct later_item){.due_ns = due_ns, .order = later->next_order++, .origin = *origin, .send = *send};
	later->bytes += size;
	if (send->len)
		memcpy(item->bytes, send->msg, send->len);
	if (query_len)
		memcpy(item->bytes + send->len, query, query_len);
	item->send.msg = item->bytes;
	item->query = item->bytes + send->len;
	item->query_len = query_len;
	later->v[later->count++] = item;
	for (; i && is_before(later->v[i], later->v[(i - 1) / 2]); i = (i - 1) / 2)
		swap(later, i, (i - 1) / 2);
	return item;
}

int64_t later_due_ns(const struct later *later)
{
	return later->count ? later->v[0]->due_ns : INT64_MAX;
}

struct later_item *later_take(struct later *later)
{
	struct later_item *item = later->count ? later->v[0] : NULL;

	if (!item)
		return NULL;
	later->bytes -= sizeof(*item) + item->send.len + item->query_len;
	later->v[0] = later->v[--later->count];
	for (size_t i = 0, child; (child = 2 * i + 1) < later->count; i = child) {
		if (child + 1 < later->count && is_before(later->v[child + 1], later->v[child]))
			child++;
		if (!is_before(later->v[child], later->v[i]))
			break;
		swap(later, i, child);
	}
	return item;
}

void later_fini(struct later *later)
{
	free(later->v);
	*later = (struct later){0};
}
