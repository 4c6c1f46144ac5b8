/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Catalog zones (RFC 9432): the list, itself a zone, from which secondaries that say `catalog: true` learn which zones to transfer from their primary. Every primary
 * of such secondaries has one, made by the lab. Pure; in the plan's arena.
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/plan/topology.h"

struct catalog {
	const char *name; /* NULL: nobody has its zones from this host by a catalog */
	const char **members; /* names of zones */
	size_t member_count;
	const struct topo_host **consumers;
	size_t consumer_count;
};

enum catalog_damage {
	CATALOG_SOUND,
	CATALOG_EMPTY, /* no member is left */
	CATALOG_MEMBER_MISSING,
	CATALOG_MEMBER_OTHER, /* its PTR record names another zone: typo.<member> */
	CATALOG_MEMBER_TWICE, /* under two labels: section 4.1 */
	CATALOG_MEMBER_RELABELLED, /* the same zone under a new label, which resets it: section 5.6 */
	CATALOG_VERSION_WRONG, /* one that nobody knows: section 4.2.1 */
	CATALOG_VERSION_MISSING,
};

/* "catalog.ns1.alpha.lab", of "alpha.ns1". */
const char *catalog_name(const struct topo_host *primary, struct arena *arena);

void catalog_of(const struct topology *topology, const struct topo_host *primary, struct arena *arena,
		struct catalog *ret);

/* Appends its master file. member: index of the one that is damaged, where the damage is of one. */
void catalog_text(const struct catalog *catalog, enum catalog_damage damage, size_t member, uint32_t serial,
		  struct buf *out);
