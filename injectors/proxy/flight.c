/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDS (FLIGHT_MAX + 1)

static void shuffle(uint16_t *ids, struct rng *rng)
{
	for (uint32_t i = 0; i < IDS; i++)
		ids[i] = (uint16_t)i;
	for (uint32_t i = IDS - 1; i; i--) {
		uint32_t j = (uint32_t)rng_below(rng, i + 1);
		uint16_t id = ids[i];

		ids[i] = ids[j];
		ids[j] = id;
	}
}

int flight_init(struct flight *flight, struct rng *rng)
{
	*flight = (struct flight){.first = FLIGHT_NONE, .last = FLIGHT_NONE};
	flight->entries = calloc(FLIGHT_MAX, sizeof(*flight->entries));
	flight->free_slots = calloc(FLIGHT_MAX, sizeof(*flight->free_slots));
	flight->ids = calloc(IDS, sizeof(*flight->ids));
	flight->buckets = malloc(IDS * sizeof(*flight->buckets));
	if (!flight->entries || !flight->free_slots || !flight->ids || !flight->buckets) {
		flight_fini(flight);
		return -ENOMEM;
	}
	shuffle(flight->ids, rng);
	memset(flight->buckets, 0xff, IDS * sizeof(*flight->buckets));
	return 0;
}

void flight_fini(struct flight *flight)
{
	free(flight->entries);
	free(flight->free_slots);
	free(flight->ids);
	free(flight->buckets);
	*flight = (struct flight){0};
}

static void link_last(struct flight *flight, uint32_t slot)
{
	struct flight_entry *entry = &flight->entries[slot];

	entry->prev = flight->last;
	entry->next = FLIGHT_NONE;
	if (flight->last == FLIGHT_NONE)
		flight->first = slot;
	else
		flight->entries[flight->last].next = slot;
	flight->last = slot;
}

static void unlink_slot(struct flight *flight, const struct flight_entry *entry)
{
	if (entry->prev == FLIGHT_NONE)
		flight->first = entry->next;
	else
		flight->entries[entry->prev].next = entry->next;
	if (entry->next == FLIGHT_NONE)
		flight->last = entry->prev;
	else
		flight->entries[entry->next].prev = entry->prev;
}

/* Dealt IDs are all different: each has a bucket of its own. */
static uint32_t *bucket(const struct flight *flight, const void *way, uint16_t id)
{
	uint64_t mixed = (uint64_t)(uintptr_t)way * UINT64_C(0x9e3779b97f4a7c15);

	return &flight->buckets[id ^ (uint16_t)(mixed >> 48)];
}

static uint16_t deal(struct flight *flight)
{
	uint16_t id = flight->ids[flight->ids_first];

	flight->ids_first = (flight->ids_first + 1) % IDS;
	flight->dealt++;
	return id;
}

static void take_back(struct flight *flight, uint16_t id)
{
	flight->dealt--;
	flight->ids[(flight->ids_first + (IDS - flight->dealt - 1)) % IDS] = id;
}

static uint16_t own_id(const uint8_t *query, size_t len)
{
	return len < 2 ? 0 : msg_u16(query);
}

struct flight_entry *flight_add(struct flight *flight, const void *way, const uint8_t *query, size_t len,
				int64_t due_ns)
{
	uint8_t *large = len > FLIGHT_INLINE ? malloc(len) : NULL;
	struct flight_entry *entry;
	uint32_t slot, *first;

	if (flight->count == FLIGHT_MAX || (len > FLIGHT_INLINE && !large)) {
		free(large);
		return NULL;
	}
	slot = flight->free_count ? flight->free_slots[--flight->free_count] : flight->touched++;
	entry = &flight->entries[slot];
	entry->id = way ? own_id(query, len) : deal(flight);
	entry->way = way;
	entry->flow = NULL;
	entry->serial = ++flight->last_serial;
	flight->count++;
	first = bucket(flight, way, entry->id);
	entry->next_same = *first;
	*first = slot;
	entry->query = large ? large : entry->inlined;
	entry->query_len = len;
	memcpy(entry->query, query, len);
	entry->due_ns = due_ns;
	entry->socket = 0;
	entry->many = entry->answered = false;
	link_last(flight, slot);
	return entry;
}

struct flight_entry *flight_find(const struct flight *flight, const void *way, uint16_t id)
{
	struct flight_entry *found = NULL;

	for (uint32_t slot = *bucket(flight, way, id); slot != FLIGHT_NONE; slot = flight->entries[slot].next_same) {
		if (flight->entries[slot].id == id && flight->entries[slot].way == way)
			found = &flight->entries[slot];
	}
	return found;
}

#define SLOT_BITS 16

uint64_t flight_token(const struct flight *flight, const struct flight_entry *entry)
{
	return entry->serial << SLOT_BITS | (uint64_t)(entry - flight->entries);
}

struct flight_entry *flight_by_token(const struct flight *flight, uint64_t token)
{
	struct flight_entry *entry = &flight->entries[token & FLIGHT_MAX];

	return (token & FLIGHT_MAX) < FLIGHT_MAX && token && entry->serial == token >> SLOT_BITS ? entry : NULL;
}

struct flight_entry *flight_first(const struct flight *flight)
{
	return flight->first == FLIGHT_NONE ? NULL : &flight->entries[flight->first];
}

struct flight_entry *flight_next(const struct flight *flight, const struct flight_entry *entry)
{
	return entry->next == FLIGHT_NONE ? NULL : &flight->entries[entry->next];
}

void flight_renew(struct flight *flight, struct flight_entry *entry, int64_t due_ns)
{
	unlink_slot(flight, entry);
	entry->due_ns = due_ns;
	link_last(flight, (uint32_t)(entry - flight->entries));
}

void flight_remove(struct flight *flight, struct flight_entry *entry)
{
	uint32_t slot = (uint32_t)(entry - flight->entries), *link = bucket(flight, entry->way, entry->id);

	while (*link != slot)
		link = &flight->entries[*link].next_same;
	*link = entry->next_same;
	unlink_slot(flight, entry);
	if (entry->query != entry->inlined)
		free(entry->query);
	if (!entry->way)
		take_back(flight, entry->id);
	entry->serial = 0;
	flight->count--;
	flight->free_slots[flight->free_count++] = slot;
}
