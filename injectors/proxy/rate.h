/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many messages each client network has had in this second, as servers that limit rates count them. A table of fixed size: of two networks that fall on the same
 * place, the later one begins anew, so that it errs on the side of letting pass. Counted from any thread; the time is handed in.
 */
#pragma once
#include "harness/base/address.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RATE_SLOTS 4096

struct rate {
	_Atomic uint64_t slots[RATE_SLOTS]; /* of a network: 24 bits of its hash, 16 of the second, 24 of the count */
};

/* Counts one more and says whether it is above per_second. Networks: IPv4 /24, IPv6 /56. */
bool rate_is_above(struct rate *rate, const struct address *client, int64_t now_ns, int64_t per_second);
