/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers with units, as people write them in plans, to and from integers.
 *
 *   duration  "250ms" "1.5s" "10m" "24h" "7d" "1h30m"   → nanoseconds
 *   share     "30%" "0.5%"                              → parts per million
 *   size      "512B" "4KiB" "2MiB"                      → bytes
 *   rate      "100/s" "5000/s", "1Mbit/s" "64kbit/s"    → events (or bits) per second
 *
 * A bare "0" is accepted nowhere: the unit is part of the number. The parsers return 0, -EINVAL (no such number or unit: the
 * caller shows units_hint()), or -ERANGE (does not fit 63 bits); *ret is set only on success. Negative numbers are -EINVAL.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int units_parse_duration(const char *text, int64_t *ret_ns);
int units_parse_share(const char *text, int64_t *ret_ppm);
int units_parse_size(const char *text, int64_t *ret_bytes);
int units_parse_rate(const char *text, int64_t *ret_per_s);
/* A moment in UTC as RFC 3339 writes it, "2026-11-21T00:00:00Z", seconds may be left out, and the time of day too: seconds since 1970. Years 1970 to 2100. */
int units_parse_date(const char *text, int64_t *ret_s);

/* The shortest exact spelling that the parsers read back, e.g. 1500000000 → "1.5s". Returns buf. 32 bytes are always enough. */
const char *units_format_duration(int64_t ns, char *buf, size_t size);
const char *units_format_share(int64_t ppm, char *buf, size_t size);
const char *units_format_size(int64_t bytes, char *buf, size_t size);
const char *units_format_rate(int64_t per_s, char *buf, size_t size);

/* part of whole (0 ≤ part ≤ whole, whole > 0) in parts per million, rounded down. */
int64_t units_share_ppm(int64_t part, int64_t whole);
/* Whether that rounded anything away. */
bool units_share_is_more(int64_t part, int64_t whole);

/* For people reading a result: a duration with three significant digits at most, "1.53 s", "842 ms", "0.31 ms", "4 min 10 s". */
const char *units_human_duration(int64_t ns, char *buf, size_t size);
