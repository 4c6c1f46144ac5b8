/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records to master file text (RFC 1035 section 5.1): one a line, every name absolute, TTL and class said, no comments. The same text as ldns prints, which takes a
 * printf for each byte of a name; here that is only for what is not plain.
 */
#pragma once
#include "harness/base/buf.h"
#include <ldns/ldns.h>
#include <stdio.h>

/* Appends a line; out->failed if there is no memory, or a record that cannot be written. */
void zone_print_rr(const ldns_rr *rr, struct buf *out);
/* 0, or a negative errno: nothing says what of it was written. */
int zone_print(const ldns_rr_list *rrs, FILE *out);
