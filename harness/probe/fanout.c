/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/fanout.h"
#include "harness/base/clock.h"
#include "harness/base/rng.h"
#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DNS_PORT 53
#define EDNS_BYTES 1232

struct fanout_ask {
	struct flight flight; /* first */
	struct fanout *fanout;
	int64_t sent_ns;
	size_t left;
	struct fanout_part *parts;
};

static int64_t now_of(const struct fanout *fanout)
{
	return clock_now_ns() - fanout->ctx.epoch_ns;
}

static void free_parts(struct fanout_ask *ask)
{
	for (size_t i = 0; ask->parts && i < ask->fanout->count; i++)
		arena_free(ask->parts[i].arena);
	free(ask->parts);
	ask->parts = NULL;
}

static void emit_part(const struct fanout_ask *ask, size_t i)
{
	const struct fanout *fanout = ask->fanout;
	const struct fanout_part *part = &ask->parts[i];
	const struct ev_sample_part ev = {
		.i = ask->flight.i,
		.host = fanout->servers[i].server->host,
		.address = fanout->servers[i].server->address.text,
		.due_ns = ask->flight.due_ns,
		.sent_ns = ask->sent_ns,
		.done_ns = part->done_ns,
		.outcome = part->outcome,
		.rcode = part->rcode,
		.detail = part->detail,
		.answer = part->answer,
		.serial = part->serial,
		.fits = part->fits,
	};

	fanout->ctx.part(fanout->ctx.arg, &ev);
}

static void finish(struct fanout_ask *ask)
{
	struct fanout *fanout = ask->fanout;
	struct ev_sample sample = {
		.probe = fanout->probe->name.value,
		.i = ask->flight.i,
		.due_ns = ask->flight.due_ns,
		.sent_ns = ask->sent_ns,
	};
	struct fanout_part *parts = TAKE(ask->parts);
	struct fanout_ask whole = *ask;
	struct buf detail = {0};

	whole.parts = parts;
	inflight_remove(&fanout->inflight, &ask->flight);
	for (size_t i = 0; i < fanout->count; i++) {
		emit_part(&whole, i);
		if (parts[i].done_ns > sample.done_ns)
			sample.done_ns = parts[i].done_ns;
	}
	fanout->combine(fanout, parts, &sample, &detail);
	sample.detail = detail.len ? detail.data : NULL;
	fanout->ctx.done(fanout->ctx.arg, &sample);
	buf_fini(&detail);
	free_parts(&whole);
}

static void end_part(struct fanout_ask *ask, size_t i)
{
	ask->parts[i].is_over = true;
	if (!--ask->left)
		finish(ask);
}

static void expire(void *arg, struct flight *flight)
{
	struct fanout *fanout = arg;
	struct fanout_ask *ask = (struct fanout_ask *)(void *)flight;

	for (size_t i = 0; i < fanout->count; i++) {
		struct fanout_part *part = &ask->parts[i];

		if (part->is_over)
			continue;
		*part = (struct fanout_part){
			.outcome = OUTCOME_TIMEOUT,
			.done_ns = inflight_deadline(&fanout->inflight, flight),
			.serial = -1,
			.detail = "no answer",
			.arena = part->arena,
		};
	}
	finish(ask);
}

