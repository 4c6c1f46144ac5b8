/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/array.h"
#include "harness/plan/zone_private.h"

const struct zone_private *zone_private(const struct zone *zone)
{
	return (const struct zone_private *)(const void *)zone;
}

/* ---- keys ---- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_same_wire(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

/* Bytes below the end of a label would go before it: they are written as two. */
static size_t add_label(uint8_t *to, const uint8_t *label)
{
	size_t len = 0;

	for (size_t i = 1; i <= label[0]; i++) {
		if (label[i] <= 1)
			to[len++] = 1;
		to[len++] = label[i] <= 1 ? (uint8_t)(label[i] + 1) : lower(label[i]);
	}
	to[len++] = 0;
	return len;
}

bool zone_key_of(const struct zone_private *zone, const ldns_rdf *name, struct zone_key *ret)
{
	const uint8_t *wire = ldns_rdf_data(name), *labels[LDNS_MAX_DOMAINLEN / 2 + 1];
	size_t size = ldns_rdf_size(name), count = 0, at = 0;

	if (size < zone->apex_size || size > LDNS_MAX_DOMAINLEN)
		return false;
	size -= zone->apex_size;
	for (; at < size; at += 1u + wire[at])
		labels[count++] = wire + at;
	if (at != size || !is_same_wire(wire + at, ldns_rdf_data(zone->apex), zone->apex_size))
		return false;
	ret->len = 0;
	while (count)
		ret->len += add_label(ret->v + ret->len, labels[--count]);
	return true;
}

static uint64_t head_of(const uint8_t *key, size_t len)
{
	uint64_t head = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		head = head << 8 | (i < len ? key[i] : 0);
	return head;
}

static int compare_keys(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static bool has_key(const struct zone_item *item, const uint8_t *key, size_t key_len)
{
	return item->key_len == key_len && !memcmp(item->key, key, key_len);
}

bool zone_item_is_same(const struct zone_item *a, const struct zone_item *b)
{
	return has_key(a, b->key, b->key_len);
}

static bool is_below(const struct zone_item *item, const uint8_t *key, size_t key_len)
{
	return item->key_len > key_len && !memcmp(item->key, key, key_len);
}

bool zone_item_is_below(const struct zone_item *item, const struct zone_item *parent)
{
	return is_below(item, parent->key, parent->key_len);
}

/* ---- making it ---- */

int zone_index(struct zone_private *zone, ldns_rr *rr, unsigned line)
{
	const struct zone_item *last;
	struct zone_item item = {.rr = rr, .line = line, .type = (uint16_t)ldns_rr_get_type(rr)};
	struct zone_key key;

	if (!zone_key_of(zone, ldns_rr_owner(rr), &key))
		return -EINVAL;
	if (array_reserve((void **)&zone->items, &zone->cap, zone->count + 1, sizeof(*zone->items)))
		return -ENOMEM;
	last = zone->count ? &zone->items[zone->count - 1] : NULL;
	item.head = head_of(key.v, key.len);
	item.key_len = (uint16_t)key.len;
	item.key = last && has_key(last, key.v, key.len) ? last->key : arena_memdup(zone->keys, key.v, key.len);
	zone->items[zone->count++] = item;
	return 0;
}

static int compare_items(const void *a, const void *b)
{
	const struct zone_item *x = a, *y = b;
	int by_owner;

	if (x->head != y->head)
		return x->head > y->head ? 1 : -1;
	by_owner = compare_keys(x->key, x->key_len, y->key, y->key_len);
	if (by_owner)
		return by_owner;
	if (x->type != y->type)
		return x->type > y->type ? 1 : -1;
	return (x->line > y->line) - (x->line < y->line);
}

void zone_sort(struct zone_private *zone)
{
	if (zone->count)
		qsort(zone->items, zone->count, sizeof(*zone->items), compare_items);
}

/* ---- searching it ---- */

/* Of the first item that is not before owner and type. */
static size_t lower_bound(const struct zone_private *zone, const uint8_t *key, size_t key_len, ldns_rr_type type)
{
	const struct zone_item wanted = {head_of(key, key_len), key, NULL, 0, (uint16_t)key_len, (uint16_t)type};
	size_t low = 0, high = zone->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_items(&zone->items[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t zone_find_key(const struct zone_private *zone, const uint8_t *key, size_t key_len, ldns_rr_type type,
		     size_t *ret_first)
{
	size_t first = lower_bound(zone, key, key_len, type), end = first;

	while (end < zone->count && zone->items[end].type == (uint16_t)type && has_key(&zone->items[end], key, key_len))
		end++;
	*ret_first = first;
	return end - first;
}

size_t zone_find(const struct zone_private *zone, const ldns_rdf *owner, ldns_rr_type type, size_t *ret_first)
{
	struct zone_key key;

	*ret_first = 0;
	return zone_key_of(zone, owner, &key) ? zone_find_key(zone, key.v, key.len, type, ret_first) : 0;
}

bool zone_has_name(const struct zone_private *zone, const ldns_rdf *owner)
{
	struct zone_key key;
	size_t i;

	if (!zone_key_of(zone, owner, &key))
		return false;
	/* In canonical order what lies below a name follows it at once. */
	i = lower_bound(zone, key.v, key.len, (ldns_rr_type)0);
	return i < zone->count &&
	       (has_key(&zone->items[i], key.v, key.len) || is_below(&zone->items[i], key.v, key.len));
}

size_t zone_cut_above(const struct zone_private *zone, const struct zone_key *name)
{
	size_t first;

	for (size_t i = 0; i < name->len; i++) {
		if (!name->v[i] && zone_find_key(zone, name->v, i + 1, LDNS_RR_TYPE_NS, &first))
			return i + 1;
	}
	return 0;
}
