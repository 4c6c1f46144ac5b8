/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the drivers of servers that sign zones themselves (server_signing.is_by_server) add to their configurations.
 */
#pragma once
#include "harness/servers/common.h"

static inline bool server_signs(const struct server_zone *zone)
{
	return zone->signing && zone->signing->is_by_server;
}

/* bind_sign.c: a dnssec-policy for each such zone; copies the keys. Then the lines inside of the zone. */
int bind_add_policies(const struct server_spec *spec, struct arena *arena, struct buf *out, struct err *err);
void bind_add_signing(const struct server_spec *spec, size_t zone, struct buf *out);

/* knot_sign.c: the section with a policy for each such zone, the zone's own lines, and the command that brings the keys into knotd's database first: ret is
 * left as it is if no zone is signed. */
void knot_add_policies(const struct server_spec *spec, struct buf *out);
void knot_add_signing(const struct server_spec *spec, size_t zone, struct buf *out);
int knot_import_keys(const struct server_spec *spec, const char *config, struct arena *arena,
		     struct server_command *ret, struct err *err);
