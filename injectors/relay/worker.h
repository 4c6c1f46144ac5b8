/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the relay's two processes know of each other: memory they share, and what is said over the socket between them.
 */
#pragma once
#include "injectors/relay/relay.h"
#include <net/if.h>
#include <stdatomic.h>

#define SHAPE_WORDS (sizeof(struct shape) / sizeof(int64_t))

/* The maker writes the shape, the worker the counters. */
struct relay_shared {
	_Atomic uint32_t version; /* of the shape; odd while it is being written */
	_Atomic int64_t words[SHAPE_WORDS];
	_Atomic int64_t packets[RELAY_COUNTS], bytes[RELAY_COUNTS];
	_Atomic int64_t delay_sum_ns, delay_count;
};

enum order_kind { ORDER_ATTACH, ORDER_BEGIN, ORDER_FLUSH, ORDER_STOP };

/* Each is answered by a struct err. So is the start, with the namespace's descriptor. */
struct order {
	enum order_kind kind;
	char in[IF_NAMESIZE], out[IF_NAMESIZE]; /* of ORDER_ATTACH */
	uint64_t seed; /* of ORDER_BEGIN */
};

/* The worker's whole life, in a process just forked. */
_Noreturn void worker_run(int ctl_fd, struct relay_shared *shared);