static int64_t serial_in(const struct answer *answer)
{
	const char *p = answer->count ? answer->rdata[0] : NULL;

	for (int word = 0; p && word < 2; word++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p ? (int64_t)strtoull(p, NULL, 10) : -1;
}

static void take_answer(struct fanout_ask *ask, size_t i, const uint8_t *wire, size_t len)
{
	struct fanout *fanout = ask->fanout;
	struct fanout_part *part = &ask->parts[i];
	struct arena *arena = arena_new();
	struct dns_reply reply;

	*part = (struct fanout_part){.done_ns = now_of(fanout), .serial = -1, .arena = arena};
	if (dns_reply_parse(&reply, &fanout->query, wire, len, arena)) {
		part->outcome = OUTCOME_WRONG;
		part->detail = "malformed answer";
	} else {
		part->rcode = arena_strdup(arena, reply.answer.rcode);
		part->is_cut = dns_is_truncated(wire);
		part->min_ttl = reply.answer.min_ttl;
		part->max_ttl = reply.answer.max_ttl;
		part->aa = reply.answer.aa;
		part->ad = reply.answer.ad;
		part->answer = (struct ev_strings){reply.answer.rdata, reply.answer.count};
		part->serial = fanout->probe->qtype == LDNS_RR_TYPE_SOA ? serial_in(&reply.answer) : -1;
		if (part->is_cut) {
			part->outcome = OUTCOME_ERROR; /* what it would have said is not known */
			part->detail = "the answer was truncated (TC), and this kind of probe asks over UDP only";
		} else {
			fanout->judge(fanout, part, arena);
		}
		dns_reply_fini(&reply);
	}
	end_part(ask, i);
}

/* The asking an ID belongs to: the last one whose number ends so. */
static struct fanout_ask *find_ask(const struct fanout *fanout, const uint8_t *wire)
{
	uint16_t id = (uint16_t)(wire[0] << 8 | wire[1]), low = id ^ fanout->secret;
	int64_t i = fanout->last_i - (uint16_t)((uint16_t)fanout->last_i - low);

	return i < 0 ? NULL : (struct fanout_ask *)(void *)inflight_find(&fanout->inflight, i);
}

static void on_readable(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct fanout_server *server = arg;
	struct fanout *fanout = server->fanout;
	size_t index = (size_t)(server - fanout->servers);
	uint8_t wire[65536];
	ssize_t len;

	while ((len = recv(fd, wire, sizeof(wire), 0)) >= 0) {
		struct fanout_ask *ask = len >= 12 ? find_ask(fanout, wire) : NULL;

		if (!ask || ask->parts[index].is_over)
			continue;
		dns_query_set_id(&fanout->query, (uint16_t)ask->flight.i ^ fanout->secret);
		if (dns_match(&fanout->query, wire, (size_t)len) == DNS_MATCH &&
		    now_of(fanout) < inflight_deadline(&fanout->inflight, &ask->flight))
			take_answer(ask, index, wire, (size_t)len);
	}
}

static void not_asked(struct fanout *fanout, int64_t i, int64_t due_ns, const char *why)
{
	int64_t now_ns = now_of(fanout);
	struct ev_sample sample = {
		.probe = fanout->probe->name.value,
		.i = i,
		.due_ns = due_ns,
		.sent_ns = now_ns,
		.done_ns = now_ns,
		.outcome = OUTCOME_ERROR,
		.detail = why,
	};

	fanout->ctx.done(fanout->ctx.arg, &sample);
}

void fanout_ask(void *state, int64_t i, int64_t due_ns)
{
	struct fanout *fanout = state;
	struct fanout_ask *ask;

	if (now_of(fanout) >= due_ns + fanout->probe->timeout_ns) {
		not_asked(fanout, i, due_ns, "could not ask: the harness was busy until the sample's time was over");
		return;
	}
	ask = (struct fanout_ask *)(void *)inflight_add(&fanout->inflight, i, due_ns);
	if (ask)
		ask->parts = calloc(fanout->count + 1, sizeof(*ask->parts));
	if (!ask || !ask->parts) {
		if (ask)
			inflight_remove(&fanout->inflight, &ask->flight);
		not_asked(fanout, i, due_ns, "could not ask: out of memory");
		return;
	}
	ask->fanout = fanout;
	ask->left = fanout->count;
	ask->sent_ns = now_of(fanout);
	fanout->last_i = i;
	dns_query_set_id(&fanout->query, (uint16_t)i ^ fanout->secret);
	/* Refused, or no buffer: no answer comes, which the deadline says. */
	for (size_t k = 0; k < fanout->count; k++)
		(void)!send(fanout->servers[k].fd, fanout->query.wire, fanout->query.len, 0);
}

static int open_server(struct fanout *fanout, size_t i, struct err *err)
{
	struct fanout_server *server = &fanout->servers[i];
	const struct probe_server *to = &fanout->ctx.servers[i];
	struct sockaddr_storage address;
	socklen_t len = address_to_sockaddr(&to->address, DNS_PORT, &address);

	server->fanout = fanout;
	server->server = to;
	server->fd = host_socket(fanout->ctx.host, to->address.family, SOCK_DGRAM, 0);
	if (server->fd < 0 || connect(server->fd, (const struct sockaddr *)&address, len))
		return err_set(err, server->fd < 0 ? server->fd : -errno, fanout->probe->loc, "cannot ask %s at %s",
			       to->host, to->address.text);
	server->readable = event_new(fanout->ctx.base, server->fd, EV_READ | EV_PERSIST, on_readable, server);
	if (!server->readable || event_add(server->readable, NULL))
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	return 0;
}

int fanout_open(const struct probe *probe, const struct probe_ctx *ctx, struct fanout **ret, struct err *err)
{
	struct dns_question question = {.qname = probe->qname, .qtype = probe->qtype, .edns_size = EDNS_BYTES};
	struct fanout *fanout = calloc(1, sizeof(*fanout));
	struct rng rng;
	int r;

	if (fanout)
		fanout->servers = calloc(ctx->server_count + 1, sizeof(*fanout->servers));
	if (!fanout || !fanout->servers) {
		free(fanout);
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	}
	fanout->probe = probe;
	fanout->ctx = *ctx;
	fanout->count = ctx->server_count;
	rng = rng_stream(ctx->seed, probe->name.value);
	fanout->secret = (uint16_t)rng_next(&rng);
	for (size_t i = 0; i < fanout->count; i++)
		fanout->servers[i].fd = -1;
	r = dns_query_new(&fanout->query, &question, err);
	if (!r && inflight_init(&fanout->inflight, ctx->base, ctx->epoch_ns, probe->timeout_ns,
				sizeof(struct fanout_ask), expire, fanout))
		r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (size_t i = 0; !r && i < fanout->count; i++)
		r = open_server(fanout, i, err);
	if (r)
		fanout_close(fanout);
	else
		*ret = fanout;
	return r;
}

void fanout_close(void *state)
{
	struct fanout *fanout = state;
	struct flight *flight;

	if (!fanout)
		return;
	while (fanout->inflight.ring && (flight = inflight_first(&fanout->inflight))) {
		free_parts((struct fanout_ask *)(void *)flight);
		inflight_remove(&fanout->inflight, flight);
	}
	inflight_fini(&fanout->inflight);
	for (size_t i = 0; i < fanout->count; i++) {
		if (fanout->servers[i].readable)
			event_free(fanout->servers[i].readable);
		if (fanout->servers[i].fd >= 0)
			close(fanout->servers[i].fd);
	}
	dns_query_fini(&fanout->query);
	free(fanout->servers);
	free(fanout);
}

void fanout_describe(const struct probe *probe UNUSED, const struct probe_ctx *ctx, struct buf *out)
{
	buf_puts(out, "UDP to ");
	for (size_t i = 0; i < ctx->server_count; i++)
		buf_printf(out, "%s%s (%s)", i ? ", " : "", ctx->servers[i].host, ctx->servers[i].address.text);
}

const char *fanout_transport(const struct probe *probe UNUSED)
{
	return "udp";
}

const struct fanout_part *fanout_worst(const struct fanout *fanout, const struct fanout_part *parts, size_t *ret_index)
{
	static const int ranks[OUTCOME_COUNT] = {
		[OUTCOME_WRONG] = 1, [OUTCOME_RCODE] = 2, [OUTCOME_TIMEOUT] = 3, [OUTCOME_ERROR] = 4};
	size_t worst = 0;

	for (size_t i = 1; i < fanout->count; i++) {
		if (ranks[parts[i].outcome] > ranks[parts[worst].outcome])
			worst = i;
	}
	*ret_index = worst;
	return &parts[worst];
}

void fanout_add_server(const struct fanout *fanout, size_t i, struct buf *out)
{
	buf_printf(out, "%s (%s)", fanout->servers[i].server->host, fanout->servers[i].server->address.text);
}
