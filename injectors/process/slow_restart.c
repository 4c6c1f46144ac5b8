/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slow-restart: the server is told to end and is started again, slowly: it stays away for a time (a long start, a supervisor's back-off, a person). What it had in memory is lost.
 */
#include <signal.h>

#include "harness/base/units.h"
#include "injectors/process/servers.h"

struct slow_restart {
	struct injector injector;
	int64_t down_ns;
};

static const struct param params[] = {
	P_DURATION(struct slow_restart, down_ns, "down", 0, 24 * 60 * 60 * SEC, 0,
		   "from its end until it is started; by default it is started at once"),
	PARAM_END,
};

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct slow_restart *fault = (const struct slow_restart *)injector;

	if (injector->for_ns != PARAM_UNSET && fault->down_ns >= injector->for_ns)
		errs_add(errs, injector->loc,
			 "down: the fault ends before, and starts the server then; shorten down:, or lengthen for:");
}

static int restart_one(struct injector *injector, struct server_process *process, struct injector_server *server,
		       struct err *err)
{
	const struct server_start start = {.delay_ns = ((const struct slow_restart *)injector)->down_ns};
	int r = servers_hold(injector, process, server, err);

	if (!r)
		r = server_process_signal(process, SIGTERM, err);
	return r ? r : server_process_start(process, &start, err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_each(injector, ctx, restart_one, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_undo(injector, ctx, servers_release, err);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		bool ended = process && server->mark.is_held && server_process_pid(process) != server->mark.pid;
		const char *then = !ended                                 ? "has not ended"
				   : server_process_has_answered(process) ? "ended, was started and answered"
				   : server_process_pid(process) > 0 ? "ended and was started, but has not answered"
								     : "ended, and does not run";

		servers_prove(ret, ended, "%s of %s %s", server->software->program, server->host, then);
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct slow_restart *fault = (const struct slow_restart *)injector;
	char text[32];

	buf_puts(out, "restarts ");
	servers_list(injector, out);
	if (fault->down_ns)
		buf_printf(out, ", each away for %s", units_format_duration(fault->down_ns, text, sizeof(text)));
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	const struct slow_restart *fault = (const struct slow_restart *)injector;
	char line[96];

	snprintf(line, sizeof(line), "'systemctl stop %%s && sleep %.3f && systemctl start %%s' &",
		 (double)fault->down_ns / SEC);
	servers_units(injector, to_apply, line);
	servers_units(injector, to_revert, "systemctl start %s");
}

const struct injector_ops slow_restart_ops = {
	.kind = "slow-restart",
	.summary = "the server ends as it should and is started again, slowly",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct slow_restart),
	.validate = validate,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
