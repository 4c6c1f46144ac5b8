/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * broken-reload: a configuration that does not parse is put in place and the server told to read it, as by a bad deployment; in the end the good one is put back and read. Most software
 * refuses and serves on; some ends, and is then started with the good one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "harness/api/control.h"
#include "harness/base/fd.h"
#include "injectors/process/servers.h"

#define RELOAD_NS (10 * SEC)
static const char broken[] = "\n}}} this does not parse {{{\n"; /* in none of their languages */

struct broken_reload {
	struct injector injector;
	bool hup;
};

static const struct param params[] = {
	P_BOOL(struct broken_reload, hup, "hup", false,
	       "tell it by SIGHUP, as units of some distributions do, and not by its control channel"),
	PARAM_END,
};

/* Of a server that was sent a signal only its log tells. */
static const char *const complaints[] = {"syntax error",   "parsing failed", "parse", "invalid",
					 "could not read", "failed",         NULL};

enum { RELOAD_UNKNOWN, RELOAD_REFUSED, RELOAD_TAKEN }; /* server_mark.count */

static void validate(const struct injector *injector, struct errs *errs)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];

		if (!server->software->config || !(server->software->verbs & SERVER_CAN(RELOAD)))
			errs_add(errs, server->loc,
				 "broken-reload: %s of %s does not read its configuration again while it runs; take a "
				 "server that does (bind, knot, nsd, unbound)",
				 server->software->program, server->host);
	}
}

static int reload(void *arg, struct job_report *report)
{
	return control_verb(arg, SERVER_RELOAD, NULL, report);
}

static void take_broken(void *arg, const struct job_end *end)
{
	struct server_mark *mark = arg;

	mark->count = end->ok ? RELOAD_TAKEN : RELOAD_REFUSED;
}

/* One that cannot even be told of the good one has to be started again. */
static void take_mended(void *arg, const struct job_end *end)
{
	static const struct server_start start = {0};
	struct server_process *process = arg;
	struct err err;

	if (end->ok || server_process_pid(process) < 0)
		return;
	if (!server_process_signal(process, SIGTERM, &err))
		server_process_start(process, &start, &err);
}

static int tell(const struct injector_ctx *ctx, struct server_process *process,
		void (*done)(void *arg, const struct job_end *end), void *arg, struct err *err)
{
	const struct host_job job = {
		.host = server_process_host(process),
		.run = reload,
		.arg = process,
		.timeout_ns = RELOAD_NS,
		.done = done,
		.done_arg = arg,
	};

	if (!ctx->control)
		return err_set(err, -EOPNOTSUPP, LOC_NONE, "servers cannot be told anything here");
	return job_start(ctx->control->jobs, &job, err);
}

static int spoil(const struct server_process *process, struct err *err)
{
	char path[PATH_MAX];
	CLEANUP_CLOSE int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/%s", server_process_spec(process)->dir,
		 server_process_software(process)->config);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_write_all(fd, broken, sizeof(broken) - 1);
	return r ? err_set(err, r, LOC_NONE, "cannot write %s: %s", path, strerror(-r)) : 0;
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < injector->server_count; i++) {
		struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);

		r = process ? servers_hold(injector, process, server, err)
			    : err_set(err, -ESRCH, server->loc, "it is not in the lab");
		if (!r)
			r = spoil(process, err);
		if (!r && ((const struct broken_reload *)injector)->hup)
			kill(server_process_pid(process), SIGHUP);
		else if (!r)
			r = tell(ctx, process, take_broken, &server->mark, err);
		if (r)
			err_wrap(err, "%s", server->host);
	}
	return r;
}

static int mend(struct injector *injector, const struct injector_ctx *ctx, struct injector_server *server,
		struct err *err)
{
	struct server_process *process = servers_process(ctx, server);
	int r;

	if (!process || !server->mark.is_held)
		return 0;
	r = server_process_configure(process, NULL, err);
	if (!r && server_process_pid(process) > 0)
		r = tell(ctx, process, take_mended, process, err);
	return r ? r : servers_release(injector, process, server, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	int first = 0;

	for (size_t i = injector->server_count; i-- > 0;) {
		struct err one = {0};
		int r = mend(injector, ctx, &injector->servers[i], &one);

		if (r && !first) {
			first = r;
			*err = one;
			err_wrap(err, "%s", injector->servers[i].host);
		}
	}
	return first;
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	if (((const struct broken_reload *)injector)->hup)
		return servers_prove_by_log(injector, ctx, complaints, ret);
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		bool ended = process && server->mark.is_held && server_process_crashes(process) > server->mark.crashes;
		bool refused = server->mark.is_held && server->mark.count == RELOAD_REFUSED;

		servers_prove(ret, ended || refused, "%s of %s %s", server->software->program, server->host,
			      ended                                ? "ended when told to read it"
			      : refused                            ? "refused it"
			      : server->mark.count == RELOAD_TAKEN ? "noticed nothing"
								   : "has not said what came of it");
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	buf_puts(out, "has a configuration that does not parse read by ");
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		const char *config = server->software->config, *unit = server->software->unit;

		buf_printf(to_apply,
			   "ssh root@%s 'cp -a /etc/%s /root/ && echo }}} >>/etc/%s && systemctl reload %s'\n",
			   server->host, config, config, unit);
		buf_printf(to_revert, "ssh root@%s 'mv /root/%s /etc/ && systemctl reload-or-restart %s'\n",
			   server->host, config, unit);
	}
}

const struct injector_ops broken_reload_ops = {
	.kind = "broken-reload",
	.summary = "the server is told to read a configuration that does not parse",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct broken_reload),
	.validate = validate,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
