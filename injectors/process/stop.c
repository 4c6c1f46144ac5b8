/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stop: all processes of the server are stopped and go on when the fault ends (SIGSTOP, SIGCONT). Its sockets stay open: the kernel takes datagrams and
 * connections for it until their queues are full, and what is in them is answered late.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "injectors/process/servers.h"

static int stop_one(struct injector *injector UNUSED, struct server_process *process, struct injector_server *server,
		    struct err *err)
{
	if (server_process_pid(process) < 0)
		return err_set(err, -ESRCH, server->loc, "%s does not run: another fault or step has ended it",
			       server->software->program);
	return server_process_signal(process, SIGSTOP, err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_each(injector, ctx, stop_one, err);
}

static int continue_one(struct injector *injector UNUSED, struct server_process *process,
			struct injector_server *server UNUSED, struct err *err)
{
	return server_process_signal(process, SIGCONT, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_undo(injector, ctx, continue_one, err);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		struct servers_state state;
		int r = servers_state(process ? server_process_pid(process) : -1, &state);

		if (r)
			return err_set(err, r, LOC_NONE, "reading /proc: %s", strerror(-r));
		servers_prove(ret, state.processes && state.stopped == state.processes,
			      "%zu of %zu processes of %s (%s) stopped", state.stopped, state.processes, server->host,
			      server->software->program);
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	buf_puts(out, "stops every process of ");
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	servers_commands(injector, to_apply, "pkill -STOP -x %s");
	servers_commands(injector, to_revert, "pkill -CONT -x %s");
}

const struct injector_ops stop_ops = {
	.kind = "stop",
	.summary = "the server is stopped in the middle of whatever it does, and goes on later",
	.hits = INJECTOR_HITS_SERVERS,
	.size = sizeof(struct injector),
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
