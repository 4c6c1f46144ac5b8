/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-read-only: the server's directory can only be read (EROFS), as after an error of the file system. Files that it has open for writing go on, as do those it names relative to
 * its working directory.
 */
#include "injectors/process/disk.h"

static const char *const complaints[] = {"read-only file system", "EROFS", NULL};

static int change(const struct injector *injector UNUSED, struct host *host, bool on, struct err *err)
{
	return host_disk_read_only(host, on, err);
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
	buf_puts(out, "makes read-only the directory of ");
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	servers_commands(injector, to_apply, "'mount --bind /var/lib /var/lib && mount -o remount,bind,ro /var/lib'");
	servers_commands(injector, to_revert, "umount -l /var/lib");
}

const struct injector_ops disk_read_only_ops = {
	.kind = "disk-read-only",
	.summary = "the server's directory can only be read",
	.hits = INJECTOR_HITS_SERVERS,
	.size = sizeof(struct injector),
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
