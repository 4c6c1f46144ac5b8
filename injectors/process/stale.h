/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What root-hints and trust-anchor share: a resolver that is restarted with an old file in place of the right one, and back. A restart empties its cache, each time. That the
 * file was read is the kernel's word: its access time.
 */
#pragma once
#include "injectors/process/servers.h"

struct stale {
	const char *file; /* its name in the server's directory */
	/* Appends what the file says. */
	int (*content)(const struct injector *injector, struct buf *out, struct err *err);
	/* Makes the spec name the file. */
	void (*use)(struct server_spec *spec, const char *path);
};

/* Refuses what is not a resolver that iterates. */
void stale_validate(const struct injector *injector, struct errs *errs);
int stale_apply(const struct stale *stale, struct injector *injector, struct injector_ctx *ctx, struct err *err);
int stale_revert(const struct stale *stale, struct injector *injector, struct injector_ctx *ctx, struct err *err);
int stale_effect(const struct stale *stale, struct injector *injector, struct injector_ctx *ctx, struct effect *ret);
