/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fault dns as commands: for each server it hits a dnsdrill proxy on the router, and the nft rules that lead there. Pure.
 */
#pragma once
#include "harness/api/injector.h"
#include "injectors/proxy/rule.h"

/* Whether a message over that transport could match. */
bool dns_wants(const struct rule_match *match, enum rule_transport transport);

/* rule: as YAML, in one line. */
void dns_commands(const struct injector *injector, const struct rule_match *match, const char *rule,
		  struct buf *to_apply, struct buf *to_revert);
