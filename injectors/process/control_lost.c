/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control-lost: nobody can tell the server anything any more, while it serves on: the Unix socket of its control channel is gone from its place (as when /run is tidied up), or, where the channel is a TCP
 * port (named's), connections to it are refused. Its own control tool finds out, at once and again when the fault has ended.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/api/control.h"
#include "injectors/process/servers.h"

#define ASK_NS (10 * SEC)
#define SERVERS_MAX 64

/* One server's channel. */
struct channel {
	struct control_lost *fault;
	struct injector_server *server;
	bool is_lost;
	enum { ASKED_UNKNOWN, ASKED_FAILED, ASKED_ANSWERED } asked; /* since it was lost */
	char said[160]; /* by the control tool then */
};

struct control_lost {
	struct injector injector;
	struct injector_ctx *ctx; /* once it was applied */
	struct channel channels[SERVERS_MAX]; /* by index of injector.servers */
};

static void validate(const struct injector *injector, struct errs *errs)
{
	if (injector->server_count > SERVERS_MAX)
		errs_add(errs, injector->loc, "control-lost: at most %d servers at once", SERVERS_MAX);
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];

		if (!server->software->control_socket && !server->software->control_port)
			errs_add(errs, server->loc,
				 "control-lost: %s of %s has no control channel to lose; take a server that has (bind, "
				 "knot, nsd, powerdns, unbound, powerdns-recursor, knot-resolver)",
				 server->software->program, server->host);
	}
}

static int available(const struct injector *injector, const struct abilities *abilities, struct err *err)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		char who[160];
		int r;

		snprintf(who, sizeof(who), "control-lost of %s", server->software->program);
		r = server->software->control_port
			    ? ability_demand(abilities, ABILITY_NFT_REJECT, server->loc, who, NULL, err)
			    : 0;
		if (r)
			return r;
	}
	return 0;
}

static void paths_of(const struct server_process *process, char *socket, char *away, size_t size)
{
	snprintf(socket, size, "%s/%s", server_process_spec(process)->dir,
		 server_process_software(process)->control_socket);
	snprintf(away, size, "%s/.%s.lost", server_process_spec(process)->dir,
		 server_process_software(process)->control_socket);
}

static int lose(const struct server_process *process, struct err *err)
{
	char socket[PATH_MAX], away[PATH_MAX];

	if (server_process_software(process)->control_port)
		return host_port_refuse(server_process_host(process), server_process_software(process)->control_port,
					true, err);
	paths_of(process, socket, away, sizeof(socket));
	return rename(socket, away) ? err_set(err, -errno, LOC_NONE, "moving %s away: %s", socket, strerror(errno)) : 0;
}

/* A server that was started again meanwhile has made a socket of its own: the old one is nobody's then. */
static int give_back(const struct server_process *process, struct err *err)
{
	char socket[PATH_MAX], away[PATH_MAX];

	if (server_process_software(process)->control_port)
		return host_port_refuse(server_process_host(process), server_process_software(process)->control_port,
					false, err);
	paths_of(process, socket, away, sizeof(socket));
	if ((access(socket, F_OK) ? rename(away, socket) : unlink(away)) && errno != ENOENT)
		return err_set(err, -errno, LOC_NONE, "moving %s back: %s", socket, strerror(errno));
	return 0;
}

static struct server_process *process_of(const struct channel *channel)
{
	return servers_process(channel->fault->ctx, channel->server);
}

static int ask(void *arg, struct job_report *report)
{
	return control_verb(process_of(arg), SERVER_STATUS, NULL, report);
}

static int start_asking(struct channel *channel, void (*done)(void *arg, const struct job_end *end), struct err *err)
{
	const struct control *control = channel->fault->ctx->control;
	const struct host_job job = {
		.host = server_process_host(process_of(channel)),
		.run = ask,
		.arg = channel,
		.timeout_ns = ASK_NS,
		.done = done,
		.done_arg = channel,
	};

	if (!control)
		return err_set(err, -EOPNOTSUPP, LOC_NONE, "servers cannot be asked anything here");
	return job_start(control->jobs, &job, err);
}

/* The first line of it, without the lab's own directory in it. */
static void take_words(const char *text, const char *dir, char *ret, size_t size)
{
	const char *at = strstr(text, dir), *rest = at ? at + strlen(dir) : text;
	int len = (int)strcspn(rest, "\n");

	if (at && *rest == '/')
		snprintf(ret, size, "%.*s%.*s", (int)(at - text), text, len - 1, rest + 1);
	else
		snprintf(ret, size, "%.*s", (int)strcspn(text, "\n"), text);
}

