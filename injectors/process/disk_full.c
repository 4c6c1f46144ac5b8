/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-full: the server's directory has no room left (ENOSPC): zone files, journals, transfers and state cannot be written. Its directory is a small file system of its own in such a lab.
 */
#include "harness/base/units.h"
#include "injectors/process/disk.h"

#define SPARE_MAX (32 * 1024 * 1024)

struct disk_full {
	struct injector injector;
	int64_t spare_bytes;
};

static const struct param params[] = {
	P_SIZE(struct disk_full, spare_bytes, "spare", 0, SPARE_MAX, 0, "how much may still be written"),
	PARAM_END,
};

static const char *const complaints[] = {"no space left",  "disk full", "disc full", "out of space",
					 "quota exceeded", "ENOSPC",    NULL};

static int change(const struct injector *injector, struct host *host, bool on, struct err *err)
{
	return host_disk_limit(host, on ? ((const struct disk_full *)injector)->spare_bytes : -1, err);
}

static const struct disk disk = {change, complaints};

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return disk_apply(&disk, injector, ctx, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return disk_revert(&disk, injector, ctx, err);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	return servers_prove_by_log(injector, ctx, complaints, ret);
}

static void sentence(const struct injector *injector, struct buf *out)
{
	int64_t spare = ((const struct disk_full *)injector)->spare_bytes;
	char text[32];

	buf_printf(out, "leaves %s on the disk of ", spare ? units_format_size(spare, text, sizeof(text)) : "no room");
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	int64_t spare = ((const struct disk_full *)injector)->spare_bytes;
	char line[192];

	snprintf(line, sizeof(line),
		 "'d=/var/lib; fallocate -l $(($(df --output=avail -B1 $d | tail -1) - %lld)) $d/dnsdrill.fill'",
		 (long long)spare);
	servers_commands(injector, to_apply, line);
	servers_commands(injector, to_revert, "rm -f /var/lib/dnsdrill.fill");
}

const struct injector_ops disk_full_ops = {
	.kind = "disk-full",
	.summary = "the server's directory has no room left",
	.hits = INJECTOR_HITS_SERVERS,
	.demands = INJECTOR_DEMANDS_DISK,
	.params = params,
	.size = sizeof(struct disk_full),
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
