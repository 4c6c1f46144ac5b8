/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the bytes of a master file to its entries: one record or directive, with comments and parentheses taken out. Of use inside zone_reader.c.
 */
#pragma once
#include "harness/plan/zone_reader.h"

/* 1 with the next entry that is not blank in reader->entry and its line in reader->line; 0 at the end; -EINVAL with err: reading can go on after it. */
int zone_entry_next(struct zone_reader *reader, struct err *err);
