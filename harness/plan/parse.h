/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From located nodes to structs, by parameter tables (api/param.h).
 */
#pragma once
#include "harness/api/param.h"
#include "harness/plan/node.h"

/*
 * Fills dst (zeroed, of the struct the tables describe) from a mapping. Rows of all tables apply to the same dst: a common table and a kind's own rows.
 * Sets defaults, checks types, ranges, required keys, unknown keys (the nearest known one is suggested); adds every error to errs.
 */
void parse_mapping(struct arena *arena, const struct node *map, const struct param *const *rows, size_t row_lists,
		   void *dst, const char *what, struct errs *errs);

/* The same for one table; also sets the struct's loc. */
void parse_table(struct arena *arena, const struct node *map, const struct table *table, void *dst, struct errs *errs);

/* How a parameter's default and range read: "250ms", "1s … 60s". For list, docs and man page. Appends. */
struct buf;
void param_format_default(const struct param *param, struct buf *out);
void param_format_range(const struct param *param, struct buf *out);
/* Appends those keys of src that are not at their default, as a YAML flow mapping: `{rcode: SERVFAIL, delay: 50ms}`. */
void param_format_given(const struct param *params, const void *src, struct buf *out);
bool param_is_given(const struct param *params, const void *src); /* whether any is */
const char *param_type_name(const struct param *param); /* "duration", "share", … */
