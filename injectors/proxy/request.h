/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the control socket's requests do.
 */
#pragma once
#include "harness/base/buf.h"
#include "injectors/proxy/proxy.h"

struct control_state {
	struct proxy *proxy;
	struct ruleset *rules; /* in force; a reference */
};

/* One line without its end → an answer with its end, appended to out. */
void request_handle(struct control_state *state, const char *line, size_t len, struct buf *out);
