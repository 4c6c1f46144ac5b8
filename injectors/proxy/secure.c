/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS over TLS (RFC 7858) and over HTTPS (RFC 8484): what a connection has below and above its bytes, on the client's side and on the upstream's.
 */
#include <arpa/inet.h>
#include <string.h>

#include "injectors/proxy/tcp_conn.h"

#define PULLED_MAX 65536 /* bytes of HTTP/2 that may wait for the socket */

static const char wrong_http[] = "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Type: text/plain\r\n"
				 "Content-Length: 42\r\nConnection: close\r\n\r\n"
				 "DNS over HTTPS is spoken over HTTP/2 only\n";

/* --- what HTTP tells --- */

static void on_query(void *user, int32_t stream, uint8_t *msg, size_t len)
{
	struct conn *conn = user;
	struct origin origin;

	if (!conn_is_open(conn) || conn->is_stalled || conn->is_cut)
		return;
	memset(&origin, 0, sizeof(origin));
	origin.client = conn->peer;
	origin.local = conn->local;
	origin.conn = conn;
	origin.stream = stream;
	pass_query(conn->worker, &origin, msg, len);
}

static void on_pace(void *user, int32_t stream, int64_t delay_ns)
{
	static const struct decide_send nothing = {.to = DECIDE_TO_CLIENT, .msg = (const uint8_t *)""};
	struct conn *conn = user;
	struct origin origin = {.conn = conn, .stream = stream};
	struct later_item *item =
		later_put(&conn->worker->later, &origin, &nothing, nothing.msg, 0, conn->worker->now_ns + delay_ns);

	if (!item)
		return;
	item->is_resume = true;
	conn_take(conn);
}

/* An HTTP error is the client's too, if it speaks HTTP. */
static void pass_status(struct conn *conn, struct flight_entry *entry, unsigned status)
{
	if (!conn->client.https) {
		pass_failed(conn->worker, entry, "an HTTP answer that is no DNS message");
		return;
	}
	https_refuse(conn->client.https, entry->origin.stream, status);
	pass_forget(conn->worker, entry);
	conn_mark(conn);
}

static void on_answer(void *user, const struct https_answer *answer)
{
	struct conn *conn = user;
	struct flight_entry *entry = flight_by_token(&conn->worker->flight, answer->token);

	if (!conn_is_open(conn) || conn->is_stalled || !entry || entry->origin.conn != conn)
		return;
	if (!doh_is_answer(answer->head) || !answer->len) {
		pass_status(conn, entry, answer->status >= 300 ? answer->status : answer->status ? 502 : 0);
		return;
	}
	if (conn->client.https)
		https_set_cache_control(conn->client.https, entry->origin.stream, answer->head->cache_control);
	pass_answer(conn->worker, entry, answer->body, answer->len);
}

static struct https *new_https(struct conn *conn, bool is_server)
{
	return https_new(is_server,
			 &(struct https_events){.user = conn, .query = on_query, .answer = on_answer, .pace = on_pace});
}

/* --- the client's side --- */

static const struct tls_service *find_service(const struct conn *conn)
{
	const struct proxy_tls *options = &conn->worker->proxy->options.tls;
	struct address asked = {.family = AF_UNSPEC};

	if (conn->local.sa.sa_family == AF_INET)
		memcpy(asked.bytes, &conn->local.in.sin_addr, 4);
	else if (conn->local.sa.sa_family == AF_INET6)
		memcpy(asked.bytes, &conn->local.in6.sin6_addr, 16);
	asked.family = conn->local.sa.sa_family;
	for (size_t i = 0; i < options->host_count; i++) {
		if (address_is_equal(&options->hosts[i].address, &asked))
			return options->hosts[i].service;
	}
	return options->service;
}

static bool begin_tls(struct conn *conn, const struct decide_tls *fault)
{
	enum tls_protocol protocol = conn->transport == DECIDE_DOH ? TLS_H2 : TLS_DOT;
	const struct tls_service *service = find_service(conn);
	struct side *side = &conn->client;

	side->tls = service ? tls_accept(service, protocol, fault, side->source.fd) : NULL;
	side->is_securing = true;
	if (side->tls && conn->transport == DECIDE_DOH)
		side->https = new_https(conn, true);
	return side->tls && (conn->transport != DECIDE_DOH || side->https);
}

