/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes wrong with a zone on its way: each damage a pure function from text to text.
 *
 * The text is a master file as plan/versions.h makes it: one record a line, "owner TTL class type data" between tabs, every name with its final dot, the SOA first.
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include <stdint.h>

enum damage {
	DAMAGE_NONE, /* the zone itself; what is wrong is its serial, or whom it reaches */
	DAMAGE_TRUNCATED, /* cut off in the middle of a record */
	DAMAGE_EMPTY, /* an empty file */
	DAMAGE_MISSING, /* record sets are not there */
	DAMAGE_TYPO, /* records have other data */
	DAMAGE_MISSING_DOT, /* the data's last name has lost its final dot, so the zone's name is put behind it */
	DAMAGE_WRONG_ORIGIN, /* every name stands below another origin */
	DAMAGE_CNAME_AT_APEX, /* an alias beside the apex's other records (RFC 1034 section 3.6.2 forbids it) */
	DAMAGE_TTL, /* every TTL is another */
	DAMAGE_NS, /* the apex has another NS set */
	DAMAGE_NOT_APPLIED, /* the file is there, and the server is never told */
};
extern const char *const damage_names[]; /* by enum damage; ends with NULL */

struct damage_args {
	enum damage damage;
	const char *zone; /* without trailing dot */
	uint32_t serial; /* the SOA gets it */
	const char *name,
		*type; /* which records: MISSING, TYPO, MISSING_DOT; name without trailing dot; type NULL: all */
	const char *
		data; /* TYPO: the data they get; NS: the name of the only nameserver, with its dot; CNAME_AT_APEX: the alias's target */
	const char *origin; /* WRONG_ORIGIN: without trailing dot */
	int64_t ttl_s; /* TTL */
	int64_t keep_ppm; /* TRUNCATED: how much of it is left */
};

/* Appends the damaged zone. -ENOENT: it has no such records; -EINVAL: they cannot be damaged so. */
int damage_zone(const struct damage_args *args, const char *text, size_t len, struct buf *out, struct err *err);
