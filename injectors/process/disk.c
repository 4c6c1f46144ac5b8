/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/process/disk.h"

#include <errno.h>

static int change(const struct disk *disk, struct injector *injector, struct injector_ctx *ctx,
		  struct injector_server *server, bool on, struct err *err)
{
	struct server_process *process = servers_process(ctx, server);
	int r;

	if (!process)
		return err_set(err, -ESRCH, server->loc, "%s is not in the lab", server->host);
	if (!on && !server->mark.is_held)
		return 0;
	r = on ? servers_hold(injector, process, server, err) : 0;
	if (!r)
		r = disk->change(injector, server_process_host(process), on, err);
	if (!r && !on)
		r = servers_release(injector, process, server, err);
	return r ? err_wrap(err, "%s", server->host) : 0;
}

int disk_apply(const struct disk *disk, struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < injector->server_count; i++)
		r = change(disk, injector, ctx, &injector->servers[i], true, err);
	return r;
}

int disk_revert(const struct disk *disk, struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	int first = 0;

	for (size_t i = injector->server_count; i-- > 0;) {
		struct err one = {0};
		int r = change(disk, injector, ctx, &injector->servers[i], false, &one);

		if (r && !first) {
			first = r;
			*err = one;
		}
	}
	return first;
}