bool secure_accept(struct conn *conn)
{
	struct decide_tls fault = {.certificate = CA_SOUND, .handshake = PARAM_UNSET, .newest = PARAM_UNSET};

	if (conn->transport == DECIDE_TCP)
		return true;
	pass_connection(conn->worker, &(struct origin){.client = conn->peer, .local = conn->local, .conn = conn},
			&fault);
	if (fault.handshake == RULE_HANDSHAKE_RESET)
		return false;
	if (fault.handshake == RULE_HANDSHAKE_STALL) {
		conn->is_stalled = true;
		conn_mark(conn);
		return true;
	}
	return begin_tls(conn, &fault);
}

/* --- the upstream's side --- */

enum decide_transport conn_upstream_transport(const struct conn *conn)
{
	const struct proxy_options *options = &conn->worker->proxy->options;

	if (options->is_inline)
		return conn->transport;
	if (conn->transport == DECIDE_DOT && options->upstream_dot.len)
		return DECIDE_DOT;
	return conn->transport == DECIDE_DOH && options->upstream_doh.len ? DECIDE_DOH : DECIDE_TCP;
}

bool secure_connect(struct conn *conn)
{
	enum decide_transport transport = conn_upstream_transport(conn);
	const struct tls_trust *trust = conn->worker->proxy->options.tls.trust;
	union endpoint server = worker_server(conn->worker, &(struct origin){.local = conn->local, .conn = conn});
	struct side *side = &conn->upstream;
	char name[INET6_ADDRSTRLEN];

	if (transport == DECIDE_TCP)
		return true;
	inet_ntop(server.sa.sa_family,
		  server.sa.sa_family == AF_INET ? (const void *)&server.in.sin_addr : &server.in6.sin6_addr, name,
		  sizeof(name));
	side->tls = tls_connect(trust, transport == DECIDE_DOH ? TLS_H2 : TLS_DOT, name, side->source.fd);
	side->is_securing = true;
	if (side->tls && transport == DECIDE_DOH)
		side->https = new_https(conn, false);
	return side->tls && (transport != DECIDE_DOH || side->https);
}

bool secure_ask(struct conn *conn, const struct flight_entry *entry, const uint8_t *msg, size_t len)
{
	const struct doh_head *request =
		conn->client.https ? https_request(conn->client.https, entry->origin.stream) : NULL;
	const char *name = tls_trust_name(conn->worker->proxy->options.tls.trust);
	struct https_ask ask = {.method = request ? request->method : DOH_POST,
				.path = request && request->path ? request->path : "/dns-query",
				.authority = name                             ? name
					     : request && *request->authority ? request->authority
									      : "dns.invalid",
				.msg = msg,
				.len = len,
				.token = flight_token(&conn->worker->flight, entry)};

	return !https_ask(conn->upstream.https, &ask);
}

/* --- both --- */

bool secure_advance(struct conn *conn, struct side *side)
{
	if (!side->is_securing || !side->tls->is_up)
		return true;
	if (side == &conn->upstream && side->https && !tls_is_agreed(side->tls))
		return false;
	side->is_securing = false;
	return true;
}

/* A client that did not agree on HTTP/2 speaks HTTP/1.1: it is answered so that it understands. */
static bool is_old_http(const struct conn *conn, const struct side *side)
{
	return side == &conn->client && !tls_is_agreed(side->tls);
}

bool secure_feed(struct conn *conn, struct side *side, const uint8_t *bytes, size_t len)
{
	if (!is_old_http(conn, side))
		return !https_feed(side->https, bytes, len);
	side_append(side, NULL, 0, (const uint8_t *)wrong_http, sizeof(wrong_http) - 1);
	return false;
}

bool secure_pull(struct conn *conn, struct side *side, size_t *ret_len)
{
	const uint8_t *bytes;
	ssize_t n = 0;

	*ret_len = 0;
	if (side->is_securing || is_old_http(conn, side))
		return true;
	while (side->out_len < PULLED_MAX && (n = https_next(side->https, &bytes)) > 0) {
		if (!side_append(side, NULL, 0, bytes, (size_t)n))
			return false;
		*ret_len += (size_t)n;
	}
	return n >= 0 && !https_is_over(side->https);
}
