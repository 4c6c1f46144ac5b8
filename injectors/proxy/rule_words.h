/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of rules as numbers: RCODEs, opcodes, types, classes, prefixes, patterns of names. Each returns 0 or -EINVAL.
 */
#pragma once
#include "injectors/proxy/rule.h"

int rule_word_rcode(const char *text, uint16_t *ret);
int rule_word_opcode(const char *text, uint16_t *ret);
int rule_word_type(const char *text, uint16_t *ret);
int rule_word_class(const char *text, uint16_t *ret);

/* "192.0.2.0/24", "2001:db8::1". Bits after the prefix must be 0. */
int rule_word_prefix(const char *text, struct rule_prefix *ret);

/* A record in the presentation format of zone files, in one line; without a TTL, 300 s. An owner "@" is the name asked for. Data is in arena. After an error why says what is wrong. */
int rule_word_record(const char *text, struct arena *arena, struct rule_record *ret, char *why, size_t why_size);

/* After an error why says what is wrong. After success with RULE_QNAME_REGEX, ret->regex is owned by the caller. */
int rule_word_qname(const char *text, struct rule_qname *ret, char *why, size_t why_size);
