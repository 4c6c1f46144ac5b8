/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill: the server is sent a signal that ends it, and is not there until the fault ends or, as under a supervisor, for a time. The host is: what is sent to
 * it is refused (port unreachable, a reset), which is another failure than silence.
 */
#include <signal.h>

#include "harness/base/units.h"
#include "injectors/process/servers.h"

struct kill {
	struct injector injector;
	int64_t signal; /* of names */
	int64_t start_after_ns;
};

static const char *const names[] = {"KILL", "TERM", "INT", "QUIT", "ABRT", "SEGV", NULL};
static const int numbers[] = {SIGKILL, SIGTERM, SIGINT, SIGQUIT, SIGABRT, SIGSEGV};

static const struct param params[] = {
	P_ENUM(struct kill, signal, "signal", names, 0, "what all of its processes are sent"),
	P_DURATION(struct kill, start_after_ns, "start_after", 0, 24 * 60 * 60 * SEC, PARAM_UNSET,
		   "how long after its end it is started again, as a supervisor does; by default when the fault ends"),
	PARAM_END,
};

static const struct kill *kill_of(const struct injector *injector)
{
	return (const struct kill *)injector;
}

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct kill *fault = kill_of(injector);

	if (fault->start_after_ns != PARAM_UNSET && injector->for_ns != PARAM_UNSET &&
	    fault->start_after_ns >= injector->for_ns)
		errs_add(errs, injector->loc,
			 "start_after: the fault ends before, and starts it then; shorten start_after:, or leave it "
			 "out");
}

static int end_one(struct injector *injector, struct server_process *process, struct injector_server *server,
		   struct err *err)
{
	const struct kill *fault = kill_of(injector);
	const struct server_start start = {.delay_ns = fault->start_after_ns, .patience_ns = injector->for_ns};
	int r = servers_hold(injector, process, server, err);

	if (!r)
		r = server_process_signal(process, numbers[fault->signal], err);
	if (!r && fault->start_after_ns != PARAM_UNSET)
		r = server_process_start(process, &start, err);
	return r;
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_each(injector, ctx, end_one, err);
}

/* One that would not go for a milder signal is ended for good first: it may be half-way. */
static int start_one(struct injector *injector, struct server_process *process, struct injector_server *server,
		     struct err *err)
{
	if (server->mark.is_held && server_process_pid(process) == server->mark.pid) {
		int r = server_process_signal(process, SIGKILL, err);

		if (r)
			return r;
	}
	return servers_release(injector, process, server, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_undo(injector, ctx, start_one, err);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		bool ended = process && server->mark.is_held && server_process_pid(process) != server->mark.pid;
		bool runs = ended && server_process_pid(process) > 0;

		servers_prove(ret, ended, "%s of %s %s", server->software->program, server->host,
			      !ended ? "still runs"
			      : runs ? "ended, and was started again"
				     : "ended");
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct kill *fault = kill_of(injector);
	char text[32];

	buf_puts(out, "ends ");
	servers_list(injector, out);
	buf_printf(out, " with SIG%s", names[fault->signal]);
	if (fault->start_after_ns != PARAM_UNSET)
		buf_printf(out, "; it is started again %s later",
			   units_format_duration(fault->start_after_ns, text, sizeof(text)));
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	char line[96];

	snprintf(line, sizeof(line), "pkill -%s -x %%s", names[kill_of(injector)->signal]);
	servers_commands(injector, to_apply, line);
	servers_units(injector, to_revert, "systemctl start %s");
}

const struct injector_ops kill_ops = {
	.kind = "kill",
	.summary = "the server ends by a signal and is not there",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct kill),
	.validate = validate,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
