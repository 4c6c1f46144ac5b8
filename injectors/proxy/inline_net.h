/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network namespace of the inline proxy: every address is its own, and what it sends, from whatever address, leaves by one link.
 */
#pragma once
#include "harness/base/err.h"
#include <stdbool.h>

/* What holds for the namespace and for links that come. In the namespace, which has none yet. */
int inline_net_prepare(struct err *err);
/* Leads packets in by the link `in`, and out by `out` to the MAC address back. *ret_has_ipv6: whether the kernel has it. */
int inline_net_attach(const char *in, const char *out, const unsigned char back[6], bool *ret_has_ipv6,
		      struct err *err);
