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

/* Whether they make sense over UDP only, over TCP only. */
bool rule_needs_udp(const struct rule_do *todo);
bool rule_needs_tcp(const struct rule_do *todo);

/* Whether the client's connection ends, or falls silent, instead of an answer. */
bool rule_breaks_connection(const struct rule_do *todo);

/* rule_tls.c, rule_http.c: the same for the keys below tls: and http:. has_message_keys: do: has keys for messages too. */
void rule_check_tls(const struct rule *rule, bool has_message_keys, struct errs *errs);
void rule_check_http(const struct rule *rule, struct errs *errs);
bool rule_has_tls(const struct rule_do *todo);
bool rule_has_http(const struct rule_do *todo);
/* Whether match wants something that only a message has. */
bool rule_wants_message(const struct rule_match *match);
/* Words to numbers. */
void rule_prepare_transfer(struct rule_transfer *transfer, struct arena *arena, struct errs *errs);
void rule_prepare_http(struct rule_http *http, struct errs *errs);

/* Whether the query itself is dropped. */
bool rule_drops_query(const struct rule_do *todo);
