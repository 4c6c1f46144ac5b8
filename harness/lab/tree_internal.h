/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files behind lab/tree.h share. Record lists own their records.
 */
#pragma once
#include "harness/lab/tree.h"

/* TTLs as in the real root and TLDs. */
#define TTL_DELEGATION 172800 /* NS and glue */
#define TTL_DAY 86400

struct tree {
	const struct topology *topology;
	struct arena *arena;
	const char *dir;
	ldns_rr_list **zones; /* by index of topology->zones: what will be written; NULL: the plan's zone as it is */
	struct tree_files *files;
	ldns_rr_list **secure_entry; /* DNSKEYs of signed zones that a DS at the parent names; NULL: not signed */
};

/* Name with a trailing dot, in arena: "." stays ".". */
const char *tree_fqdn(const struct tree *tree, const char *name);
/* Appends one record given as zone file text, unless the list has it already. */
int tree_add(ldns_rr_list *list, struct err *err, const char *fmt, ...) PRINTF(3, 4);
/* Takes rr over; a duplicate is freed. */
int tree_push(ldns_rr_list *list, ldns_rr *rr, struct err *err);
/* Whether the list has a record of that type (0: any) at name. */
bool tree_has(const ldns_rr_list *list, const char *name, ldns_rr_type type);
/* Whether name is zone or below it. Without regard to case or a trailing dot. */
bool tree_is_below(const char *name, const char *zone);
/* The records of a zone: those being built, or the plan's own. Borrowed. */
const ldns_rr_list *tree_records(const struct tree *tree, size_t zone);
/* The nameserver, root or TLD server that bears a DNS name, or NULL. */
const struct topo_host *tree_bearer(const struct topology *topology, const char *hostname);
/* Appends A and AAAA records of the host's name. */
int tree_add_addresses(const struct tree *tree, ldns_rr_list *list, const struct topo_host *host, unsigned ttl,
		       struct err *err);

/* Puts the child's delegation into its parent's records: NS, glue, DS; or the plan's own text. */
int tree_delegate(struct tree *tree, size_t child, size_t parent, struct err *err);
/* Parses delegation text into list, with the parent's name as origin; the error has the place of the text. */
int tree_parse_delegation(const struct zone_spec *spec, const char *parent, ldns_rr_list *list, struct err *err);

/* Signs zone i as its `sign:` says, with fresh keys, and writes it to path and to what the files of its servers shall be; tree->secure_entry[i]: the DNSKEYs
 * that DS records name. */
int tree_write_signed(struct tree *tree, size_t i, const char *path, struct err *err);
int tree_write_plain(const ldns_rr_list *rrs, const char *path, struct err *err);
