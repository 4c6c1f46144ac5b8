/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One value by one row: shared by parse.c and param_*.c. Each function fills *ret only if the value is right, else adds one error that
 * begins with "<key>: ". The value is neither NULL nor null.
 */
#pragma once
#include "harness/plan/parse.h"

struct parse {
	struct arena *arena;
	struct errs *errs;
};

/* Adds "<key>: <what> is expected, not <value>". */
void parse_mismatch(struct parse *parse, const struct param *param, const struct node *value, const char *what);

void parse_bool(struct parse *parse, const struct param *param, const struct node *value, bool *ret);
void parse_int(struct parse *parse, const struct param *param, const struct node *value, int64_t *ret);
void parse_unit(struct parse *parse, const struct param *param, const struct node *value, int64_t *ret);
void parse_enum(struct parse *parse, const struct param *param, const struct node *value, int64_t *ret);
void parse_enums(struct parse *parse, const struct param *param, const struct node *value, int64_t *ret);
void parse_text(struct parse *parse, const struct param *param, const struct node *value, struct text *ret);
void parse_texts(struct parse *parse, const struct param *param, const struct node *value, struct texts *ret);
void parse_groups(struct parse *parse, const struct param *param, const struct node *value, struct text_groups *ret);
void parse_addresses(struct parse *parse, const struct param *param, const struct node *value, struct addresses *ret);
