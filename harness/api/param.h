/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameter tables: the one description of everything a plan can say.
 *
 * A table describes one kind of mapping in a plan and the struct it is parsed into; a row is one key. Parsing (plan/parse.h), ranges,
 * defaults, `dnsdrill list`, the JSON Schema, the man page and the reference in docs/ are all made from these rows.
 * A row whose field has the wrong C type does not compile.
 *
 * Parsed values live in the plan's arena. A struct that a table fills must begin with `struct loc loc;` (or name the member that holds it): the place of its
 * mapping. Fields no row names stay zero.
 */
#pragma once
#include "harness/base/address.h"
#include "harness/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string and where the plan says it. value NULL: not given. */
struct text {
	const char *value;
	struct loc loc;
};

struct texts {
	struct text *v;
	size_t count;
};

struct text_groups {
	struct texts *v;
	size_t count;
	struct loc loc;
};

/* The items of a mapping of named things, or of a list of mappings: count structs of the sub-table's size. */
struct items {
	void *v;
	size_t count;
	struct loc loc;
};

/* "Not given" in integer fields without a default. */
#define PARAM_UNSET INT64_MIN

enum param_type {
	PARAM_BOOL, /* bool            true, false (YAML 1.1's yes/no/on/off are refused) */
	PARAM_INT, /* int64_t         plain decimal */
	PARAM_DURATION, /* int64_t    ns */
	PARAM_SHARE, /* int64_t       ppm */
	PARAM_SIZE, /* int64_t        bytes */
	PARAM_RATE, /* int64_t        per second */
	PARAM_TEXT, /* struct text    a scalar */
	PARAM_ENUM, /* int64_t        index into choices */
	PARAM_ENUMS, /* int64_t       a choice or a list of them: bit i for choices[i]; 0 by default */
	PARAM_TEXTS, /* struct texts  a scalar or a list of scalars */
	PARAM_GROUPS, /* struct text_groups   a list of lists of scalars, none empty; a scalar stands for a list of itself */
	PARAM_ADDRESSES, /* struct addresses   an IP address or a list of them; no duplicates */
	PARAM_TABLE, /* embedded struct, described by sub */
	PARAM_MAP, /* struct items    mapping of name → mapping described by sub; the name goes to sub->name_offset */
	PARAM_LIST, /* struct items   list of mappings described by sub */
	PARAM_NODE, /* const struct node *    anything, parsed later by its owner */
};

struct table;

struct param {
	const char *key;
	enum param_type type;
	size_t offset;
	int64_t min, max, def; /* for numbers, inclusive; def PARAM_UNSET: none */
	bool required;
	const char *doc; /* one sentence, lower case, without full stop: "delay added to each packet" */
	const char *const *choices; /* PARAM_ENUM, PARAM_ENUMS: NULL-terminated */
	const struct table *sub;
	const char *def_text; /* default of a text, for the docs; given to the field where not NULL */
};

struct table {
	const char *name; /* "probe": what errors and docs call such a mapping */
	const char *doc;
	const struct param *params; /* ends with PARAM_END */
	size_t size; /* of the struct */
	size_t loc_offset; /* of its struct loc */
	size_t name_offset; /* of its struct text name, for PARAM_MAP; PARAM_NO_NAME: none */
	/* Of a bool that says whether it was given. Such a mapping (PARAM_TABLE) may also be said as true (with its defaults) or false (not at all); 0: it may not. */
	size_t given_offset;
};
#define PARAM_NO_NAME SIZE_MAX
#define PARAM_END           \
	{                   \
		.key = NULL \
	}

/* The offset of T.f, only if it has type want. */
#define PARAM_AT(T, f, want) (_Generic(((T *)0)->f, want : offsetof(T, f)))

#define P_BOOL(T, f, k, d, text)                                                                          \
	{                                                                                                 \
		.key = (k), .type = PARAM_BOOL, .offset = PARAM_AT(T, f, bool), .def = (d), .doc = (text) \
	}
#define P_NUMBER(T, f, k, t, lo, hi, d, text)                                                                     \
	{                                                                                                         \
		.key = (k), .type = (t), .offset = PARAM_AT(T, f, int64_t), .min = (lo), .max = (hi), .def = (d), \
		.doc = (text)                                                                                     \
	}
