/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a zone has, what it is to have, and the difference as PowerDNS's HTTP API takes it: record sets, each replaced or deleted whole. Pure. Of use inside actions/.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/plan/zone.h"

struct api_record {
	const char *name; /* lower case, with trailing dot */
	const char *type, *data; /* canonical text */
	uint32_t ttl;
};

struct api_records { /* sorted: those of a set stand together */
	struct api_record *v;
	size_t count;
};

struct api_changes {
	const char **sets; /* each a JSON object of "rrsets": deletions first, the SOA last */
	size_t count;
};

struct api_records api_records_of(const ldns_rr_list *rrs, struct arena *arena);
/* From the answer to GET …/zones/ZONE. 0 or a negative errno: err says what it is instead ("no JSON: …"), a phrase that follows "that is ". */
int api_records_read(const char *json, size_t len, const char *zone, struct arena *arena, struct api_records *ret,
		     struct err *err);
/* Of the SOA; -1: there is none. */
int64_t api_records_serial(const struct api_records *records);

struct api_changes api_difference(const struct api_records *from, const struct api_records *to, struct arena *arena);
/* The body of a PATCH with count of the changes. In arena. */
const char *api_patch(const struct api_changes *changes, size_t first, size_t count, struct arena *arena);
