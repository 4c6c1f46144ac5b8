/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encrypted transports of DNS: what servers of a lab can answer on besides UDP and TCP.
 */
#pragma once

#define DNS_PORT 53
#define DOT_PORT 853 /* RFC 7858 section 3.1 */
#define DOH_PORT 443
#define DOH_PATH "/dns-query" /* RFC 8484 leaves it open; its examples and everybody use this one */

/* Bits of a set, in the order of encrypted_choices (plan/tables.c). */
enum encrypted { ENCRYPTED_DOT = 1, ENCRYPTED_DOH = 2 };