#define P_INT(T, f, k, lo, hi, d, text) P_NUMBER(T, f, k, PARAM_INT, lo, hi, d, text)
#define P_DURATION(T, f, k, lo, hi, d, text) P_NUMBER(T, f, k, PARAM_DURATION, lo, hi, d, text)
#define P_SHARE(T, f, k, lo, hi, d, text) P_NUMBER(T, f, k, PARAM_SHARE, lo, hi, d, text)
#define P_SIZE(T, f, k, lo, hi, d, text) P_NUMBER(T, f, k, PARAM_SIZE, lo, hi, d, text)
#define P_RATE(T, f, k, lo, hi, d, text) P_NUMBER(T, f, k, PARAM_RATE, lo, hi, d, text)
#define P_ENUM(T, f, k, list, d, text)                                                                            \
	{                                                                                                         \
		.key = (k), .type = PARAM_ENUM, .offset = PARAM_AT(T, f, int64_t), .def = (d), .choices = (list), \
		.doc = (text)                                                                                     \
	}
#define P_ENUMS(T, f, k, list, text)                                                                                 \
	{                                                                                                            \
		.key = (k), .type = PARAM_ENUMS, .offset = PARAM_AT(T, f, int64_t), .choices = (list), .doc = (text) \
	}
#define P_TEXT(T, f, k, text_)                                                                        \
	{                                                                                             \
		.key = (k), .type = PARAM_TEXT, .offset = PARAM_AT(T, f, struct text), .doc = (text_) \
	}
#define P_TEXT_DEFAULT(T, f, k, d, text_)                                                                              \
	{                                                                                                              \
		.key = (k), .type = PARAM_TEXT, .offset = PARAM_AT(T, f, struct text), .def_text = (d), .doc = (text_) \
	}
#define P_TEXT_REQUIRED(T, f, k, text_)                                                                  \
	{                                                                                                \
		.key = (k), .type = PARAM_TEXT, .offset = PARAM_AT(T, f, struct text), .required = true, \
		.doc = (text_)                                                                           \
	}
#define P_TEXTS(T, f, k, text)                                                                         \
	{                                                                                              \
		.key = (k), .type = PARAM_TEXTS, .offset = PARAM_AT(T, f, struct texts), .doc = (text) \
	}
#define P_GROUPS_REQUIRED(T, f, k, text)                                                                          \
	{                                                                                                         \
		.key = (k), .type = PARAM_GROUPS, .offset = PARAM_AT(T, f, struct text_groups), .required = true, \
		.doc = (text)                                                                                     \
	}
#define P_GROUPS(T, f, k, text)                                                                               \
	{                                                                                                     \
		.key = (k), .type = PARAM_GROUPS, .offset = PARAM_AT(T, f, struct text_groups), .doc = (text) \
	}
#define P_ADDRESSES(T, f, k, text)                                                                             \
	{                                                                                                      \
		.key = (k), .type = PARAM_ADDRESSES, .offset = PARAM_AT(T, f, struct addresses), .doc = (text) \
	}
#define P_TABLE(T, f, k, S, subtable, text)                                                                    \
	{                                                                                                      \
		.key = (k), .type = PARAM_TABLE, .offset = PARAM_AT(T, f, S), .sub = (subtable), .doc = (text) \
	}
#define P_MAP(T, f, k, subtable, text)                                                                    \
	{                                                                                                 \
		.key = (k), .type = PARAM_MAP, .offset = PARAM_AT(T, f, struct items), .sub = (subtable), \
		.doc = (text)                                                                             \
	}
#define P_LIST(T, f, k, subtable, text)                                                                    \
	{                                                                                                  \
		.key = (k), .type = PARAM_LIST, .offset = PARAM_AT(T, f, struct items), .sub = (subtable), \
		.doc = (text)                                                                              \
	}
#define P_NODE(T, f, k, text)                                                                                \
	{                                                                                                    \
		.key = (k), .type = PARAM_NODE, .offset = PARAM_AT(T, f, const struct node *), .doc = (text) \
	}
