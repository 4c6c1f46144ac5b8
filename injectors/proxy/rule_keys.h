/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of `do` by what they do. Each function returns how many of its group are given, and adds their names to ret_names, between commas.
 */
#pragma once
#include "harness/base/buf.h"
#include "injectors/proxy/rule.h"

unsigned rule_keys_whole(const struct rule_do *todo, struct buf *ret_names); /* say what the whole answer becomes */
unsigned rule_keys_records(const struct rule_do *todo, struct buf *ret_names); /* change records the server sent */
unsigned rule_keys_other(const struct rule_do *todo, struct buf *ret_names); /* change whatever answer there is */
unsigned rule_keys_time(const struct rule_do *todo, struct buf *ret_names);
unsigned rule_keys_query(const struct rule_do *todo, struct buf *ret_names); /* change the query */
unsigned rule_keys_udp(const struct rule_do *todo, struct buf *ret_names); /* for UDP only; also in other groups */
unsigned rule_keys_tcp(const struct rule_do *todo, struct buf *ret_names); /* for TCP only; but for tcp itself */
unsigned rule_keys_options(const struct rule_do *todo,
			   struct buf *ret_names); /* need an OPT record in the answer; in other */
