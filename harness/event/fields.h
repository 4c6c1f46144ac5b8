/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of all fields of all events: what encoding, decoding and copying walk. Of use inside event/ and to copiers of events.
 */
#pragma once
#include "harness/event/event.h"

enum field_type {
	FIELD_TEXT, /* NULL is written as "": whoever reads it may rely on it */
	FIELD_TEXT_OPTIONAL, /* NULL is left out */
	FIELD_INT, /* within ±2^62, so that the difference of two always fits */
	FIELD_INT_OPTIONAL, /* as FIELD_INT; 0 is left out */
	FIELD_INT_ANY, /* any int64_t */
	FIELD_BOOL,
	FIELD_STRINGS, /* empty is left out */
	FIELD_OUTCOME
};

struct field {
	const char *key;
	size_t offset; /* in struct ev */
	enum field_type type;
};

#define FIELD_INT_LIMIT (INT64_C(1) << 62)

/* The rows of a kind, in the order of the NDJSON; after seq, t_ns and event, which every line begins with. */
const struct field *ev_fields(enum ev_kind kind, size_t *ret_count);
/* EV_KIND_COUNT if there is none of that name. */
enum ev_kind ev_kind_find(const char *name);
/* OUTCOME_COUNT if there is none of that name. */
enum outcome outcome_find(const char *name);
