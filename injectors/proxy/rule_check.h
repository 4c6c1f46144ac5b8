/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What in one rule contradicts itself or can never happen.
 */
#pragma once
#include "injectors/proxy/rule.h"

/* Adds every error it finds. After the words have become numbers. */
void rule_check(const struct rule *rule, struct errs *errs);

/* Whether the actions make sense for queries with an OPT record only (RFC 6891 section 7: no OPT in an answer to a query without). */
bool rule_needs_edns(const struct rule_do *todo);

/* rule_tls.c, rule_http.c: the same for the keys below tls: and http:. has_message_keys: do: has keys for messages too. */
void rule_check_tls(const struct rule *rule, bool has_message_keys, struct errs *errs);
void rule_check_http(const struct rule *rule, struct errs *errs);
bool rule_has_tls(const struct rule_do *todo);
bool rule_has_http(const struct rule_do *todo);
/* Words to numbers. */
void rule_prepare_http(struct rule_http *http, struct errs *errs);

/* Whether the query itself is dropped. */
bool rule_drops_query(const struct rule_do *todo);
