/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the inline proxy's process. Its first answer, with the descriptor of its network namespace, says that it is there; the second, to the one order, that
 * it serves. It ends when the other end of ctl_fd is closed.
 */
#pragma once
#include "harness/base/err.h"
#include "injectors/proxy/proxy.h"

struct inline_shared {
	struct proxy_losses losses;
	size_t count;
	struct rule rules[];
};

struct inline_order {
	char in[16], out[16];
	unsigned char back[6];
};

struct inline_start;
_Noreturn void inline_child_run(int ctl_fd, struct inline_shared *shared, const struct inline_start *start);
