/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe kind `dns`: one DNS message to one server, and the answer judged.
 */
#include "harness/probe/dns.h"
#include "harness/base/clock.h"
#include "harness/base/units.h"
#include "harness/probe/tls.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static const char *const dns_transports[] = {"udp", "tcp", "dot", "doh", NULL}; /* by enum dns_transport */
static const struct {
	const char *title;
	int encrypted;
	void (*start)(struct dns_ask *ask);
} dns_transport_infos[] = {
	[DNS_UDP] = {"UDP", 0, dns_udp_start},
	[DNS_TCP] = {"TCP", 0, dns_conn_start},
	[DNS_DOT] = {"TLS", ENCRYPTED_DOT, dns_conn_start},
	[DNS_DOH] = {"HTTPS", ENCRYPTED_DOH, dns_doh_start},
};
static const char *const dns_connections[] = {"new", "keep", NULL}; /* by enum dns_connection */
static const char *const dns_families[] = {"any", "ipv4", "ipv6", NULL};
static const int dns_family_numbers[] = {AF_UNSPEC, AF_INET, AF_INET6};

static const struct param dns_params[] = {
	P_TEXT(struct dns_probe, via, "via",
	       "host that is asked: a resolver or a nameserver; without it, the first resolver of `from`"),
	P_ENUM(struct dns_probe, transport, "transport", dns_transports, DNS_UDP,
	       "how the question travels: plain, over TLS (port 853) or over HTTPS (HTTP/2, POST to /dns-query); a "
	       "truncated answer over UDP is asked for again over TCP"),
	P_ENUM(struct dns_probe, connection, "connection", dns_connections, DNS_CONNECTION_NEW,
	       "tcp, dot, doh: one for each question, or one that is kept open until it fails or a question on it gets "
	       "no answer"),
	P_TEXT(struct dns_probe, tls_name, "tls_name",
	       "dot, doh: name that the server's certificate must have; by default the hostname of a nameserver, the "
	       "name of a "
	       "resolver in the lab"),
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

/* It will stand in a URL. */
static bool dns_is_hostname(const char *name)
{
	return *name && strlen(name) < 254 &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")];
}

static void dns_validate(const struct probe *probe, struct errs *errs)
{
	const struct dns_probe *dns = dns_of(probe);

	if (dns->edns_bytes > 0 && dns->edns_bytes < 512)
		errs_add(errs, probe->loc,
			 "edns: a payload size below 512B means 512B (RFC 6891 section 6.2.3): give "
			 "512B or more, or 0B for no EDNS");
	if (dns->connection == DNS_CONNECTION_KEEP && dns->transport == DNS_UDP)
		errs_add(errs, probe->loc,
			 "connection: UDP has none to keep; say transport: tcp, dot or doh, or leave it out");
	if (dns->tls_name.value && !dns_transport_infos[dns->transport].encrypted)
		errs_add(errs, dns->tls_name.loc,
			 "tls_name: over %s nobody shows a certificate; say transport: dot or doh, or leave it out",
			 dns_transport_infos[dns->transport].title);
	if (dns->tls_name.value && !dns_is_hostname(dns->tls_name.value))
		errs_add(errs, dns->tls_name.loc, "tls_name: '%.80s' is not the name of a host", dns->tls_name.value);
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

	buf_printf(out, "%s to ", dns_transport_infos[dns->transport].title);
	if (address)
		buf_printf(out, "%s (%s)", ctx->servers[0].host, address->text);
	else
		buf_puts(out, "nobody");
}

static const char *dns_transport(const struct probe *probe)
{
	return dns_transports[dns_of(probe)->transport];
}

static int dns_encrypted(const struct probe *probe)
{
	return dns_transport_infos[dns_of(probe)->transport].encrypted;
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

int dns_connect(const struct dns *dns, int type)
{
	int fd = host_socket(dns->ctx.host, dns->server.ss_family, type, 0), on = 1;

	if (fd < 0)
		return fd;
	/* As glibc's resolver does: host and net unreachable become errors at once, not only port unreachable. */
	if (dns->server.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&dns->server, dns->server_len) < 0 && errno != EINPROGRESS) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
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
	dns_transport_infos[dns->probe->transport].start(ask);
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
	dns_conn_close(dns);
	dns_doh_close(dns);
	SSL_CTX_free(dns->tls);
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

static int dns_open_tls(struct dns *dns, struct err *err)
{
	const struct text *name = &dns->probe->tls_name;

	dns->tls_name = name->value ? name->value : dns->ctx.servers[0].tls_name;
	if (dns->probe->transport == DNS_DOH)
		return dns_doh_open(dns, err);
	dns->tls = tls_client_new(dns->ctx.ca_file, err);
	return dns->tls ? 0 : err->code;
}

static int dns_open_server(struct dns *dns, struct err *err)
{
	static const uint16_t ports[] = {
		[DNS_UDP] = DNS_PORT, [DNS_TCP] = DNS_PORT, [DNS_DOT] = DOT_PORT, [DNS_DOH] = DOH_PORT};
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
	dns->address = address;
	dns->server_len = address_to_sockaddr(address, ports[probe->transport], &dns->server);
	return dns_transport_infos[probe->transport].encrypted ? dns_open_tls(dns, err) : 0;
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
	.summary = "one DNS query to one server, over UDP, TCP, TLS or HTTPS, and the answer judged",
	.params = dns_params,
	.size = sizeof(struct dns_probe),
	.default_timeout_ns = 2 * SEC,
	.needs_type = true,
	.validate = dns_validate,
	.describe = dns_describe,
	.transport = dns_transport,
	.via = dns_via,
	.encrypted = dns_encrypted,
	.open = dns_open,
	.ask = dns_ask,
	.close = dns_close,
};
