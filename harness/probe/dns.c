/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe kind `dns`: one DNS message to one server, and the answer judged.
 */
#include "harness/probe/dns.h"
#include "harness/base/clock.h"
#include "harness/base/units.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static const char *const dns_transports[] = {"udp", "tcp", NULL};
enum { DNS_UDP, DNS_TCP };
static const char *const dns_families[] = {"any", "ipv4", "ipv6", NULL};
static const int dns_family_numbers[] = {AF_UNSPEC, AF_INET, AF_INET6};

static const struct param dns_params[] = {
	P_TEXT(struct dns_probe, via, "via",
	       "host that is asked: a resolver or a nameserver; without it, the first resolver of `from`"),
	P_ENUM(struct dns_probe, transport, "transport", dns_transports, DNS_UDP,
	       "how the question travels; a truncated answer over UDP is asked for again over TCP"),
	P_ENUM(struct dns_probe, family, "family", dns_families, 0, "which of the server's addresses is asked"),
	P_BOOL(struct dns_probe, recursion, "recursion", true, "set RD: ask the server to recurse"),
	P_BOOL(struct dns_probe, dnssec, "dnssec", false, "set DO: ask for signatures"),
	P_SIZE(struct dns_probe, edns_bytes, "edns", 0, DNS_MESSAGE_MAX, 1232,
	       "UDP payload size offered by EDNS; 0B asks without EDNS"),
	PARAM_END,
};

static const struct dns_probe *dns_of(const struct probe *probe)
{
	return (const struct dns_probe *)(const void *)probe;
}

static void dns_validate(const struct probe *probe, struct errs *errs)
{
	const struct dns_probe *dns = dns_of(probe);

	if (dns->edns_bytes > 0 && dns->edns_bytes < 512)
		errs_add(errs, probe->loc,
			 "edns: a payload size below 512B means 512B (RFC 6891 section 6.2.3): give "
			 "512B or more, or 0B for no EDNS");
	if (dns->dnssec && dns->edns_bytes == 0)
		errs_add(errs, probe->loc, "dnssec: the DO bit needs EDNS: give `edns` a size of 512B or more");
}

/* Only the first server is asked; of its addresses, the first of the family. */
static const struct address *dns_pick(const struct dns_probe *probe, const struct probe_ctx *ctx)
{
	int family = dns_family_numbers[probe->family];

	for (size_t i = 0; i < ctx->server_count; i++) {
		const struct probe_server *server = &ctx->servers[i];

		if (strcmp(server->host, ctx->servers[0].host) != 0)
			continue;
		if (family == AF_UNSPEC || server->address.family == family)
			return &server->address;
	}
	return NULL;
}

static void dns_describe(const struct probe *probe, const struct probe_ctx *ctx, struct buf *out)
{
	const struct dns_probe *dns = dns_of(probe);
	const struct address *address = dns_pick(dns, ctx);

	buf_printf(out, "%s to ", dns->transport == DNS_TCP ? "TCP" : "UDP");
	if (address)
		buf_printf(out, "%s (%s)", ctx->servers[0].host, address->text);
	else
		buf_puts(out, "nobody");
}

static const char *dns_transport(const struct probe *probe)
{
	return dns_transports[dns_of(probe)->transport];
}

static const struct text *dns_via(const struct probe *probe)
{
	return &dns_of(probe)->via;
}

int64_t dns_now(const struct dns *dns)
{
	return clock_now_ns() - dns->ctx.epoch_ns;
}

void dns_prepare(struct dns_ask *ask)
{
	struct dns *dns = ask->dns;
	char label[UNIQUE_LABEL_LEN + 1];

	dns_query_set_id(&dns->query, ask->id);
	if (!dns->probe->probe.unique)
		return;
	unique_label(&dns->unique, ask->flight.i, label);
	dns_query_set_label(&dns->query, label);
}

