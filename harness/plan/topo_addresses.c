/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of hosts the plan gives none: from 198.18.0.0/15 (RFC 2544) and fd00::/8, where no plan that copies the real world has its own.
 */
#include <arpa/inet.h>
#include <string.h>

#include "harness/plan/topo.h"

struct used {
	const struct address *address;
	const struct topo_host *host;
};

static int compare_used(const void *a, const void *b)
{
	const struct used *x = a, *y = b;
	int d = x->address->family - y->address->family;

	if (!d)
		d = memcmp(x->address->bytes, y->address->bytes, sizeof(x->address->bytes));
	if (!d) /* hosts, and addresses within one, stand in the order of the plan */
		d = x->host != y->host ? (x->host < y->host ? -1 : 1) : x->address < y->address ? -1 : 1;
	return d;
}

static void check_twice(struct topo_builder *b, const struct used *used, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct used *first = &used[i - 1], *second = &used[i];

		if (!address_is_equal(first->address, second->address) || first->host == second->host)
			continue;
		errs_add(b->errs, second->address->loc, "%s has the address %s, which is that of %s already (%s)",
			 second->host->name, second->address->text, first->host->name,
			 names_place(b->arena, first->address->loc, second->address->loc));
	}
}

static bool is_used(const struct topology *topology, const struct address *address)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		const struct addresses *list = &topology->hosts[i].addresses;

		for (size_t j = 0; j < list->count; j++) {
			if (address_is_equal(&list->v[j], address))
				return true;
		}
	}
	return false;
}

/* Two running numbers behind a v4 and a v6 prefix. */
struct pool {
	const char *v4, *v6;
	unsigned next[2];
};

static struct address next_free(const struct topology *topology, struct pool *pool, bool is_v6)
{
	struct address address = {0};
	char text[INET6_ADDRSTRLEN];

	do {
		unsigned n = ++pool->next[is_v6];

		address_parse(is_v6 ? pool->v6 : pool->v4, &address);
		address.bytes[is_v6 ? 14 : 2] = (unsigned char)(address.bytes[is_v6 ? 14 : 2] + n / 256);
		address.bytes[is_v6 ? 15 : 3] = (unsigned char)(n % 256);
		inet_ntop(address.family, address.bytes, text, sizeof(text));
		address_parse(text, &address);
	} while (is_used(topology, &address));
	return address;
}

static void assign(struct topo_builder *b, struct topo_host *host, struct pool *pool)
{
	struct address *v = ARENA_ARRAY(b->arena, struct address, 2);

	for (int i = 0; i < 2; i++) {
		v[i] = next_free(b->topology, pool, i == 1);
		v[i].loc = host->loc;
	}
	host->addresses = (struct addresses){v, 2};
}

/* The root's real addresses, if the plan leaves them free. */
static void assign_root(struct topo_builder *b, struct topo_host *host, struct pool *pool)
{
	struct address *v = ARENA_ARRAY(b->arena, struct address, 2);

	address_parse("198.41.0.4", &v[0]);
	address_parse("2001:503:ba3e::2:30", &v[1]);
	for (int i = 0; i < 2; i++) {
		if (is_used(b->topology, &v[i]))
			v[i] = next_free(b->topology, pool, i == 1);
		v[i].loc = host->loc;
	}
	host->addresses = (struct addresses){v, 2};
}

void topo_addresses_assign(struct topo_builder *b)
{
	struct pool pools[] = {
		[HOST_ROOT] = {"198.19.0.0", "fd00:19::", {0}},
		[HOST_TLD] = {"198.19.1.0", "fd00:19:1::", {0}},
		[HOST_NAMESERVER] = {"198.19.10.0", "fd00:19:10::", {0}},
		[HOST_RESOLVER] = {"198.19.53.0", "fd00:19:53::", {0}},
		[HOST_CLIENT] = {"198.19.100.0", "fd00:19:100::", {0}},
	};
	struct topology *topology = b->topology;
	size_t count = 0, n = 0;
	struct used *used;

	for (size_t i = 0; i < topology->host_count; i++)
		count += topology->hosts[i].addresses.count;
	used = ARENA_ARRAY(b->arena, struct used, count + 1);
	for (size_t i = 0; i < topology->host_count; i++) {
		for (size_t j = 0; j < topology->hosts[i].addresses.count; j++)
			used[n++] = (struct used){&topology->hosts[i].addresses.v[j], &topology->hosts[i]};
	}
	qsort(used, count, sizeof(*used), compare_used);
	check_twice(b, used, count);
	for (size_t i = 0; i < topology->host_count; i++) {
		struct topo_host *host = &topology->hosts[i];

		if (host->addresses.count || host->role == HOST_NAMESERVER)
			continue;
		if (host->role == HOST_ROOT)
			assign_root(b, host, &pools[HOST_ROOT]);
		else
			assign(b, host, &pools[host->role]);
	}
}
