/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/rate.h"

#include "harness/base/hash.h"
#include "harness/base/macro.h"

#define COUNT_BITS 24
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

static uint64_t hash_network(const struct address *client)
{
	return hash_bytes(HASH_START ^ (uint64_t)client->family, client->bytes, client->family == AF_INET ? 3 : 7);
}

bool rate_is_above(struct rate *rate, const struct address *client, int64_t now_ns, int64_t per_second)
{
	uint64_t hash = hash_network(client), second = (uint64_t)(now_ns / SEC) & 0xffff;
	uint64_t key = (hash >> 40 << 16 | second) << COUNT_BITS, was, is;
	_Atomic uint64_t *slot = &rate->slots[hash % RATE_SLOTS];

	was = atomic_load_explicit(slot, memory_order_relaxed);
	do {
		is = (was & ~COUNT_MASK) == key ? was : key;
		if ((is & COUNT_MASK) < COUNT_MASK)
			is++;
	} while (!atomic_compare_exchange_weak_explicit(slot, &was, is, memory_order_relaxed, memory_order_relaxed));
	return (int64_t)(is & COUNT_MASK) > per_second;
}