int dns_connect(struct dns_ask *ask, int type)
{
	const struct dns *dns = ask->dns;
	int on = 1;

	ask->fd = host_socket(dns->ctx.host, dns->server.ss_family, type, 0);
	if (ask->fd < 0)
		return ask->fd;
	/* As glibc's resolver does: host and net unreachable become errors at once, not only port unreachable. */
	if (dns->server.ss_family == AF_INET6)
		setsockopt(ask->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		setsockopt(ask->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	if (connect(ask->fd, (const struct sockaddr *)&dns->server, dns->server_len) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

void dns_disconnect(struct dns_ask *ask)
{
	if (ask->fd < 0)
		return;
	if (event_initialized(&ask->event))
		event_del(&ask->event);
	close(ask->fd);
	ask->fd = -1;
}

static void dns_give_up(struct dns_ask *ask)
{
	dns_disconnect(ask);
	free(ask->stream.bytes);
	inflight_remove(&ask->dns->inflight, &ask->flight);
}

/* Hands the sample on with the name that was asked. */
static void dns_emit(struct dns *dns, struct ev_sample *sample)
{
	char name[UNIQUE_LABEL_LEN + 1 + 256], label[UNIQUE_LABEL_LEN + 1];

	sample->probe = dns->probe->probe.name.value;
	if (dns->probe->probe.unique) {
		unique_label(&dns->unique, sample->i, label);
		snprintf(name, sizeof(name), "%s.%s", label, dns->probe->probe.qname);
		sample->name = name;
	}
	dns->ctx.done(dns->ctx.arg, sample);
}

static void dns_finish(struct dns_ask *ask, struct ev_sample *sample)
{
	struct dns *dns = ask->dns;

	sample->i = ask->flight.i;
	sample->due_ns = ask->flight.due_ns;
	sample->sent_ns = ask->sent_ns ? ask->sent_ns : sample->done_ns;
	dns_give_up(ask);
	dns_emit(dns, sample);
}

static void dns_expire(void *arg, struct flight *flight)
{
	struct dns *dns = arg;
	struct dns_ask *ask = (struct dns_ask *)(void *)flight;
	char timeout[32], detail[160];
	struct ev_sample sample = {.outcome = OUTCOME_TIMEOUT, .detail = detail};

	sample.done_ns = inflight_deadline(&dns->inflight, flight);
	units_format_duration(dns->probe->probe.timeout_ns, timeout, sizeof(timeout));
	snprintf(detail, sizeof(detail), "no answer within %s%s", timeout,
		 ask->is_retried ? " (truncated over UDP, then none over TCP)" : "");
	if (ask->strangers > 0)
		snprintf(detail + strlen(detail), sizeof(detail) - strlen(detail),
			 "; %u message%s did not match the question", ask->strangers, ask->strangers > 1 ? "s" : "");
	dns_finish(ask, &sample);
}

/* The moment something came of the asking. False: it came too late, whatever the loop was busy with, and the asking has ended as a timeout. */
static bool dns_in_time(struct dns_ask *ask, int64_t *ret_now)
{
	*ret_now = dns_now(ask->dns);
	if (*ret_now < inflight_deadline(&ask->dns->inflight, &ask->flight))
		return true;
	dns_expire(ask->dns, &ask->flight);
	return false;
}

void dns_garbled(struct dns_ask *ask)
{
	struct ev_sample sample = {.outcome = OUTCOME_WRONG, .detail = "malformed answer"};

	if (dns_in_time(ask, &sample.done_ns))
		dns_finish(ask, &sample);
}

static void dns_judge(struct dns_ask *ask, struct dns_reply *reply, int64_t now_ns)
{
	struct ev_sample sample = {.done_ns = now_ns, .rcode = reply->answer.rcode};
	struct buf detail = {0};

	sample.outcome = judge(&ask->dns->good, &reply->answer, &detail);
	if (reply->ede.len > 0)
		buf_printf(&detail, "%s%s", detail.len > 0 ? "; " : "", reply->ede.data);
	sample.detail = detail.len > 0 ? detail.data : NULL;
	sample.answer = (struct ev_strings){.v = reply->answer.rdata, .count = reply->answer.count};
	dns_finish(ask, &sample);
	buf_fini(&detail);
}

void dns_answered(struct dns_ask *ask, const uint8_t *wire, size_t len)
{
	struct arena *arena;
	struct dns_reply reply;
	int64_t now_ns;
	int r;

	if (!dns_in_time(ask, &now_ns))
		return;
	arena = arena_new();
	r = dns_reply_parse(&reply, &ask->dns->query, wire, len, arena);
	if (r == -ENOMEM) {
		dns_failed(ask, ENOMEM);
	} else if (r < 0) {
		dns_garbled(ask);
	} else {
		dns_judge(ask, &reply, now_ns);
		dns_reply_fini(&reply);
	}
	arena_free(arena);
}

/* What the network did to the query, in words; NULL: it was not the network. EPERM and EACCES are what a firewall on the host looks like. */
static const char *dns_network_error(int error, bool is_stream)
{
	switch (error) {
	case ECONNREFUSED:
		return is_stream ? "refused: connection refused" : "refused: port unreachable";
	case ECONNRESET:
	case EPIPE:
		return "refused: connection closed without an answer";
	case EHOSTUNREACH:
	case EHOSTDOWN:
		return "refused: host unreachable";
	case ENETUNREACH:
	case ENETDOWN:
		return "refused: network unreachable";
	case EACCES:
	case EPERM:
		return "refused: not permitted by the network";
	case ENOPROTOOPT:
	case EPROTO:
		return "refused: protocol unreachable";
	case ETIMEDOUT:
		return "no connection";
	default:
		return NULL;
	}
}

static const char *dns_harness_error(int error, char *buf, size_t size)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		return "could not ask: too many open files: raise `ulimit -n`, or ask less often";
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		return "could not ask: no local port is free: ask less often";
	default:
		snprintf(buf, size, "could not ask: %s", strerrordesc_np(error));
		return buf;
	}
}

void dns_failed(struct dns_ask *ask, int error)
{
	bool is_stream = ask->is_retried || ask->dns->probe->transport == DNS_TCP;
	const char *detail = dns_network_error(error, is_stream);
	struct ev_sample sample = {.outcome = detail ? OUTCOME_TIMEOUT : OUTCOME_ERROR};
	char text[128];

	sample.detail = detail ? detail : dns_harness_error(error, text, sizeof(text));
	if (dns_in_time(ask, &sample.done_ns))
		dns_finish(ask, &sample);
}

/* A sample for which there is nothing in flight. */
static void dns_not_asked(struct dns *dns, int64_t i, int64_t due_ns, const char *why)
{
	int64_t now_ns = dns_now(dns);
	struct ev_sample sample = {.i = i, .due_ns = due_ns, .sent_ns = now_ns, .done_ns = now_ns};

	sample.outcome = OUTCOME_ERROR;
	sample.detail = why;
	dns_emit(dns, &sample);
}

static void dns_ask(void *state, int64_t i, int64_t due_ns)
{
	struct dns *dns = state;
	struct dns_ask *ask;

	if (dns_now(dns) >= due_ns + dns->probe->probe.timeout_ns) {
		dns_not_asked(dns, i, due_ns, "could not ask: the harness was busy until the sample's time was over");
		return;
	}
	ask = (struct dns_ask *)(void *)inflight_add(&dns->inflight, i, due_ns);
	if (!ask) {
		dns_not_asked(dns, i, due_ns, "could not ask: out of memory");
		return;
	}
	ask->dns = dns;
	ask->fd = -1;
	ask->id = (uint16_t)rng_next(&dns->ids);
	if (dns->probe->transport == DNS_TCP)
		dns_tcp_start(ask);
	else
		dns_udp_start(ask);
}

static void dns_close(void *state)
{
	struct dns *dns = state;
	struct flight *flight;

	if (!dns)
		return;
	while (dns->inflight.ring && (flight = inflight_first(&dns->inflight)))
		dns_give_up((struct dns_ask *)(void *)flight);
	inflight_fini(&dns->inflight);
	dns_query_fini(&dns->query);
	arena_free(dns->arena);
	free(dns);
}

static int dns_open_query(struct dns *dns, struct err *err)
{
	const struct dns_probe *probe = dns->probe;
	struct dns_question question = {.qtype = probe->probe.qtype,
					.recursion = probe->recursion,
					.dnssec = probe->dnssec,
					.authentic = probe->probe.good.ad != TRISTATE_ANY,
					.edns_size = (uint16_t)probe->edns_bytes};
	char label[UNIQUE_LABEL_LEN + 1];

	question.qname = probe->probe.qname;
	if (probe->probe.unique) {
		dns->unique = unique_new(dns->ctx.seed, probe->probe.name.value);
		unique_label(&dns->unique, 0, label);
		question.qname = arena_printf(dns->arena, "%s.%s", label, probe->probe.qname);
	}
	if (dns_query_new(&dns->query, &question, err) < 0)
		return err_at(err, probe->probe.query.loc);
	dns->good = probe->probe.good;
	dns->good.answer = dns_canonical(&probe->probe.good.answer, probe->probe.qtype, dns->arena);
	return 0;
}

static int dns_open_server(struct dns *dns, struct err *err)
{
	const struct dns_probe *probe = dns->probe;
	const struct address *address = dns_pick(probe, &dns->ctx);

	if (!address && dns->ctx.server_count == 0)
		return err_set(err, -EINVAL, probe->probe.loc,
			       "probe %s has nobody to ask: give it `via`, or `from` a "
			       "client with resolvers",
			       probe->probe.name.value);
	if (!address)
		return err_set(err, -EINVAL, probe->probe.loc, "probe %s: %s has no %s address",
			       probe->probe.name.value, dns->ctx.servers[0].host, dns_families[probe->family]);
	dns->server_len = address_to_sockaddr(address, DNS_PORT, &dns->server);
	return 0;
}

static int dns_open(const struct probe *probe, const struct probe_ctx *ctx, void **ret_state, struct err *err)
{
	struct dns *dns = calloc(1, sizeof(*dns));
	char stream[256];

	if (!dns)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	dns->probe = dns_of(probe);
	dns->ctx = *ctx;
	dns->arena = arena_new();
	snprintf(stream, sizeof(stream), "probe %s id", probe->name.value);
	dns->ids = rng_stream(ctx->seed, stream);
	if (dns_open_server(dns, err) < 0 || dns_open_query(dns, err) < 0)
		goto fail;
	if (inflight_init(&dns->inflight, ctx->base, ctx->epoch_ns, probe->timeout_ns, sizeof(struct dns_ask),
			  dns_expire, dns) < 0) {
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		goto fail;
	}
	*ret_state = dns;
	return 0;
fail:
	dns_close(dns);
	return err->code;
}

const struct probe_ops dns_ops = {
	.kind = "dns",
	.summary = "one DNS query to one server, over UDP or TCP, and the answer judged",
	.params = dns_params,
	.size = sizeof(struct dns_probe),
	.default_timeout_ns = 2 * SEC,
	.needs_type = true,
	.validate = dns_validate,
	.describe = dns_describe,
	.transport = dns_transport,
	.via = dns_via,
	.open = dns_open,
	.ask = dns_ask,
	.close = dns_close,
};