static void asked_lost(void *arg, const struct job_end *end)
{
	struct channel *channel = arg;

	if (!channel->is_lost)
		return; /* the answer came too late to say anything */
	channel->asked = end->ok ? ASKED_ANSWERED : ASKED_FAILED;
	take_words(end->report.text, server_process_spec(process_of(channel))->dir, channel->said,
		   sizeof(channel->said));
}

/* The channel that does not work again is a fault that was not undone, unless it is lost again or the server gone. */
static void asked_back(void *arg, const struct job_end *end)
{
	const struct channel *channel = arg;
	const struct control_lost *fault = channel->fault;
	struct err err = {0};

	if (end->ok || channel->is_lost || server_process_pid(process_of(channel)) < 0)
		return;
	err_set(&err, -EIO, channel->server->loc, "%s cannot be told anything again: %s", channel->server->host,
		end->report.text);
	fault->ctx->failed(fault->ctx->failed_arg, &fault->injector, "revert", &err);
}

static int apply_one(struct channel *channel, struct err *err)
{
	const struct server_process *process = process_of(channel);
	int r;

	if (!process || server_process_pid(process) < 0)
		return err_set(err, -ESRCH, channel->server->loc, "%s does not run: another fault or step has ended it",
			       channel->server->software->program);
	channel->asked = ASKED_UNKNOWN;
	channel->is_lost = true; /* before it is: half-done is undone, too */
	r = lose(process, err);
	return r ? r : start_asking(channel, asked_lost, err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct control_lost *fault = (struct control_lost *)injector;
	int r = 0;

	fault->ctx = ctx;
	for (size_t i = 0; !r && i < injector->server_count; i++) {
		fault->channels[i].fault = fault;
		fault->channels[i].server = &injector->servers[i];
		r = apply_one(&fault->channels[i], err);
		if (r)
			err_wrap(err, "%s", injector->servers[i].host);
	}
	return r;
}

static int revert_one(struct channel *channel, struct err *err)
{
	const struct server_process *process = channel->is_lost ? process_of(channel) : NULL;
	int r;

	if (!process)
		return 0;
	r = give_back(process, err);
	if (r)
		return r;
	channel->is_lost = false;
	return server_process_pid(process) < 0 ? 0 : start_asking(channel, asked_back, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx UNUSED, struct err *err)
{
	struct control_lost *fault = (struct control_lost *)injector;
	int first = 0;

	for (size_t i = injector->server_count; i-- > 0;) {
		struct err one = {0};
		int r = revert_one(&fault->channels[i], &one);

		if (r && !first) {
			first = r;
			*err = one;
			err_wrap(err, "%s", injector->servers[i].host);
		}
	}
	return first;
}

static int effect(struct injector *injector, struct injector_ctx *ctx UNUSED, struct effect *ret,
		  struct err *err UNUSED)
{
	const struct control_lost *fault = (const struct control_lost *)injector;

	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct channel *channel = &fault->channels[i];
		const struct injector_server *server = &injector->servers[i];

		if (!channel->is_lost || channel->asked == ASKED_UNKNOWN)
			servers_prove(ret, false, "nobody knows yet whether %s of %s can be told anything",
				      server->software->program, server->host);
		else
			servers_prove(ret, channel->asked == ASKED_FAILED, "%s of %s: %s", server->software->program,
				      server->host, channel->said);
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	buf_puts(out, "takes the control channel from ");
	servers_list(injector, out);
}

static void commands_of_port(const char *host, int port, struct buf *to_apply, struct buf *to_revert)
{
	buf_printf(
		to_apply,
		"ssh root@%s \"nft 'add table inet dnsdrill_%d; add chain inet dnsdrill_%d c { type filter hook input "
		"priority 0; }; add rule inet dnsdrill_%d c iif lo tcp dport %d reject with tcp reset'\"\n",
		host, port, port, port, port);
	buf_printf(to_revert, "ssh root@%s \"nft 'add table inet dnsdrill_%d; delete table inet dnsdrill_%d'\"\n", host,
		   port, port);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		const char *host = server->host, *name = server->software->control_socket;

		if (!name) {
			commands_of_port(host, server->software->control_port, to_apply, to_revert);
			continue;
		}
		buf_printf(to_apply, "ssh root@%s 'p=$(find /run -type s -name %s) && mv \"$p\" \"$p.lost\"'\n", host,
			   name);
		buf_printf(to_revert,
			   "ssh root@%s 'p=$(find /run -type s -name %s.lost) && mv \"$p\" \"${p%%.lost}\"'\n", host,
			   name);
	}
}

const struct injector_ops control_lost_ops = {
	.kind = "control-lost",
	.summary = "the server's control channel is gone: it serves on, and nobody can tell it anything",
	.hits = INJECTOR_HITS_SERVERS,
	.size = sizeof(struct control_lost),
	.validate = validate,
	.available = available,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
