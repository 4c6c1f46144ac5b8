/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What disk-full and disk-read-only share: a server that cannot write below its own directory. It shows when it tries to: in its log, which is not on that disk, or in its end.
 */
#pragma once
#include "injectors/process/servers.h"

struct disk {
	int (*change)(const struct injector *injector, struct host *host, bool on, struct err *err);
	const char *const *complaints;
};

int disk_apply(const struct disk *disk, struct injector *injector, struct injector_ctx *ctx, struct err *err);
int disk_revert(const struct disk *disk, struct injector *injector, struct injector_ctx *ctx, struct err *err);
