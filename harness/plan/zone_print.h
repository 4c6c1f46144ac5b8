/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records to master file text (RFC 1035 section 5.1): one a line, every name absolute, TTL and class said, no comments, as ldns
 * writes them.
 */
#pragma once
#include "harness/base/buf.h"
#include <ldns/ldns.h>
#include <stdio.h>

/* Appends a line; out->failed if there is no memory, or a record that cannot be written. */
void zone_print_rr(const ldns_rr *rr, struct buf *out);

/* Records one by one into a file. Zero-initialise but for out, which is borrowed; zone_printer_fini frees. */
struct zone_printer {
	FILE *out;
	struct buf line;
};
/* 0 or a negative errno. printer: void so that it can be handed to those who make records (dnssec_take_fn). */
int zone_printer_take(void *printer, const ldns_rr *rr);
void zone_printer_fini(struct zone_printer *printer);

/* All of a list. 0, or a negative errno: nothing says what of it was written. */
int zone_print(const ldns_rr_list *rrs, FILE *out);
